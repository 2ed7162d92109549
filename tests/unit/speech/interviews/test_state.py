import json

import msgspec
import pytest

from speech.interviews.state import AskedQuestion, InterviewState, Step
from tests.unit.speech.interviews.rehearsal import BANK, Rehearsal


def begun():
    reader = Rehearsal(stress=True).answer().turn().voice(3, 4).caption("and so on")
    return reader.say(reader.interview.detach).interview.state


def test_a_state_survives_being_stored_as_json():
    state = begun()

    again = InterviewState.from_dict(json.loads(json.dumps(state.as_dict())))

    assert again == state
    assert again.as_dict() == state.as_dict()


def test_a_state_of_another_version_is_refused():
    stored = begun().as_dict()

    with pytest.raises(msgspec.ValidationError):
        InterviewState.from_dict(stored | {"phase": "lunch"})
    with pytest.raises(msgspec.ValidationError):
        InterviewState.from_dict({key: stored[key] for key in stored if key != "course"})


def test_an_interview_that_an_earlier_version_has_begun_goes_on():
    stored = begun_with_an_answer().as_dict()
    for answer in stored["answers"]:
        del answer["heard_how"]

    (answer,) = InterviewState.from_dict(stored).answers
    assert answer.heard_how is None


def begun_with_an_answer():
    """The state when the first answer has been judged."""
    rehearsal = Rehearsal().at(3).turn().at(14).caption("Records about things.").at(20).done()
    return rehearsal.interview.state


def test_what_is_stored_has_no_key_that_a_document_store_refuses():
    def keys(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    assert not [key for key in keys(begun().as_dict()) if "." in key or key.startswith("$")]


def test_a_question_is_kept_as_it_was_put():
    question = next(BANK.questions)

    asked = AskedQuestion.of(question)

    assert (asked.id, asked.text, asked.key_terms) == (
        question.id, question.text, question.key_terms,
    )  # fmt: skip
    assert not asked.curveball


def test_only_the_work_that_is_awaited_can_be_finished_and_only_once():
    state = Rehearsal().interview.state
    job = state.start_job(Step.EVALUATE, 500)

    assert (job.due_ms, state.awaits(Step.EVALUATE)) == (state.touched_ms + 500, True)
    assert not state.finish_job(job.id, Step.STORE, 0)
    assert not state.finish_job(job.id + 1, Step.EVALUATE, 0)
    assert state.finish_job(job.id, Step.EVALUATE, state.touched_ms + 7)
    assert not state.finish_job(job.id, Step.EVALUATE, 0)
    assert state.start_job(Step.STORE, 0).id == job.id + 1
