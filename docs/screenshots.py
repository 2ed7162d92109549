"""Makes the pictures of the README: `.venv-dev/bin/python docs/screenshots.py`.

Starts a server of its own in a temporary folder, with a conversation that took place before, and
looks at it with Debian's chromium. Whatever it starts ends with it.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import environment  # noqa: E402  the root of the project comes first

FOLDER = environment.temporary_folder()
environment.prepare(FOLDER)

from playwright.sync_api import Browser, sync_playwright  # noqa: E402  reads what was just set

from readrealm.stores.addresses import mongod_url  # noqa: E402
from tests.browser.interviewing import PASSWORD  # noqa: E402
from tests.browser.interviewing import keep as keep_results  # noqa: E402
from tests.browser.readers import Reader  # noqa: E402
from tests.browser.seeding import Line, keep  # noqa: E402
from tests.support.browser import arguments, program  # noqa: E402
from tests.support.worker import Server  # noqa: E402
from tests.unit.speech.interviews.sample_results import spoken_result  # noqa: E402

IMAGES = ROOT / "docs" / "images"
BOOK = 2701
DAY = 24 * 60

TALK = (
    Line(
        reader="Anna Marsh",
        words="I never noticed before that the first chapter is called Loomings.",
        minutes_ago=DAY + 9,
    ),
    Line(
        reader="Anna Marsh",
        words="Looms, weaving, something coming over the horizon. He tells you the whole book in "
        "one word.",
        minutes_ago=DAY + 8,
    ),
    Line(
        reader="Tom",
        words="And then he spends three pages on why people like to look at water.",
        minutes_ago=DAY + 5,
    ),
    Line(reader="Tom", words="Has anybody got past Cetology?", minutes_ago=26),
    Line(
        reader="Anna Marsh",
        words="Skipped it at twenty, loved it at forty. It is a joke that takes itself seriously.",
        minutes_ago=24,
        reactions=(("❤️", "Tom"), ("❤️", "Quill"), ("😄", "Quill")),
    ),
    Line(reader="Anna Marsh", words="The folio whale and the octavo whale.", minutes_ago=23),
    Line(reader="Quill", words="Read it aloud. It changes everything.", minutes_ago=19),
    Line(reader="Tom", words="I will try that tonight.", minutes_ago=17, answers=6),
)


@contextmanager
def site() -> Iterator[Server]:
    """A server with `TALK` in the room of `BOOK`."""
    server = Server(
        FOLDER / "site",
        workers=1,
        environment={"MONGODB_URL": "", "VOICE": "true", "LOG_IN_RATE": "off"},
    )
    try:
        server.start()
        keep(mongod_url(server.folder), BOOK, TALK)
        yield server
    finally:
        server.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=arguments())
        yield browser
        browser.close()


def visit(browser: Browser, server: Server, name: str, *, scheme: str, width: int = 1280) -> Reader:
    """A reader in the room."""
    is_phone = width < 600
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": 740 if is_phone else 800},
        color_scheme=scheme,
        has_touch=is_phone,
        is_mobile=is_phone,
    )
    return Reader(context.new_page()).join(BOOK, name)


def show(browser: Browser, server: Server, path: str, file: str, *, name: str = "") -> None:
    """A page as a guest sees it, or the reader of that name."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    if name:
        page.goto(f"/accounts/login/?next={path}")
        page.locator("#id_username").fill(name)
        page.locator("#id_password").fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url(f"**{path}")
        page.locator("[data-chart-place] svg").first.wait_for()
    else:
        page.goto(path)
        page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / file)
    context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        server = stack.enter_context(site())
        browser = stack.enter_context(chromium())
        tom = visit(browser, server, "Tom", scheme="light")
        anna = visit(browser, server, "Anna Marsh", scheme="dark")
        quill = visit(browser, server, "Quill", scheme="light", width=390)
        tom.say("Chapter thirty-two, aloud, to the cat. You were right.")
        for reader in (anna, quill):
            reader.message("Chapter thirty-two, aloud, to the cat. You were right.").wait_for()
        anna.composer.press_sequentially("And")
        tom.page.get_by_text("Anna Marsh is writing").wait_for()
        tom.page.screenshot(path=IMAGES / "room.png")
        anna.page.screenshot(path=IMAGES / "room-night.png")
        quill.page.screenshot(path=IMAGES / "room-phone.png")
        tom.page.context.new_page().goto("/")
        tom.page.context.pages[-1].screenshot(path=IMAGES / "catalogue.png")
        results = [
            spoken_result(session_id=f"quill-{number}", similarity=0.45 + number / 10, seed=number)
            for number in range(4)
        ]
        keep_results(server, "quill", results)
        show(browser, server, "/interviews/quill-3/", "interview.png", name="quill")
        show(browser, server, f"/books/{BOOK}/voice/", "voice.png")
        show(browser, server, "/voice/", "session.png")
        show(browser, server, "/docs/events/#say-chatMessage", "events.png")


if __name__ == "__main__":
    main()
