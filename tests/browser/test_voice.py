"""The voice page: a recorded clip is the microphone, and a browser talks with the local engine."""

import os
import re
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, expect

from speech.audio.pcm import from_samples
from tests.browser.looks import violations
from tests.browser.readers import Reader
from tests.support.stores import SessionStores
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import needs_recordings, recording, silence

pytestmark = pytest.mark.timeout(120)

BOOK = 4242
PATH = f"/books/{BOOK}/voice/"

BOOK_WITH_TEXT = 4243
TEXT = """Title: The Clockwork Mule

Author: Tilda Brass

CHAPTER I. The Workshop

Old Benna kept a workshop above the harbour, and nobody knew how she paid for it. She mended
kettles and music boxes, and once the pump of the town. In winter the windows were white with
steam, and children pressed their noses to the panes to see what she was making under the lamp.

CHAPTER II. The Wire Ears

In March she showed it to them. It was a mule of brass and walnut wood, as tall as a table, with
ears of wire and a tail of old rope. It ate nothing but coal, and not much of that. When it was
cold it shivered, and all its little wheels rang like spoons in a drawer.

CHAPTER III. How It Was Told To Walk

The mule obeyed whoever spoke to it slowly. Told to go forward ten meters, it went forward ten
meters and stood still, and one could measure it with a string. Told to turn left, it turned left.
But it never learned to stop in between.

CHAPTER IV. The Quay

That was how it was lost. A sailor sent it in jest to the lighthouse, and between the quay and the
lighthouse there is nothing but water. It walked over the edge without any hurry, with its wire
ears up. On quiet evenings, the fishermen say, one can hear it down there, still counting its
steps towards the other side of the bay.
"""
"""Written for this test; the clip tells somebody to go forward ten meters."""


@pytest.fixture(scope="module")
def talking_site(
    session_stores: SessionStores, prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a local engine beside it."""
    assert session_stores.mongo
    folder = tmp_path_factory.mktemp("voice") / "data"
    shutil.copytree(prepared_folder, folder)
    database = session_stores.url_of(f"voice_{os.getpid()}")
    running = Server(folder, workers=1, environment={"MONGODB_URL": database, "VOICE": "true"})
    running.start()
    running.running.wait_for_line("engine listens", timeout_s=60)
    yield running
    running.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears, over and over: silence, one sentence, a long silence."""
    sound = np.concatenate([silence(2), recording("goforward.wav"), silence(12)])
    file = tmp_path_factory.mktemp("clip") / "clip.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(from_samples(sound))
    return file


@pytest.fixture(scope="module")
def hearing_browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], clip: Path
) -> Iterator[Browser]:
    """A browser whose microphone is the clip, and whose user allows it."""
    microphone = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={clip}",
    )
    args = [*browser_type_launch_args["args"], *microphone]
    running = browser_type.launch(**{**browser_type_launch_args, "args": args})
    yield running
    running.close()


class Talker(Reader):
    """A reader on the voice page."""

    def talk(self, book_id: int = BOOK) -> "Talker":
        self.page.goto(f"/books/{book_id}/voice/")
        self.main.click()
        return self

    @property
    def main(self) -> Any:
        return self.page.locator("[data-main]")

    @property
    def status(self) -> Any:
        return self.page.locator("[data-status]")

    def lines_of(self, who: str) -> Any:
        return self.page.locator(f".turn.is-{who} .turn-text")


def opened(browser: Browser, site: Server, **options: Any) -> tuple[BrowserContext, Talker]:
    context = browser.new_context(base_url=site.url, **options)
    return context, Talker(context.new_page())


RATE_HZ = 24_000
LEAST_ANSWER_S = 10
"""What is read is sixty words: nobody says them faster."""

