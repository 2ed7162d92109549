"""Interviews outlive connections and workers, and nothing that was said is lost."""

import json
import os
import signal
import time
from itertools import count
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.integration.attendance import in_order
from tests.support.accounts import column
from tests.support.interviews import PCM_BYTES_PER_S, InterviewReader
from tests.support.processes import command_of, descendants, wait_until
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import needs_recordings, recorded_pcm

FIRST = "a foreign key points to the primary key of another table"
SECOND = "a transaction either happens as a whole or not at all"

_user_ids = count(700)


@pytest.fixture
def typing_site(shared_server: StartServer) -> Server:
    """Two workers to which answers are typed."""
    return in_order(shared_server(workers=2, INTERVIEW_STT="captions"))


@pytest.fixture
def impatient_site(shared_server: StartServer) -> Server:
    """Two workers that wait a second for a reader who has gone."""
    return in_order(shared_server(workers=2, INTERVIEW_STT="captions", INTERVIEW_GRACE_S="1"))


@pytest.fixture
def listening_site(shared_server: StartServer) -> Server:
    """Two workers, each with one process that hears."""
    return in_order(shared_server(workers=2, INTERVIEW_STT_PROCESSES="1"))


def new_reader(server: Server) -> InterviewReader:
    """Somebody who has not been interviewed yet."""
    return InterviewReader(server.url, user_id=next(_user_ids))


def session_of(reader: InterviewReader) -> str:
    session_id: str = reader.expect("interview_started")["session_id"]
    return session_id


def results(server: Server, session_id: str) -> list[dict[str, Any]]:
    """Every report of an interview that is kept."""
    kept = column(server, "select report from speech_interviewresult order by id")
    reports = [json.loads(report) for report in kept]
    return [report for report in reports if report["session_id"] == session_id]


def pid_of(server: Server, worker_id: str) -> int:
    (pid,) = [
        pid
        for pid in descendants(server.running.pid)
        if f"--worker-id {worker_id}" in command_of(pid)
    ]
    return pid


def begin(reader: InterviewReader, **options: Any) -> None:
    assert reader.ask("start_interview", **options) == {"ok": True}
    assert reader.ask("interviewer_done") == {"ok": True}


def reconnect_elsewhere(reader: InterviewReader) -> None:
    """Connect again until it is on another worker."""
    first = reader.worker
    for _ in range(60):
        reader.open()
        if reader.worker != first:
            return
        reader.cut()
    raise AssertionError("every connection went to the same worker")


def test_an_interview_survives_kill_9_of_its_worker(typing_site: Server) -> None:
    with new_reader(typing_site) as reader:
        begin(reader, question_count=2)
        reader.ask("client_transcript", text=FIRST, is_final=True)
        reader.ask("user_done_speaking")
        second = reader.expect("agent_next_question", count=2)["question"]
        reader.ask("interviewer_done")
        reader.ask("client_transcript", text=SECOND, is_final=True)
        # What a crash may lose is what was said since the latest snapshot.
        reader.expect("timer_update", count=len(reader.all("timer_update")) + 3)

        os.kill(pid_of(typing_site, reader.worker), signal.SIGKILL)
        reader.cut()
        reader.open()
        killed_ms = time.monotonic()
        assert reader.ask("start_interview", resume=True) == {"ok": True}
        away_s = time.monotonic() - killed_ms
        asked_again = reader.expect("agent_next_question", count=3)
        reader.expect("live_transcript", count=3)
        assert reader.ask("user_done_speaking") == {"ok": True}
        result = reader.expect("interview_complete")

    assert asked_again["question"] == second
    assert (
        reader.all("interview_started")[-1] | {"state": "user", "resumed": True}
        == (reader.all("interview_started")[-1])
    )
    assert [pair["answer"] for pair in result["qa_pairs"]] == [FIRST, SECOND]
    assert result["reason"] == "completed"
    assert away_s < 10
    assert results(typing_site, session_of(reader)) == [result]


