"""An interview in a browser: by voice, in writing, interrupted, and its result."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect

from tests.browser.conftest import Open
from tests.browser.readers import Reader
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import SHARED, needs_recordings

RECORDING = SHARED / "audio" / "austen_0870.wav"
SHORT_RECORDING = SHARED / "audio" / "austen_0880.wav"
ANSWER = "An entity is a thing we keep records about, and an attribute describes one of its sides."

WHENEVER_MS = 230_000

MICROPHONE = """() => {
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  navigator.mediaDevices.getUserMedia = async () => microphone.stream.clone();
  window.say = async (wav) => {
    await context.resume();
    const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.buffer);
    source.connect(microphone);
    const said = new Promise((resolve) => { source.onended = resolve; });
    source.start();
    await said;
  };
}"""
"""A microphone that is silent until ``window.say`` plays a recording into it, once."""

WATCH = """() => {
  const page = document.querySelector("[data-interview]");
  window.seen = [];
  new MutationObserver(() => {
    if (window.seen.at(-1) !== page.dataset.phase) window.seen.push(page.dataset.phase);
  }).observe(page, { attributeFilter: ["data-phase"] });
  addEventListener("click", () => window.seen.push("click"), { capture: true });
}"""
"""Notes the phases that follow, and every click."""

Speak = Callable[..., Reader]


@pytest.fixture
def open_speaker(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], site: Server
) -> Iterator[Speak]:
    """Open a browser whose microphone plays a WAV file, over and over."""
    browsers = []
    readers: list[Reader] = []

    def open_one(sound: Path) -> Reader:
        microphone = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={sound}",
        )
        args = [*browser_type_launch_args["args"], *microphone]
        browser = browser_type.launch(**{**browser_type_launch_args, "args": args})
        browsers.append(browser)
        context = browser.new_context(base_url=site.url, permissions=["microphone"])
        readers.append(Reader(context.new_page()))
        return readers[-1]

    yield open_one
    for browser in browsers:
        browser.close()
    assert [error for reader in readers for error in reader.errors] == []


def go(reader: Reader, **choice: str) -> Page:
    """To the live page, by way of the choice."""
    page = reader.page
    page.goto("/interviews/")
    page.get_by_role("radio", name="Databases").check()
    page.get_by_role("radio", name="3", exact=True).check()
    if choice.get("answer") == "writing":
        page.get_by_role("radio", name="In writing").check()
    page.get_by_role("button", name="Go to the interview").click()
    expect(page.get_by_role("button", name=re.compile("Begin|Go on"))).to_be_visible()
    # Set by the script: keys are heard from here on.
    expect(page.locator("[data-main]")).to_have_attribute("aria-disabled", "false")
    return page


def begin(page: Page) -> None:
    """Press the one big control until it is the reader's turn."""
    page.get_by_role("button", name=re.compile("Begin|Go on")).click()
    page.get_by_role("button", name="Answer now").click()
    expect(page.get_by_role("button", name="I’m done")).to_be_visible()


def finish(page: Page) -> None:
    page.get_by_role("button", name="Finish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Finish", exact=True).click()
    page.wait_for_url(re.compile(r"/interviews/(?!live/)[^/]+/$"))


