"""The real voice: espeak-ng in its own process."""

import asyncio
import contextlib
import os
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from readrealm.kernel.errors import InvalidInput, ProviderUnavailable
from speech.audio.levels import rms
from speech.audio.pcm import to_samples
from speech.engines import speaker as module
from speech.engines.speaker import (
    MAX_TEXT_CHARACTERS,
    RATE_HZ,
    VOICES,
    EspeakSpeaker,
    PiperSpeaker,
)

TEXT = "Call me Ishmael. Some years ago, never mind how long precisely."

SPEAKERS = {"program": EspeakSpeaker(), "library": EspeakSpeaker(program="no-such-espeak")}


@pytest.fixture(params=SPEAKERS, ids=str)
def speaker(request):
    chosen = SPEAKERS[request.param]
    if request.param == "program" and chosen._program is None:
        pytest.skip("espeak-ng is not installed; the library is tested")
    return chosen


async def spoken(speaker, text=TEXT, voice="alloy", **options) -> bytes:
    return b"".join([piece async for piece in speaker.speak(text, voice=voice, **options)])


def children() -> set[int]:
    """Processes of ours that have not been waited for."""
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in found.split()}


async def test_a_text_becomes_sound_of_a_sensible_length(speaker):
    pcm = await spoken(speaker)
    seconds = len(pcm) / 2 / RATE_HZ
    assert 3 < seconds < 8
    assert rms(to_samples(pcm)) > 0.01


@pytest.mark.paced
async def test_the_sound_comes_before_the_text_is_over(speaker):
    begun = time.monotonic()
    pieces = speaker.speak(TEXT * 30, voice="alloy")
    async with contextlib.aclosing(pieces):
        await anext(pieces)
    assert time.monotonic() - begun < 2


async def test_speed_makes_it_shorter(speaker):
    assert len(await spoken(speaker, speed=2.0)) < 0.7 * len(await spoken(speaker))


@pytest.mark.parametrize("voice", sorted(VOICES))
async def test_every_voice_speaks(speaker, voice):
    assert len(await spoken(speaker, "Hello.", voice=voice)) > RATE_HZ // 4


async def test_voices_differ(speaker):
    one, other = await spoken(speaker, voice="alloy"), await spoken(speaker, voice="coral")
    assert one != other


async def test_who_stops_listening_ends_the_program(speaker):
    before = children()
    pieces = speaker.speak(TEXT * 50, voice="alloy")
    await anext(pieces)
    assert children() - before
    await pieces.aclose()
    assert children() <= before


async def test_who_stops_listening_after_a_while_is_not_held_up_by_what_was_not_heard(speaker):
    """A pipe that is full is not read any more, and does not notice its end by itself."""
    pieces = speaker.speak("one two three four " * 200, voice="alloy")
    await anext(pieces)
    # Nobody tells that a pipe is full; espeak-ng fills one in less time.
    await asyncio.sleep(0.5)
    async with asyncio.timeout(20):
        await pieces.aclose()


async def test_who_is_cancelled_leaves_no_program_behind(speaker):
    before = children()
    task = asyncio.ensure_future(spoken(speaker, TEXT * 50))
    while not children() - before:  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before


@pytest.mark.parametrize(
    "text",
    [
        "$(touch /tmp/x); `id` | rm -rf & -v evil",
        "--help",
        "-w /tmp/out.wav",
        "[[h@l'oU]] <b>&",
        "ß 日本 🐋",
    ],
)
async def test_a_text_is_spoken_and_never_obeyed(speaker, text, tmp_path):
    with contextlib.chdir(tmp_path):
        assert len(await spoken(speaker, text)) > 1_000
    assert list(tmp_path.iterdir()) == []


async def test_nothing_to_say_makes_no_sound(speaker):
    assert await spoken(speaker, "  \n ") == b""


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "x" * (MAX_TEXT_CHARACTERS + 1)},
        {"voice": "nobody"},
        {"voice": "en-us -w /tmp/x"},
        {"speed": 0.1},
        {"speed": 9.0},
    ],
)
async def test_what_cannot_be_said_is_refused_before_a_program_starts(speaker, wrong):
    before = children()
    with pytest.raises(InvalidInput):
        await spoken(speaker, **wrong)
    assert children() <= before


async def test_many_may_speak_at_once_and_the_rest_waits(speaker):
    sounds = await asyncio.gather(*(spoken(speaker, "One two three.") for _ in range(20)))
    assert len(set(sounds)) == 1


def program(tmp_path, body: str) -> EspeakSpeaker:
    """A voice program that misbehaves."""
    path = tmp_path / "voice"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return EspeakSpeaker(program=str(path))


@pytest.mark.parametrize(
    "body",
    ["sys.exit(3)", "sys.stdout.write('hello ' * 20)", "pass"],
    ids=["fails", "writes no WAV", "writes nothing"],
)
async def test_a_program_that_fails_is_a_clear_refusal(tmp_path, body):
    with pytest.raises(ProviderUnavailable):
        await spoken(program(tmp_path, body))


async def test_a_program_that_falls_silent_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_SOUND_S", 0.3)
    before = children()
    with pytest.raises(ProviderUnavailable, match="silent"):
        await spoken(program(tmp_path, "time.sleep(60)"))
    assert children() <= before


def test_a_voice_that_is_not_there_says_what_is_missing(tmp_path):
    with pytest.raises(ProviderUnavailable, match="piper"):
        PiperSpeaker(tmp_path / "voice.onnx").check()


async def test_the_sound_is_the_same_however_it_comes(speaker, monkeypatch):
    whole = await spoken(speaker)
    monkeypatch.setattr(module, "_PIECE_BYTES", 333)
    assert np.array_equal(to_samples(await spoken(speaker)), to_samples(whole))
