import json

import pytest

from readrealm.kernel.wire import parse
from speech.interviews.events import InterviewComplete
from speech.interviews.report import report
from speech.interviews.state import SILENT_ANSWER
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal

TEXT = "threads share memory, um, and each has a stack"


def rehearsed():
    reader = Rehearsal().at(1).turn().voice(3, 7).caption(TEXT).done()
    reader.turn().at(30)
    return reader.stop()


def test_a_result_has_the_documented_shape_and_survives_json():
    result = rehearsed().result

    again = parse(InterviewComplete, json.loads(json.dumps(result)))
    assert again.processing_method == "research_grade_event_driven"
    assert (again.success, again.reason, again.session_id) == (True, "stopped", "s1")


def test_top_level_figures_repeat_those_of_the_metrics():
    result = rehearsed().result
    metrics = result["metrics"]

    assert (result["total_duration"], result["speaking_time"], result["total_words"]) == (
        metrics["session_duration"], metrics["speaking_time"], metrics["total_words"],
    )  # fmt: skip
    assert result["semantic_similarity"] == metrics["avg_semantic_similarity"] == 0.25


def test_silent_answers_are_listed_with_zeros():
    spoken, silent = rehearsed().result["qa_pairs"]

    assert (silent["answer"], silent["similarity"], silent["keyword_coverage"]) == (
        SILENT_ANSWER, 0, 0,
    )  # fmt: skip
    assert (silent["silent"], silent["grade"], silent["response_latency"]) == (True, "D", None)
    assert (spoken["words"], spoken["speaking_time"], spoken["response_latency"]) == (9, 4.0, 2.0)
    assert (spoken["grade"], spoken["score"], spoken["number"]) == ("C", 50, 1)
    assert [pair["heard_how"] for pair in (spoken, silent)] == ["captions", "silence"]


def test_the_transcript_has_what_was_said_and_the_conversation_also_the_silence():
    result = rehearsed().result
    first, second = result["qa_pairs"]

    assert result["transcript"] == TEXT
    assert result["conversation"] == (
        f"Q: {first['question']}\n\nA: {TEXT}\n\nQ: {second['question']}\n\nA: {SILENT_ANSWER}"
    )


@pytest.mark.parametrize(
    ("text", "valid"),
    [(TEXT, True), ("yes it is so then", True), ("yes it is so", False), ("", False)],
)
def test_an_analysis_is_valid_with_an_answer_and_five_words(text, valid):
    reader = Rehearsal().turn().caption(text).done().stop()

    assert reader.result["analysis_valid"] is valid


def test_the_time_line_can_be_drawn():
    result = json.loads(json.dumps(rehearsed().result))

    assert result["timeline"][0] == {
        "number": 1, "started": 1.0, "ended": 7.0, "ended_by": "hand", "speech": [[3.0, 7.0]],
    }  # fmt: skip
    assert result["timeline"][1]["ended_by"] == "silence"
    assert (result["started_at"], result["completed_at"]) == (START_MS / 1000, START_MS / 1000 + 30)


def test_a_result_says_who_heard_and_who_measured():
    result = rehearsed().result

    assert (result["heard_by"], result["measured_by"]) == (["captions"], ["fake"])


def test_syllables_are_counted_as_the_caller_wishes():
    state = rehearsed().interview.state

    result = report(state, ended_ms=START_MS + 30_000, syllables=lambda word: 4)

    assert result.metrics.articulation_rate == 9.0


def test_an_interview_without_an_end_has_no_result():
    for reader in (Rehearsal(), (left := Rehearsal()).say(left.interview.leave)):
        with pytest.raises(ValueError, match="no result"):
            report(reader.interview.state, ended_ms=START_MS)
