"""Nothing that a reader sends in an interview is met with silence, and what has no answer by the
contract has no effect either: every command at every moment, asked and only emitted."""

from collections.abc import Sequence

import pytest

from tests.conftest import StartServer
from tests.support.interviews import InterviewReader

NOT_FOUND, INVALID = "SESSION_NOT_FOUND", "INVALID_STATE"

COMMANDS = {
    "interviewer_done": {},
    "audio_chunk": {"audio_data": "AAAA"},
    "client_transcript": {"text": "some words of an answer"},
    "interviewer_audio_chunk": {"audio": "AAAA"},
    "user_done_speaking": {},
    "stop_interview": {},
    "leave_interview": {},
}

ASK = ["agent_next_question", "backend_ready", "interview_started"]
TURN = ["user_turn_started"]
RESULT = ["interview_complete"]

MOMENTS: dict[str, Sequence[tuple[str, list[str]]]] = {
    "before any interview": (),
    "while the question is read": (("start_interview", ASK),),
    "in the reader's turn": (("start_interview", ASK), ("interviewer_done", TURN)),
    "after the end": (("start_interview", ASK), ("stop_interview", RESULT)),
    "after leaving": (("start_interview", ASK), ("leave_interview", [])),
}
"""What leads there, and what is heard on the way."""

Answer = str | list[str]
"""The code of a refusal, which `interview_error` tells too; or what is heard when it is done."""

ANSWERS: dict[str, dict[str, Answer]] = {
    "before any interview": {
        "interviewer_done": NOT_FOUND,
        "audio_chunk": NOT_FOUND,
        "client_transcript": NOT_FOUND,
        "interviewer_audio_chunk": [],
        "user_done_speaking": NOT_FOUND,
        "stop_interview": NOT_FOUND,
        "leave_interview": [],
    },
    "while the question is read": {
        "interviewer_done": TURN,
        "audio_chunk": [],
        "client_transcript": [],
        "interviewer_audio_chunk": [],
        "user_done_speaking": INVALID,
        "stop_interview": RESULT,
        "leave_interview": [],
    },
    "in the reader's turn": {
        "interviewer_done": [],
        "audio_chunk": [],
        "client_transcript": ["live_transcript"],
        "interviewer_audio_chunk": [],
        "user_done_speaking": ["force_stop_speaking", "user_answer_complete", ASK[0]],
        "stop_interview": ["force_stop_speaking", *RESULT],
        "leave_interview": [],
    },
    "after the end": {
        "interviewer_done": NOT_FOUND,
        "audio_chunk": [],
        "client_transcript": [],
        "interviewer_audio_chunk": [],
        "user_done_speaking": NOT_FOUND,
        "stop_interview": RESULT,
        "leave_interview": [],
    },
    "after leaving": {
        "interviewer_done": NOT_FOUND,
        "audio_chunk": [],
        "client_transcript": [],
        "interviewer_audio_chunk": [],
        "user_done_speaking": NOT_FOUND,
        "stop_interview": NOT_FOUND,
        "leave_interview": [],
    },
}


@pytest.fixture
def url(shared_server: StartServer) -> str:
    return shared_server(INTERVIEW_STT="captions").url


@pytest.mark.timeout(180)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "emitted"])
def test_every_command_has_its_answer_at_every_moment(
    url: str, moment: str, *, is_asked: bool
) -> None:
    user_id = 1_000 + 2 * list(MOMENTS).index(moment) + is_asked
    with InterviewReader(url, user_id=user_id) as reader:
        for command, payload in COMMANDS.items():
            for step, heard in MOMENTS[moment]:
                assert reader.ask(step) == {"ok": True}
                wait_for(reader, heard, since=len(reader.names()) - len(heard))
            before, refused = len(reader.names()), len(reader.all("interview_error"))
            answer = ANSWERS[moment][command]
            told = ["interview_error"] if isinstance(answer, str) else answer

            ack = None
            if is_asked:
                ack = reader.ask(command, **payload)
            else:
                reader.emit(command, **payload)
            wait_for(reader, told, since=before)

            assert reader.names()[before:] == told, (moment, command)
            if isinstance(answer, list):
                assert ack == ({"ok": True} if is_asked else None), (moment, command)
                continue
            error = reader.all("interview_error")[refused]
            assert (error["code"], error["event"]) == (answer, command)
            assert error["error"]
            if is_asked:
                assert ack == {"ok": False, "code": answer, "error": error["error"]}


def wait_for(reader: InterviewReader, told: Sequence[str], *, since: int) -> None:
    """Come back when so much was heard, and whatever the last command may still lead to."""
    if told:
        count = (reader.names()[:since] + list(told)).count(told[-1])
        reader.expect(told[-1], count=count)
    # Answers come in order: what the command before it did has been told.
    assert reader.ask("interviewer_audio_chunk") == {"ok": True}


def test_a_leftover_that_rang_in_rooms_of_others_does_nothing(url: str) -> None:
    with InterviewReader(url, user_id=2_001) as reader, InterviewReader(url, user_id=2_002) as rude:
        reader.ask("start_interview")
        rude.emit("trigger_backend_ready", user_id=2_001, sid=reader.sid)
        assert rude.ask("interviewer_audio_chunk", user_id=2_002) == {"ok": True}
        assert reader.ask("interviewer_audio_chunk") == {"ok": True}

    assert reader.names() == ASK
    assert rude.names() == []
