import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.interviews.metrics import (
    BENCHMARKS,
    Score,
    forced_silence_ms,
    hesitation_rate,
    measure,
    pauses_ms,
    response_latency_ms,
    speaking_ms,
    speech_rate,
)
from speech.interviews.timeline import Span, Timeline, Turn, TurnEnd

VECTOR = Timeline(
    duration_ms=60_000,
    turns=(
        Turn(
            started_ms=5_000,
            ended_ms=44_000,
            ended_by=TurnEnd.SILENCE,
            speech=(Span(7_000, 17_000), Span(19_000, 29_000)),
            text="word " * 50,
        ),
        Turn(
            started_ms=47_000,
            ended_ms=60_000,
            ended_by=TurnEnd.STOP,
            speech=(Span(48_000, 58_000),),
            text="word " * 25,
        ),
    ),
)


def turn(*speech, by=TurnEnd.HAND, ended_ms=60_000, **parts):
    return Turn(started_ms=0, ended_ms=ended_ms, ended_by=by, speech=speech, **parts)


def test_the_vector_of_the_contract_is_exact():
    metrics = msgspec.structs.asdict(measure(VECTOR, [Score(0.8, 0.5), Score(0.6, 1.0)]))

    assert metrics == metrics | {
        "session_duration": 60.0,
        "forced_silence_time": 15.0,
        "effective_duration": 45.0,
        "speaking_time": 30.0,
        "silence_time": 15.0,
        "speaking_ratio": 0.5,
        "total_words": 75,
        "wpm": 150.0,
        "pause_count": 1,
        "avg_pause_duration": 2.0,
        "long_pause_count": 0,
        "hesitation_rate": 0.01,
        "hesitations_per_minute": 2.0,
        "avg_response_latency": 1.5,
        "fluency_score": 0.897,
        "articulation_rate": 2.5,
        "speaking_ratio_during_turn": 0.811,
        "avg_semantic_similarity": 0.7,
        "avg_keyword_coverage": 0.75,
        "overall_relevance": 0.71,
        "questions_answered": 2,
        "questions_asked": 2,
    }


def test_an_interview_without_a_word_is_all_zeros():
    silent = turn(by=TurnEnd.SILENCE, ended_ms=15_000)

    metrics = msgspec.structs.asdict(
        measure(Timeline(duration_ms=20_000, turns=(silent,)), [Score(0, 0, silent=True)])
    )

    durations = {
        "session_duration": 20.0,
        "forced_silence_time": 15.0,
        "effective_duration": 5.0,
        "silence_time": 5.0,
        "questions_asked": 1,
    }
    assert {key: value for key, value in metrics.items() if value} == durations


def test_an_interview_that_never_had_a_turn_has_metrics():
    assert measure(Timeline(duration_ms=0), []).session_duration == 0


@pytest.mark.parametrize(
    ("gap_ms", "pauses"), [(0, []), (299, []), (300, []), (301, [301]), (6_000, [6_000])]
)
def test_only_gaps_longer_than_a_breath_are_pauses(gap_ms, pauses):
    assert pauses_ms(turn(Span(0, 1_000), Span(1_000 + gap_ms, 9_000))) == pauses


@pytest.mark.parametrize(("gap_ms", "long_pauses"), [(5_000, 0), (5_001, 1)])
def test_a_pause_is_long_above_five_seconds(gap_ms, long_pauses):
    spoken = turn(Span(0, 1_000), Span(1_000 + gap_ms, 9_000))

    assert (
        measure(Timeline(duration_ms=60_000, turns=(spoken,)), []).long_pause_count == long_pauses
    )


def test_waiting_between_two_turns_is_no_pause():
    assert sum(len(pauses_ms(part)) for part in VECTOR.turns) == 1


def test_being_disconnected_is_no_pause_no_latency_and_no_forced_silence():
    away = (Span(1_000, 3_000), Span(5_000, 9_000), Span(20_000, 30_000))
    spoken = turn(
        Span(4_000, 5_000), Span(9_200, 12_000), by=TurnEnd.SILENCE, ended_ms=37_000, absences=away
    )

    assert response_latency_ms(spoken) == 2_000
    assert pauses_ms(spoken) == []
    assert forced_silence_ms(spoken) == 15_000


