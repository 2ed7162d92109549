import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.interviews.timeline import SampleClock, Span, Turn, TurnEnd, merge

ALWAYS = Span(0, 100_000)
spans = st.lists(
    st.builds(Span, st.integers(-1_000, 9_000), st.integers(-1_000, 9_000)), max_size=12
)


@pytest.mark.parametrize(
    ("given_spans", "expected"),
    [
        ([], ()),
        ([Span(5, 5), Span(9, 7)], ()),
        ([Span(30, 40), Span(10, 20)], (Span(10, 20), Span(30, 40))),
        ([Span(10, 20), Span(20, 30)], (Span(10, 30),)),
        ([Span(10, 40), Span(15, 20)], (Span(10, 40),)),
        ([Span(-10, 10), Span(99_990, 200_000)], (Span(0, 10), Span(99_990, 100_000))),
    ],
)
def test_spans_are_clipped_ordered_and_joined(given_spans, expected):
    assert merge(given_spans, within=ALWAYS) == expected


@settings(max_examples=40, deadline=None)
@given(spans)
def test_merged_spans_cover_every_moment_once(given_spans):
    merged = merge(given_spans, within=Span(0, 8_000))

    covered = {ms for span in given_spans for ms in range(max(0, span.start_ms), span.end_ms)}
    assert sum(span.length_ms for span in merged) == len({ms for ms in covered if ms < 8_000})
    assert all(a.end_ms < b.start_ms for a, b in itertools.pairwise(merged))


def test_speech_outside_the_turn_does_not_count():
    turn = Turn(
        started_ms=1_000,
        ended_ms=5_000,
        ended_by=TurnEnd.HAND,
        speech=(Span(0, 1_500), Span(4_900, 9_000)),
    )

    assert turn.voiced == (Span(1_000, 1_500), Span(4_900, 5_000))


def test_the_clock_of_a_turn_stands_still_while_nobody_is_there():
    turn = Turn(
        started_ms=0,
        ended_ms=60_000,
        ended_by=TurnEnd.HAND,
        absences=(Span(10_000, 20_000), Span(15_000, 25_000)),
    )

    assert turn.present_ms(0, 30_000) == 15_000
    assert turn.present_ms(12_000, 14_000) == 0


def test_the_first_chunk_was_spoken_before_it_arrived():
    clock = SampleClock(16_000)

    clock.arrive(16_000, now_ms=5_000)

    assert clock.moment_ms(0) == 4_000
    assert clock.moment_ms(8_000) == 4_500


def test_jitter_of_arrival_does_not_move_the_samples():
    clock = SampleClock(16_000)

    for second, jitter_ms in enumerate([0, 900, 30, -400], start=1):
        clock.arrive(16_000, now_ms=1_000 * second + jitter_ms)

    assert [clock.moment_ms(16_000 * second) for second in range(5)] == [
        0, 1_000, 2_000, 3_000, 4_000,
    ]  # fmt: skip


def test_audio_that_was_held_back_gets_a_new_anchor_and_older_samples_keep_theirs():
    clock = SampleClock(16_000)
    clock.arrive(16_000, now_ms=1_000)

    clock.arrive(16_000, now_ms=7_000)

    assert clock.moment_ms(15_999) == 999
    assert clock.moment_ms(16_000) == 6_000
    assert clock.moment_ms(32_000) == 7_000


def test_a_clock_without_audio_has_no_moments():
    with pytest.raises(ValueError, match="no audio"):
        SampleClock(16_000).moment_ms(0)