@needs_recordings
def test_an_interview_by_voice_leads_to_its_result(open_speaker: Speak) -> None:
    reader = open_speaker(RECORDING)
    reader.page.goto("/interviews/")
    reader.sign_up("speaker")
    page = go(reader)
    begin(page)

    meter = page.locator("[data-meter] i").nth(4)
    page.wait_for_function(
        "bar => parseFloat(bar.style.getPropertyValue('--bar')) > 0.3", arg=meter.element_handle()
    )
    expect(page.locator("[data-transcript]")).not_to_be_empty(timeout=20_000)
    expect(page.locator("[data-remaining]")).to_have_text(re.compile(r"^29:\d\d$"))
    expect(page.locator("[data-turn-time]")).not_to_have_text("0:00")
    page.get_by_role("button", name="I’m done").click()
    expect(page.locator("[data-asked-title]")).to_have_text("Question 2", timeout=20_000)
    question = page.locator("[data-answered-list] li p").first.inner_text()
    finish(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Databases")
    expect(page.locator(".lead")).to_contain_text("You spoke for")
    expect(page.get_by_role("heading", level=3, name=question)).to_be_visible()
    expect(page.locator("[data-chart=timeline] svg rect.speech").first).to_be_visible()
    expect(page.locator(".caution")).to_contain_text(["pocketsphinx"])
    page.goto("/interviews/")
    expect(page.locator(".past-one")).to_have_count(1)


@needs_recordings
@pytest.mark.timeout(240)
def test_silence_ends_an_answer(open_reader: Open) -> None:
    """A reader who speaks and then says nothing more gets the next question, without a click."""
    page = go(open_reader())
    page.evaluate(MICROPHONE)
    page.get_by_role("radio", name="Nobody").check()
    begin(page)
    page.evaluate(WATCH)

    page.evaluate("wav => window.say(wav)", base64.b64encode(SHORT_RECORDING.read_bytes()).decode())
    # However long a busy machine takes for each step: the test has a deadline of its own.
    expect(page.locator("[data-silence-words]")).to_contain_text(
        re.compile(r"Silence ends this answer in \d+ s"), timeout=WHENEVER_MS
    )
    expect(page.locator("[data-asked-title]")).to_have_text("Question 2", timeout=WHENEVER_MS)

    assert page.evaluate("window.seen") == ["processing", "question"]
    heard = page.locator("[data-answered-list] li p").last.inner_text()
    assert "remained silent" not in heard
    assert {"not", "ill", "young", "man"} & set(heard.split())
    expect(page.get_by_role("button", name="Answer now")).to_be_visible()


def test_the_server_reads_the_question_and_then_listens(open_reader: Open) -> None:
    """Where the browser has no voice, the answer still begins when the question has been read."""
    page = go(open_reader(), answer="writing")
    page.get_by_role("radio", name="This site").check()
    with page.expect_response(re.compile(r"/interviews/live/[^/]+/1\.wav$")) as told:
        page.get_by_role("button", name="Begin").click()
    assert told.value.ok

    expect(page.get_by_role("button", name="Answer now")).to_be_visible()
    expect(page.get_by_label("Your answer")).to_be_visible(timeout=40_000)
    expect(page.get_by_role("button", name="I’m done")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Your answer")).to_be_visible()


@needs_recordings
def test_the_focus_goes_on_when_its_button_has_had_its_time(open_speaker: Speak) -> None:
    page = go(open_speaker(RECORDING))
    page.get_by_role("radio", name="This site").check()
    page.get_by_role("button", name="Begin").click()
    again = page.get_by_role("button", name="Read it again")

    again.focus()
    expect(page.get_by_role("button", name="I’m done")).to_be_visible(timeout=40_000)

    expect(again).to_be_hidden()
    expect(page.locator("[data-main]")).to_be_focused()
    page.get_by_role("button", name="Finish", exact=True).press("Enter")
    page.get_by_role("button", name="Leave without a result").press("Enter")
    page.wait_for_url("**/interviews/")


def test_a_written_answer_that_is_over_leaves_the_focus_to_what_comes_next(
    open_reader: Open,
) -> None:
    page = go(open_reader(), answer="writing")
    page.get_by_role("radio", name="Nobody").check()
    begin(page)
    answer = page.get_by_label("Your answer")
    expect(answer).to_be_focused()
    page.keyboard.type("An entity")

    # Nothing more is written, and silence ends the answer.
    expect(answer).to_be_hidden(timeout=40_000)

    expect(page.locator("[data-main]")).to_be_focused()


def test_who_answers_at_once_silences_the_voice_of_the_server(open_reader: Open) -> None:
    page = go(open_reader(), answer="writing")
    page.get_by_role("radio", name="This site").check()
    page.evaluate(
        """() => {
          window.players = [];
          const play = HTMLMediaElement.prototype.play;
          HTMLMediaElement.prototype.play = function () {
            window.players.push(this);
            return play.call(this);
          };
        }"""
    )
    page.get_by_role("button", name="Begin").click()
    page.wait_for_function("() => window.players[0]?.currentTime > 0")

    page.get_by_role("button", name="Answer now").click()

    expect(page.get_by_label("Your answer")).to_be_visible()
    assert page.evaluate("window.players.map((player) => player.paused)") == [True]
    page.reload()
    expect(page.get_by_role("radio", name="This site")).to_be_checked()


def test_a_voice_that_is_silenced_as_it_begins_leaves_no_error(open_reader: Open) -> None:
    page = go(open_reader(), answer="writing")
    page.get_by_role("radio", name="This site").check()
    page.evaluate(
        """() => {
          const play = HTMLMediaElement.prototype.play;
          HTMLMediaElement.prototype.play = function () {
            const playing = play.call(this);
            document.querySelector("[data-main]").click();
            return playing;
          };
        }"""
    )

    # `open_reader` looks at what the console has heard.
    page.get_by_role("button", name="Begin").click()

    expect(page.get_by_label("Your answer")).to_be_visible()


def test_a_guest_answers_in_writing_with_the_keyboard_alone(open_reader: Open) -> None:
    page = go(open_reader(), answer="writing")
    keys = page.keyboard
    main = page.locator("[data-main]")

    main.focus()
    keys.press("Enter")
    expect(main).to_have_text("Answer now")
    expect(main).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_label("Your answer")).to_be_focused()
    keys.type(ANSWER)
    keys.press("Tab")
    expect(main).to_be_focused()
    keys.press("Enter")
    expect(page.locator("[data-asked-title]")).to_have_text("Question 2", timeout=20_000)
    expect(page.locator("[data-answered-list] li p").last).to_have_text(ANSWER)
    expect(main).to_be_focused()
    keys.press("Tab")
    while page.evaluate("document.activeElement.textContent") != "Finish":
        keys.press("Tab")
    keys.press("Enter")
    for _ in range(2):
        keys.press("Tab")
    expect(
        page.get_by_role("dialog").get_by_role("button", name="Finish", exact=True)
    ).to_be_focused()
    keys.press("Enter")

    page.wait_for_url("**/interviews/result/")
    expect(page.get_by_text("kept nowhere")).to_be_visible()
    expect(page.locator(".side-words").first).to_have_text(ANSWER)
    with page.expect_download() as download:
        page.get_by_role("button", name="Answers as CSV").click()
    assert ANSWER in Path(download.value.path()).read_text()


def test_a_refused_microphone_is_explained_and_writing_offered(open_reader: Open) -> None:
    page = go(open_reader())

    page.get_by_role("button", name="Begin").click()

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text(re.compile("microphone", re.IGNORECASE))
    problem.get_by_role("button", name="Answer in writing").click()
    begin(page)
    expect(page.get_by_label("Your answer")).to_be_visible()


def test_a_reload_goes_on_where_it_was(open_reader: Open) -> None:
    page = go(open_reader(), answer="writing")
    begin(page)
    question = page.locator("[data-question]").inner_text()

    page.reload()
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_label("Your answer")).to_be_visible()
    expect(page.locator("[data-question]")).to_have_text(question)


