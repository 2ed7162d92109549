"""Interviews on real workers, driven by the public JavaScript client."""

import contextlib
import io
import json
import wave
from itertools import count
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from tests.conftest import StartServer
from tests.support.interviews import PCM_BYTES_PER_S, InterviewReader
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import needs_recordings, recorded_pcm

ANSWER = "an entity is a thing that we keep records about, and an attribute describes it"
SILENCE_S = 8
"""That ends an answer; longer than eight readers may differ who are to speak at once."""

_user_ids = count(500)


@pytest.fixture
def typing_site(shared_server: StartServer) -> Server:
    """A server to which answers are typed."""
    return shared_server(INTERVIEW_STT="captions")


@pytest.fixture
def listening_site(shared_server: StartServer) -> Server:
    """A server with one process that hears."""
    return shared_server(
        INTERVIEW_STT_PROCESSES="1", INTERVIEW_SILENCE_S=str(SILENCE_S), SOCKETS_PER_ADDRESS="off"
    )


def new_reader(server: Server) -> InterviewReader:
    """Somebody who has not been interviewed yet."""
    return InterviewReader(server.url, user_id=next(_user_ids))


def test_the_golden_sequence_with_captions(typing_site: Server) -> None:
    with new_reader(typing_site) as reader:
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
def test_the_golden_sequence_with_a_voice(listening_site: Server) -> None:
    """8.4 in full: a recorded utterance, heard by our own recogniser, ended by silence."""
    speech = recorded_pcm("austen_0870.wav")
    with new_reader(listening_site) as reader:
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
    # At least what is configured, and exactly what passed: a busy machine may see the end late.
    silent_s = turn["ended"] - turn["speech"][-1][1]
    assert silent_s >= SILENCE_S - 0.05
    assert result["metrics"]["forced_silence_time"] == pytest.approx(silent_s, abs=0.051)


@needs_recordings
@pytest.mark.timeout(180)
def test_of_eight_answers_at_once_none_is_lost(listening_site: Server) -> None:
    """More than one recogniser can hear in time: they queue, and each is heard."""
    speech = recorded_pcm("austen_0870.wav") + bytes(PCM_BYTES_PER_S // 2)
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(new_reader(listening_site)) for _ in range(8)]
        for reader in readers:
            reader.ask("start_interview", question_count=1)
            reader.ask("interviewer_done")
        for reader in readers:
            reader.begin_to_speak(speech)
        for reader in readers:
            reader.finish_speaking()
        for reader in readers:
            reader.emit("user_done_speaking")
        results = [reader.expect("interview_complete", timeout_s=120) for reader in readers]

    for reader, result in zip(readers, results, strict=True):
        (pair,) = result["qa_pairs"]
        assert reader.all("interview_error") == []
        assert "john dashwood" in pair["answer"] or len(pair["answer"].split()) > 15
        assert pair["heard_by"] == "pocketsphinx"
    assert len({result["qa_pairs"][0]["answer"] for result in results}) == 1


def test_old_clients_may_get_the_first_question_under_its_old_name(server: StartServer) -> None:
    running = server(INTERVIEW_STT="captions", INTERVIEW_INTRO_QUESTION="true")
    with new_reader(running) as reader:
        reader.ask("start_interview", question_count=2)
        first = reader.expect("agent_intro_question")
        reader.ask("interviewer_done")
        reader.ask("client_transcript", text=ANSWER, is_final=True)
        reader.ask("user_done_speaking")
        reader.expect("agent_next_question")

    asked = [name for name in reader.names() if name.startswith("agent_")]
    assert asked == ["agent_intro_question", "agent_next_question"]
    assert first["question"] == reader.all("user_answer_complete")[0]["question"]


def test_the_server_reads_the_question_that_stands(typing_site: Server) -> None:
    with new_reader(typing_site) as reader:
        reader.ask("start_interview", question_count=2)
        session_id = reader.expect("interview_started")["session_id"]
        address = f"{typing_site.url}/interviews/live/{session_id}"
        with urlopen(f"{address}/1.wav", timeout=20) as answer:
            kind, wav = answer.headers["Content-Type"], answer.read()
        refused = []
        for missing in (f"{address}/2.wav", f"{typing_site.url}/interviews/live/none/1.wav"):
            with pytest.raises(HTTPError) as error:
                urlopen(missing, timeout=20)
            refused.append((error.value.code, json.load(error.value)["code"]))

    assert kind == "audio/wav"
    with wave.open(io.BytesIO(wav)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
        loudest = np.abs(np.frombuffer(sound.readframes(sound.getnframes()), "<i2")).max()
    assert 2 < seconds < 25
    assert loudest > 3_000
    assert refused == [(404, "SESSION_NOT_FOUND")] * 2
