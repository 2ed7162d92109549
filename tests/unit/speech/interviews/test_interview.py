import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readrealm.kernel.errors import InvalidInput, InvalidState, PayloadTooLarge, SessionNotFound
from speech.interviews.effects import Evaluate, Phrase, Receiver, Store, Transcribe
from speech.interviews.state import SILENT_ANSWER, Phase, Rules
from speech.interviews.timeline import Span
from speech.interviews.transcription import Failed, Final, Partial, Ready
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal

TEXT = "threads share memory and each has a stack of its own"


# ------------------------------------------------------------------------ the golden sequence


def test_an_interview_opens_with_its_first_question_and_then_is_ready():
    opening = Rehearsal()

    assert opening.names() == ["agent_next_question", "backend_ready", "interview_started"]
    assert opening.last("backend_ready") == {"status": "ready", "timestamp": START_MS / 1000}
    assert opening.last("agent_next_question")["number"] == 1
    assert opening.last("interview_started")["session_id"] == "s1"
    assert set(opening.receivers) == {Receiver.ROOM}


def test_a_whole_round_comes_in_the_order_of_the_contract():
    reader = Rehearsal().at(5).forget()

    reader.turn().voice(6, 9).caption(TEXT).done()

    question = reader.last("agent_next_question")["question"]
    assert reader.last("user_turn_started") == {
        "status": "ready",
        "question": reader.last("user_answer_complete")["question"],
        "timestamp": START_MS / 1000 + 5,
    }
    assert reader.last("force_stop_speaking") == {"status": "stop"}
    assert reader.names() == [
        "user_turn_started", "live_transcript", "force_stop_speaking", "user_answer_complete",
        "agent_next_question",
    ]  # fmt: skip
    assert reader.names(timers=True)[:2] == ["user_turn_started", "timer_update"]
    assert reader.last("user_answer_complete")["answer"] == TEXT
    assert reader.last("user_answer_complete")["next_question"] == question
    assert reader.phase is Phase.INTERVIEWER


def test_the_result_is_the_last_event_and_nothing_is_due_after_it():
    reader = Rehearsal().answer().stop()

    assert reader.names()[-1] == "interview_complete"
    assert reader.interview.deadline_ms is None
    assert reader.forget().at(4_000).told == []


def test_the_metric_vector_holds_through_the_whole_machine():
    reader = Rehearsal().at(5).turn().voice(7, 17).voice(19, 29).caption("word " * 50)
    reader.at(47).turn().voice(48, 58).caption("word " * 25)
    reader.at(60).stop()

    metrics = reader.result["metrics"]
    assert metrics == metrics | {
        "session_duration": 60.0, "forced_silence_time": 15.0, "effective_duration": 45.0,
        "speaking_time": 30.0, "silence_time": 15.0, "speaking_ratio": 0.5, "total_words": 75,
        "wpm": 150.0, "pause_count": 1, "avg_pause_duration": 2.0, "long_pause_count": 0,
        "hesitation_rate": 0.01, "hesitations_per_minute": 2.0, "avg_response_latency": 1.5,
        "fluency_score": 0.897,
    }  # fmt: skip


# ------------------------------------------------------------------------ answers


@pytest.mark.parametrize("text", ["", "no", "yes."])
def test_an_answer_that_is_too_short_is_silence(text):
    reader = Rehearsal().turn().caption(text).done()

    assert reader.last("user_answer_complete")["answer"] == SILENT_ANSWER


def test_the_live_transcript_grows_and_its_end_may_be_revised():
    reader = Rehearsal().turn()
    for text, is_final in [
        ("a thread", False), ("a thread shares", False), ("A thread shares memory.", True),
        ("but", False), ("But not its stack.", True), ("But not its stack.", False),
    ]:  # fmt: skip
        reader.caption(text, is_final=is_final)

    assert [told["text"] for told in reader.all("live_transcript")] == [
        "a thread", "a thread shares", "A thread shares memory.", "A thread shares memory. but",
        "A thread shares memory. But not its stack.",
        "A thread shares memory. But not its stack. But not its stack.",
    ]  # fmt: skip


