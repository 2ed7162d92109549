"""What a reader looks at stays where it is."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.readers import LATEST
from tests.browser.seeding import keep, small_talk
from tests.support.worker import Server

LONG = 180


@pytest.fixture
def long_room(site: Server, book_id: int) -> int:
    """A room with `LONG` lines."""
    keep(site.environment["MONGODB_URL"], book_id, small_talk(LONG))
    return book_id


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_does_not_move_when_older_messages_come_in(
    open_reader: Open, long_room: int, width: int
) -> None:
    ada = open_reader(width=width).join(long_room, "Ada")
    expect(ada.messages).to_have_count(50)
    watched = ada.texts()[0]

    # Near enough to the top that the older page is asked for, with the watched line in view.
    before = ada.message(watched).evaluate(
        f"(line) => {{ {LATEST} = 60; return line.getBoundingClientRect().top; }}"
    )
    expect(ada.messages).to_have_count(100)
    expect(ada.page.locator("[data-skeleton]")).to_be_hidden()

    assert ada.page.evaluate(LATEST) > 1_000
    assert abs(ada.top_of(watched) - before) < 2


def test_all_older_messages_can_be_reached_and_then_it_says_no_more(
    open_reader: Open, long_room: int
) -> None:
    ada = open_reader().join(long_room, "Ada")

    for expected in (100, 150, LONG):
        ada.scroll_to(0)
        expect(ada.messages).to_have_count(expected)

    assert ada.texts() == [f"Line {number} of {LONG}" for number in range(1, LONG + 1)]
    expect(ada.page.locator("[data-older]")).to_be_hidden()


def test_a_reader_who_looks_further_up_is_not_moved_by_new_messages(
    open_reader: Open, long_room: int
) -> None:
    ada, ben = open_reader().join(long_room, "Ada"), open_reader().join(long_room, "Ben")
    top = ada.page.evaluate(LATEST)
    ada.scroll_to(top - 600)
    expect(ada.jump).to_have_text("Jump to latest")
    watched = f"Line {LONG - 12} of {LONG}"
    before = ada.top_of(watched)

    ben.say("news")
    ben.say("more news")

    expect(ada.jump).to_have_text("2 new messages")
    expect(ada.page).to_have_title(f"(2) Book {long_room} · ReadRealm")
    assert abs(ada.top_of(watched) - before) < 2
    marker = ada.page.locator(".unread")
    expect(marker).to_have_count(1)
    assert marker.evaluate("(line) => line.nextElementSibling.textContent.includes('news')")

    ada.jump.click()
    expect(ada.message("more news")).to_be_in_viewport()
    expect(ada.jump).to_be_hidden()
    expect(ada.page).to_have_title(f"Book {long_room} · ReadRealm")

    ada.say("seen")
    expect(marker).to_have_count(0)


def test_a_reader_at_the_end_sees_new_messages_come_in(open_reader: Open, long_room: int) -> None:
    ada, ben = open_reader().join(long_room, "Ada"), open_reader().join(long_room, "Ben")

    ben.say("news")

    expect(ada.message("news")).to_be_in_viewport()
    expect(ada.jump).to_be_hidden()
    assert ada.page.locator(".unread").count() == 0


def test_coming_back_shows_what_is_new_since_the_last_visit(
    open_reader: Open, long_room: int
) -> None:
    ada, ben = open_reader().join(long_room, "Ada"), open_reader().join(long_room, "Ben")
    ada.page.goto("/")
    ben.say("while you were away")
    ben.expect_texts(*[f"Line {number} of {LONG}" for number in range(131, 181)], ben.texts()[-1])

    ada.open(long_room).wait_until_live()

    marker = ada.page.locator(".unread")
    expect(marker).to_be_in_viewport()
    assert marker.evaluate("(line) => line.nextElementSibling.textContent.includes('away')")


def test_what_changes_above_does_not_move_what_is_read(
    open_reader: Open, book_id: int, site: Server
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader(height=400).join(book_id, "Ben")
    ada.say("short")
    ben.expect_texts("short")
    keep(site.environment["MONGODB_URL"], book_id, small_talk(20))
    ada.say("what was missed is fetched now")
    expect(ben.messages).to_have_count(22)
    watched = "Line 8 of 20"
    ben.message(watched).scroll_into_view_if_needed()
    before = ben.top_of(watched)

    ada.choose("short", "Edit")
    ada.say("so long that it takes several lines " * 20)
    expect(ben.messages.first).to_contain_text("several lines")

    assert abs(ben.top_of(watched) - before) < 2


def test_an_answer_to_a_message_far_up_leads_there(
    open_reader: Open, long_room: int, site: Server
) -> None:
    ada = open_reader().join(long_room, "Ada")
    ada.scroll_to(0)
    expect(ada.messages).to_have_count(100)
    ada.choose(f"Line {LONG - 90} of {LONG}", "Reply")
    ada.say("about that")

    ben = open_reader().join(long_room, "Ben")
    quoted = ben.message("about that").locator("[data-reply-link]")
    expect(quoted).to_have_text("An earlier message")
    quoted.click()

    expect(ben.message(f"Line {LONG - 90} of {LONG}")).to_be_focused()
    expect(ben.message(f"Line {LONG - 90} of {LONG}")).to_be_in_viewport()
