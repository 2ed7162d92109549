"""Metrics of real speech: two recordings of people, joined with a silence whose length is known."""

import asyncio
import random

import numpy as np
import pytest

from speech.audio.voice import RATE_HZ
from speech.engines.recogniser import Deadlines, RecogniserPool, RecogniserSpec
from speech.interviews.metrics import pauses_ms
from speech.interviews.timeline import Turn
from tests.support.spoken_pairs import (
    PAIRS,
    SURE_PAUSE_MS,
    TEXTS,
    TOLERANCE,
    Joined,
    Pair,
    gaps,
    heard,
    joined_pair,
    metrics,
    overlap_ms,
    segments,
    turn,
)
from tests.unit.speech.audio.recordings import labels, needs_recordings, recording, silence

pytestmark = needs_recordings

EDGE_S = 0.15
CHUNKINGS = {"1 s": RATE_HZ, "100 ms": RATE_HZ // 10, "20 ms": RATE_HZ // 50}
RING = tuple(zip(TEXTS, [*list(TEXTS)[1:], *list(TEXTS)[:1]], strict=True))
"""Each recording once in front and once behind."""
PATIENT = Deadlines(start=60, wait=240, answer=60)


def sampled() -> list[Pair]:
    """Some of the other pairs; all ninety are recognised by ``make bench-recordings``."""
    others = [pair for pair in PAIRS if pair not in RING]
    return random.Random(7).sample(others, min(6, len(others)))


HARDEST = (("jfk.wav", "new_home.wav"), ("arctic_a0024.wav", "jfk.wav"))
"""Two people in two rooms, one of them in noise: one word more or less in ten."""

RECOGNISED = tuple(dict.fromkeys((*RING, *(HARDEST if TEXTS else ()), *sampled())))


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: " + ".join(pair))
def pair(request) -> tuple[Joined, Turn]:
    """Each ordered pair, with one of the silences, so that all lengths occur."""
    one = joined_pair(request.param)
    return one, turn(one.sound, one.text)


def test_speaking_time_is_right_within_a_tenth(pair):
    said, answer = pair
    assert metrics(answer).speaking_time == pytest.approx(said.speaking_s, rel=TOLERANCE)


def test_pauses_of_600_ms_and_more_are_counted_exactly(pair):
    """Each of them is found where it is, and nothing else is taken for one."""
    said, answer = pair
    found, true = gaps(answer.voiced), gaps(said.speech)
    sure = [gap for gap in true if gap.length_ms >= SURE_PAUSE_MS]
    assert sure
    for gap in sure:
        assert sum(overlap_ms(gap, other) > 0 for other in found) == 1
    for gap in found:
        if gap.length_ms >= SURE_PAUSE_MS:
            assert any(overlap_ms(gap, other) > 0 for other in true)
    assert metrics(answer).pause_count == len(pauses_ms(answer)) == len(said.pauses_ms)


def test_words_a_minute_are_right_within_a_tenth(pair):
    said, answer = pair
    assert metrics(answer).wpm == pytest.approx(said.wpm, rel=TOLERANCE)


def test_syllables_a_second_are_right_within_a_tenth(pair):
    said, answer = pair
    found = metrics(answer).articulation_rate
    assert found == pytest.approx(said.articulation_rate, rel=TOLERANCE)


@pytest.fixture(scope="module")
def recognised() -> dict[Pair, tuple[Joined, Turn]]:
    async def recognise() -> list[str]:
        pool = RecogniserPool(RecogniserSpec(), processes=2, deadlines=PATIENT)
        try:
            sounds = (one.sound for one in said.values())
            return await asyncio.gather(*(heard(pool.transcribe, sound) for sound in sounds))
        finally:
            await pool.close()

    said = {pair: joined_pair(pair) for pair in RECOGNISED}
    texts = asyncio.run(recognise())
    return {
        pair: (one, turn(one.sound, text))
        for (pair, one), text in zip(said.items(), texts, strict=True)
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", RECOGNISED, ids=" + ".join)
def test_rates_are_right_within_a_tenth_with_the_words_of_the_recogniser(recognised, names):
    """Some of its words are wrong ones, but about as many as were said."""
    said, answer = recognised[names]
    found = metrics(answer)
    assert found.wpm == pytest.approx(said.wpm, rel=TOLERANCE)
    assert found.articulation_rate == pytest.approx(said.articulation_rate, rel=TOLERANCE)


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
