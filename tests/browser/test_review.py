"""The review queue in a browser: two moderators, and readers who see what becomes of it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chat.moderation_documents import REPORTS
from tests.browser.conftest import Open
from tests.browser.readers import Reader
from tests.support.stores import SessionStores
from tests.support.worker import Server

REVIEW = "/admin/chat/chatmessage/review/"
PASSWORD = "a long quiet evening"
TOMBSTONE = "A moderator removed this message."
MOST_TABS = 60
"""From the top of a case to its last button."""


@pytest.fixture(scope="module")
def moderators(site: Server) -> tuple[str, str]:
    """Names of two accounts in the group that a migration made."""
    names = ("mo", "bea")
    site.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        "from django.contrib.auth.models import Group, User; "
        f"[User.objects.create_user(name, password={PASSWORD!r}, is_staff=True)"
        f".groups.add(Group.objects.get(name='Moderators')) for name in {names!r}]",
    )
    return names


@pytest.fixture
def database(site: Server, session_stores: SessionStores) -> Any:
    return session_stores.mongo[site.database_name]


def report(database: Any, book_id: int, content: str, *, times: int) -> str:
    """Have so many readers report a message; its id. More than any other test has comes first."""
    message = database["messages"].find_one({"bookId": book_id, "content": content})
    database[REPORTS].insert_many(
        {
            "messageId": message["_id"],
            "bookId": book_id,
            "userId": f"reporter {number}",
            "authenticated": True,
            "username": f"Reporter {number}",
            "reason": "spam",
            "createdAt": datetime.now(UTC),
            "isOpen": True,
        }
        for number in range(times)
    )
    return str(message["_id"])


def sign_in(reader: Reader, name: str) -> Page:
    """The queue as a moderator sees it."""
    page = reader.page
    page.goto(f"/admin/login/?next={REVIEW}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("[data-case]").first).to_be_visible()
    page.wait_for_load_state("load")  # what listens for keys has been loaded
    return page


REMEMBERING = """() => addEventListener(
  "focusin", ({ target }) => { window.reached = target.textContent.trim(); },
)"""
"""Who takes a case by getting there sees the button vanish, perhaps before anybody looks at it."""


def tab_to(page: Page, name: str) -> None:
    """Go to the button of that name as somebody without a mouse does."""
    page.evaluate(REMEMBERING)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("window.reached") == name:
            return
    raise AssertionError(f"there is no {name!r} within {MOST_TABS} steps")


def test_a_case_is_judged_with_the_keyboard_alone_and_the_room_sees_it(
    open_reader: Open, moderators: tuple[str, str], database: Any, book_id: int
) -> None:
    ada, ben = open_reader().join(book_id, "Ada"), open_reader().join(book_id, "Ben")
    for words in ("buy my book", "buy my other book"):
        ada.say(words)
    ben.expect_texts("buy my book", "buy my other book")
    worst = report(database, book_id, "buy my book", times=9)
    bad = report(database, book_id, "buy my other book", times=8)
    page = sign_in(open_reader(), moderators[0])
    keys, cases = page.keyboard, page.locator("[data-case]")
    first, second = (page.locator(f"[aria-labelledby=case-{each}]") for each in (worst, bad))

    # From case to case.
    keys.press("j")
    expect(first).to_be_focused()
    expect(cases.first).to_be_focused()
    keys.press("j")
    expect(second).to_be_focused()
    keys.press("k")
    keys.press("k")
    expect(first).to_be_focused()

    # Whoever begins has it, and the other moderator sees that.
    tab_to(page, "Take it")
    expect(first.locator("[data-claim]")).to_have_text(re.compile("^You are working on this case"))
    expect(second.locator("[data-claim]")).to_have_text("Nobody is working on this case.")
    other = sign_in(open_reader(), moderators[1])
    theirs = other.locator(f"[aria-labelledby=case-{worst}]")
    expect(theirs).to_contain_text(f"{moderators[0]} is working on this case until")
    expect(theirs.get_by_role("button", name="Hide", exact=True)).to_have_count(0)

    # In a field letters are letters.
    keys.press("Tab")
    keys.type("just jokes")
    expect(first.get_by_label("Reason")).to_have_value("just jokes")
    tab_to(page, "Hide")
    keys.press("Enter")

    expect(page.locator(".messagelist")).to_have_text("Hidden after reports.")
    expect(first).to_have_count(0)
    expect(cases.first).to_have_attribute("aria-labelledby", f"case-{bad}")
    for reader in (ada, ben):
        reader.expect_texts(TOMBSTONE, "buy my other book")

    # The other one, dismissed: it stays.
    keys.press("j")
    tab_to(page, "Dismiss reports")
    keys.press("Enter")
    expect(page.locator(".messagelist")).to_have_text("Reports dismissed.")
    ben.expect_texts(TOMBSTONE, "buy my other book")
    assert [
        (each["act"], each["reason"], str(each["messageId"]))
        for each in database["moderation_log"].find({"bookId": book_id}).sort("at")
    ] == [("hide", "just jokes", worst), ("dismiss", "", bad)]