def test_a_lost_connection_is_said_and_taken_up_again(open_reader: Open) -> None:
    reader = open_reader()
    page = go(reader, answer="writing")
    begin(page)
    page.get_by_label("Your answer").fill(ANSWER)

    reader.page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.locator("[data-bar]")).to_contain_text("The connection was lost", timeout=15_000)
    reader.page.context.set_offline(False)

    expect(page.locator("[data-bar]")).to_be_empty(timeout=20_000)
    expect(page.get_by_label("Your answer")).to_have_value(ANSWER)
    page.get_by_role("button", name="I’m done").click()
    expect(page.locator("[data-answered-list] li p").last).to_have_text(ANSWER, timeout=20_000)


def test_an_interview_can_be_taken_over_in_another_tab(open_reader: Open) -> None:
    first = open_reader()
    first.page.goto("/interviews/")
    first.sign_up("two-tabs")
    page = go(first, answer="writing")
    begin(page)
    question = page.locator("[data-question]").inner_text()

    other = Reader(first.page.context.new_page())
    page = go(other, answer="writing")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("alert").get_by_role("button", name="Go on here").click()

    expect(page.locator("[data-question]")).to_have_text(question)
    expect(first.page.get_by_role("alert")).to_contain_text("another tab")
    assert other.errors == []


def test_leaving_gives_no_result(open_reader: Open) -> None:
    reader = open_reader()
    reader.page.goto("/interviews/")
    reader.sign_up("leaver")
    page = go(reader, answer="writing")
    begin(page)

    page.get_by_role("button", name="Finish", exact=True).click()
    page.get_by_role("button", name="Leave without a result").click()

    page.wait_for_url("**/interviews/")
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_what_happens_is_said_to_those_who_do_not_see_it(open_reader: Open) -> None:
    page = go(open_reader(), answer="writing")
    page.get_by_role("radio", name="Nobody").check()
    page.evaluate(
        """() => {
          window.heard = [];
          const place = document.querySelector('[data-announcer]');
          new MutationObserver(() => window.heard.push(place.textContent))
            .observe(place, {childList: true});
        }"""
    )

    begin(page)
    question = page.locator("[data-question]").inner_text()
    page.get_by_label("Your answer").fill(ANSWER)
    page.get_by_role("button", name="I’m done").click()
    expect(page.locator("[data-asked-title]")).to_have_text("Question 2", timeout=20_000)

    heard = page.evaluate("window.heard")
    assert heard[0] == f"Question 1. {question}"
    assert heard[1:3] == ["Your turn. Write your answer.", "Your answer is being looked at."]
    assert heard[-1].startswith("Question 2. ")