def test_a_reader_goes_on_on_another_worker(typing_site: Server) -> None:
    with new_reader(typing_site) as reader:
        begin(reader, question_count=1)
        reader.ask("client_transcript", text=FIRST, is_final=True)
        reader.cut()
        reconnect_elsewhere(reader)
        # Any event of the interview attaches the socket again.
        assert reader.ask("client_transcript", text="and more", is_final=True) == {"ok": True}
        assert reader.ask("user_done_speaking") == {"ok": True}
        result = reader.expect("interview_complete")

    assert [pair["answer"] for pair in result["qa_pairs"]] == [f"{FIRST} and more"]
    assert results(typing_site, session_of(reader)) == [result]


@needs_recordings
@pytest.mark.timeout(120)
@pytest.mark.parametrize("lost", ["connection", "worker"])
def test_a_spoken_answer_that_goes_on_on_another_worker_is_heard_as_a_whole(
    listening_site: Server, lost: str
) -> None:
    """Half a sentence on each of two workers: the careful pass hears both."""
    sound = recorded_pcm("lj001-0004.wav")
    half = 2 * PCM_BYTES_PER_S
    with new_reader(listening_site) as reader:
        begin(reader, question_count=1)
        reader.speak(sound[:half])
        if lost == "worker":
            # What a crash may lose is the sound of the last second.
            reader.speak(bytes(2 * PCM_BYTES_PER_S))
            os.kill(pid_of(listening_site, reader.worker), signal.SIGKILL)
            reader.cut()
            reader.open()
        else:
            reader.cut()
            reconnect_elsewhere(reader)
        assert reader.ask("start_interview", resume=True) == {"ok": True}
        reader.speak(sound[half:] + bytes(PCM_BYTES_PER_S))
        assert reader.ask("user_done_speaking") == {"ok": True}
        result = reader.expect("interview_complete", timeout_s=60)

    (pair,) = result["qa_pairs"]
    said = pair["answer"].split()
    assert {"block", "books", "which"} & set(said[:7])
    assert said[-2:] == ["printed", "book"]
    assert 12 <= len(said) <= 17
    assert result["metrics"]["total_words"] == len(said)
    assert result["metrics"]["speaking_time"] == pytest.approx(4.9, rel=0.1)


def test_the_result_of_a_reader_who_vanished_is_kept(impatient_site: Server) -> None:
    with new_reader(impatient_site) as reader:
        begin(reader)
        session_id = session_of(reader)
        reader.ask("client_transcript", text=FIRST, is_final=True)
        reader.cut()
        wait_until(
            lambda: results(impatient_site, session_id),
            timeout_s=30,
            what="the result of an absent reader",
        )
        reader.open()
        reader.ask("stop_interview")
        told = reader.expect("interview_complete")

    (kept,) = results(impatient_site, session_id)
    assert kept["reason"] == "disconnected"
    assert [pair["answer"] for pair in kept["qa_pairs"]] == [FIRST]
    assert told == kept


def test_the_result_is_kept_though_worker_and_reader_are_gone(impatient_site: Server) -> None:
    with new_reader(impatient_site) as reader:
        begin(reader)
        session_id = session_of(reader)
        reader.ask("client_transcript", text=FIRST, is_final=True)
        reader.expect("timer_update", count=4)
        os.kill(pid_of(impatient_site, reader.worker), signal.SIGKILL)
        reader.cut()
        wait_until(
            lambda: results(impatient_site, session_id),
            timeout_s=40,
            what="the result of an orphan",
        )

    (kept,) = results(impatient_site, session_id)
    assert [pair["answer"] for pair in kept["qa_pairs"]] == [FIRST]
    assert kept["reason"] == "disconnected"


def test_a_restart_of_the_server_is_survived(typing_site: Server) -> None:
    with new_reader(typing_site) as reader:
        begin(reader, question_count=1)
        reader.ask("client_transcript", text=FIRST, is_final=True)
        typing_site.restart()
        reader.open()
        assert reader.ask("start_interview", resume=True) == {"ok": True}
        reader.ask("user_done_speaking")
        result = reader.expect("interview_complete")

    assert [pair["answer"] for pair in result["qa_pairs"]] == [FIRST]
