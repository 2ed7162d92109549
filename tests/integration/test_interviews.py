"""Interviews on real workers, driven by the public JavaScript client."""

import pytest

from tests.conftest import StartServer
from tests.support.interviews import PCM_BYTES_PER_S, InterviewReader
from tests.unit.speech.audio.recordings import needs_recordings, recorded_pcm

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


@needs_recordings
def test_the_golden_sequence_with_a_voice(server: StartServer) -> None:
    """8.4 in full: a recorded utterance, heard by our own recogniser, ended by silence."""
    speech = recorded_pcm("austen_0870.wav")
    with InterviewReader(server(INTERVIEW_SILENCE_S="3").url) as reader:
        reader.emit("start_interview")
        reader.emit("interviewer_done")
        reader.expect("user_turn_started")
        reader.speak(speech + bytes(32_000))
        answered = reader.expect("user_answer_complete", timeout_s=30)
        reader.ask("stop_interview")
        result = reader.expect("interview_complete")

    names = reader.names()
    assert names[:4] == [
        "agent_next_question",
        "backend_ready",
        "interview_started",
        "user_turn_started",
    ]
    assert [name for name in names[4:] if name != "live_transcript"] == [
        "force_stop_speaking",
        "user_answer_complete",
        "agent_next_question",
        "interview_complete",
    ]
    assert "live_transcript" in names
    (pair,) = result["qa_pairs"]
    (turn,) = result["timeline"]
    spoken_s = len(speech) / PCM_BYTES_PER_S
    assert pair["heard_by"] == "pocketsphinx"
    assert result["heard_by"] == ["pocketsphinx"]
    assert answered["answer"] == pair["answer"] != "[User remained silent]"
    assert turn["ended_by"] == "silence"
    assert result["metrics"]["speaking_time"] == pytest.approx(spoken_s, rel=0.25)
    assert result["metrics"]["forced_silence_time"] == pytest.approx(3, abs=0.4)
