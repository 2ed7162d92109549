"""The room for everybody: by keyboard, on a phone, with a screen reader, and without scripts."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.inspection import SCHEMES, axe_by_day_and_night
from tests.browser.readers import Reader
from tests.browser.seeding import Line, keep, small_talk
from tests.support.worker import Server


@pytest.fixture
def talk(site: Server, book_id: int) -> int:
    """A room with a bit of everything that a conversation can show."""
    lines = [
        *small_talk(55),
        Line(
            reader="Ada",
            words="Read it aloud: https://www.gutenberg.org/",
            minutes_ago=0.9,
            reactions=[("👍", "Ben"), ("🤔", "Ada")],
        ),
        Line(reader="Ben", words="Donaudampfschifffahrtsgesellschaft" * 8, minutes_ago=0.8),
        Line(reader="Cleo", words="I will.", minutes_ago=0.7, answers=55),
    ]
    keep(site.environment["MONGODB_URL"], book_id, lines)
    return book_id


@pytest.mark.parametrize("width", [320, 1280])
def test_the_room_is_accessible_in_every_state(open_reader: Open, talk: int, width: int) -> None:
    reader = open_reader(width=width, bypass_csp=True)
    page = reader.open(talk).page
    expect(page.get_by_label("Your name in this room")).to_be_visible()
    assert axe_by_day_and_night(page) == []

    reader.join(talk, "Dora")
    reader.say("my own")
    expect(reader.message("my own")).not_to_have_class("is-waiting")
    assert axe_by_day_and_night(page) == []

    reader.message("my own").get_by_role("button", name="Actions for").click()
    assert axe_by_day_and_night(page) == []
    reader.menu.get_by_role("button", name="Delete").click()
    assert axe_by_day_and_night(page) == []
    page.keyboard.press("Escape")

    reader.page.locator("[data-scroller]").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert axe_by_day_and_night(page) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_room_fits_into_the_window(open_reader: Open, talk: int, width: int) -> None:
    reader = open_reader(width=width, height=568)
    reader.open(talk)
    assert reader.overflow() == {"page": 0, "scroller": 0, "sticking": []}

    reader.join(talk, "W" * 64)
    reader.say("W" * 300)
    expect(reader.messages.last).to_contain_text("WWW")

    assert reader.overflow() == {"page": 0, "scroller": 0, "sticking": []}
    expect(reader.composer).to_be_in_viewport(ratio=1)


def test_touch_targets_of_a_phone_are_large_enough(open_reader: Open, talk: int) -> None:
    reader = open_reader(width=320, has_touch=True, is_mobile=True).join(talk, "Dora")
    reader.message("I will.").tap()
    reader.message("I will.").get_by_role("button", name="Actions for").tap()

    for button in reader.page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        is_inline = button.evaluate("(one) => one.classList.contains('link')")
        assert box["height"] >= (24 if is_inline else 44), button.evaluate("(one) => one.outerHTML")


def test_a_room_is_used_with_the_keyboard_alone(open_reader: Open, book_id: int) -> None:
    ben = open_reader().join(book_id, "Ben")
    ben.say("Anybody here?")
    ben.expect_texts("Anybody here?")
    ada = open_reader().open(book_id)
    page, keys = ada.page, ada.page.keyboard

    tab_to(ada, "Your name in this room")
    keys.type("Ada")
    keys.press("Enter")
    ada.wait_until_live()
    expect(ada.composer).to_be_focused()
    keys.type("I am")
    keys.press("Shift+Enter")
    keys.type("indeed")
    keys.press("Enter")
    for reader in (ben, ada):
        reader.expect_texts("Anybody here?", "I am\nindeed")
    ada.wait_until_kept()

    keys.press("ArrowUp")
    keys.type("!")
    keys.press("Escape")
    expect(ada.composer).to_have_value("")

    keys.press("Alt+ArrowUp")
    keys.press("Alt+ArrowUp")
    expect(ada.message("Anybody here?")).to_be_focused()
    keys.press("r")
    expect(ada.composer).to_be_focused()
    keys.type("Welcome")
    keys.press("Enter")
    expect(ben.message("Welcome").locator("[data-reply-link]")).to_contain_text("Anybody here?")

    ada.wait_until_kept()
    keys.press("Alt+ArrowUp")
    expect(ada.message("Welcome")).to_be_focused()
    keys.press("m")
    keys.press("Enter")
    expect(ben.message("Welcome").locator(".reaction")).to_have_count(1)
    keys.press("d")
    expect(page.get_by_role("heading", name="Delete this message?")).to_be_visible()
    keys.press("Escape")
    keys.press("/")
    expect(ada.composer).to_be_focused()


def test_a_menu_stays_open_although_the_step_to_its_message_has_scrolled(
    open_reader: Open, site: Server, book_id: int
) -> None:
    keep(site.environment["MONGODB_URL"], book_id, small_talk(40))
    ada = open_reader().join(book_id, "Ada")
    top = ada.top_of("Line 40 of 40")
    keys = ada.page.keyboard

    for _ in range(20):
        keys.press("Alt+ArrowUp")
    # Both before the page is drawn again, which is when the scrolling is told.
    ada.page.evaluate(
        """() => [["ArrowUp", true], ["m", false]].forEach(([key, altKey]) => {
          const pressed = new KeyboardEvent("keydown", { key, altKey, bubbles: true });
          document.activeElement.dispatchEvent(pressed);
        })"""
    )
    ada.page.evaluate(
        "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"
    )

    assert ada.top_of("Line 40 of 40") > top
    expect(ada.menu.get_by_role("button", name="Agree")).to_be_focused()
    ada.scroll_to(0)
    expect(ada.menu).to_be_hidden()


def tab_to(reader: Reader, label: str) -> None:
    """Press Tab until the field with this label has the focus."""
    field = reader.page.get_by_label(label)
    for _ in range(30):
        reader.page.keyboard.press("Tab")
        if field.evaluate("(field) => field === document.activeElement"):
            return
    raise AssertionError(f"{label!r} is not reached by the Tab key")


def test_single_keys_can_be_switched_off(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")
    heading = ada.page.get_by_role("heading", name="Keys")
    scroller = ada.page.locator("[data-scroller]")

    scroller.focus()
    ada.page.keyboard.press("?")
    ada.page.get_by_label("Single keys work outside of text fields").uncheck()
    ada.page.get_by_role("button", name="Close").click()
    scroller.focus()
    ada.page.keyboard.press("?")
    expect(heading).to_be_hidden()

    ada.page.reload()
    ada.wait_until_live()
    scroller.focus()
    ada.page.keyboard.press("?")
    expect(heading).to_be_hidden()


def test_news_is_read_out_politely_and_history_is_not(
    open_reader: Open, site: Server, book_id: int
) -> None:
    keep(site.environment["MONGODB_URL"], book_id, small_talk(80))
    ada = open_reader().open(book_id)
    log = ada.page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "off")

    ada.join(book_id, "Ada")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    ada.page.evaluate(
        """() => {
          const log = document.querySelector('[data-log]');
          window.heard = [];
          new MutationObserver(() => window.heard.push(log.ariaLive))
            .observe(log, {childList: true});
        }"""
    )

    ada.scroll_to(0)
    expect(ada.messages).to_have_count(80)
    assert set(ada.page.evaluate("window.heard")) == {"off"}
    expect(ada.page.locator("[data-announcer]")).to_have_text("30 older messages are above")
    expect(log).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_moves_for_readers_who_do_not_want_it(
    open_reader: Open, talk: int, scheme: str
) -> None:
    reader = open_reader(color_scheme=scheme, reduced_motion="reduce").join(talk, "Ada")

    moving = reader.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((element) => {
          const { animationName, transitionDuration } = getComputedStyle(element);
          const lasts = transitionDuration.split(',').some((seconds) => parseFloat(seconds));
          return animationName !== 'none' || lasts;
        }).map((element) => element.outerHTML.slice(0, 80))"""
    )

    assert moving == []


def test_pages_can_be_read_and_searched_without_scripts(
    open_reader: Open, site: Server, book_id: int
) -> None:
    keep(site.environment["MONGODB_URL"], book_id, small_talk(80))
    reader = open_reader(java_script_enabled=False).open(book_id)

    reader.expect_texts(*[f"Line {number} of 80" for number in range(31, 81)])
    reader.page.get_by_role("link", name="Older messages").click()
    reader.expect_texts(*[f"Line {number} of 80" for number in range(1, 31)])
    reader.page.get_by_role("link", name="Back to the newest messages").click()
    reader.expect_texts(*[f"Line {number} of 80" for number in range(31, 81)])

    reader.page.goto("/")
    reader.page.get_by_role("searchbox").fill("melville")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".book-title")).to_have_text(["Moby Dick"])
    reader.page.get_by_role("link", name="Moby Dick").click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Moby Dick; or, The Whale")
