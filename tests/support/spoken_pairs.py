"""Pairs of recordings of people, joined with a silence whose length is known, and their truth.

The truth is a forced alignment: a recogniser that is told what was said finds the moment of
every word. It shares no model with the voice detector, which never sees a text. What the metrics
call speech and pause is then read off the words: gaps of up to `PAUSE_MS` belong to the speech.
The silence before and behind the words of a recording is part of the gap between two recordings.
"""

import functools
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from speech.audio.pcm import Samples, from_samples
from speech.audio.voice import RATE_HZ, Segment, VoiceActivity
from speech.engines.detector import SileroDetector
from speech.interviews.metrics import PAUSE_MS, measure
from speech.interviews.microphone import Chunk, Microphone
from speech.interviews.outcome import Metrics
from speech.interviews.timeline import Span, Timeline, Turn, TurnEnd
from tests.unit.speech.audio.recordings import SHARED, labels, noise, recording, silence

SILENCES_S = (0.6, 0.8, 1.2, 2.5, 5.5)
TOLERANCE = 0.10
"""Of speaking time, words a minute and syllables a second."""
SURE_PAUSE_MS = 600
"""Pauses of at least this length are counted exactly."""
CHUNK = RATE_HZ // 10

TEXTS: dict[str, str] = (
    {entry["file"]: entry["transcript"] for entry in labels() if entry["transcript"]}
    if (SHARED / "audio" / "transcripts.json").is_file()
    else {}
)
Pair = tuple[str, str]
PAIRS: tuple[Pair, ...] = tuple(itertools.permutations(TEXTS, 2))
"""Every ordered pair."""


def joined_pair(pair: Pair) -> "Joined":
    """A pair with one of the silences, so that all lengths occur; always the same one."""
    return joined(*pair, SILENCES_S[PAIRS.index(pair) % len(SILENCES_S)])


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said in a recording, and when."""

    words: tuple[Span, ...]
    syllables: int


@functools.cache
def aligned(name: str) -> Said:
    """The words of a recording, found with its text (pocketsphinx, forced alignment).

    A recording that ends with its last sound has no place for the end of a sentence, so it gets
    some of its own background on both sides.
    """
    import pocketsphinx

    sound, margin_s = recording(name), 0.3
    margin = noise(margin_s, amplitude=background(sound))
    decoder: Any = pocketsphinx.Decoder(samprate=RATE_HZ, loglevel="FATAL", lm=None)
    decoder.set_align_text(TEXTS[name])
    decoder.start_utt()
    decoder.process_raw(from_samples(np.concatenate([margin, sound, margin])), full_utt=True)
    decoder.end_utt()
    spoken = [part for part in decoder.seg() if part.word[0] not in "<[("]
    assert len(spoken) == len(TEXTS[name].split())
    return Said(
        tuple(
            Span(
                max(0, 10 * part.start_frame - 300),
                min(len(sound) * 1000 // RATE_HZ, 10 * (part.end_frame + 1) - 300),
            )
            for part in spoken
        ),
        # ARPAbet: the names of vowels begin with a vowel.
        sum(
            phone[0] in "AEIOU"
            for part in spoken
            for phone in decoder.lookup_word(part.word).split()
        ),
    )


def background(sound: Samples) -> float:
    """Amplitude of the quietest 10 ms, digital silence apart."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    levels = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    return float(np.percentile(levels[levels > 1e-5], 5))


def stretches(spoken: Sequence[Span]) -> list[Span]:
    """Words joined to speech, where the gap between two is no pause."""
    joined = [spoken[0]]
    for word in spoken[1:]:
        if word.start_ms - joined[-1].end_ms <= PAUSE_MS:
            joined[-1] = Span(joined[-1].start_ms, word.end_ms)
        else:
            joined.append(word)
    return joined


@dataclass(frozen=True, slots=True)
class Joined:
    """Two recordings with half a second of silence around them and a known one between."""

    sound: Samples
    spoken: tuple[Span, ...]
    syllables: int
    text: str

    @property
    def speech(self) -> list[Span]:
        return stretches(self.spoken)

    @property
    def speaking_s(self) -> float:
        return sum(span.length_ms for span in self.speech) / 1000

    @property
    def wpm(self) -> float:
        """Words a minute of speech."""
        return 60 * len(self.spoken) / self.speaking_s

    @property
    def articulation_rate(self) -> float:
        """Syllables a second of speech."""
        return self.syllables / self.speaking_s

    @property
    def pauses_ms(self) -> list[int]:
        return [after.start_ms - before.end_ms for before, after in itertools.pairwise(self.speech)]


def joined(first: str, second: str, silence_s: float) -> Joined:
    parts = [silence(0.5), recording(first), silence(silence_s), recording(second), silence(0.5)]
    offset_ms = sum(map(len, parts[:3])) * 1000 // RATE_HZ
    spoken = [moved(word, 500) for word in aligned(first).words]
    spoken += [moved(word, offset_ms) for word in aligned(second).words]
    return Joined(
        np.concatenate(parts),
        tuple(spoken),
        aligned(first).syllables + aligned(second).syllables,
        f"{TEXTS[first]} {TEXTS[second]}",
    )


def gaps(spans: Sequence[Span]) -> list[Span]:
    """What lies between stretches of speech."""
    return [Span(before.end_ms, after.start_ms) for before, after in itertools.pairwise(spans)]


def overlap_ms(one: Span, other: Span) -> int:
    """How long both last together; negative for the time between them."""
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)


def moved(span: Span, by_ms: int) -> Span:
    return Span(span.start_ms + by_ms, span.end_ms + by_ms)


def segments(sound: Samples, chunk: int = CHUNK) -> list[Segment]:
    activity = VoiceActivity(SileroDetector())
    events = [
        event
        for at in range(0, len(sound), chunk)
        for event in activity.feed(sound[at : at + chunk])
    ]
    return [event for event in [*events, *activity.finish()] if isinstance(event, Segment)]


def turn(sound: Samples, text: str) -> Turn:
    """The sound as one turn of an interview."""
    speech = (
        Span(segment.start * 1000 // RATE_HZ, segment.end * 1000 // RATE_HZ)
        for segment in segments(sound)
    )
    return Turn(
        started_ms=0,
        ended_ms=len(sound) * 1000 // RATE_HZ,
        ended_by=TurnEnd.HAND,
        speech=tuple(speech),
        text=text,
    )


def metrics(answer: Turn) -> Metrics:
    return measure(Timeline(duration_ms=answer.ended_ms, turns=(answer,)), [])


def pieces(sound: Samples) -> list[bytes]:
    """What an interview gives a recogniser of a turn with this sound (16 kHz s16le)."""
    microphone = Microphone(SileroDetector)
    microphone.begin_turn()
    pcm = from_samples(sound)
    for at in range(0, len(pcm), 2 * CHUNK):
        microphone.feed(Chunk(pcm[at : at + 2 * CHUNK], RATE_HZ, at // 32))
    microphone.end_turn()
    return microphone.take_pieces()


async def heard(transcribe: Callable[[bytes], Awaitable[Any]], sound: Samples) -> str:
    """What an interview takes for the words of a turn: its voiced part, heard as a whole.

    Args:
        transcribe: gives something with a ``text``.
    """
    return " ".join([(await transcribe(piece)).text for piece in pieces(sound)])
