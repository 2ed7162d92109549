"""A session is replaced when it is old, and only while nothing is under way in it."""

from typing import Any

import pytest

from speech.realtime import events as realtime
from speech.realtime.renewal import BYTES_PER_S, LIMIT_S, Lull, RenewalPlan
from speech.realtime.shapes import Response

NOW_S = 1_800_000_000.0
MINUTE_S = 60.0
R = Response(id="r")


def old_after_s(**session: Any) -> float:
    return RenewalPlan().old_after_s(realtime.SessionCreated(session=session), now_s=NOW_S)


def test_an_hour_is_old_after_fifty_minutes_whether_the_provider_tells_it_or_not():
    assert old_after_s() == 50 * MINUTE_S
    assert old_after_s(expires_at=int(NOW_S + LIMIT_S)) == 50 * MINUTE_S


def test_a_provider_that_gives_less_time_is_believed():
    assert old_after_s(expires_at=int(NOW_S) + 1_800) == 25 * MINUTE_S


@pytest.mark.parametrize("told", [NOW_S - 5, NOW_S, NOW_S + 59, 0, None, "soon", float("nan")])
def test_a_provider_whose_clock_cannot_be_right_is_not_believed(told):
    assert old_after_s(expires_at=told) == 50 * MINUTE_S


def lull_after(*events: realtime.Event) -> Lull:
    lull = Lull()
    for event in events:
        lull.take(event, now_s=0)
    return lull


TURN = (
    realtime.SpeechStarted(item_id="t"),
    realtime.SpeechStopped(item_id="t"),
    realtime.AudioCommitted(item_id="t"),
    realtime.TranscriptCompleted(item_id="t", transcript="hi"),
    realtime.ResponseCreated(response=R),
    realtime.AnswerDelta(response_id="r", item_id="i", delta="Hello."),
    realtime.ResponseDone(response=R),
)


@pytest.mark.parametrize("count", range(1, len(TURN)))
def test_from_the_first_word_to_the_end_of_the_answer_there_is_no_lull(count):
    assert not lull_after(*TURN[:count]).is_now(now_s=1e9)


@pytest.mark.parametrize(
    "events",
    [
        (),
        TURN,
        TURN * 2,
        # Its words come after its answer.
        (*TURN[:3], *TURN[4:], TURN[3]),
        (*TURN[:3], realtime.TranscriptFailed(item_id="t"), *TURN[4:]),
        # What was asked for was refused.
        (TURN[1], realtime.Failure()),
    ],
)
def test_before_and_behind_a_turn_there_is_one(events):
    assert lull_after(*events).is_now(now_s=1e9)


def test_an_answer_is_heard_for_as_long_as_its_sound_lasts():
    second = "A" * (BYTES_PER_S * 4 // 3)
    sound = realtime.AudioDelta(response_id="r", item_id="i", delta=second)
    lull = Lull()
    for event in (*TURN[:-1], sound, sound, sound, TURN[-1]):
        lull.take(event, now_s=10)

    assert [lull.is_now(now_s=at) for at in (10, 12.9, 13)] == [False, False, True]
    lull.hush()
    assert lull.is_now(now_s=10)


def test_what_we_have_asked_for_is_under_way():
    lull = Lull()
    lull.ask()
    assert not lull.is_now(now_s=0)

    lull.take(realtime.ResponseCreated(response=R), now_s=0)
    lull.take(realtime.ResponseDone(response=R), now_s=0)
    assert lull.is_now(now_s=0)


def test_whatever_happens_counts_even_if_it_ends_in_a_lull_again():
    lull = Lull()
    before = lull.count
    for event in TURN:
        lull.take(event, now_s=0)

    assert lull.is_now(now_s=0)
    assert lull.count > before
