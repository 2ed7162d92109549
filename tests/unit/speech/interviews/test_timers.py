from speech.interviews.state import SILENT_ANSWER, Phase, Rules
from speech.interviews.timeline import Span
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal

TEXT = "threads share memory and each has a stack of its own"


def test_the_time_is_told_every_second_from_ready_to_the_end():
    reader = Rehearsal().at(10)

    assert [update["time_remaining"] for update in reader.all("timer_update")] == [
        *range(1799, 1789, -1)
    ]


def test_the_clocks_of_the_turn_run_only_during_the_turn():
    reader = Rehearsal().at(3).forget().turn()
    assert reader.last("timer_update") == {
        "time_remaining": 1797, "turn_time_elapsed": 0.0, "silence_elapsed": 0.0,
    }  # fmt: skip

    reader.at(4.5).voice(4, 6.5).at(8)
    assert reader.last("timer_update")["turn_time_elapsed"] == 5.0
    assert reader.last("timer_update")["silence_elapsed"] == 1.5

    reader.caption(TEXT).done().at(9)
    assert reader.last("timer_update")["turn_time_elapsed"] == 0
    assert reader.last("timer_update")["silence_elapsed"] == 0


def test_a_late_tick_tells_the_time_once_and_keeps_to_the_second():
    reader = Rehearsal().forget()

    reader.now_ms = START_MS + 5_300
    reader.say(reader.interview.tick)

    assert [update["time_remaining"] for update in reader.all("timer_update")] == [1795]
    assert reader.interview.deadline_ms == START_MS + 6_000


def test_fifteen_seconds_of_silence_end_a_turn():
    reader = Rehearsal().at(2).turn()

    assert reader.at(16.999).phase is Phase.USER
    assert reader.at(17).phase is Phase.INTERVIEWER
    answer = reader.last("user_answer_complete")
    assert (answer["answer"], answer["similarity"]) == (SILENT_ANSWER, 0)


def test_voice_and_new_text_put_the_silence_off_and_repeated_text_does_not():
    reader = Rehearsal().turn().voice(9, 10).at(20)
    reader.caption("well", is_final=False).at(30).caption("well", is_final=False)

    assert reader.at(34.9).phase is Phase.USER
    assert reader.at(35).phase is Phase.INTERVIEWER


def test_voice_that_was_heard_in_time_counts_although_it_is_told_late():
    reader = Rehearsal().turn().at(14)
    reader.now_ms = START_MS + 15_200

    reader.say(reader.interview.hear, [Span(START_MS + 14_000, START_MS + 15_000)])

    assert reader.phase is Phase.USER


def test_time_never_runs_backwards():
    reader = Rehearsal().at(10).turn()
    reader.now_ms = START_MS

    reader.caption(TEXT).done()

    assert reader.interview.state.turns[0].ended_ms == 10_000


def test_the_server_ends_the_interview_when_the_time_is_over():
    reader = Rehearsal().at(1_795).turn().voice(1_796, 1_799).caption(TEXT).forget()

    reader.at(1_900)

    assert reader.names() == ["force_stop_speaking", "user_answer_complete", "interview_complete"]
    assert reader.last("user_answer_complete")["next_question"] is None
    assert reader.result["reason"] == "time_limit"
    assert reader.result["total_duration"] == 1_800.0
    assert reader.result["metrics"]["forced_silence_time"] == 0


def test_the_interview_ends_after_its_last_question():
    reader = Rehearsal(rules=Rules(max_questions=3))

    for _ in range(3):
        reader.answer()

    assert reader.result["reason"] == "completed"
    assert len(reader.result["qa_pairs"]) == reader.result["metrics"]["questions_asked"] == 3
    assert reader.all("user_answer_complete")[-1]["next_question"] is None


def test_fifteen_silent_turns_make_a_complete_result():
    reader = Rehearsal()

    for _ in range(15):
        reader.turn().at((reader.now_ms - START_MS) / 1000 + 15)

    metrics = reader.result["metrics"]
    assert (metrics["questions_answered"], metrics["questions_asked"]) == (0, 15)
    assert metrics["forced_silence_time"] == metrics["session_duration"] == 225.0
    assert not reader.result["analysis_valid"]
    assert reader.result["transcript"] == ""


def test_a_second_may_be_told_out_of_turn_but_nothing_else_may():
    reader = Rehearsal().turn().at(14.5).forget()

    reader.now_ms = START_MS + 14_900
    assert reader.interview.tell_time(reader.now_ms) == []
    reader.now_ms = START_MS + 15_000
    assert reader.interview.tell_time(reader.now_ms) == []
    reader.say(reader.interview.tick)
    reader.now_ms = START_MS + 16_000
    reader.say(reader.interview.tell_time)

    assert reader.names(timers=True)[-1] == "timer_update"
    assert [update["time_remaining"] for update in reader.all("timer_update")] == [1785, 1784]
    assert "user_answer_complete" in reader.names()
