import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.interviews.charts import (
    Part,
    answer_points,
    drawing,
    progress_drawing,
    progress_points,
    turn_rows,
)
from speech.interviews.outcome import TimelineTurn
from tests.unit.speech.interviews.sample_results import silent_result, spoken_result

WAIT, SPEECH, PAUSE, LONG, SILENCE = (
    Part.WAIT, Part.SPEECH, Part.PAUSE, Part.LONG_PAUSE, Part.SILENCE,
)  # fmt: skip


def turn(speech, *, started=10.0, ended=20.0, ended_by="hand", number=1):
    return TimelineTurn(
        number=number, started=started, ended=ended, ended_by=ended_by, speech=speech
    )


def parts(speech, **options):
    (row,) = turn_rows([turn(speech, **options)])
    return [(part.kind, part.start_s, part.end_s) for part in row.parts]


@pytest.mark.parametrize(
    ("speech", "expected"),
    [
        ([], [(SILENCE, 0, 10)]),
        ([(10, 20)], [(SPEECH, 0, 10)]),
        ([(12, 15)], [(WAIT, 0, 2), (SPEECH, 2, 5), (SILENCE, 5, 10)]),
        ([(10, 12), (12.3, 20)], [(SPEECH, 0, 10)]),  # 0.3 s is no pause
        ([(10, 12), (12.31, 20)], [(SPEECH, 0, 2), (PAUSE, 2, 2.31), (SPEECH, 2.31, 10)]),
        ([(10, 12), (17, 20)], [(SPEECH, 0, 2), (PAUSE, 2, 7), (SPEECH, 7, 10)]),
        ([(10, 12), (17.01, 20)], [(SPEECH, 0, 2), (LONG, 2, 7.01), (SPEECH, 7.01, 10)]),
        ([(14, 20), (11, 13)], [(WAIT, 0, 1), (SPEECH, 1, 3), (PAUSE, 3, 4), (SPEECH, 4, 10)]),
        ([(8, 12), (19, 25)], [(SPEECH, 0, 2), (LONG, 2, 9), (SPEECH, 9, 10)]),
    ],
)  # fmt: skip
def test_a_turn_is_cut_where_a_listener_would_cut_it(speech, expected):
    assert parts(speech) == expected


spans = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 20)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=12,
)


@given(spans)
def test_the_parts_of_a_turn_leave_no_hole_and_do_not_overlap(speech):
    (row,) = turn_rows([turn(speech, started=0.0, ended=60.0)])

    assert row.parts[0].start_s == 0
    assert row.parts[-1].end_s == row.lasted_s == 60
    for before, after in zip(row.parts, row.parts[1:], strict=False):
        assert before.end_s == after.start_s
        assert before.kind != after.kind
    assert all(part.length_s > 0 or part.kind is SPEECH for part in row.parts)


def test_the_table_of_a_turn_agrees_with_its_drawing():
    speech = [(12, 13), (13.5, 14), (19.2, 20)]

    (row,) = turn_rows([turn(speech, ended_by="silence")])

    assert (row.began_s, row.lasted_s, row.spoke_s) == (10, 10, 2.3)
    assert (row.pauses, row.long_pauses, row.longest_pause_s) == (2, 1, 5.2)
    assert (row.first_word_s, row.ended) == (2, "by silence")


def test_the_rows_agree_with_the_metrics():
    result = spoken_result()

    rows = turn_rows(result.timeline)

    assert sum(row.pauses for row in rows) == result.metrics.pause_count
    assert sum(row.long_pauses for row in rows) == result.metrics.long_pause_count
    firsts = [row.first_word_s for row in rows if row.first_word_s is not None]
    assert sum(firsts) / len(firsts) == pytest.approx(result.metrics.avg_response_latency)


def test_silent_answers_are_points_without_a_place():
    points = answer_points(spoken_result().qa_pairs)

    assert [point.silent for point in points] == [False, False, True, False]
    assert (points[2].similarity, points[2].keyword_coverage) == (0, 0)


def test_the_drawing_is_json_and_knows_where_good_begins():
    drawn = json.loads(json.dumps(drawing(spoken_result())))

    assert drawn["good"] == {"similarity": 0.7, "keywordCoverage": 0.6}
    assert drawn["turns"][2]["parts"] == [["silence", 0.0, 15.0]]
    assert [answer["number"] for answer in drawn["answers"]] == [1, 2, 3, 4]


def test_an_interview_without_answers_has_an_empty_drawing():
    drawn = drawing(silent_result())

    assert (drawn["turns"], drawn["answers"]) == ([], [])


@dataclass
class Past:
    day: int
    similarity: float = 0.5
    keyword_coverage: float = 0.4
    fluency: float = 0.8
    wpm: float = 140.0
    analysis_valid: bool = True

    @property
    def started_at(self):
        return datetime(2026, 11, self.day, 10, tzinfo=UTC)


def test_progress_goes_from_the_first_to_the_latest():
    points = progress_points([Past(3), Past(2), Past(1)])

    assert [(point.number, point.started_at.day) for point in points] == [(1, 1), (2, 2), (3, 3)]


def test_what_cannot_be_judged_is_no_part_of_progress():
    assert progress_points([Past(2), Past(1, analysis_valid=False)])[0].started_at.day == 2


def test_without_speech_fluency_is_unknown_rather_than_zero():
    (point,) = progress_points([Past(1, fluency=0.0, wpm=0.0)])

    assert (point.fluency, point.wpm) == (None, None)
    assert progress_drawing([point])[0]["fluency"] is None