@pytest.mark.parametrize(
    ("by", "forced"),
    [
        (TurnEnd.SILENCE, 15_000),
        (TurnEnd.HAND, 0),
        (TurnEnd.STOP, 0),
        (TurnEnd.TIME_LIMIT, 0),
        (TurnEnd.DISCONNECTED, 0),
    ],
)
def test_only_the_timeout_forces_silence(by, forced):
    assert forced_silence_ms(turn(Span(1_000, 5_000), by=by, ended_ms=20_000)) == forced


def test_without_audio_the_last_new_text_stands_for_the_last_voice():
    captioned = turn(by=TurnEnd.SILENCE, ended_ms=25_000, text="I think so", last_text_ms=10_000)

    assert forced_silence_ms(captioned) == 15_000
    assert response_latency_ms(captioned) is None


def test_speech_that_began_before_the_turn_has_no_latency():
    assert response_latency_ms(Turn(
        started_ms=5_000, ended_ms=9_000, ended_by=TurnEnd.HAND, speech=(Span(4_000, 6_000),)
    )) == 0  # fmt: skip


def test_latency_is_the_mean_over_the_turns_with_speech():
    turns = (turn(Span(1_000, 2_000)), turn(), turn(Span(4_000, 5_000)))

    assert measure(Timeline(duration_ms=60_000, turns=turns), []).avg_response_latency == 2.5


@pytest.mark.parametrize(("speaking_s", "rate"), [(0, 0), (0.99, 0), (1.0, 3.0), (60, 0.05)])
def test_rates_need_a_second_of_speech(speaking_s, rate):
    assert speech_rate(3, speaking_s=speaking_s) == rate


def test_filled_pauses_and_long_silent_ones_are_hesitations():
    assert hesitation_rate(filled=1, pauses=[999, 1_000, 7_000], word_count=30) == pytest.approx(
        0.1
    )
    assert hesitation_rate(filled=3, pauses=[9_000], word_count=0) == 0


def test_silent_answers_count_with_zero_but_are_not_answered():
    metrics = measure(VECTOR, [Score(0.9, 0.6), Score(0, 0, silent=True)], questions_asked=3)

    assert (metrics.avg_semantic_similarity, metrics.avg_keyword_coverage) == (0.45, 0.3)
    assert (metrics.questions_answered, metrics.questions_asked) == (1, 3)


def test_durations_add_up_where_rounding_would_tear_them_apart():
    spoken = turn(Span(0, 60), by=TurnEnd.SILENCE, ended_ms=15_120)

    metrics = measure(Timeline(duration_ms=15_120, turns=(spoken,)), [])

    assert (metrics.session_duration, metrics.forced_silence_time) == (15.1, 15.1)
    assert (metrics.effective_duration, metrics.speaking_time, metrics.silence_time) == (0, 0, 0)


def test_words_without_audio_are_counted_but_have_no_rate_and_no_fluency():
    captioned = turn(text="um the whole answer came as captions")

    metrics = measure(Timeline(duration_ms=60_000, turns=(captioned,)), [])

    assert (metrics.total_words, metrics.filled_pause_count) == (7, 1)
    assert (metrics.wpm, metrics.articulation_rate, metrics.fluency_score) == (0, 0, 0)


def test_syllables_can_be_counted_by_a_dictionary():
    metrics = measure(VECTOR, [], syllables=lambda word: 2)

    assert metrics.articulation_rate == 5.0


def test_good_ranges_are_the_documented_ones_for_metrics_that_exist():
    fields = {field.name for field in msgspec.structs.fields(type(measure(VECTOR, [])))}

    assert set(BENCHMARKS) <= fields
    assert {name: (good.min, good.max) for name, good in BENCHMARKS.items()} == {
        "wpm": (120, 160),
        "speaking_ratio": (0.5, 0.7),
        "fluency_score": (0.75, None),
        "articulation_rate": (3, 5),
        "long_pause_count": (None, 5),
        "avg_response_latency": (None, 3),
        "avg_semantic_similarity": (0.7, None),
        "avg_keyword_coverage": (0.6, None),
    }