COUNT_SOUND = """
    const { WebSocket: Plain } = window;
    window.heard = { sounds: 0, bytes: 0, plays: 0, played: 0, stops: 0 };
    window.WebSocket = class extends Plain {
      constructor(...args) {
        super(...args);
        this.addEventListener("message", ({ data }) => {
          if (typeof data === "string" && data.startsWith('42["audio","') && data.length > 1000) {
            window.heard.sounds += 1;
            window.heard.bytes += atob(JSON.parse(data.slice(2))[1]).length;
          }
        });
      }
    };
    const { start, stop } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (...args) {
      window.heard.plays += 1;
      window.heard.played += this.buffer.length;
      return start.apply(this, args);
    };
    AudioBufferSourceNode.prototype.stop = function (...args) {
      window.heard.stops += 1;
      return stop.apply(this, args);
    };
"""


@needs_recordings
def test_a_reader_speaks_and_hears_an_answer(
    hearing_browser: Browser, talking_site: Server, results: Path
) -> None:
    context, reader = opened(hearing_browser, talking_site)
    context.add_init_script(COUNT_SOUND)
    reader.talk()

    expect(reader.status).to_have_text("Listening.", timeout=15_000)
    expect(reader.lines_of("reader")).to_contain_text("ten", timeout=30_000)
    expect(reader.lines_of("book")).to_contain_text(
        "the text of this book is not here", timeout=15_000
    )
    expect(reader.status).to_have_text("The book is speaking.")
    reader.page.screenshot(path=results / "voice-speaking.png")
    counted = reader.page.evaluate("window.heard")
    assert counted["sounds"] >= 20
    assert counted["plays"] == counted["sounds"]

    reader.page.keyboard.press("Escape")
    expect(reader.status).to_have_text("Listening.")
    assert reader.page.evaluate("window.heard.stops") > 0
    reader.main.click()
    expect(reader.main).to_have_text("Start talking", timeout=10_000)
    expect(reader.status).to_have_text("Nothing is being recorded.")
    context.close()
    assert reader.errors == []


@needs_recordings
def test_the_keyboard_alone_begins_silences_and_ends_a_talk(
    hearing_browser: Browser, talking_site: Server
) -> None:
    phone = {"width": 320, "height": 680}
    context, reader = opened(hearing_browser, talking_site, viewport=phone)
    page, keys = reader.page, reader.page.keyboard
    quiet = page.get_by_role("button", name="Be quiet")
    page.goto(PATH)

    reader.main.focus()
    keys.press("Enter")
    expect(reader.status).to_have_text("Listening.", timeout=15_000)
    expect(reader.main).to_be_focused()
    expect(quiet).to_be_visible(timeout=40_000)
    keys.press("Tab")
    expect(quiet).to_be_focused()
    keys.press("Enter")
    expect(quiet).to_be_hidden()
    expect(reader.main).to_be_focused()
    keys.press("Enter")
    expect(reader.main).to_have_text("Start talking", timeout=10_000)
    expect(reader.main).to_be_focused()

    # More of the desk is there now; what the book said has moved up with it.
    expect(page.get_by_text("How it should answer")).to_be_visible()
    said = reader.lines_of("book").last.bounding_box()
    desk = page.locator("[data-desk]").bounding_box()
    assert said is not None
    assert desk is not None
    assert said["y"] + said["height"] <= desk["y"]
    context.close()
    assert reader.errors == []


