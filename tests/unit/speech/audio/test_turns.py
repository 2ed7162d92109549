import numpy as np
import pytest

from speech.audio.turns import TurnDetector, TurnRule, TurnStarted, TurnStopped
from speech.audio.voice import WINDOW_SAMPLES
from speech.engines.detector import SileroDetector
from tests.unit.speech.audio.recordings import needs_recordings, recording, silence


class LoudnessDetector:
    """Speech is whatever is not zero."""

    def probability(self, window):
        return float(np.max(np.abs(window)) > 0)

    def reset(self):
        pass


def turns(pattern: str, **rule: float) -> list[TurnStarted | TurnStopped]:
    """Windows of 32 ms: ``#`` voiced, ``.`` silent."""
    detector = TurnDetector(LoudnessDetector(), TurnRule(**rule))
    found = []
    for mark in pattern:
        found += detector.feed(np.full(WINDOW_SAMPLES, float(mark == "#"), np.float32))
    return found


def samples(windows: int, milliseconds: int = 0) -> int:
    return windows * WINDOW_SAMPLES + milliseconds * 16


def test_a_turn_takes_sound_from_before_the_voice_and_the_silence_behind_it():
    found = turns("." * 20 + "#" * 10 + "." * 16)
    assert found == [
        TurnStarted(samples(20, -300)),
        TurnStopped(samples(30, 500), voice_end=samples(30)),
    ]
    assert found[0].start_ms == 340
    assert found[1].end_ms == 1_460


def test_the_padding_does_not_reach_before_the_stream_nor_into_the_turn_before():
    assert turns("#" * 5) == [TurnStarted(0)]
    found = turns("#" * 5 + "." * 4 + "#" * 5, silence_duration_ms=100)
    assert found[2] == TurnStarted(samples(5, 100))


@pytest.mark.parametrize(("silence_ms", "windows"), [(100, 4), (200, 7), (500, 16), (800, 26)])
def test_a_turn_ends_with_the_first_window_beyond_the_silence(silence_ms, windows):
    pattern = "#" * 10 + "." * windows
    assert len(turns(pattern[:-1], silence_duration_ms=silence_ms)) == 1
    assert len(turns(pattern, silence_duration_ms=silence_ms)) == 2


def test_a_pause_shorter_than_the_silence_is_part_of_the_turn():
    assert len(turns("#" * 10 + "." * 15 + "#" * 10)) == 1


def test_a_turn_that_is_forgotten_stops_without_an_event():
    detector = TurnDetector(LoudnessDetector(), TurnRule())
    assert detector.feed(np.ones(10 * WINDOW_SAMPLES, np.float32)) == [TurnStarted(0)]
    detector.forget()
    assert not detector.speaking
    assert detector.feed(np.zeros(40 * WINDOW_SAMPLES, np.float32)) == []
    (again,) = detector.feed(np.ones(10 * WINDOW_SAMPLES, np.float32))
    assert again == TurnStarted(samples(50, -300))


@needs_recordings
@pytest.mark.parametrize("chunk", [16_000, 1_600, 320])
def test_turns_of_people_do_not_depend_on_how_their_sound_is_cut(chunk):
    utterance = recording("arctic_a0024.wav")
    sound = np.concatenate([silence(1), utterance, silence(2), utterance, silence(1)])

    def found(size):
        detector = TurnDetector(SileroDetector(), TurnRule())
        parts = (sound[at : at + size] for at in range(0, len(sound), size))
        return [event for part in parts for event in detector.feed(part)]

    assert [type(event) for event in found(chunk)] == [TurnStarted, TurnStopped] * 2
    assert found(chunk) == found(len(sound))
