"""Sound for tests: recordings of people, which lie beside the repository, and our own."""

import base64
import json
import os
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech.audio.pcm import Samples, from_samples, to_samples
from speech.audio.resample import Resampler

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[3]
SHARED = Path(os.environ.get("READREALM_SHARED", REPOSITORY.parent / "shared"))

needs_recordings = pytest.mark.skipif(
    not (SHARED / "audio" / "transcripts.json").is_file(),
    reason="the recordings of people are not beside the repository (READREALM_SHARED)",
)
needs_books = pytest.mark.skipif(
    not (SHARED / "books" / "11.txt").is_file(),
    reason="the test books are not beside the repository (READREALM_SHARED)",
)


def recording(name: str) -> Samples:
    """A recording of a person, 16 kHz mono."""
    with wave.open(str(SHARED / "audio" / name)) as file:
        return to_samples(file.readframes(file.getnframes()))


def recorded_pcm(name: str) -> bytes:
    return from_samples(recording(name))


def at_24_khz(samples: Samples) -> bytes:
    """The sound as the Realtime protocol carries it."""
    resampler = Resampler(16_000, 24_000)
    return from_samples(np.concatenate([resampler.feed(samples), resampler.finish()]))


def labels() -> list[dict[str, Any]]:
    """What is known of each recording: its text, or where its speech is."""
    known: list[dict[str, Any]] = json.loads((SHARED / "audio" / "transcripts.json").read_text())
    return known


def media_recorder_chunks(name: str) -> list[bytes]:
    """Chunks of one second that Chromium's MediaRecorder made of pips of ours.

    Twelve tones of 100 ms, 400 Hz and 100 Hz more each, one every half second.
    """
    chunks = json.loads((HERE / "recorded" / f"{name}.json").read_text())
    return [base64.b64decode(chunk) for chunk in chunks]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.float32)


def tone(hz: float, seconds: float, *, amplitude: float = 0.5) -> Samples:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def noise(seconds: float, *, amplitude: float = 0.2, seed: int = 1) -> Samples:
    """White noise, the same for the same seed."""
    generator = np.random.default_rng(seed)
    return (amplitude * generator.standard_normal(round(seconds * 16_000))).astype(np.float32)
