"""Metrics of real speech: two recordings of people, joined with a silence whose length is known.

The truth is a forced alignment: a recogniser that is told what was said finds the moment of
every word. It shares no model with the voice detector, which never sees a text. What the metrics
call speech and pause is then read off the words: gaps of up to `PAUSE_MS` belong to the speech.
The silence before and behind the words of a recording is part of the gap between two recordings.
"""

import asyncio
import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from speech.audio.pcm import Samples, from_samples
from speech.audio.voice import RATE_HZ, Segment, VoiceActivity
from speech.engines.detector import SileroDetector
from speech.engines.recogniser import Deadlines, RecogniserPool, RecogniserSpec
from speech.interviews.metrics import PAUSE_MS, measure, pauses_ms
from speech.interviews.microphone import Chunk, Microphone
from speech.interviews.outcome import Metrics
from speech.interviews.timeline import Span, Timeline, Turn, TurnEnd
from tests.unit.speech.audio.recordings import (
    SHARED,
    labels,
    needs_recordings,
    noise,
    recording,
    silence,
)

pytestmark = needs_recordings

TOLERANCE = 0.10
"""Of speaking time, words a minute and syllables a second."""
SURE_PAUSE_MS = 600
"""Pauses of at least this length are counted exactly."""
EDGE_S = 0.15
SILENCES_S = (0.6, 0.8, 1.2, 2.5, 5.5)
CHUNK = RATE_HZ // 10
CHUNKINGS = {"1 s": RATE_HZ, "100 ms": RATE_HZ // 10, "20 ms": RATE_HZ // 50}

TEXTS: dict[str, str] = (
    {entry["file"]: entry["transcript"] for entry in labels() if entry["transcript"]}
    if (SHARED / "audio" / "transcripts.json").is_file()
    else {}
)
PAIRS = tuple(itertools.permutations(TEXTS, 2))
RING = tuple(zip(TEXTS, [*list(TEXTS)[1:], *list(TEXTS)[:1]], strict=True))
PATIENT = Deadlines(start=60, wait=240, answer=60)


# ---- the truth


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


def moved(span: Span, by_ms: int) -> Span:
    return Span(span.start_ms + by_ms, span.end_ms + by_ms)


# ---- what is measured


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


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: " + ".join(pair))
def pair(request) -> tuple[Joined, Turn]:
    """Each ordered pair, with one of the silences, so that all lengths occur."""
    first, second = request.param
    one = joined(first, second, SILENCES_S[PAIRS.index(request.param) % len(SILENCES_S)])
    return one, turn(one.sound, one.text)


def test_speaking_time_is_right_within_a_tenth(pair):
    said, answer = pair
    assert metrics(answer).speaking_time == pytest.approx(said.speaking_s, rel=TOLERANCE)


def test_pauses_of_600_ms_and_more_are_counted_exactly(pair):
    """Each of them is found where it is, and nothing else is taken for one."""
    said, answer = pair
    found = [
        Span(before.end_ms, after.start_ms) for before, after in itertools.pairwise(answer.voiced)
    ]
    true = [
        Span(before.end_ms, after.start_ms) for before, after in itertools.pairwise(said.speech)
    ]
    sure = [gap for gap in true if gap.length_ms >= SURE_PAUSE_MS]
    assert sure
    for gap in sure:
        assert sum(overlap_ms(gap, other) > 0 for other in found) == 1
    for gap in found:
        if gap.length_ms >= SURE_PAUSE_MS:
            assert any(overlap_ms(gap, other) > 0 for other in true)
    assert metrics(answer).pause_count == len(pauses_ms(answer)) == len(said.pauses_ms)


def overlap_ms(one: Span, other: Span) -> int:
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)


def test_words_a_minute_are_right_within_a_tenth(pair):
    said, answer = pair
    true = len(said.spoken) / said.speaking_s * 60
    assert metrics(answer).wpm == pytest.approx(true, rel=TOLERANCE)