@pytest.fixture(scope="module")
def book_with_text(talking_site: Server, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A book whose text a moderator has loaded."""
    file = tmp_path_factory.mktemp("book") / "mule.txt"
    file.write_text(TEXT, "utf-8")
    told = talking_site.manage("import_book", str(BOOK_WITH_TEXT), str(file), timeout_s=60)
    assert "The Clockwork Mule: 4 chapters, 4 passages" in told
    return BOOK_WITH_TEXT


@needs_recordings
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_the_book_reads_the_passage_that_answers_and_says_where_it_stands(
    hearing_browser: Browser,
    talking_site: Server,
    book_with_text: int,
    results: Path,
    scheme: str,
    width: int,
) -> None:
    viewport = {"width": width, "height": 640 if width == 320 else 800}
    context, reader = opened(hearing_browser, talking_site, viewport=viewport, color_scheme=scheme)
    context.add_init_script(COUNT_SOUND)
    reader.talk(book_with_text)

    expect(reader.lines_of("reader")).to_contain_text("ten", timeout=45_000)
    answer = reader.lines_of("book")
    expect(answer).to_contain_text(
        re.compile(
            r"chapter 3, How It Was Told To Walk, \d+ percent into The Clockwork Mule", re.I
        ),
        timeout=15_000,
    )
    expect(answer).to_contain_text("it went forward ten meters and stood still")
    expect(answer).to_contain_text("it never learned to stop in between.", timeout=15_000)
    expect(reader.page.locator(".turn.is-growing")).to_have_count(0, timeout=15_000)
    reader.main.click()
    expect(reader.main).to_have_text("Start talking", timeout=10_000)
    heard = reader.page.evaluate("window.heard")
    assert heard["bytes"] > LEAST_ANSWER_S * RATE_HZ * 2
    assert heard["played"] == heard["bytes"] // 2, "samples that the loudspeaker was given"
    expect(reader.main).to_be_in_viewport(ratio=1)
    expect(reader.page.locator(".turn.is-book .turn-who")).to_be_in_viewport(ratio=1)
    assert reader.overflow()["page"] == 0
    reader.page.wait_for_timeout(400)  # colours change gently
    reader.page.screenshot(path=results / f"voice-answered-{scheme}-{width}.png")
    context.close()
    assert reader.errors == []


@needs_recordings
def test_nothing_is_sent_until_the_button_is_held(
    hearing_browser: Browser, talking_site: Server
) -> None:
    context, reader = opened(hearing_browser, talking_site)
    reader.page.goto(PATH)
    reader.page.get_by_label("Push to talk").check()
    reader.main.click()
    expect(reader.main).to_have_text("Hold to talk", timeout=15_000)

    # The clip speaks after two seconds; nobody holds the button.
    reader.page.wait_for_timeout(6_000)
    expect(reader.lines_of("reader")).to_have_count(0)

    reader.page.locator("[data-status]").click()
    reader.page.keyboard.down(" ")
    expect(reader.main).to_have_text("Let go when you are done")
    expect(reader.main).to_have_attribute("aria-pressed", "true")
    expect(reader.lines_of("reader")).to_contain_text("ten", timeout=30_000)
    reader.page.keyboard.up(" ")
    expect(reader.main).to_have_text("Hold to talk")
    expect(reader.lines_of("book")).to_contain_text("the text of this book", timeout=15_000)

    reader.page.get_by_role("button", name="End the talk").click()
    expect(reader.main).to_have_text("Start talking", timeout=10_000)
    context.close()
    assert reader.errors == []


# As Firefox does where a device has nothing to play with.
NEVER_RUNS = """
    let asked = 0;
    const resume = AudioContext.prototype.resume;
    AudioContext.prototype.resume = function () {
      asked += 1;
      return asked === %d ? new Promise(() => {}) : resume.call(this);
    };
    navigator.mediaDevices.getUserMedia = async () => {
      return new AudioContext().createMediaStreamDestination().stream;
    };
"""
REFUSE = """
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("no", "%s");
    };
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The microphone is not allowed."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "The microphone is used by something else."),
    ],
)
def test_a_refused_microphone_is_explained(
    browser: Browser, talking_site: Server, error: str, words: str
) -> None:
    context, reader = opened(browser, talking_site)
    context.add_init_script(REFUSE % error)
    reader.talk()

    expect(reader.page.get_by_role("alert")).to_contain_text(words)
    expect(reader.main).to_have_text("Start talking")
    expect(reader.main).to_be_enabled()
    context.close()
    assert reader.errors == []


