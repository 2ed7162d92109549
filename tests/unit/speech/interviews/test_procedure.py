import pytest

from speech.interviews.effects import Evaluate, Phrase, Transcribe
from speech.interviews.state import SILENT_ANSWER, Phase, Rules
from speech.interviews.transcription import Failed, Final, Partial
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal

TEXT = "threads share memory and each has a stack of its own"


# ------------------------------------------------------------------------ work that fails


def test_a_transcriber_that_fails_is_named_once_a_turn_and_the_interview_goes_on():
    reader = Rehearsal().turn()
    for _ in range(3):
        reader.say(reader.interview.recognise, [Failed()], by="ears")

    assert reader.all("interview_error") == [
        {
            "error": "Transcription service unavailable",
            "code": "PROVIDER_UNAVAILABLE",
            "event": "live_transcript",
        }
    ]
    assert reader.caption(TEXT).done().last("user_answer_complete")["answer"] == TEXT


def test_a_careful_pass_that_hears_nothing_erases_nothing():
    reader = Rehearsal().turn()
    reader.hears = (Final(" "),)
    reader.say(reader.interview.recognise, [Partial("threads share the heap")], by="ears").done()

    assert reader.last("user_answer_complete")["answer"] == "threads share the heap"


def test_a_turn_without_voice_and_text_is_not_heard_again_and_not_judged():
    reader = Rehearsal().turn()
    reader.works.clear()

    reader.at(15)

    assert reader.pending == []
    assert reader.phase is Phase.INTERVIEWER


def test_a_careful_pass_that_never_comes_back_is_done_without():
    reader = Rehearsal().turn().caption(TEXT).at(4)
    reader.works.remove(Transcribe)

    reader.done().at(251.9)
    assert reader.phase is Phase.PROCESSING
    reader.at(252)

    assert reader.last("user_answer_complete")["answer"] == TEXT
    assert reader.last("interview_error")["code"] == "PROVIDER_UNAVAILABLE"


@pytest.mark.parametrize("how", ["fails", "says so", "never comes back"])
def test_the_result_says_which_answers_nobody_could_hear_again(how):
    reader = Rehearsal().turn().voice(1, 3)
    reader.say(reader.interview.recognise, [Partial("threads share the heap")], by="ears")
    reader.works.discard(Transcribe)
    reader.done()
    if how == "fails":
        reader.fail(reader.pending.pop())
    elif how == "says so":
        reader.hears = (Failed(),)
        reader.finish(reader.pending.pop())
    reader.at(250).turn().voice(251, 253)
    reader.say(reader.interview.recognise, [Partial("threads share the heap")], by="ears")
    reader.hears = (Final("threads share the heap too"),)
    reader.works.add(Transcribe)

    first, second = reader.done().stop().result["qa_pairs"]

    assert (first["heard_by"], first["heard_how"]) == ("ears", "live")
    assert (second["heard_by"], second["heard_how"]) == ("fake ears", "whole")
    assert len(reader.all("interview_error")) == 1


def test_voice_that_nobody_could_write_down_is_not_called_silence():
    reader = Rehearsal().turn().voice(1, 3)
    reader.hears = (Failed(),)
    reader.done().turn().at(30)

    unheard, silent = reader.stop().result["qa_pairs"]

    assert (unheard["answer"], unheard["heard_how"]) == (SILENT_ANSWER, "unheard")
    assert (silent["answer"], silent["heard_how"]) == (SILENT_ANSWER, "silence")


@pytest.mark.parametrize("how", ["fails", "never comes back"])
def test_an_answer_that_cannot_be_judged_counts_as_zero_and_the_interview_goes_on(how):
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done().forget()

    if how == "fails":
        reader.fail(reader.pending.pop())
    else:
        reader.at(11)

    assert reader.names() == ["interview_error", "user_answer_complete", "agent_next_question"]
    assert reader.last("user_answer_complete")["similarity"] == 0
    assert reader.last("user_answer_complete")["answer"] == TEXT
    assert not reader.interview.state.knowledge.topics


def test_work_that_comes_back_late_or_twice_changes_nothing():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done()
    evaluate = reader.pending.pop()
    reader.finish(evaluate)
    before = reader.interview.state.as_dict()

    reader.finish(evaluate)
    reader.fail(evaluate)
    for late in (Transcribe(evaluate.job, 1), Phrase(evaluate.job, evaluate.question, "")):
        reader.finish(late)
    reader.finish(Transcribe(999, 1))

    assert reader.interview.state.as_dict() == before


def test_the_result_of_one_step_is_not_taken_for_that_of_another():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done()
    job = reader.pending[0].job
    before = reader.interview.state.as_dict()

    reader.finish(Transcribe(job, 1))
    reader.finish(Phrase(job, reader.interview.state.question, ""))
    assert reader.interview.procedure.stored(job, reader.now_ms) == []

    assert reader.interview.state.as_dict() == before


def test_media_that_cannot_be_decoded_is_refused_once():
    reader = Rehearsal().turn()

    reader.say(reader.interview.refuse_media).say(reader.interview.refuse_media)

    assert [error["code"] for error in reader.all("interview_error")] == ["UNSUPPORTED_MEDIA"]
    assert reader.interview.state.media_refused


