"""Vector 8.6 of the wire contract, and the rules behind it."""

import numpy as np
import pytest

from speech.audio.voice import (
    WINDOW_SAMPLES,
    Began,
    Segment,
    Segmenter,
    VoiceActivity,
    VoiceRule,
)
from speech.engines.detector import SileroDetector
from tests.unit.speech.audio.recordings import (
    labels,
    needs_recordings,
    noise,
    recording,
    silence,
    tone,
)

EDGE_S = 0.15


def heard(pattern: str) -> list[tuple[int, Began | Segment]]:
    """Feed windows of 32 ms: ``#`` voiced, ``~`` between the thresholds, ``.`` silent."""
    segmenter = Segmenter(VoiceRule())
    probability = {"#": 0.9, "~": 0.4, ".": 0.0}
    found = ((n, segmenter.feed(probability[mark])) for n, mark in enumerate(pattern))
    return [(n, event) for n, event in found if event]


def windows(first: int, last: int) -> Segment:
    return Segment(first * WINDOW_SAMPLES, last * WINDOW_SAMPLES)


def began(first: int) -> Began:
    return Began(first * WINDOW_SAMPLES)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("." * 40, []),
        ("####" + "." * 40, []),  # 128 ms: a cough
        ("####.####" + "." * 40, []),  # never 150 ms in a row
        ("~" * 40, []),  # what keeps a segment open does not open one
        ("..#####", [(6, began(2))]),  # 160 ms, and it began with the first of them
        ("#####" + "." * 9, [(4, began(0))]),  # 288 ms of silence: still the same
        ("#####" + "." * 10, [(4, began(0)), (14, windows(0, 5))]),
        ("#####" + "." * 9 + "~~~" + "." * 9, [(4, began(0))]),
        # A click of 64 ms does not prolong it, nor do two; voice that comes back does.
        ("#####" + "." * 8 + "##" + "." * 9, [(4, began(0)), (16, windows(0, 5))]),
        ("#####..##..##" + "." * 9, [(4, began(0)), (18, windows(0, 5))]),
        ("#####" + "." * 7 + "##.####", [(4, began(0))]),
        ("#####" + "." * 9 + "###.", [(4, began(0))]),
        ("#####" + "." * 8 + "##~~" + "." * 10, [(4, began(0)), (26, windows(0, 17))]),
        ("#####~~~" + "." * 10, [(4, began(0)), (17, windows(0, 8))]),
        (
            "#####" + "." * 10 + "#####" + "." * 10,
            [(4, began(0)), (14, windows(0, 5)), (19, began(15)), (29, windows(15, 20))],
        ),
    ],
)
def test_segments_are_found_where_a_listener_would_hear_them(pattern, expected):
    assert heard(pattern) == expected


def test_the_end_of_the_stream_ends_the_segment():
    segmenter = Segmenter(VoiceRule())
    for _ in range(6):
        segmenter.feed(0.9)
    assert segmenter.finish() == windows(0, 6)
    assert segmenter.finish() is None


def test_another_rule_counts_from_the_next_window_on():
    segmenter = Segmenter(VoiceRule())
    assert [segmenter.feed(0.6) for _ in range(3)] == [None] * 3
    segmenter.retune(VoiceRule.at(0.7))
    assert [segmenter.feed(0.6) for _ in range(5)] == [None] * 5
    segmenter.retune(VoiceRule.at(0.5, min_speech_ms=32))
    assert segmenter.feed(0.6) == began(8)


def test_the_release_follows_the_threshold():
    assert VoiceRule.at(0.5).release == pytest.approx(0.35)
    assert VoiceRule.at(0.05).release == pytest.approx(0.01)


def segments(sound, chunk):
    activity = VoiceActivity(SileroDetector())
    found = [
        event
        for at in range(0, len(sound), chunk)
        for event in activity.feed(sound[at : at + chunk])
    ]
    return [event for event in [*found, *activity.finish()] if isinstance(event, Segment)]


@needs_recordings
def test_two_utterances_are_two_segments_bit_for_bit_however_they_are_cut():
    utterance = recording("harvard_spk1_snt1.wav")
    sound = np.concatenate([silence(0.5), utterance, silence(2.0), utterance, silence(0.5)])

    whole = segments(sound, 16_000)

    assert len(whole) == 2
    for chunk in (1_600, 320, 1):
        assert segments(sound, chunk) == whole
    first, second = whole
    apart_s = 2.0 + len(utterance) / 16_000
    assert second.start_s - first.start_s == pytest.approx(apart_s, abs=EDGE_S)
    assert first.start_s >= 0.5 - EDGE_S
    assert second.end_s <= len(sound) / 16_000


@needs_recordings
def test_edges_lie_within_150_ms_of_where_people_put_them():
    known = next(entry for entry in labels() if entry["file"] == "vad_train.wav")
    sound = recording("vad_train.wav")[: int(known["labelled_until"] * 16_000)]

    found = segments(sound, 1_600)

    assert len(found) == len(known["speech_segments"])
    for segment, (start_s, end_s) in zip(found, known["speech_segments"], strict=True):
        assert segment.start_s == pytest.approx(start_s, abs=EDGE_S)
        assert segment.end_s == pytest.approx(end_s, abs=EDGE_S)


@pytest.mark.parametrize(
    "sound",
    [tone(150, 5), noise(5), noise(5, amplitude=0.01, seed=2), silence(5)],
    ids=["150 Hz", "loud noise", "quiet noise", "silence"],
)
def test_what_is_not_speech_gives_no_segment(sound):
    assert segments(sound, 1_600) == []


@needs_recordings
def test_the_rest_of_a_window_is_judged_at_the_end():
    activity = VoiceActivity(SileroDetector())
    sound = recording("lj001-0002.wav")
    activity.feed(sound[:20_001])
    (last,) = [event for event in activity.finish() if isinstance(event, Segment)]
    assert last.end >= 20_000 - 10 * WINDOW_SAMPLES
    assert activity.clock % WINDOW_SAMPLES == 0
    assert activity.clock >= 20_001
