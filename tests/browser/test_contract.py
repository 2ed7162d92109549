"""The page of events: read by anybody, tried by those with JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.inspection import axe_by_day_and_night


def test_the_page_of_events_is_accessible_on_a_phone(open_reader: Open) -> None:
    """Wide it is looked at among every page."""
    page = open_reader(width=320, bypass_csp=True).page
    page.goto("/docs/events/")

    assert axe_by_day_and_night(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_every_event_is_on_the_page_without_scripts(open_reader: Open) -> None:
    page = open_reader(java_script_enabled=False).page
    page.goto("/docs/events/")

    for name in ("joinRoom", "chatMessage", "newMessage", "roomHead"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Try it")).to_be_hidden()


def test_the_console_says_and_hears(open_reader: Open, book_id: int) -> None:
    page = open_reader().page
    page.goto("/docs/events/")
    log = page.get_by_role("list", name="Said and heard")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status")).to_have_text("connected")
    expect(log).to_contain_text("connectionStatus")

    page.get_by_role("button", name="Try joinRoom").click()
    payload = page.get_by_label("Payload, as JSON")
    payload.fill(payload.input_value().replace("2701", str(book_id)))
    page.get_by_role("button", name="Send", exact=True).click()

    expect(log.locator(".is-answered")).to_contain_text('"ok": true')
    expect(log).to_contain_text("previousMessages")
    expect(log).to_contain_text("userJoined")


def test_the_console_says_what_is_wrong_with_a_payload(open_reader: Open) -> None:
    page = open_reader().page
    page.goto("/docs/events/")
    page.get_by_role("button", name="Connect").click()
    page.get_by_label("Payload, as JSON").fill("{bookId: 1")
    page.get_by_role("button", name="Send", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("This is not JSON")


@pytest.mark.parametrize("path", ["/docs/asyncapi.yaml", "/docs/readrealm.d.ts"])
def test_the_files_are_served(open_reader: Open, path: str) -> None:
    answer = open_reader().page.request.get(path)

    assert answer.ok
    assert "joinRoom" in answer.text()
