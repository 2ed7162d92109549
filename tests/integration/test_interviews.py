"""Interviews on real workers, driven by the public JavaScript client."""

from tests.conftest import StartServer
from tests.support.interviews import InterviewReader

ANSWER = "an entity is a thing that we keep records about, and an attribute describes it"


def test_the_golden_sequence_with_captions(server: StartServer) -> None:
    with InterviewReader(server(INTERVIEW_STT="captions").url) as reader:
        assert reader.ask("start_interview", question_count=2) == {"ok": True}
        first = reader.expect("agent_next_question")
        reader.expect("timer_update", count=2)
        assert reader.ask("interviewer_done") == {"ok": True}
        reader.emit("client_transcript", text="an entity is a thing", is_final=False)
        assert reader.ask("client_transcript", text=ANSWER, is_final=True) == {"ok": True}
        assert reader.ask("user_done_speaking") == {"ok": True}
        answered = reader.expect("user_answer_complete")
        second = reader.expect("agent_next_question", count=2)
        reader.ask("stop_interview")
        result = reader.expect("interview_complete")
        reader.ask("stop_interview")
        again = reader.expect("interview_complete", count=2)

    assert reader.names() == [
        "agent_next_question",
        "backend_ready",
        "interview_started",
        "user_turn_started",
        "live_transcript",
        "live_transcript",
        "force_stop_speaking",
        "user_answer_complete",
        "agent_next_question",
        "interview_complete",
        "interview_complete",
    ]
    assert answered["answer"] == ANSWER
    assert answered["question"] == first["question"]
    assert answered["next_question"] == second["question"]
    assert result == again
    assert result["reason"] == "stopped"
    assert result["heard_by"] == ["captions"]
