"""Two browsers in one room: what one says the other sees, and what happened stays."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Open


def test_two_readers_talk_and_see_each_other_come_and_go(
    open_reader: Open, book_id: int, results: Path
) -> None:
    ada = open_reader().join(book_id, "Ada")
    expect(ada.page.get_by_text("No one has written here yet.")).to_be_visible()
    ben = open_reader().join(book_id, "Ben")
    expect(ada.page.locator(".movement")).to_have_text("Ben came in")
    expect(ada.page.locator("#readers-title")).to_have_text("2 readers here")

    ada.say("Has anybody got past chapter one?")
    ben.expect_texts("Has anybody got past chapter one?")
    ben.say("Only just.")
    ada.expect_texts("Has anybody got past chapter one?", "Only just.")
    ada.page.screenshot(path=results / "room.png")

    ada.page.reload()
    ada.expect_texts("Has anybody got past chapter one?", "Only just.")
    ada.wait_until_live()

    ben.page.close()
    expect(ada.page.locator(".movement")).to_have_text("Ben left")
    expect(ada.page.locator("#readers-title")).to_have_text("1 reader here")


def test_a_reload_is_not_told_as_leaving_and_coming_back(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")
    ben = open_reader().join(book_id, "Ben")
    ben.say("before")
    ada.expect_texts("before")

    ben.page.reload()
    ben.wait_until_live()
    ben.say("after")

    ada.expect_texts("before", "after")
    expect(ada.page.locator(".movement")).to_have_text("Ben came in")


def test_what_one_wrote_is_never_markup(open_reader: Open, book_id: int) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script> [x](javascript:alert(3))"
    ada, ben = open_reader().join(book_id, "<b>Ada</b>"), open_reader().join(book_id, "Ben")
    ben.page.on("dialog", lambda dialog: ben.errors.append(dialog.message))

    ada.say(hostile)
    ben.expect_texts(hostile)
    ben.page.reload()
    ben.expect_texts(hostile)

    expect(ben.message(hostile).locator(".message-name").first).to_have_text("<b>Ada</b>")
    assert ben.page.locator("[data-log] img, [data-log] script, [data-log] b").count() == 0


def test_web_addresses_become_links_that_give_nothing_away(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")

    ada.say("It is at https://www.gutenberg.org/ebooks/11, I think.")

    link = ada.messages.get_by_role("link", name="https://www.gutenberg.org/ebooks/11", exact=True)
    expect(link).to_have_attribute("href", "https://www.gutenberg.org/ebooks/11")
    expect(link).to_have_attribute("rel", re.compile("noopener.*noreferrer"))


def test_what_is_being_written_survives_a_reload(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")
    ada.composer.fill("A long thought, not finished")

    ada.page.reload()

    expect(ada.composer).to_have_value("A long thought, not finished")


def test_others_see_that_somebody_is_writing_until_it_is_said(
    open_reader: Open, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    typing = ada.page.locator("[data-typing]")

    ben.composer.press_sequentially("Well")
    expect(typing).to_have_text("Ben is writing")
    expect(ben.page.locator("[data-typing]")).to_have_text("")

    ben.composer.press("Enter")
    expect(typing).to_have_text("")


def test_messages_of_one_reader_stand_under_one_name(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")

    ada.say("one")
    ada.say("two")
    ben.expect_texts("one", "two")
    ben.say("three")
    ada.expect_texts("one", "two", "three")

    continued = "() => [...document.querySelectorAll('[data-log] [data-message]')].map("
    continued += "(message) => message.classList.contains('is-continued'))"
    assert ada.page.evaluate(continued) == [False, True, False]


def test_writing_too_fast_counts_down_and_loses_nothing(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    words = [f"quick {number}" for number in range(13)]

    for each in words:
        ada.say(each)

    slow = ada.page.locator("[data-slow]")
    expect(slow).to_have_text(re.compile(r"^A little slower: your message goes out in \d+ s$"))
    ben.expect_texts(*words)
    expect(slow).to_be_hidden()


def test_a_message_that_is_too_long_stays_in_the_composer(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")

    ada.composer.fill("x" * 3_990)
    expect(ada.page.locator("[data-count]")).to_have_text("10 characters left")
    ada.composer.fill("x" * 4_002)
    expect(ada.page.locator("[data-count]")).to_have_text("2 characters too many")
    ada.composer.press("Enter")

    expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()
    expect(ada.composer).to_have_value("x" * 4_002)


def test_two_tabs_of_one_reader_are_one_reader(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")
    ben = open_reader().join(book_id, "Ben")
    second = ada.page.context.new_page()

    second.goto(f"/books/{book_id}/")
    expect(second.locator("#readers-title")).to_have_text("2 readers here")
    second.close()
    ada.say("still here")

    ben.expect_texts("still here")
    expect(ben.page.locator("#readers-title")).to_have_text("2 readers here")
    assert ben.page.locator(".movement").count() == 0
