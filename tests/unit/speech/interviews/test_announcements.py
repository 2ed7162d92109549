from dataclasses import replace

from readrealm.kernel.errors import RateLimited, SessionNotFound
from readrealm.kernel.wire import plain
from speech.interviews import announcements
from speech.interviews.events import event_name
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal


def test_a_refusal_is_told_with_its_code_and_its_event():
    told = announcements.refusal(SessionNotFound("no such interview"), event="stop_interview")

    assert plain(told) == {
        "error": "no such interview", "code": "SESSION_NOT_FOUND", "event": "stop_interview",
    }  # fmt: skip
    assert announcements.refusal(RateLimited(retry_after_ms=5), event="x").code == "RATE_LIMITED"


def test_the_time_that_is_left_is_counted_in_whole_seconds_and_never_negative():
    state = Rehearsal().interview.state

    left = [
        announcements.timer(state, now_ms=START_MS + ms).time_remaining
        for ms in (0, 999, 1_000, 1_799_999, 1_800_000, 9_999_999)
    ]

    assert left == [1800, 1800, 1799, 1, 0, 0]


def test_who_resumes_is_told_where_the_interview_stands():
    reader = Rehearsal(topic="READING").turn()

    told = announcements.started(reader.interview.state, resumed=True)

    assert (told.topic, told.state, told.resumed) == ("READING", "user", True)
    assert (told.status, told.session_id, told.difficulty) == ("success", "s1", "medium")
    assert (told.duration_limit, told.max_questions) == (1_800, 15)
    assert announcements.started(reader.stop().interview.state, resumed=True).state == "processing"


def test_the_first_question_has_a_name_of_its_own_only_for_old_clients():
    for introduces, kinds in ((False, ["agent_next_question"] * 2),
                              (True, ["agent_intro_question", "agent_next_question"])):  # fmt: skip
        state = Rehearsal().interview.state
        state.rules = replace(state.rules, introduces=introduces)
        told = []
        for state.questions_asked in (1, 2):
            told.append(announcements.question(state))

        assert [event_name(event) for event in told] == kinds
        assert plain(told[0]) | {"number": 2} == plain(told[1])


def test_who_comes_to_a_turn_learns_the_question_the_clocks_and_the_words_so_far():
    reader = Rehearsal()
    before = announcements.opening(reader.interview.state, resumed=False)
    turn = announcements.opening(reader.turn().interview.state, resumed=True)
    words = announcements.opening(reader.caption("some words").interview.state, resumed=True)

    names = [[event_name(event) for event in events] for events in (before, turn, words)]
    assert names[0] == ["agent_next_question", "backend_ready", "interview_started"]
    assert names[1] == [*names[0], "user_turn_started", "timer_update"]
    assert names[2] == [*names[1], "live_transcript"]
    assert turn[3:] == announcements.turn_opening(reader.interview.state)