def test_only_final_text_is_counted_but_what_was_not_final_is_still_judged():
    reader = Rehearsal().turn().caption("one two three four five")
    reader.caption("six seven", is_final=False).done().stop()

    assert reader.result["qa_pairs"][0]["answer"] == "one two three four five six seven"
    assert reader.result["total_words"] == 5


def test_each_turn_starts_with_an_empty_answer():
    reader = Rehearsal().answer("the first answer of all").answer("and the second answer")

    assert reader.stop().result["transcript"] == "the first answer of all\nand the second answer"


def test_the_conversation_names_question_and_answer_and_omits_the_open_question():
    reader = Rehearsal().answer(TEXT).turn().stop()
    asked = reader.all("agent_next_question")

    assert reader.result["conversation"] == f"Q: {asked[0]['question']}\n\nA: {TEXT}"
    assert reader.result["metrics"]["questions_asked"] == len(asked) == 2


def test_words_outside_the_turn_are_ignored():
    reader = Rehearsal().caption(TEXT).voice(1, 2)
    reader.say(reader.interview.recognise, [Final(TEXT)], by="ears").turn()

    assert reader.done().last("user_answer_complete")["answer"] == SILENT_ANSWER
    assert "live_transcript" not in reader.names()


def test_a_recogniser_is_heard_and_named():
    reader = Rehearsal().turn()
    for hearing in (Ready(), Partial("a thread"), Final("a thread shares")):
        reader.say(reader.interview.recognise, [hearing], by="pocketsphinx")
    reader.done().stop()

    assert [told["text"] for told in reader.all("live_transcript")] == [
        "a thread", "a thread shares",
    ]  # fmt: skip
    assert reader.result["heard_by"] == ["pocketsphinx"]
    assert reader.result["qa_pairs"][0]["heard_by"] == "pocketsphinx"


def test_the_careful_pass_over_the_turn_replaces_what_was_heard_live():
    reader = Rehearsal().turn()
    reader.hears = (Final("threads share the heap"),)
    reader.say(reader.interview.recognise, [Partial("thread chair the heap")], by="ears").done()

    assert reader.last("user_answer_complete")["answer"] == "threads share the heap"


def test_without_a_careful_pass_the_last_hypothesis_is_final():
    reader = Rehearsal().turn()
    reader.say(reader.interview.recognise, [Partial("threads share the heap too")], by="ears")

    assert reader.done().stop().result["total_words"] == 5


def test_the_captions_of_the_browser_are_preferred_to_a_recogniser():
    reader = Rehearsal().turn()
    reader.hears = (Final("chairs mammary"),)
    reader.say(reader.interview.recognise, [Partial("chairs")], by="ears")
    reader.caption(TEXT).say(reader.interview.recognise, [Partial("chairs mamma")], by="ears")
    reader.done().stop()

    assert reader.result["qa_pairs"][0]["answer"] == TEXT
    assert reader.result["heard_by"] == ["captions"]
    assert [told["text"] for told in reader.all("live_transcript")] == ["chairs", TEXT]


def test_a_final_caption_is_taken_while_the_turn_is_transcribed():
    reader = Rehearsal().turn().caption("threads share", is_final=False)
    reader.works.remove(Transcribe)
    reader.done().caption("Threads share memory.")

    reader.finish(reader.pending.pop())

    assert reader.last("user_answer_complete")["answer"] == "Threads share memory."
    assert [told["text"] for told in reader.all("live_transcript")] == ["threads share"]


def test_speech_that_the_end_of_the_audio_makes_certain_is_added():
    reader = Rehearsal().turn().voice(1, 2)
    reader.works.remove(Transcribe)
    reader.at(5).caption(TEXT).done()
    spans = [Span(START_MS + 1_000, START_MS + 4_000), Span(START_MS + 4_500, START_MS + 9_000)]

    job = reader.pending.pop().job
    reader.works.add(Transcribe)
    reader._do(reader.interview.procedure.transcribed(job, (), reader.now_ms, by="x", speech=spans))

    assert reader.stop().result["speaking_time"] == 3.5


def test_a_stretch_of_speech_that_goes_on_is_counted_once():
    reader = Rehearsal().turn()
    for end in (2, 3, 4):
        reader.voice(1, end)

    assert reader.caption(TEXT).done().stop().result["speaking_time"] == 3.0


