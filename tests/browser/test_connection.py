"""A reader loses the line, and nothing else."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Open
from tests.browser.readers import Reader
from tests.conftest import StartServer

OFFLINE = "You are offline. You can read and keep writing; it goes out when you are back."


NO_WEBSOCKETS = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onerror(new Event("error"))); }
  close() {}
};
"""
"""What a page sees behind a proxy that refuses to upgrade connections."""


class Line:
    """What connects a browser that has not opened a page yet.

    The browser's own emulation fires the events and stops requests, but lets a WebSocket
    through that is opened while it is offline.
    """

    def __init__(self, reader: Reader) -> None:
        self._page, self._is_up = reader.page, True
        reader.page.route_web_socket(re.compile("/socket.io/"), self._connect)

    def unplug(self) -> None:
        self._is_up = False
        self._page.context.set_offline(True)

    def plug_in(self) -> None:
        self._is_up = True
        self._page.context.set_offline(False)

    def _connect(self, client: WebSocketRoute) -> None:
        if self._is_up:
            client.connect_to_server()
        else:
            client.close(code=1001)


def test_what_is_written_offline_is_delivered_once_after(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader(), open_reader().join(book_id, "Ben")
    line = Line(ada)
    ada.join(book_id, "Ada").say("before")
    ben.expect_texts("before")

    line.unplug()
    expect(ada.bar).to_have_text(OFFLINE)
    ada.say("during")
    ada.say("during as well")
    expect(ada.message("during")).to_have_class(re.compile("is-waiting"))
    ben.say("meanwhile")
    ben.expect_texts("before", "meanwhile")

    line.plug_in()
    expect(ada.bar).to_have_text("You are back in the room.")
    for reader in (ada, ben):
        reader.expect_texts("before", "meanwhile", "during", "during as well")
    expect(ada.page.locator(".is-waiting")).to_have_count(0)
    ada.page.reload()
    ada.expect_texts("before", "meanwhile", "during", "during as well")


def test_what_waits_survives_a_reload(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader(), open_reader().join(book_id, "Ben")
    line = Line(ada)
    ada.join(book_id, "Ada")
    line.unplug()
    expect(ada.bar).to_have_text(OFFLINE)
    ada.say("patient")

    line.plug_in()
    ada.page.reload()

    ben.expect_texts("patient")
    ada.expect_texts("patient")


def test_a_message_whose_answer_got_lost_is_kept_once(open_reader: Open, book_id: int) -> None:
    ada, ben = open_reader(), open_reader().join(book_id, "Ben")
    lost = lose_first_answer(ada.page)
    ada.join(book_id, "Ada")

    ada.say("exactly once")
    ben.expect_texts("exactly once")
    expect(ada.page.locator(".is-waiting")).to_have_count(0)
    ada.say("and then this")

    for reader in (ada, ben):
        reader.expect_texts("exactly once", "and then this")
    assert lost


def lose_first_answer(page: Page) -> list[str]:
    """Cut the connection when the answer to the first message is about to arrive.

    Gives a list that has the lost frame once that has happened.
    """
    lost: list[str] = []

    def relay(client: WebSocketRoute) -> None:
        server = client.connect_to_server()

        def to_client(frame: str | bytes) -> None:
            is_answer = isinstance(frame, str) and re.match(r'43\d+\[{"ok":true,"message"', frame)
            if is_answer and not lost:
                lost.append(str(frame))
                client.close(code=1001)
                server.close(code=1001)
            else:
                client.send(frame)

        server.on_message(to_client)

    page.route_web_socket(re.compile("/socket.io/"), relay)
    return lost


def test_a_reader_whose_network_has_no_websockets_talks_by_polling(
    open_reader: Open, book_id: int
) -> None:
    ada, ben = open_reader(), open_reader().join(book_id, "Ben")
    ada.page.add_init_script(NO_WEBSOCKETS)
    polled: list[str] = []
    ada.page.on(
        "request", lambda one: polled.append(one.url) if "transport=polling" in one.url else None
    )
    ada.join(book_id, "Ada")

    ada.say("by post")
    ben.expect_texts("by post")
    ben.say("received")

    ada.expect_texts("by post", "received")
    assert polled


def test_a_refused_message_says_why_and_can_be_tried_again_or_discarded(
    open_reader: Open, book_id: int
) -> None:
    ada = open_reader().join(book_id, "Ada")
    ada.composer.evaluate("(field) => { field.value = 'a \\u0007 bell'; }")
    ada.composer.press("Enter")

    failed = ada.page.locator(".is-failed")
    expect(failed).to_have_count(1)
    expect(failed.locator("[data-reason]")).to_have_text(
        "Content must not have control characters."
    )
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_have_count(1)
    failed.get_by_role("button", name="Discard").click()

    ada.expect_texts()


def test_a_planned_restart_is_told_calmly_and_loses_nothing(
    server: StartServer, open_reader: Open, book_id: int
) -> None:
    running = server(workers=1, SOCKET_AUTH="optional")
    ada = open_reader()
    ada.page.goto(f"{running.url}/books/{book_id}/")
    ada.page.get_by_label("Your name in this room").fill("Ada")
    ada.page.get_by_role("button", name="Join as a guest").click()
    ada.wait_until_live()
    ada.say("before")
    ada.expect_texts("before")

    running.stop()
    expect(ada.bar).to_have_text(
        "The room is being renewed and opens again in a moment. You can read and keep writing."
    )
    assert ada.bar.get_attribute("data-tone") == ""
    ada.say("during")
    running.start()

    expect(ada.bar).to_have_text("You are back in the room.", timeout=20_000)
    ada.expect_texts("before", "during")
    # The browser notes each attempt while nobody listened.
    ada.errors[:] = [each for each in ada.errors if "ERR_CONNECTION_REFUSED" not in each]
    expect(ada.page.locator(".is-waiting")).to_have_count(0)
