"""The page of voice sessions in a real browser, whose microphone plays a recording."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page, expect

from tests.browser.conftest import Open
from tests.browser.inspection import SCHEMES
from tests.browser.looks import violations
from tests.support.processes import PYTHON, Program
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import SHARED, needs_recordings

pytestmark = pytest.mark.timeout(180)

RECORDING = SHARED / "audio" / "arctic_a0024.wav"
WORDS = ("from", "the north", "induce", "people", "buy")


@pytest.fixture(scope="module")
def voice_worker(site: Server) -> Iterator[Program]:
    """A processing worker of the shared server."""
    environment = {
        **site.environment,
        "PORT": str(site.port),
        "REDIS_URL": site.redis_url,
        "STT_PROCESSES": "2",
    }
    worker = Program([PYTHON, "manage.py", "voice_worker"], environment=environment)
    worker.wait_for_line("the voice worker listens", timeout_s=60)
    yield worker
    worker.end()


@pytest.fixture(scope="module")
def speaking_browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    """Its microphone plays the recording, again and again, and may be used."""
    microphone = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={RECORDING}",
    )
    options = {
        **browser_type_launch_args,
        "args": [*browser_type_launch_args["args"], *microphone],
    }
    running = browser_type.launch(**options)
    yield running
    running.close()


@pytest.fixture
def speaker(speaking_browser: Browser, site: Server) -> Iterator[Page]:
    """The page in front of somebody who speaks; it must report no error."""
    context = speaking_browser.new_context(
        base_url=site.url, viewport={"width": 1100, "height": 900}
    )
    page = context.new_page()
    errors: list[str] = []

    def note(said: ConsoleMessage) -> None:
        is_network = "ERR_INTERNET_DISCONNECTED" in said.text or "WebSocket" in said.text
        if said.type == "error" and not is_network:
            errors.append(said.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/voice/")
    yield page
    context.close()
    assert errors == []


@needs_recordings
def test_what_is_said_is_written_down(speaker: Page, voice_worker: Program, results: Path) -> None:
    record = speaker.get_by_role("button", name="Start recording")
    expect(record).to_be_enabled()
    record.click()
    expect(speaker.get_by_role("button", name="Stop recording")).to_be_visible()
    expect(speaker.locator("[data-state]")).to_have_text("You are speaking", timeout=20_000)
    expect(speaker.locator("[data-meter]")).not_to_have_attribute("aria-valuenow", "0")

    lines = speaker.locator("[data-transcript] li")
    for word in WORDS:
        expect(lines.filter(has_text=word).first).to_be_visible(timeout=60_000)
    expect(speaker.locator("[data-timeline] i").first).to_be_visible()
    speaker.screenshot(path=results / "voice-session.png")

    speaker.get_by_role("button", name="Pause").click()
    expect(speaker.locator("[data-state]")).to_contain_text("Paused")
    speaker.get_by_role("button", name="Resume").click()
    expect(speaker.locator("[data-state]")).not_to_contain_text("Paused")
    speaker.get_by_role("button", name="Stop recording").click()
    expect(speaker.get_by_role("button", name="Start recording")).to_be_enabled()
    expect(speaker.locator("[data-trouble]")).to_be_hidden()


@needs_recordings
def test_the_focus_stays_on_the_button_that_was_pressed(speaker: Page) -> None:
    record, pause = speaker.locator("[data-record]"), speaker.locator("[data-pause]")
    expect(record).to_be_enabled()

    record.press("Enter")
    expect(record).to_have_text("Stop recording")
    expect(record).to_be_focused()
    expect(pause).to_be_visible()
    speaker.keyboard.press("Tab")
    for words in ("Resume", "Pause"):
        speaker.keyboard.press("Enter")
        expect(pause).to_have_text(words)
        expect(pause).to_be_enabled()
        expect(pause).to_be_focused()
    speaker.keyboard.press("Shift+Tab")
    speaker.keyboard.press("Enter")
    expect(record).to_have_text("Start recording")
    expect(record).to_be_enabled()
    expect(record).to_be_focused()


@needs_recordings
def test_a_lost_connection_is_said_and_a_recording_goes_on(
    speaker: Page, voice_worker: Program
) -> None:
    speaker.get_by_role("button", name="Start recording").click()
    expect(speaker.locator("[data-state]")).to_have_text("You are speaking", timeout=20_000)

    speaker.context.set_offline(True)
    expect(speaker.locator("[data-state]")).to_contain_text("Connection lost")
    speaker.context.set_offline(False)
    expect(speaker.locator("[data-state]")).to_have_text("You are speaking", timeout=30_000)

    expect(speaker.locator("[data-transcript] li").first).to_be_visible(timeout=60_000)
    expect(speaker.locator("[data-trouble]")).to_be_hidden()
    speaker.get_by_role("button", name="Stop recording").click()
    expect(speaker.get_by_role("button", name="Start recording")).to_be_enabled()


def test_settings_are_shown_changed_refused_and_restored(open_reader: Open) -> None:
    reader = open_reader()
    page = reader.page
    page.goto("/voice/")
    page.get_by_text("How this site listens").click()
    threshold = page.get_by_label("Certainty that counts as voice")
    expect(threshold).to_have_value("0.5")

    threshold.fill("0.3")
    threshold.press("Tab")
    expect(page.locator("[data-config-state]")).to_contain_text("Saved")
    page.reload()
    page.get_by_text("How this site listens").click()
    expect(threshold).to_have_value("0.3")

    threshold.fill("7")
    threshold.press("Tab")
    expect(page.locator("[data-config-error]")).to_contain_text("from 0 to 1")
    page.get_by_label("Tell speakers apart").click()
    expect(page.locator("[data-config-error]")).to_contain_text("Speaker labels need")
    expect(page.get_by_label("Tell speakers apart")).not_to_be_checked()

    page.get_by_role("button", name="Restore the defaults").click()
    expect(threshold).to_have_value("0.5")


def test_a_refused_microphone_says_what_to_do(open_reader: Open) -> None:
    page = open_reader().page
    page.goto("/voice/")

    page.get_by_role("button", name="Start recording").click()

    expect(page.locator("[data-trouble]")).to_contain_text("icrophone")
    expect(page.get_by_role("button", name="Start recording")).to_be_enabled()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_is_accessible(open_reader: Open, scheme: str, results: Path) -> None:
    reader = open_reader(width=320, color_scheme=scheme, bypass_csp=True)
    page = reader.page
    page.goto("/voice/")
    expect(page.get_by_role("button", name="Start recording")).to_be_enabled()
    page.get_by_text("How this site listens").click()
    page.screenshot(path=results / f"voice-session-{scheme}.png", full_page=True)

    assert violations(page) == []
    assert reader.overflow()["page"] <= 0
    assert reader.overflow()["sticking"] == []


def test_everything_can_be_done_from_the_keyboard(open_reader: Open) -> None:
    page = open_reader().page
    page.goto("/voice/")
    record = page.get_by_role("button", name="Start recording")
    expect(record).to_be_enabled()

    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 30)"))
    page.keyboard.press("Home")

    assert "Start recording" in reached
    assert "How this site listens" in reached


QUIET_MICROPHONE = """navigator.mediaDevices.getUserMedia = async () => {
  window.heard = new AudioContext().createMediaStreamDestination().stream;
  return window.heard;
};"""


def test_a_microphone_that_is_unplugged_ends_the_recording_and_is_told(open_reader: Open) -> None:
    page = open_reader().page
    page.add_init_script(QUIET_MICROPHONE)
    page.goto("/voice/")
    page.get_by_role("button", name="Start recording").click()
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible()

    page.evaluate(
        "() => { const [track] = window.heard.getTracks();"
        " track.stop(); track.dispatchEvent(new Event('ended')); }"
    )

    expect(page.locator("[data-trouble]")).to_contain_text("The microphone has gone")
    expect(page.get_by_role("button", name="Start recording")).to_be_enabled()


NO_WEBSOCKETS = """window.WebSocket = class extends WebSocket {
  constructor() { super("ws://127.0.0.1:1/"); }
};"""


def test_a_server_out_of_reach_is_told_in_plain_words_until_it_is_back(
    browser: Browser, site: Server
) -> None:
    context = browser.new_context(base_url=site.url, bypass_csp=True)
    context.add_init_script(NO_WEBSOCKETS)
    is_away = [True]
    context.route(
        "**/socket.io/*", lambda route: route.abort() if is_away[0] else route.continue_()
    )
    page = context.new_page()
    page.goto("/voice/")
    trouble = page.locator("[data-trouble]")

    expect(trouble).to_have_text("The server cannot be reached. This page goes on trying.")
    is_away[0] = False
    expect(page.locator("[data-state]")).to_have_text("Ready", timeout=20_000)
    expect(trouble).to_be_hidden()
    context.close()