def test_syllables_a_second_are_right_within_a_tenth(pair):
    said, answer = pair
    true = said.syllables / said.speaking_s
    assert metrics(answer).articulation_rate == pytest.approx(true, rel=TOLERANCE)


async def heard(pool: RecogniserPool, sound: Samples) -> str:
    """What an interview takes for the words of a turn: its voiced part, heard as a whole."""
    microphone = Microphone(SileroDetector)
    microphone.begin_turn()
    pcm = from_samples(sound)
    for at in range(0, len(pcm), 2 * CHUNK):
        microphone.feed(Chunk(pcm[at : at + 2 * CHUNK], RATE_HZ, at // 32))
    microphone.end_turn()
    texts = [(await pool.transcribe(piece)).text for piece in microphone.take_pieces()]
    return " ".join(texts)


@pytest.fixture(scope="module")
def recognised() -> dict[tuple[str, str], tuple[Joined, Turn]]:
    """A ring of pairs, in which each recording stands once in front and once behind."""

    async def recognise() -> dict[tuple[str, str], tuple[Joined, Turn]]:
        said = {
            (first, second): joined(first, second, silence_s)
            for (first, second), silence_s in zip(RING, itertools.cycle(SILENCES_S), strict=False)
        }
        pool = RecogniserPool(RecogniserSpec(), processes=2, deadlines=PATIENT)
        try:
            texts = await asyncio.gather(*(heard(pool, one.sound) for one in said.values()))
        finally:
            await pool.close()
        return {
            names: (one, turn(one.sound, text))
            for (names, one), text in zip(said.items(), texts, strict=True)
        }

    return asyncio.run(recognise())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", RING, ids=" + ".join)
def test_rates_are_right_within_a_tenth_with_the_words_of_the_recogniser(recognised, names):
    """Many of its words are wrong ones, but about as many as were said."""
    said, answer = recognised[names]
    found = metrics(answer)
    assert found.wpm == pytest.approx(60 * len(said.spoken) / said.speaking_s, rel=TOLERANCE)
    assert found.articulation_rate == pytest.approx(said.syllables / said.speaking_s, rel=TOLERANCE)


# ---- vector 8.6


@pytest.mark.parametrize("name", [entry["file"] for entry in labels()] if TEXTS else [])
def test_segments_are_the_same_bit_for_bit_however_a_recording_is_cut(name):
    sound = recording(name)
    twice = np.concatenate([silence(0.5), sound, silence(2.0), sound, silence(0.5)])

    whole = segments(twice, CHUNKINGS["1 s"])

    assert segments(twice, CHUNKINGS["100 ms"]) == whole
    assert segments(twice, CHUNKINGS["20 ms"]) == whole
    apart = RATE_HZ * 2 + len(sound)
    once, again = whole[: len(whole) // 2], whole[len(whole) // 2 :]
    assert len(once) == len(again)
    for first, second in zip(once, again, strict=True):
        assert (second.start - apart) / RATE_HZ == pytest.approx(first.start_s, abs=EDGE_S)
        assert (second.end - apart) / RATE_HZ == pytest.approx(first.end_s, abs=EDGE_S)


@pytest.mark.parametrize("chunk", CHUNKINGS.values(), ids=CHUNKINGS)
def test_segments_begin_and_end_where_people_say_so(chunk):
    known = next(entry for entry in labels() if "speech_segments" in entry)
    speech = recording(known["file"])[: int(known["labelled_until"] * RATE_HZ)]
    sound = np.concatenate([silence(0.5), speech, silence(2.0), speech, silence(0.5)])
    offsets_s = (0.5, 2.5 + known["labelled_until"])
    expected = [
        (offset_s + start_s, offset_s + end_s)
        for offset_s in offsets_s
        for start_s, end_s in known["speech_segments"]
    ]
    found = segments(sound, chunk)
    assert len(found) == len(expected)
    for segment, (start_s, end_s) in zip(found, expected, strict=True):
        assert segment.start_s == pytest.approx(start_s, abs=EDGE_S)
        assert segment.end_s == pytest.approx(end_s, abs=EDGE_S)