@pytest.mark.parametrize("context_that_never_runs", [1, 2], ids=["playback", "microphone"])
def test_a_device_without_sound_is_explained(
    browser: Browser, talking_site: Server, context_that_never_runs: int
) -> None:
    context, reader = opened(browser, talking_site)
    context.add_init_script(NEVER_RUNS % context_that_never_runs)
    reader.talk()

    expect(reader.page.get_by_role("alert")).to_contain_text("no sound run", timeout=10_000)
    expect(reader.main).to_have_text("Start talking")
    expect(reader.main).to_be_enabled()
    context.close()
    assert reader.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_voice_page_is_accessible_and_fits(
    browser: Browser, talking_site: Server, results: Path, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 640 if width == 320 else 800}
    context, reader = opened(
        browser, talking_site, viewport=viewport, color_scheme=scheme, bypass_csp=True
    )
    context.add_init_script(REFUSE % "NotAllowedError")
    reader.talk()
    expect(reader.page.get_by_role("alert")).to_be_visible()
    reader.page.evaluate(CONVERSATION)

    assert violations(reader.page) == []
    assert reader.overflow()["page"] == 0
    assert reader.overflow()["sticking"] == []
    expect(reader.main).to_be_in_viewport(ratio=1)
    reader.page.screenshot(path=results / f"voice-{scheme}-{width}.png")
    context.close()


CONVERSATION = """async () => {
  const { Transcript } = await import(document.querySelector('script[type="module"]').src
    .replace("voice.js", "transcript.js"));
  const find = (name) => document.querySelector(`[data-${name}]`);
  const transcript = new Transcript({
    log: find("log"), scroller: find("scroller"), empty: find("empty"),
    template: document.querySelector('template[data-template="turn"]'),
  });
  const say = (role, turnId, text, final) => transcript.add({ role, turnId, text, final });
  say("user", "a", "why does Ahab hunt the whale", true);
  say("assistant", "b", "In chapter 36, The Quarter-Deck, it says: ", false);
  say("assistant", "b", "Aye, aye! and I'll chase him round Good Hope, and round the Horn.", false);
}"""


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("text", ["html { font-size: 100% }", "html { font-size: 200% }"])
def test_what_a_book_cannot_answer_is_read_before_anybody_asks(
    browser: Browser, talking_site: Server, book_with_text: int, width: int, text: str
) -> None:
    viewport = {"width": width, "height": 740}
    context, reader = opened(browser, talking_site, viewport=viewport, bypass_csp=True)
    page = reader.page

    reader.open(BOOK)
    page.get_by_role("link", name="Talk with this book, its text is not here yet").click()
    page.add_style_tag(content=text)
    limit = page.locator(".voice-limit")
    expect(limit).to_contain_text("A moderator can load it")
    words, desk = limit.bounding_box(), page.locator("[data-desk]").bounding_box()
    assert words is not None
    assert desk is not None
    assert words["y"] + words["height"] <= desk["y"]
    assert reader.overflow()["sticking"] == []

    reader.open(book_with_text)
    page.get_by_role("link", name="Talk with this book", exact=True).click()
    expect(page.get_by_text("looks for the passage that answers")).to_be_visible()
    expect(limit).to_have_count(0)
    context.close()
    assert reader.errors == []


def test_pages_of_an_imported_book_have_its_title(
    browser: Browser, talking_site: Server, book_with_text: int
) -> None:
    context, reader = opened(browser, talking_site)
    heading = reader.page.get_by_role("heading", level=1)

    reader.page.goto(f"/books/{book_with_text}/voice/")
    expect(heading).to_have_text("Talk with The Clockwork Mule")
    expect(reader.page.locator(".voice-author")).to_have_text("Tilda Brass")
    reader.open(book_with_text)
    expect(heading).to_have_text("The Clockwork Mule")
    expect(reader.page.locator(".spine-author")).to_have_text("Tilda Brass")
    context.close()
    assert reader.errors == []


def test_a_page_for_every_book_and_for_no_other_number(talking_site: Server) -> None:
    assert talking_site.get("/books/9007199254740991/voice/")[0] == 200
    assert talking_site.get("/books/9007199254740992/voice/")[0] == 404
    assert talking_site.get("/books/0/voice/")[0] == 404
