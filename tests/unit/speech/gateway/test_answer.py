"""How much of an answer was heard, by the clock and by what the client says."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.gateway.answer import Answer, decoded_size

SECOND = 48_000
"""Bytes."""


def test_sound_that_comes_at_once_is_heard_as_time_passes() -> None:
    answer = Answer("r")
    answer.send(3 * SECOND, now_ms=1_000)

    assert [answer.played_ms(now_ms=now) for now in (1_000, 1_700, 4_000, 9_000)] == [
        0,
        700,
        3_000,
        3_000,
    ]
    assert [answer.is_heard(now_ms=now) for now in (3_999, 4_000)] == [False, True]


def test_a_gap_in_which_nothing_came_is_not_counted_as_heard() -> None:
    answer = Answer("r")
    answer.send(SECOND, now_ms=0)
    answer.send(SECOND, now_ms=5_000)

    assert answer.played_ms(now_ms=5_400) == 1_400


def test_the_client_is_believed_and_taken_to_go_on_from_there() -> None:
    answer = Answer("r")
    answer.send(4 * SECOND, now_ms=0)
    answer.report(500, now_ms=1_000)

    assert answer.played_ms(now_ms=1_000) == 500
    assert answer.played_ms(now_ms=1_300) == 800
    answer.report(99_000, now_ms=1_400)
    assert answer.played_ms(now_ms=1_400) == 4_000


def test_what_follows_in_another_item_is_heard_after_the_first() -> None:
    first = Answer("r", "a")
    first.send(SECOND, now_ms=0)
    second = first.next_item("b")
    second.send(SECOND, now_ms=0)

    assert second.played_ms(now_ms=800) == 0
    assert second.played_ms(now_ms=1_300) == 300


@given(st.binary(max_size=64))
def test_the_size_of_base64_is_known_without_decoding(sound: bytes) -> None:
    assert decoded_size(base64.b64encode(sound).decode()) == len(sound)


@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 9_600)), max_size=20),
    st.integers(0, 60_000),
)
def test_never_more_than_was_sent(sent: list[tuple[int, int]], later_ms: int) -> None:
    answer, now_ms = Answer("r"), 0
    for pause_ms, size in sent:
        now_ms += pause_ms
        answer.send(size, now_ms=now_ms)
        assert 0 <= answer.played_ms(now_ms=now_ms) <= answer.sent_ms

    assert answer.played_ms(now_ms=now_ms + later_ms) <= answer.sent_ms
    assert answer.played_ms(now_ms=now_ms + 10**7) == pytest.approx(answer.sent_ms, abs=1)