def test_a_turn_has_only_so_much_text():
    reader = Rehearsal().turn()
    for _ in range(25):
        reader.caption("x" * 1_999)

    with pytest.raises(PayloadTooLarge):
        reader.caption("x" * 1_999)
    assert reader.phase is Phase.USER


# ------------------------------------------------------------------------ commands at odd moments


def test_beginning_a_turn_twice_changes_nothing():
    reader = Rehearsal().turn().at(3).caption(TEXT).forget()

    assert reader.turn().told == []
    assert reader.done().last("user_answer_complete")["answer"] == TEXT


def test_ending_an_answer_before_the_turn_is_refused():
    with pytest.raises(InvalidState):
        Rehearsal().done()


def test_ending_an_answer_twice_evaluates_it_once():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)

    reader.done().done()

    assert len(reader.pending) == 1
    assert reader.names().count("force_stop_speaking") == 1


def test_a_turn_cannot_begin_before_the_next_question():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done()

    with pytest.raises(InvalidState):
        reader.turn()


@pytest.mark.parametrize("command", ["interviewer_done", "user_done"])
def test_an_interview_that_is_over_takes_no_turns(command):
    reader = Rehearsal().stop()

    with pytest.raises(SessionNotFound):
        reader.say(getattr(reader.interview, command))


def test_after_the_end_a_stream_of_audio_and_captions_is_ignored():
    reader = Rehearsal().stop().forget()

    reader.caption(TEXT).voice(1, 2).say(reader.interview.recognise, [Final(TEXT)], by="ears")
    reader.say(reader.interview.refuse_media)

    assert reader.told == []


def test_a_topic_that_the_bank_does_not_have_is_refused():
    with pytest.raises(InvalidInput):
        Rehearsal(topic="ALCHEMY")


# ------------------------------------------------------------------------ stop and leave


def test_stopping_before_a_word_was_said_gives_a_complete_result_of_zeros():
    result = Rehearsal().at(3).stop().result

    assert (result["reason"], result["analysis_valid"], result["qa_pairs"]) == (
        "stopped",
        False,
        [],
    )
    assert result["metrics"]["session_duration"] == 3.0
    assert sum(bool(value) for value in result["metrics"].values()) == 4


def test_stopping_in_the_middle_of_an_answer_still_scores_it():
    reader = Rehearsal().turn().voice(1, 4).caption(TEXT).forget().stop()

    assert reader.names() == ["force_stop_speaking", "user_answer_complete", "interview_complete"]
    assert reader.result["qa_pairs"][0]["answer"] == TEXT


def test_stopping_between_two_turns_gives_the_result_at_once():
    assert Rehearsal().answer().forget().stop().names() == ["interview_complete"]


def test_stopping_in_a_silent_turn_adds_no_answer_but_keeps_its_voice():
    reader = Rehearsal().answer().turn().at(4).voice(3, 5).stop()

    assert len(reader.result["qa_pairs"]) == 1
    assert len(reader.result["timeline"]) == 2
    assert reader.result["speaking_time"] == 2.0


def test_stopping_while_an_answer_is_judged_waits_for_it_and_asks_no_more():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done().forget().stop()
    assert reader.told == []

    reader.finish(reader.pending.pop())

    assert reader.names() == ["user_answer_complete", "interview_complete"]
    assert reader.last("user_answer_complete")["next_question"] is None


def test_stopping_again_gets_the_same_result_again_for_the_caller_alone():
    reader = Rehearsal().answer().stop()
    first = reader.result

    reader.forget().move_to_another_worker().stop().stop()

    assert reader.all("interview_complete") == [first, first]
    assert set(reader.receivers) == {Receiver.CALLER}


def test_stopping_twice_while_the_result_is_stored_stores_it_once():
    reader = Rehearsal()
    reader.works.remove(Store)

    reader.stop().stop()

    assert len(reader.pending) == 1


def test_the_result_is_stored_before_it_is_told():
    reader = Rehearsal().answer()
    reader.works.remove(Store)
    reader.stop()
    assert "interview_complete" not in reader.names()

    store = reader.pending.pop()
    reader.finish(store)

    assert json.loads(json.dumps(reader.result))["session_id"] == store.result.session_id
    assert store.knowledge == reader.interview.state.knowledge


