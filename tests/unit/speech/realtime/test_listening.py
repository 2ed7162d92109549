import numpy as np
import pytest

from speech.audio.pcm import from_samples
from speech.audio.turns import TurnRule
from speech.realtime.listening import MAX_TURN_S, Began, Ear, Ended
from speech.realtime.refusals import ProtocolRefusal
from tests.unit.speech.audio.test_turns import LoudnessDetector


def sound(*parts: tuple[float, bool]) -> bytes:
    """24 kHz: seconds, and whether somebody speaks."""
    pieces = [
        np.full(round(seconds * 24_000), 0.5 * speaks, np.float32) for seconds, speaks in parts
    ]
    return from_samples(np.concatenate(pieces))


def hear(ear: Ear, pcm: bytes, size: int = 4_800) -> list[Began | Ended]:
    return [event for at in range(0, len(pcm), size) for event in ear.hear(pcm[at : at + size])]


def ear(rule: TurnRule | None = TurnRule()) -> Ear:  # noqa: B008 - it is frozen
    return Ear(LoudnessDetector(), rule)


def test_a_turn_begins_and_ends_with_its_padding_and_silence():
    began, ended = hear(ear(), sound((1, False), (1, True), (1, False)))
    assert began.start_ms == pytest.approx(700, abs=40)
    assert ended.end_ms == pytest.approx(2_500, abs=60)
    assert ended.turn is began.turn
    assert began.turn.ended
    assert began.turn.seconds == pytest.approx(1.8, abs=0.1)


@pytest.mark.parametrize("size", [48_000, 4_800, 999])
def test_the_sound_of_a_turn_does_not_depend_on_how_it_is_cut(size):
    pcm = sound((1, False), (1, True), (1, False), (0.5, True), (1, False))
    turns = [event.turn.take() for event in hear(ear(), pcm, size) if isinstance(event, Ended)]
    expected = [
        event.turn.take() for event in hear(ear(), pcm, len(pcm)) if isinstance(event, Ended)
    ]
    assert len(turns) == 2
    assert turns == expected


def test_the_sound_of_a_turn_can_be_taken_while_it_is_spoken():
    listener = ear()
    (began,) = hear(listener, sound((0.5, False), (1, True)))
    assert listener.turn is began.turn
    first = began.turn.take()
    assert len(first) > 16_000
    assert began.turn.take() == b""
    hear(listener, sound((1, True)))
    assert len(began.turn.take()) == pytest.approx(32_000, abs=1_000)


def test_without_a_rule_a_turn_lasts_from_the_first_sound_to_the_commit():
    listener = ear(None)
    assert hear(listener, sound((0.3, False), (0.3, True))) == []
    turn = listener.turn
    assert listener.commit() is turn
    assert turn.ended
    assert turn.seconds == pytest.approx(0.6, abs=0.05)
    assert listener.turn is None


@pytest.mark.parametrize("rule", [TurnRule(), None])
def test_an_empty_commit_is_refused(rule):
    listener = ear(rule)
    with pytest.raises(ProtocolRefusal) as refused:
        listener.commit()
    assert refused.value.details["reason"] == "input_audio_buffer_commit_empty"
    hear(listener, sound((0.5, True)))
    listener.commit()
    with pytest.raises(ProtocolRefusal):
        listener.commit()


def test_a_commit_ends_the_turn_that_is_being_spoken():
    listener = ear()
    (began,) = hear(listener, sound((1, True)))
    assert listener.commit() is began.turn
    assert hear(listener, sound((1, False))) == []


def test_a_commit_of_silence_is_a_turn_without_sound():
    listener = ear()
    hear(listener, sound((1, False)))
    turn = listener.commit()
    assert turn.ended
    assert turn.take() == b""


def test_what_is_cleared_is_gone():
    listener = ear()
    (began,) = hear(listener, sound((1, True)))
    listener.clear()
    assert began.turn.dropped
    assert listener.turn is None
    with pytest.raises(ProtocolRefusal):
        listener.commit()
    (again, ended) = hear(listener, sound((1, True), (1, False)))
    assert again.turn is not began.turn
    assert ended.turn.seconds < 2


def test_a_turn_that_never_ends_is_ended():
    found = hear(ear(), sound((MAX_TURN_S + 5.0, True), (1, False)), 48_000)
    assert [type(event) for event in found] == [Began, Ended, Began, Ended]
    assert found[1].turn.seconds <= MAX_TURN_S + 1.5


def test_little_is_kept_while_nobody_speaks():
    listener = ear()
    hear(listener, sound((60, False)), 48_000)
    assert len(listener._kept) <= 13 * 16_000


def test_the_rule_may_change_in_the_middle():
    listener = ear()
    (began,) = hear(listener, sound((1, True)))
    listener.retune(TurnRule(silence_duration_ms=2_000))
    assert hear(listener, sound((1, False))) == []
    listener.retune(None)
    assert began.turn.dropped
    listener.retune(TurnRule())
    assert [type(event) for event in hear(listener, sound((1, True), (1, False)))] == [Began, Ended]


def test_an_odd_byte_at_a_cut_is_not_lost():
    pcm = sound((1, True), (1, False))
    listener = ear()
    events = [
        event for at in range(0, len(pcm), 4_801) for event in listener.hear(pcm[at : at + 4_801])
    ]
    assert [type(event) for event in events] == [Began, Ended]