texts = st.lists(
    st.sampled_from(["um", "the", "database", "uh,", "—", "locks", "1851", "queue."]), max_size=40
).map(" ".join)


@st.composite
def timelines(draw):
    """Interviews as the state machine records them: turns one after another, speech anywhere."""
    moment, turns = 0, []
    for _ in range(draw(st.integers(0, 4))):
        started = moment + draw(st.integers(0, 20_000))
        ended = started + draw(st.integers(0, 60_000))
        moments = st.integers(started - 5_000, ended + 5_000)
        stretches = st.lists(st.builds(Span, moments, moments), max_size=6).map(tuple)
        turns.append(
            Turn(
                started_ms=started,
                ended_ms=ended,
                ended_by=draw(st.sampled_from(TurnEnd)),
                speech=draw(stretches),
                text=draw(texts),
                last_text_ms=draw(st.none() | moments),
                absences=draw(stretches),
            )
        )
        moment = ended
    return Timeline(duration_ms=moment + draw(st.integers(0, 30_000)), turns=tuple(turns))


shares = st.floats(0, 1)
scores = st.lists(st.builds(Score, shares, shares, st.booleans()), max_size=5)


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_durations_add_up(timeline, given_scores):
    m = measure(timeline, given_scores)

    assert m.effective_duration == round(m.session_duration - m.forced_silence_time, 1)
    assert m.silence_time == round(m.effective_duration - m.speaking_time, 1)
    assert m.speaking_time <= m.effective_duration <= m.session_duration


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_the_speaking_ratio_is_speech_over_session(timeline, given_scores):
    m = measure(timeline, given_scores)

    expected = m.speaking_time / m.session_duration if m.session_duration else 0
    assert m.speaking_ratio == pytest.approx(expected, abs=0.00051)


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_words_can_be_recomputed_from_their_rate(timeline, given_scores):
    m = measure(timeline, given_scores)

    if m.speaking_time >= 1:
        rounding = 0.05 * m.speaking_time / 60
        assert m.wpm * m.speaking_time / 60 == pytest.approx(m.total_words, abs=rounding + 1e-6)
    else:
        assert m.wpm == m.articulation_rate == 0


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_there_are_never_more_long_pauses_than_pauses(timeline, given_scores):
    m = measure(timeline, given_scores)

    assert m.pause_count >= m.long_pause_count
    assert (m.avg_pause_duration > 0.29) == (m.pause_count > 0)


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_shares_lie_in_0_to_1_and_everything_is_finite(timeline, given_scores):
    m = measure(timeline, given_scores)

    for share in (
        m.speaking_ratio, m.speaking_ratio_during_turn, m.fluency_score, m.overall_relevance,
        m.avg_semantic_similarity, m.avg_keyword_coverage,
    ):  # fmt: skip
        assert 0 <= share <= 1
    for value in msgspec.structs.asdict(m).values():
        assert math.isfinite(value)
        assert value >= 0


@settings(max_examples=40, deadline=None)
@given(timelines(), scores)
def test_without_speech_whatever_derives_from_speech_is_zero(timeline, given_scores):
    mute = tuple(
        Turn(started_ms=part.started_ms, ended_ms=part.ended_ms, ended_by=part.ended_by)
        for part in timeline.turns
    )
    m = measure(Timeline(duration_ms=timeline.duration_ms, turns=mute), given_scores)

    assert not any((
        m.speaking_time, m.speaking_ratio, m.speaking_ratio_during_turn, m.total_words, m.wpm,
        m.articulation_rate, m.pause_count, m.avg_pause_duration, m.long_pause_count,
        m.hesitation_rate, m.hesitations_per_minute, m.fluency_score, m.avg_response_latency,
    ))  # fmt: skip
    assert m.silence_time == m.effective_duration


@settings(max_examples=40, deadline=None)
@given(timelines())
def test_speech_is_counted_once_and_only_inside_turns(timeline):
    for part in timeline.turns:
        assert 0 <= speaking_ms(part) <= part.ended_ms - part.started_ms
        latency = response_latency_ms(part)
        assert latency is None or latency >= 0
