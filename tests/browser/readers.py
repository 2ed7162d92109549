"""A reader in front of a browser: what one does and sees on our pages."""

import re
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

LATEST = "document.querySelector('[data-scroller]').scrollTop"


class Reader:
    """One browser on one page.

    Attributes:
        errors: what the page reported in the console, except that the network or a page of ours
            is not there.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    # ------------------------------------------------------------------ doing

    def open(self, book_id: int) -> "Reader":
        """Go to a room."""
        self.page.goto(f"/books/{book_id}/")
        return self

    def join(self, book_id: int, name: str) -> "Reader":
        """Go to a room and join it as a guest; back when it is live."""
        self.open(book_id)
        self.page.get_by_label("Your name in this room").fill(name)
        self.page.get_by_role("button", name="Join as a guest").click()
        return self.wait_until_live()

    def wait_until_live(self) -> "Reader":
        """Back when this reader is listed as present."""
        expect(self.page.locator("[data-readers] .reader-note", has_text="you")).to_have_count(1)
        return self

    def sign_up(self, name: str, password: str = "call me ishmael") -> "Reader":
        """Make an account, from the page that is open."""
        self.page.get_by_role("link", name="Sign up").first.click()
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_label("Password confirmation").fill(password)
        self.page.get_by_role("button", name="Make an account").click()
        return self

    def say(self, words: str) -> None:
        """Write a message and send it."""
        self.composer.fill(words)
        self.composer.press("Enter")

    def choose(self, words: str, action: str) -> None:
        """Pick an action from the menu of a message."""
        message = self.message(words)
        message.hover()
        message.get_by_role("button", name="Actions for").click()
        self.menu.get_by_role("button", name=action).click()

    def scroll_to(self, top: int) -> None:
        """Scroll the conversation, as a wheel does."""
        self.page.evaluate(f"{LATEST} = {top}")

    # ------------------------------------------------------------------ seeing

    @property
    def composer(self) -> Locator:
        return self.page.get_by_label("Your message")

    @property
    def menu(self) -> Locator:
        return self.page.locator("[data-actions]")

    @property
    def messages(self) -> Locator:
        return self.page.locator("[data-log] [data-message]")

    @property
    def bar(self) -> Locator:
        return self.page.locator("[data-bar]")

    @property
    def jump(self) -> Locator:
        return self.page.locator("[data-jump]")

    def message(self, words: str) -> Locator:
        """The message whose text is exactly ``words``."""
        text = self.page.locator("[data-text]", has_text=re.compile(f"^{re.escape(words)}$"))
        return self.messages.filter(has=text)

    def texts(self) -> list[str]:
        """What is written in the conversation, from top to bottom."""
        return self.page.locator("[data-log] [data-text]").all_inner_texts()

    def expect_texts(self, *words: str) -> None:
        """Wait until the conversation consists of ``words``."""
        expect(self.page.locator("[data-log] [data-text]")).to_have_text(list(words))

    def wait_until_kept(self) -> None:
        """Back when nothing that this reader wrote waits for the room's answer."""
        expect(self.page.locator("[data-log] .is-waiting")).to_have_count(0)

    def top_of(self, words: str) -> float:
        """How far below the upper edge of the window a message begins, px."""
        box = self.message(words).bounding_box()
        assert box is not None
        return box["y"]

    def overflow(self) -> dict[str, Any]:
        """How much wider than the window the page is, and the elements that stick out."""
        found: dict[str, Any] = self.page.evaluate(
            """() => {
              const edge = document.documentElement.clientWidth;
              const sticking = [...document.body.querySelectorAll("*")].filter((element) => {
                const { right, width } = element.getBoundingClientRect();
                const isHidden = element.closest(".visually-hidden, .skip, [hidden], dialog");
                return width > 0 && right > edge + 1 && !isHidden;
              });
              const scroller = document.querySelector("[data-scroller]");
              return {
                page: document.documentElement.scrollWidth - edge,
                scroller: scroller ? scroller.scrollWidth - scroller.clientWidth : 0,
                sticking: sticking.map((element) => element.className || element.tagName),
              };
            }"""
        )
        return found

    def _note(self, message: ConsoleMessage) -> None:
        is_network = re.search(
            r"ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED)|WebSocket", message.text
        )
        is_missing_page = "404" in message.text and "/static/" not in message.location["url"]
        if message.type == "error" and not is_network and not is_missing_page:
            self.errors.append(message.text)
