import base64

import msgspec
import pytest

from readrealm.kernel.errors import InvalidBase64, InvalidInput
from readrealm.kernel.wire import parse, plain
from speech.interviews.events import (
    COMMANDS,
    EVENTS,
    Accepted,
    AudioChunk,
    BackendReady,
    ClientTranscript,
    InterviewComplete,
    InterviewerDone,
    InterviewError,
    Refused,
    StartInterview,
    TimerUpdate,
    UserAnswerComplete,
    UserTurnStarted,
    event_name,
)
from speech.interviews.outcome import Metrics, QaPair, Range

PCM = b"\x01\x02\x03\x04"
PCM_TEXT = base64.b64encode(PCM).decode()


def keys(contract):
    return {field.encode_name for field in msgspec.structs.fields(contract)}


@pytest.mark.parametrize(
    ("contract", "documented"),
    [
        (StartInterview, {"user_id", "stress_test"}),
        (AudioChunk, {"user_id", "audio_data", "sample_rate"}),
        (BackendReady, {"status", "timestamp"}),
        (UserTurnStarted, {"status", "question", "timestamp"}),
        (TimerUpdate, {"time_remaining", "turn_time_elapsed", "silence_elapsed"}),
        (UserAnswerComplete, {"answer", "question", "next_question"}),
        (InterviewError, {"error", "code", "event"}),
        (
            InterviewComplete,
            {
                "success", "processing_method", "transcript", "conversation",
                "semantic_similarity", "analysis_valid", "total_duration", "speaking_time",
                "total_words", "metrics", "qa_pairs", "session_id", "reason", "stress_test",
                "benchmarks",
            },
        ),
        (
            QaPair,
            {"question", "answer", "expected_answer", "similarity", "keyword_coverage"},
        ),
        (
            Metrics,
            {
                "session_duration", "forced_silence_time", "effective_duration", "speaking_time",
                "silence_time", "speaking_ratio", "speaking_ratio_during_turn", "total_words",
                "wpm", "articulation_rate", "pause_count", "avg_pause_duration",
                "long_pause_count", "hesitation_rate", "hesitations_per_minute", "fluency_score",
                "avg_response_latency", "avg_semantic_similarity", "avg_keyword_coverage",
                "questions_answered", "questions_asked",
            },
        ),
    ],
)  # fmt: skip
def test_every_documented_key_is_on_the_wire(contract, documented):
    assert documented <= keys(contract)


def test_every_documented_event_is_declared():
    assert set(COMMANDS) >= {
        "start_interview", "interviewer_done", "audio_chunk", "stop_interview", "leave_interview",
        "user_done_speaking", "client_transcript",
    }  # fmt: skip
    assert set(EVENTS) >= {
        "connected", "agent_next_question", "backend_ready", "user_turn_started",
        "live_transcript", "timer_update", "user_answer_complete", "interview_complete",
        "interview_error", "force_stop_speaking", "interview_started",
    }  # fmt: skip


@pytest.mark.parametrize("contract", [*COMMANDS.values(), *EVENTS.values()])
def test_names_travel_in_snake_case(contract):
    assert keys(contract) == {field.name for field in msgspec.structs.fields(contract)}


@pytest.mark.parametrize("user_id", [123, "123", 123.0])
def test_a_user_id_may_come_as_text(user_id):
    assert parse(InterviewerDone, {"user_id": user_id}).user_id == 123


@pytest.mark.parametrize("user_id", [None, True, "0123", " 1", "x", 1.5, 0, -1, 2**53, [], {}])
def test_any_other_user_id_is_refused(user_id):
    with pytest.raises(InvalidInput):
        parse(InterviewerDone, {"user_id": user_id})


@pytest.mark.parametrize("command", COMMANDS.values())
@pytest.mark.parametrize("payload", [None, {}, [], "x", 7])
def test_every_command_names_its_user(command, payload):
    with pytest.raises(InvalidInput):
        parse(command, payload)


def test_an_interview_is_ordinary_unless_asked_otherwise():
    command = parse(StartInterview, {"user_id": 1, "unknown": "dropped"})

    assert (command.stress_test, command.resume, command.topic) == (False, False, None)
    assert command.question_count == 15


@pytest.mark.parametrize(
    "payload",
    [
        {"stress_test": "yes"},
        {"stress_test": 1},
        {"resume": None},
        {"topic": ""},
        {"topic": "x" * 65},
        {"question_count": 0},
        {"question_count": 16},
    ],
)
def test_start_options_outside_their_limits_are_refused(payload):
    with pytest.raises(InvalidInput):
        parse(StartInterview, {"user_id": 1, **payload})


@pytest.mark.parametrize("name", ["audio_data", "audio"])
@pytest.mark.parametrize("value", [PCM_TEXT, PCM, bytearray(PCM)])
def test_audio_comes_under_two_names_as_base64_or_binary(name, value):
    chunk = parse(AudioChunk, {"user_id": 1, name: value})

    assert chunk.payload == PCM
    assert chunk.sample_rate == 16_000


def test_the_documented_name_of_the_audio_wins():
    assert parse(AudioChunk, {"user_id": 1, "audio_data": b"yes", "audio": b"no"}).payload == b"yes"


@pytest.mark.parametrize("value", ["", "%%%%", "AQI", "AQID\n", "AQ==AQ==", "é"])
def test_audio_that_is_not_strict_base64_is_refused(value):
    with pytest.raises(InvalidBase64):
        parse(AudioChunk, {"user_id": 1, "audio_data": value})


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"audio_data": None},
        {"audio_data": b""},
        {"audio_data": 5},
        {"audio_data": [1, 2]},
        {"audio_data": PCM, "sample_rate": 7_999},
        {"audio_data": PCM, "sample_rate": 48_001},
        {"audio_data": PCM, "sample_rate": "fast"},
    ],
)
def test_an_audio_chunk_without_usable_audio_is_refused(payload):
    with pytest.raises(InvalidInput):
        parse(AudioChunk, {"user_id": 1, **payload})


def test_captions_must_be_text_without_control_characters():
    assert not parse(ClientTranscript, {"user_id": 1, "text": ""}).is_final
    for text in (None, 5, "a\x00b", "\ud800", "x" * 4_001):
        with pytest.raises(InvalidInput):
            parse(ClientTranscript, {"user_id": 1, "text": text})


def test_an_event_knows_its_name_and_a_command_has_none():
    assert event_name(BackendReady(timestamp=1.5)) == "backend_ready"
    with pytest.raises(KeyError):
        event_name(InterviewerDone(user_id=1))


def test_answers_on_the_wire_are_plain():
    assert plain(BackendReady(timestamp=1.5)) == {"status": "ready", "timestamp": 1.5}
    assert plain(Range(min=0.75)) == {"min": 0.75}
    assert plain(Accepted()) == {"ok": True}
    assert plain(Refused(code="FORBIDDEN", error="no")) == {
        "ok": False, "code": "FORBIDDEN", "error": "no",
    }  # fmt: skip
