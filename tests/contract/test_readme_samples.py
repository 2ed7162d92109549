"""The programs in the README run as they stand, and do what is said of them.

Each is run beside a real server. Nothing of it is replaced but the address, and the microphone is
what it is for a reader at a shell: standard input.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from speech.audio.pcm import from_samples, to_samples
from speech.engines.speaker import RATE_HZ
from tests.conftest import StartServer
from tests.contract.samples import Sample, sample, samples
from tests.contract.test_documents import documents
from tests.support.processes import ROOT, Program
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import at_24_khz, needs_recordings, recording, silence

pytestmark = pytest.mark.timeout(150)

README = ROOT / "README.md"
VOCABULARIES = ("Book rooms", "Live talk", "Voice sessions", "Voice interviews")
SLOW_S = 60
"""For what has to be heard by a recogniser, on a machine that is busy with other tests."""

RECORDED, HEARD = "goforward.wav", "forward"
"""What somebody says, and a word of it that the smallest of recognisers hears."""

Run = Callable[..., Program]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts samples that end with the test, whether or not they would by themselves.

    ``run(sample, output=path)`` keeps its standard output in a file; what it says is then what it
    says on the other.
    """
    running: list[Program] = []

    def start(program: Sample, *, output: Path | None = None) -> Program:
        command = program.command()
        if output is not None:
            command = ["sh", "-c", 'exec "$@" > "$0"', str(output), *command]
        running.append(Program(command))
        return running[-1]

    yield start
    for each in running:
        each.end()


def fall_silent(program: Program) -> None:
    """The microphone is gone."""
    assert program.process.stdin is not None
    program.process.stdin.close()


async def say(program: Program, *, hz: int) -> None:
    """Say what is `RECORDED` into its microphone, and then nothing for a second and a half."""
    sound = np.concatenate([silence(0.5), recording(RECORDED), silence(1.5)])
    pcm = at_24_khz(sound) if hz == RATE_HZ else from_samples(sound)
    assert program.process.stdin is not None
    for start in range(0, len(pcm), hz // 5):
        program.process.stdin.write(pcm[start : start + hz // 5])
        program.process.stdin.flush()
        await asyncio.sleep(0.1)  # as long as the piece takes to be said


@pytest.fixture(scope="module")
def site(shared_server: StartServer) -> Server:
    """What `make run` serves, voice engine and voice worker included."""
    return shared_server(workers=2, VOICE="true", STT_PROCESSES="1", INTERVIEW_SILENCE_S="2")


def test_every_vocabulary_has_a_client_in_both_languages() -> None:
    found = [(each.heading, each.language) for each in samples(README)]

    assert found == [(name, language) for name in VOCABULARIES for language in ("js", "python")]


def test_programs_stand_only_where_they_are_run() -> None:
    bridge = ROOT / "docs" / "bridge.md"

    assert {each.document for path in documents() for each in samples(path)} == {README, bridge}


def test_a_reader_in_javascript_and_one_in_python_talk(site: Server, run: Run) -> None:
    ada = run(sample(README, "Book rooms", "js").at(site.url))
    ada.wait_for_line("ok: true")
    ada.wait_for_line("^1 Ada Call me Ishmael\\.$")
    bob = run(sample(README, "Book rooms", "python").at(site.url))

    assert bob.wait() == 0, bob.output
    joined, number = bob.lines
    assert "'ok': True, 'bookId': 2701, 'headSeq': 1" in joined
    assert number == "2"
    ada.wait_for_line("^2 Bob Thar she blows\\.$")


@needs_recordings
async def test_the_book_answers_aloud_in_javascript(site: Server, run: Run, tmp_path: Path) -> None:
    site.running.wait_for_line("engine listens", timeout_s=40)
    answer = tmp_path / "answer.pcm"
    talk = run(sample(README, "Live talk", "js").at(site.url), output=answer)
    talk.wait_for_line("<< Session Started >>", timeout_s=SLOW_S)
    await say(talk, hz=24_000)
    talk.wait_for_line("<< Speech Started >>", timeout_s=SLOW_S)
    talk.wait_for_line(f"User: .*{HEARD}", timeout_s=SLOW_S)
    talk.wait_for_line("---$", timeout_s=SLOW_S)
    fall_silent(talk)

    assert talk.wait() == 0, talk.output
    assert answer.stat().st_size > RATE_HZ
    assert any(to_samples(answer.read_bytes()))


@needs_recordings
async def test_the_book_answers_in_python(site: Server, run: Run) -> None:
    site.running.wait_for_line("engine listens", timeout_s=40)
    talk = run(sample(README, "Live talk", "python").at(site.url))
    talk.wait_for_line("<< Session Started >>", timeout_s=SLOW_S)
    await say(talk, hz=24_000)
    talk.wait_for_line(f"User: .*{HEARD}", timeout_s=SLOW_S)
    talk.wait_for_line("---$", timeout_s=SLOW_S)
    fall_silent(talk)

    assert talk.wait() == 0, talk.output


@needs_recordings
@pytest.mark.parametrize("language", ["js", "python"])
async def test_what_is_dictated_is_written(site: Server, run: Run, language: str) -> None:
    dictation = run(sample(README, "Voice sessions", language).at(site.url))
    await say(dictation, hz=16_000)

    dictation.wait_for_line(HEARD, timeout_s=SLOW_S)


@needs_recordings
async def test_an_answer_that_is_spoken_is_heard(site: Server, run: Run) -> None:
    interview = run(sample(README, "Voice interviews", "js").at(site.url))
    interview.wait_for_line(r"^\(speak\)$")
    await say(interview, hz=16_000)

    interview.wait_for_line(f"^You said: .*{HEARD}", timeout_s=SLOW_S)
    assert interview.wait() == 0, interview.output
    assert re.fullmatch(r"[\d.]+ words a minute, \d+ pauses", interview.lines[-1])


def test_an_interview_is_typed(site: Server, run: Run) -> None:
    answers = ["A hint of what comes later.", "The narrator tells the story."]
    interview = run(sample(README, "Voice interviews", "python").at(site.url))
    for number, answer in enumerate(answers):
        interview.wait_for_line(r"[?.]$", after=number)
        interview.write_line(answer)

    assert interview.wait() == 0, interview.output
    assert [line.split(" ", 1)[1] for line in interview.lines[2:]] == answers
    assert all(0 <= float(line.split(" ", 1)[0]) <= 1 for line in interview.lines[2:])