def test_a_result_that_cannot_be_stored_is_tried_again_and_told_once():
    reader = Rehearsal().answer()
    reader.works.remove(Store)
    reader.stop()
    reader.fail(reader.pending[0])
    assert reader.last("interview_error")["event"] == "interview_complete"

    for second in range(3, 60):
        known = len(reader.pending)
        reader.at(second)
        for attempt in reader.pending[known:]:
            reader.fail(attempt)
    attempts = reader.pending
    assert [attempt.job for attempt in attempts] == sorted({attempt.job for attempt in attempts})
    assert 3 <= len(attempts) <= 5, "each attempt waits twice as long"
    for attempt in attempts:
        reader.finish(attempt)

    assert reader.names().count("interview_complete") == 1
    assert len(reader.all("interview_error")) == 1


def test_an_attempt_to_store_that_succeeds_late_still_counts():
    reader = Rehearsal().answer()
    reader.works.remove(Store)
    reader.stop().at(8)
    first, second = reader.pending

    reader.finish(first)
    assert reader.names().count("interview_complete") == 1
    reader.finish(second)

    assert reader.names().count("interview_complete") == 1
    assert first.result == second.result


def test_leaving_is_silent_and_leaves_no_result():
    reader = Rehearsal().answer().turn().caption(TEXT).forget()

    reader.say(reader.interview.leave).at(2_000)

    assert reader.told == []
    assert reader.phase is Phase.DONE
    for again in (reader.interview.stop, reader.interview.attach):
        with pytest.raises(SessionNotFound):
            reader.say(again)


def test_who_has_left_does_not_get_the_result_again():
    reader = Rehearsal().answer().stop()
    reader.say(reader.interview.leave)

    with pytest.raises(SessionNotFound):
        reader.stop()


def test_leaving_while_the_result_is_stored_keeps_the_result_and_says_nothing():
    reader = Rehearsal().answer()
    reader.works.remove(Store)
    reader.stop().forget().say(reader.interview.leave)

    reader.finish(reader.pending.pop())

    assert reader.told == []
    assert reader.interview.state.result is not None


# ------------------------------------------------------------------------ lost connections


def test_an_absent_reader_is_told_nothing_and_the_turn_waits():
    reader = Rehearsal().turn().at(10)

    reader.say(reader.interview.detach).forget().at(60)

    assert reader.told == []
    assert reader.phase is Phase.USER


def test_who_comes_back_gets_the_question_and_goes_on_with_the_turn():
    reader = Rehearsal().turn().voice(1, 3).caption(TEXT).at(10)
    reader.say(reader.interview.detach).at(50).forget()

    reader.move_to_another_worker().say(reader.interview.attach)

    assert reader.names() == [
        "agent_next_question", "backend_ready", "interview_started", "user_turn_started",
        "live_transcript",
    ]  # fmt: skip
    assert set(reader.receivers) == {Receiver.CALLER}
    assert reader.last("interview_started")["resumed"] is True
    assert reader.last("interview_started")["state"] == "user"
    assert reader.last("timer_update") == {
        "time_remaining": 1750, "turn_time_elapsed": 10.0, "silence_elapsed": 7.0,
    }  # fmt: skip
    assert reader.at(57.9).phase is Phase.USER
    assert reader.at(58).phase is Phase.INTERVIEWER
    assert reader.stop().result["metrics"]["forced_silence_time"] == 15.0


def test_the_session_clock_runs_on_while_the_reader_is_away():
    reader = Rehearsal().at(1_770)
    reader.say(reader.interview.detach).at(1_805)

    assert reader.phase is Phase.DONE
    assert reader.result["reason"] == "time_limit"
    assert reader.result["total_duration"] == 1_770.0


def test_after_the_grace_time_the_interview_is_finished_and_stored():
    reader = Rehearsal().turn().voice(1, 4).caption(TEXT).at(10)
    reader.say(reader.interview.detach).at(69.9)
    assert reader.phase is Phase.USER

    reader.at(70)

    assert reader.result["reason"] == "disconnected"
    assert reader.result["qa_pairs"][0]["answer"] == TEXT
    assert reader.result["total_duration"] == 10.0
    assert len(reader.stored) == 1