# ------------------------------------------------------------------------ the next question


def test_a_language_model_may_word_the_question_but_not_choose_it():
    reader = Rehearsal(rules=Rules(words_questions=True)).turn().caption(TEXT)
    reader.works.remove(Phrase)
    reader.done()
    phrase = reader.pending.pop()
    concept = phrase.question.concepts[0].name
    worded = f"Let me ask this in other words: what do you know about the {concept}?"

    reader._do(reader.interview.procedure.phrased(phrase.job, worded, reader.now_ms))

    assert reader.last("agent_next_question")["question"] == worded
    assert reader.interview.state.question.id == phrase.question.id
    assert reader.interview.state.question.expected_answer == phrase.question.expected_answer


@pytest.mark.parametrize(
    "text", [None, "", "Too short?", "x" * 301, "What is your favourite colour?" * 3]
)
def test_what_the_language_model_says_is_dropped_unless_it_will_do(text):
    reader = Rehearsal(rules=Rules(words_questions=True)).turn().caption(TEXT)
    reader.works.remove(Phrase)
    reader.done()
    phrase = reader.pending.pop()

    reader._do(reader.interview.procedure.phrased(phrase.job, text, reader.now_ms))

    assert reader.last("agent_next_question")["question"] == phrase.question.text


def test_a_language_model_that_does_not_answer_is_not_waited_for():
    reader = Rehearsal(rules=Rules(words_questions=True)).turn().caption(TEXT)
    reader.works.remove(Phrase)

    reader.done().at(10)

    assert reader.last("agent_next_question")["question"] == reader.pending[0].question.text


def test_stopping_while_a_question_is_worded_does_not_ask_it():
    reader = Rehearsal(rules=Rules(words_questions=True)).turn().caption(TEXT)
    reader.works.remove(Phrase)

    reader.done().forget().stop()

    assert reader.names() == ["user_answer_complete", "interview_complete"]
    assert reader.result["metrics"]["questions_asked"] == 1


def test_in_a_stress_test_every_second_question_of_a_visit_challenges_the_answer():
    reader = Rehearsal(stress=True)

    for _ in range(6):
        reader.answer("I believe that a primary key identifies each row of the table")
    questions = reader.all("agent_next_question")

    assert [question["curveball"] for question in questions] == [
        False, True, False, False, True, False, False,
    ]  # fmt: skip
    for question in questions:
        assert not question["curveball"] or '"' in question["question"]
    assert reader.stop().result["stress_test"] is True


def test_a_curveball_is_one_level_harder_and_may_be_worded_freely():
    reader = Rehearsal(stress=True, rules=Rules(words_questions=True)).turn().caption(TEXT)
    reader.works.remove(Phrase)
    reader.similarity = 0.1
    reader.done()
    phrase = reader.pending.pop()
    worded = "Really? I would bet that the opposite is true. What do you say to that?"

    reader._do(reader.interview.procedure.phrased(phrase.job, worded, reader.now_ms))

    asked = reader.last("agent_next_question")
    assert (asked["question"], asked["curveball"]) == (worded, True)
    assert asked["difficulty"] == "medium", "easy by the score, and one level up"


@pytest.mark.parametrize(
    ("similarity", "text", "difficulty"),
    [
        (0.65, "word " * 25, "hard"),
        (0.65, "word " * 15, "medium"),
        (0.55, "word " * 5, "easy"),
        (0.9, "", "easy"),
    ],
)
def test_short_answers_and_silence_are_followed_by_easier_questions(similarity, text, difficulty):
    reader = Rehearsal()
    reader.similarity = similarity

    reader.turn().caption(text).done()

    assert reader.last("agent_next_question")["difficulty"] == difficulty


def test_a_curveball_is_judged_by_what_the_question_before_it_expected():
    reader = Rehearsal(stress=True).answer().answer()
    first, second = reader.stop().result["qa_pairs"]

    assert second["curveball"]
    assert second["question"] != first["question"]
    assert second["expected_answer"] == first["expected_answer"]


def test_the_same_seed_and_the_same_answers_give_the_same_interview():
    def questions(seed):
        reader = Rehearsal(seed=seed)
        for similarity in (0.1, 0.9, 0.5, 0.65, 0.3, 0.8):
            reader.similarity = similarity
            reader.answer()
        return [question["question"] for question in reader.all("agent_next_question")]

    assert questions(5) == questions(5)
    assert len({tuple(questions(seed)) for seed in range(5)}) > 1


def test_moving_to_another_worker_changes_nothing():
    def told(*, moves):
        reader = Rehearsal(stress=True, seed=9)
        for similarity in (0.1, 0.9, 0.5, 0.65):
            reader.similarity = similarity
            for step in (reader.turn, lambda: reader.voice(*stretch(reader)), reader.done):
                reader.caption(TEXT) if step == reader.done else None
                step()
                if moves:
                    reader.move_to_another_worker()
        return reader.stop().told

    def stretch(reader):
        second = (reader.now_ms - START_MS) / 1000
        return second + 1, second + 3

    assert told(moves=True) == told(moves=False)
