"""Every page is for everybody, in all that `inspection` looks at."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.browser import every_page, inspection, interviewing
from tests.browser.every_page import (
    CLOSED,
    EXCUSED,
    MODERATOR,
    NOWHERE,
    OPERATOR,
    READER,
    VISITS,
    Visit,
)
from tests.browser.inspection import SCHEMES
from tests.browser.looks import violations
from tests.browser.seeding import Line, keep, small_talk
from tests.conftest import StartServer
from tests.support.accounts import add_account, column
from tests.support.clients import run_node
from tests.support.pages import PASSWORD, Admin
from tests.support.processes import ROOT
from tests.support.worker import Server
from tests.unit.speech.interviews.sample_results import silent_result, spoken_result

pytestmark = pytest.mark.timeout(180)

BOOK = 2701

WHAT_READERS_DO = """
    const [bookId] = args;
    const socket = io(url, { transports: ["websocket"] });
    const ask = (event, data) => socket.timeout(10_000).emitWithAck(event, data);
    const reader = { bookId, userId: "guest-cleo", username: "Cleo" };
    const { headSeq } = await ask("joinRoom", reader);
    const range = { beforeSeq: headSeq + 1, limit: 5 };
    const { messages: said } = await ask("getMessages", { bookId, ...range });
    for (const message of said) {
      const report = { messageId: message._id, reason: "spoiler", note: "ch. 9" };
      await ask("reportMessage", { bookId, ...report });
    }
    const { data } = await ask("session:start", {});
    say("done", said.map((message) => message._id), data.sessionId);
    process.exit(0);
"""


@pytest.fixture(scope="module")
def house(shared_server: StartServer) -> Server:
    """A server in earnest, so that errors have our pages; its voice engine is said to be elsewhere,
    so that every page is offered."""
    return shared_server(
        DEBUG="false",
        SECRET_KEY="k" * 60,
        SOCKET_AUTH="optional",
        REALTIME_ENGINE_ADDRESS="127.0.0.1:9",
        LOG_IN_RATE="off",
    )


@pytest.fixture(scope="module")
def things(house: Server) -> dict[str, Any]:
    """What there is to be visited: what the words in braces of `every_page` stand for."""
    lines = [
        *small_talk(60),
        Line(reader="Ada", words="Read it aloud.", minutes_ago=0.9, reactions=[("👍", "Ben")]),
        Line(reader="Ben", words="Donaudampfschifffahrtsgesellschaft" * 8, minutes_ago=0.8),
        Line(reader="Cleo", words="I will.", minutes_ago=0.7, answers=60),
    ]
    keep(house.environment["MONGODB_URL"], BOOK, lines)
    ((_, said, session),) = run_node(WHAT_READERS_DO, house.url, BOOK)
    admin = Admin(house)
    admin.add_watch_word("squid")
    admin.act("time_out", said[1], confirmed="yes", duration="1d", reason="calm down")
    admin.act("hide", said[2])
    add_account(house, "root", password=PASSWORD, is_superuser=True)
    results = [spoken_result(session_id="spoken", seed=1), silent_result(session_id="silent")]
    interviewing.keep(house, READER, results)

    def newest(model: str) -> str:
        found = re.search(
            rf"/admin/chat/{model}/([0-9a-f]{{24}})/change/", admin.get(f"/admin/chat/{model}/")
        )
        assert found, f"there is no {model}"
        return found[1]

    def first(table: str) -> int:
        number: int = column(house, f"select min(id) from {table}")[0]
        return number

    return {
        "book": BOOK,
        "message": said[1],
        "guest": "guest-ben",
        "sanction": newest("imposedsanction"),
        "act": newest("moderatoract"),
        "word": first("chat_watchword"),
        "session": session,
        "spoken": "spoken",
        "silent": "silent",
        "result": first("speech_interviewresult"),
        "question": first("speech_interviewquestion"),
        "topic": first("speech_interviewtopic"),
        "subtopic": first("speech_interviewsubtopic"),
        "concept": first("speech_interviewconcept"),
    }


LOG_INS = {
    READER: (READER, interviewing.PASSWORD),
    MODERATOR: ("mo", PASSWORD),
    OPERATOR: ("root", PASSWORD),
}


@pytest.fixture(scope="module")
def windows(browser: Browser, house: Server, things: dict[str, Any]) -> Iterator[dict[str, Page]]:
    """The window of each kind of reader, who has logged in; it fetches and compiles a script
    once."""
    opened: dict[str, Page] = {}
    for who in (every_page.GUEST, *LOG_INS):
        opened[who] = browser.new_context(
            base_url=house.url, viewport=inspection.WINDOW, bypass_csp=True
        ).new_page()
    for who, (name, password) in LOG_INS.items():
        log_in(opened[who], name, password)
    yield opened
    for page in opened.values():
        page.context.close()


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/?next=/docs/events/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/docs/events/")


Look = Callable[[Visit], Page]


@pytest.fixture
def look(windows: dict[str, Page], things: dict[str, Any]) -> Iterator[Look]:
    """Open the page of a visit as whoever goes there; what can be drawn has been drawn."""
    opened: list[Page] = []

    def open_page(visit: Visit) -> Page:
        page = windows[visit.who]
        opened.append(page)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size(inspection.WINDOW)
        page.goto(visit.path.format(**things))
        for place in page.locator("[data-chart-place]").all():
            expect(place.locator("svg")).to_be_visible()
        return page

    yield open_page
    for page in opened:
        # The next visit is a first one again, and nobody stays.
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.goto("/healthz")


def test_no_page_is_forgotten() -> None:
    known = set(every_page.names())
    shown = set(VISITS) | set(CLOSED)
    excused = {name for name in known - shown for pattern in EXCUSED if fnmatchcase(name, pattern)}

    assert known - shown - excused == set(), "visit it, or say why not"
    assert shown - known == set(), "there is no such address any more"
    assert [
        pattern for pattern in EXCUSED if not any(fnmatchcase(name, pattern) for name in known)
    ] == []


@pytest.mark.parametrize("visit", CLOSED.values(), ids=str)
def test_nobody_gets_where_nothing_may_be_changed(look: Look, visit: Visit) -> None:
    page = look(visit)

    assert page.title().startswith("403")


@pytest.mark.parametrize(
    "visit", [*(visit for visits in VISITS.values() for visit in visits), NOWHERE], ids=str
)
def test_every_page_is_for_everybody(look: Look, visit: Visit) -> None:
    found = inspection.faults(look(visit))

    assert not found, f"{visit}\n\n{inspection.report(found)}"


def test_a_form_that_has_grown_old_is_explained(look: Look) -> None:
    page = look(Visit("/accounts/login/"))
    page.context.clear_cookies()
    page.locator("#id_username").fill("ada")
    page.locator("#id_password").fill("whatever")
    page.locator("main button[type=submit]").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("This form has grown old")
    found = inspection.faults(page)
    assert not found, inspection.report(found)


@pytest.mark.parametrize("name", ["500.html", "503.html"])
def test_a_page_about_a_failure_is_for_everybody_too(look: Look, name: str) -> None:
    """Shown while parts of the server are away, which no page of it can be."""
    page = look(Visit("/docs/events/"))
    page.set_content(render_to_string(name))
    page.add_style_tag(path=ROOT / "readrealm/static/readrealm/site.css")

    found = inspection.faults(page)
    assert not found, inspection.report(found)
    page.set_viewport_size({"width": 320, "height": 800})
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], f"320 px, {scheme}"