def test_who_comes_back_too_late_gets_the_result():
    reader = Rehearsal().answer()
    reader.say(reader.interview.detach).at(300).forget().say(reader.interview.attach)

    assert reader.names() == ["interview_complete"]
    assert reader.receivers == [Receiver.CALLER]


def test_who_comes_back_while_the_result_is_stored_only_gets_the_result():
    reader = Rehearsal().answer()
    reader.works.remove(Store)
    reader.stop().say(reader.interview.detach).forget().say(reader.interview.attach)
    assert reader.told == []

    reader.finish(reader.pending.pop())

    assert reader.names() == ["interview_complete"]


def test_a_worker_that_died_took_the_connection_with_it_when_it_last_was_heard_of():
    reader = Rehearsal().turn().voice(1, 3).at(10).move_to_another_worker()
    reader.now_ms = START_MS + 40_000

    reader.say(reader.interview.attach)

    assert reader.phase is Phase.USER
    assert reader.last("timer_update")["silence_elapsed"] == 7.0


def test_an_answer_that_was_being_judged_is_judged_while_the_reader_is_away():
    reader = Rehearsal().turn().caption(TEXT)
    reader.works.remove(Evaluate)
    reader.done().say(reader.interview.detach)

    reader.finish(reader.pending.pop())
    reader.say(reader.interview.attach)

    assert reader.all("agent_next_question")[-1]["number"] == 2
    assert reader.phase is Phase.INTERVIEWER


def test_losing_the_connection_twice_starts_the_grace_time_once():
    reader = Rehearsal()
    reader.say(reader.interview.detach).at(50).say(reader.interview.detach).at(60)

    assert reader.phase is Phase.DONE


# ------------------------------------------------------------------------ whatever happens

ACTS = (
    "interviewer_done", "user_done", "stop", "leave", "attach", "detach", "caption", "voice",
    "failed_ears", "finish", "fail", "late", "media", "second", "wait", "move",
)  # fmt: skip


def perform(reader, act):
    interview = reader.interview
    second = (reader.now_ms - START_MS) / 1000
    match act:
        case "caption":
            reader.caption(TEXT)
        case "voice":
            reader.voice(second, second + 1.7)
        case "failed_ears":
            reader.say(interview.recognise, [Failed()], by="ears")
        case "finish":
            if reader.pending:
                reader.finish(reader.pending[-1])
        case "fail":
            if reader.pending:
                reader.fail(reader.pending[-1])
        case "late":
            if reader.pending:
                reader.finish(reader.pending[0])
        case "media":
            reader.say(interview.refuse_media)
        case "second":
            reader.at(second + 1)
        case "wait":
            reader.at(second + 47)
        case "move":
            reader.move_to_another_worker()
        case _:
            reader.say(getattr(interview, act))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=40), st.booleans(), st.booleans())
def test_whatever_happens_an_interview_ends_once_with_a_consistent_result(acts, stress, slow):
    reader = Rehearsal(stress=stress, rules=Rules(max_questions=4, words_questions=slow))
    if slow:
        reader.works.clear()

    for act in acts:
        try:
            perform(reader, act)
        except (InvalidState, SessionNotFound):
            continue
    reader.works = {Transcribe, Evaluate, Phrase, Store}
    left = reader.interview.state.left
    reader.at(4_000)

    names = reader.names(timers=True)
    assert reader.phase is Phase.DONE
    assert reader.interview.deadline_ms is None
    told = [
        to for name, to in zip(names, reader.receivers, strict=True) if name == "interview_complete"
    ]
    assert told.count(Receiver.ROOM) in ((0, 1) if left else (1,))
    assert bool(reader.stored) == (reader.interview.state.result is not None)
    first = names.index("interview_complete") if told else len(names)
    assert set(names[first:]) <= {"interview_complete"}
    for result in reader.all("interview_complete"):
        m = result["metrics"]
        assert m["effective_duration"] == round(m["session_duration"] - m["forced_silence_time"], 1)
        assert m["silence_time"] == round(m["effective_duration"] - m["speaking_time"], 1)
        assert m["questions_answered"] <= len(result["qa_pairs"]) <= m["questions_asked"] <= 4
        assert result == reader.all("interview_complete")[0]
