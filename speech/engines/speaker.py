"""Text to speech: a program that reads text and writes samples, run anew for every sentence.

espeak-ng answers within 10 ms and needs no model; Piper sounds better and needs one. The
text goes in through standard input, never through a shell or an argument. Whoever stops
listening ends the program.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from readrealm.kernel.errors import InvalidInput, ProviderUnavailable
from speech.audio.pcm import SampleCutter, from_samples, to_samples
from speech.audio.resample import Resampler
from speech.engines.child import end

RATE_HZ = 24_000
"""What every speaker delivers, s16le mono."""

MAX_TEXT_CHARACTERS = 4_000
MAX_AT_ONCE = 8
"""Programs that speak at the same time; the next sentence waits."""

FIRST_SOUND_S = 10.0
NEXT_SOUND_S = 5.0
_PIECE_BYTES = 8_192
_WAV_HEADER_BYTES = 44

WORDS_PER_MINUTE = 165
"""A calm reading pace, at speed 1.0."""

VOICES = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "en+m1",
    "cedar": "en-us+m7",
    "coral": "en-us+f2",
    "echo": "en-us+m2",
    "marin": "en-us+f5",
    "sage": "en+f4",
    "shimmer": "en-us+f4",
    "verse": "en+m4",
}
"""The names of the protocol's voices, as voices of espeak-ng."""


class Speaker(Protocol):
    """Something that can say a sentence."""

    voices: frozenset[str]
    """Names that `speak` takes."""

    def check(self) -> None:
        """Make sure that it can speak; raises ProviderUnavailable with what is missing."""

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[bytes, None]:
        """The sound of a text, 24 kHz s16le mono, piece by piece as it is made.

        Close the iterator to stop early.

        Args:
            text: at most `MAX_TEXT_CHARACTERS`; an empty one makes no sound.
            voice: one of ``voices``.
            speed: 0.25 to 4, where 1 is a calm reading pace.

        Raises:
            InvalidInput: a text too long, an unknown voice, a speed out of range.
            ProviderUnavailable: the program is not there, fails or falls silent.
        """


@dataclass(frozen=True, slots=True)
class _Program:
    """A command that speaks its standard input, and the form of what it writes."""

    command: tuple[str, ...]
    rate_hz: int
    """0: told by the WAV header."""


class EspeakSpeaker:
    """espeak-ng, as the installed program or else through the package espeakng-loader."""

    voices = frozenset(VOICES)

    def __init__(self, *, program: str = "espeak-ng") -> None:
        self._program = shutil.which(program)
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    def check(self) -> None:
        if self._program is None and importlib.util.find_spec("espeakng_loader") is None:
            raise ProviderUnavailable(
                "the voice needs the program espeak-ng or the package espeakng-loader"
            )

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[bytes, None]:
        _check_request(text, speed)
        if voice not in VOICES:
            raise InvalidInput(f"there is no voice {voice!r}")
        self.check()
        pace = str(round(WORDS_PER_MINUTE * speed))
        command = self._command(VOICES[voice], pace)
        # Double brackets would be read as phonemes.
        return _spoken(_Program(command, 0), text.replace("[[", "[ ["), self._places)

    def _command(self, voice: str, pace: str) -> tuple[str, ...]:
        if self._program is None:
            library = str(Path(__file__).with_name("espeak_library.py"))
            return (sys.executable, "-I", library, voice, pace)
        return (self._program, "--stdin", "--stdout", "-b", "1", "-v", voice, "-s", pace)


class PiperSpeaker:
    """A neural voice of Piper, by the path of its ``.onnx`` file.

    The model has one voice, so every name of `VOICES` is taken and sounds the same.
    """

    voices = frozenset(VOICES)

    def __init__(self, model_path: Path) -> None:
        self._model_path = model_path
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    def check(self) -> None:
        if importlib.util.find_spec("piper") is None:
            raise ProviderUnavailable("the voice needs the package piper-tts, not installed")
        for path in (self._model_path, self._config_path):
            if not path.is_file():
                raise ProviderUnavailable(f"the voice model has no file {path.name}")

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[bytes, None]:
        _check_request(text, speed)
        if voice not in self.voices:
            raise InvalidInput(f"there is no voice {voice!r}")
        self.check()
        command = (
            *(sys.executable, "-m", "piper", "--model", str(self._model_path)),
            *("--output-raw", "--length-scale", f"{1 / speed:.3f}"),
        )
        # Piper reads one utterance a line.
        return _spoken(_Program(command, self._rate_hz()), " ".join(text.split()), self._places)

    @property
    def _config_path(self) -> Path:
        return self._model_path.with_name(self._model_path.name + ".json")

    def _rate_hz(self) -> int:
        try:
            return int(json.loads(self._config_path.read_text())["audio"]["sample_rate"])
        except (OSError, ValueError, KeyError, TypeError):
            raise ProviderUnavailable("the voice model does not tell its sample rate") from None


def local_speaker(model_path: Path | None) -> Speaker:
    """A voice of this machine: Piper's by the path of its model, espeak-ng without one. Whether it
    is there, `Speaker.check` says."""
    return EspeakSpeaker() if model_path is None else PiperSpeaker(model_path)


def _check_request(text: str, speed: float) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InvalidInput(f"a text to speak has at most {MAX_TEXT_CHARACTERS} characters")
    if not 0.25 <= speed <= 4:
        raise InvalidInput("the speed must be 0.25 to 4")


async def _spoken(
    program: _Program, text: str, places: asyncio.Semaphore
) -> AsyncGenerator[bytes, None]:
    if not text.strip():
        return
    async with places, _running(program, text) as process:
        output = _output(process)
        rate_hz = program.rate_hz or await _told_rate(output)
        resampler, cutter = Resampler(rate_hz, RATE_HZ), SampleCutter()
        while piece := await _read(output, NEXT_SOUND_S):
            if pcm := from_samples(resampler.feed(to_samples(cutter.feed(piece)))):
                yield pcm
        if await process.wait():
            raise ProviderUnavailable("the voice program failed")
        if pcm := from_samples(resampler.finish()):
            yield pcm


@contextlib.asynccontextmanager
async def _running(program: _Program, text: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program with its text; it is ended when its sound is not wanted any more."""
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
    except OSError:
        raise ProviderUnavailable("the voice program cannot be started") from None
    try:
        if process.stdin is not None:
            # Fits into the pipe, so nothing has to wait until it is read.
            process.stdin.write(text.encode())
            process.stdin.close()
        yield process
    finally:
        await end(process)


def _output(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise ValueError("the voice program needs a pipe to write to")
    return process.stdout


async def _told_rate(output: asyncio.StreamReader) -> int:
    """The sample rate in the WAV header. Its length is a placeholder, and not looked at."""
    header = b""
    while len(header) < _WAV_HEADER_BYTES:
        piece = await _read(output, FIRST_SOUND_S, _WAV_HEADER_BYTES - len(header))
        if not piece:
            raise ProviderUnavailable("the voice program failed")
        header += piece
    rate_hz: int = struct.unpack_from("<I", header, 24)[0]
    if not header.startswith(b"RIFF") or not 8_000 <= rate_hz <= 192_000:
        raise ProviderUnavailable("the voice program does not write WAV")
    return rate_hz


async def _read(output: asyncio.StreamReader, deadline_s: float, most: int = _PIECE_BYTES) -> bytes:
    try:
        async with asyncio.timeout(deadline_s):
            return await output.read(most)
    except TimeoutError:
        raise ProviderUnavailable("the voice program fell silent") from None


def _environment() -> dict[str, str]:
    """Nothing secret, and text in UTF-8 whatever the server's locale."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
