"""What an interview refuses, and what it does with readers who do the unexpected."""

import base64
import re
from typing import Any

import pytest

from speech.audio.pcm import from_samples
from speech.audio.resample import Resampler
from tests.conftest import StartServer
from tests.support.interviews import InterviewReader
from tests.unit.speech.audio.muxing import cut, wav, webm
from tests.unit.speech.audio.recordings import (
    media_recorder_chunks,
    needs_recordings,
    recorded_pcm,
    recording,
)

SILENT = "[User remained silent]"
NEED_AN_INTERVIEW = ("interviewer_done", "user_done_speaking", "stop_interview")
LONGEST_CHUNK_BYTES = 320_000
"""Ten seconds of s16le at 16 kHz."""
WORDS = "every answer here has more than five words"


@pytest.fixture
def url(shared_server: StartServer) -> str:
    """One server for this module: its tests are different readers."""
    return shared_server(INTERVIEW_SILENCE_S="2").url


def refusals(reader: InterviewReader) -> list[tuple[str, str]]:
    return [(error["event"], error["code"]) for error in reader.all("interview_error")]


def test_a_reader_who_never_speaks_gets_zero(url: str) -> None:
    with InterviewReader(url, user_id=1) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        result = reader.expect("interview_complete")

    (pair,) = result["qa_pairs"]
    assert (pair["answer"], pair["similarity"], pair["silent"]) == (SILENT, 0, True)
    (turn,) = result["timeline"]
    silent_s = turn["ended"] - turn["started"]
    assert (turn["ended_by"], turn["speech"]) == ("silence", [])
    assert silent_s >= 2
    assert result["metrics"]["forced_silence_time"] == pytest.approx(silent_s, abs=0.051)
    assert (result["analysis_valid"], result["metrics"]["questions_answered"]) == (False, 0)


def test_stop_without_any_speech_gives_a_whole_result(url: str) -> None:
    with InterviewReader(url, user_id=2) as reader:
        reader.ask("start_interview")
        reader.ask("stop_interview")
        result = reader.expect("interview_complete")

    assert (result["analysis_valid"], result["qa_pairs"], result["conversation"]) == (False, [], "")
    speech_derived = ("wpm", "speaking_time", "fluency_score", "articulation_rate", "total_words")
    assert [result["metrics"][key] for key in speech_derived] == [0, 0, 0, 0, 0]
    assert refusals(reader) == []


def test_one_reader_has_one_interview(url: str) -> None:
    with InterviewReader(url, user_id=3) as reader, InterviewReader(url, user_id=3) as other:
        reader.ask("start_interview")
        acks = [
            other.ask(event)
            for event in (
                "start_interview",
                "interviewer_done",
                "user_done_speaking",
                "stop_interview",
            )
        ]
        resumed = other.ask("start_interview", resume=True)
        left = other.ask("leave_interview")
        still = reader.ask("interviewer_done")

    assert {ack["code"] for ack in [*acks, resumed]} == {"INTERVIEW_IN_PROGRESS"}
    assert (left, still) == ({"ok": True}, {"ok": True})
    assert set(other.names()) == {"interview_error"}


def test_a_socket_speaks_for_one_reader(url: str) -> None:
    with InterviewReader(url, user_id=4) as reader:
        reader.ask("start_interview")
        ack = reader.ask("stop_interview", user_id=5)

    assert ack["code"] == "FORBIDDEN"
    assert "interview_complete" not in reader.names()


def test_starting_again_abandons_the_first_interview(url: str) -> None:
    with InterviewReader(url, user_id=6) as reader:
        reader.ask("start_interview")
        reader.ask("start_interview", question_count=1)
        started = reader.all("interview_started")
        reader.ask("stop_interview")
        result = reader.expect("interview_complete")

    assert started[0]["session_id"] != started[1]["session_id"] == result["session_id"]
    assert reader.names().count("interview_complete") == 1


def test_leaving_is_silent_and_final(url: str) -> None:
    with InterviewReader(url, user_id=7) as reader:
        assert reader.ask("leave_interview") == {"ok": True}
        reader.ask("start_interview")
        before = len(reader.names())
        assert reader.ask("leave_interview") == {"ok": True}
        stopped = reader.ask("stop_interview")

    assert stopped["code"] == "SESSION_NOT_FOUND"
    assert reader.names()[before:] == ["interview_error"]


@pytest.mark.parametrize(
    "event", ["interviewer_done", "audio_chunk", "user_done_speaking", "stop_interview"]
)
def test_without_an_interview_there_is_nothing_to_do(url: str, event: str) -> None:
    with InterviewReader(url, user_id=8) as reader:
        payload = {"audio_data": "AAAA"} if event == "audio_chunk" else {}
        ack = reader.ask(event, **payload)

    assert (ack["ok"], ack["code"]) == (False, "SESSION_NOT_FOUND")
    assert refusals(reader) == [(event, "SESSION_NOT_FOUND")]


AUDIO = {"user_id": 9, "audio_data": "AAAA"}
BAD: list[tuple[str, Any, str]] = [
    ("start_interview", None, "VALIDATION_ERROR"),
    ("start_interview", {}, "VALIDATION_ERROR"),
    ("start_interview", [], "VALIDATION_ERROR"),
    ("start_interview", "9", "VALIDATION_ERROR"),
    ("start_interview", {"user_id": "nine"}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": True}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": -9}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": 9, "stress_test": "yes"}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": 9, "question_count": 0}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": 9, "question_count": 16}, "VALIDATION_ERROR"),
    ("start_interview", {"user_id": 9, "topic": "knitting"}, "VALIDATION_ERROR"),
    ("interviewer_done", {}, "VALIDATION_ERROR"),
    ("audio_chunk", {"user_id": 9}, "VALIDATION_ERROR"),
    ("audio_chunk", {"user_id": 9, "audio_data": "not base64!"}, "INVALID_BASE64"),
    ("audio_chunk", {"user_id": 9, "audio_data": ""}, "INVALID_BASE64"),
    ("audio_chunk", {"user_id": 9, "audio_data": 7}, "VALIDATION_ERROR"),
    ("audio_chunk", {"user_id": 9, "audio_data": "AAAA", "sample_rate": 7_999}, "VALIDATION_ERROR"),
    (
        "audio_chunk",
        {"user_id": 9, "audio_data": "AAAA", "sample_rate": 96_000},
        "VALIDATION_ERROR",
    ),
    (
        "audio_chunk",
        {"user_id": 9, "audio_data": base64.b64encode(bytes(320_002)).decode()},
        "PAYLOAD_TOO_LARGE",
    ),
    ("client_transcript", {"user_id": 9}, "VALIDATION_ERROR"),
    ("client_transcript", {"user_id": 9, "text": "x" * 4_001}, "VALIDATION_ERROR"),
    ("client_transcript", {"user_id": 9, "text": "a\u0000b"}, "VALIDATION_ERROR"),
    ("client_transcript", {"user_id": 9, "text": 5}, "VALIDATION_ERROR"),
    ("user_done_speaking", {"user_id": None}, "VALIDATION_ERROR"),
    ("stop_interview", {"user_id": []}, "VALIDATION_ERROR"),
    ("leave_interview", {"user_id": {}}, "VALIDATION_ERROR"),
    ("interviewer_audio_chunk", {}, "VALIDATION_ERROR"),
]


def test_bad_input_is_refused_on_every_event_and_harms_nothing(url: str) -> None:
    with InterviewReader(url, user_id=9) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        for event, payload, code in BAD:
            ack = reader.ask_raw(event, payload)
            assert (ack["ok"], ack["code"]) == (False, code), (event, payload, ack)
            assert not re.search(r"Traceback|/|msgspec", ack["error"]), ack
        reader.ask("client_transcript", text=WORDS, is_final=True)
        reader.ask("user_done_speaking")
        result = reader.expect("interview_complete")

    assert refusals(reader) == [(event, code) for event, _, code in BAD]
    assert [pair["answer"] for pair in result["qa_pairs"]] == [WORDS]


def test_the_right_event_at_the_wrong_moment_is_refused(url: str) -> None:
    with InterviewReader(url, user_id=10) as reader:
        reader.ask("start_interview")
        too_early = reader.ask("user_done_speaking")
        reader.ask("interviewer_done")
        twice = reader.ask("interviewer_done")
        streamed = reader.ask("audio_chunk", audio_data="AAAA")

    assert too_early["code"] == "INVALID_STATE"
    assert (twice, streamed) == ({"ok": True}, {"ok": True})
    assert reader.names().count("user_turn_started") == 1


def tick(reader: InterviewReader, times: int) -> None:
    """Let so many seconds of the turn pass."""
    reader.expect("timer_update", count=len(reader.all("timer_update")) + times)


def ten_seconds_that_end_in(pcm: bytes) -> bytes:
    return bytes(LONGEST_CHUNK_BYTES - len(pcm)) + pcm


@needs_recordings
@pytest.mark.parametrize(("user_id", "name"), [(15, "audio_data"), (16, "audio")])
def test_a_chunk_of_ten_seconds_is_heard_and_one_of_more_leaves_nothing(
    url: str, user_id: int, name: str
) -> None:
    most = ten_seconds_that_end_in(recorded_pcm("austen_0880.wav"))
    with InterviewReader(url, user_id=user_id) as reader:
        reader.ask("start_interview", question_count=2)
        reader.ask("interviewer_done")
        tick(reader, 1)
        beyond = [
            reader.ask("audio_chunk", **{name: base64.b64encode(more + most).decode()})
            for more in (b"\0", b"\0\0")
        ]
        reader.expect("agent_next_question", count=2)
        reader.ask("interviewer_done")
        tick(reader, 1)
        accepted = reader.ask("audio_chunk", **{name: base64.b64encode(most).decode()})
        result = reader.expect("interview_complete", timeout_s=60)

    assert [ack["code"] for ack in beyond] == ["PAYLOAD_TOO_LARGE"] * 2
    assert refusals(reader) == [("audio_chunk", "PAYLOAD_TOO_LARGE")] * 2
    assert accepted == {"ok": True}
    unheard, heard = result["qa_pairs"]
    assert (unheard["answer"], unheard["heard_how"]) == (SILENT, "silence")
    assert (heard["heard_by"], heard["heard_how"]) == ("pocketsphinx", "whole")
    assert [bool(turn["speech"]) for turn in result["timeline"]] == [False, True]


@needs_recordings
def test_ten_seconds_of_a_wav_file_at_the_highest_rate_are_heard(url: str) -> None:
    """Its header comes on top of the ten seconds."""
    resampler = Resampler(16_000, 48_000)
    spoken = resampler.feed(recording("austen_0880.wav"))
    pcm = from_samples(spoken)
    sound = bytes(3 * LONGEST_CHUNK_BYTES - len(pcm)) + pcm
    with InterviewReader(url, user_id=17) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        tick(reader, 1)
        reader.send_chunks([wav(sound, 48_000)])
        result = reader.expect("interview_complete", timeout_s=60)

    assert refusals(reader) == []
    assert [pair["heard_how"] for pair in result["qa_pairs"]] == ["whole"]


def test_media_recorder_tones_are_decoded_and_not_taken_for_speech(url: str) -> None:
    chunks = media_recorder_chunks("chromium_webm_opus")
    with InterviewReader(url, user_id=11) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        reader.send_chunks(chunks[:4], every_ms=100)
        result = reader.expect("interview_complete")

    assert result["metrics"]["speaking_time"] == 0
    assert refusals(reader) == []


@needs_recordings
def test_speech_in_webm_is_heard(url: str) -> None:
    """In chunks that begin anywhere, as a MediaRecorder cuts them."""
    stream = cut(webm(recording("austen_0880.wav")), 4_000)
    with InterviewReader(url, user_id=12) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        reader.send_chunks(stream, every_ms=700)
        result = reader.expect("interview_complete", timeout_s=30)

    assert result["qa_pairs"][0]["heard_by"] == "pocketsphinx"
    assert result["metrics"]["speaking_time"] > 1.5
    assert refusals(reader) == []


def test_what_cannot_be_decoded_is_refused_once(url: str) -> None:
    chunk = {"audio_data": base64.b64encode(b"\x1a\x45\xdf\xa3" + b"\xff" * 9_000).decode()}
    with InterviewReader(url, user_id=13) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        reader.ask("audio_chunk", **chunk)
        reader.expect("interview_error")
        later = reader.ask("audio_chunk", **chunk)
        reader.ask("client_transcript", text=WORDS, is_final=True)
        reader.ask("user_done_speaking")
        result = reader.expect("interview_complete")

        reader.ask("start_interview", question_count=1)
        anew = reader.ask("audio_chunk", audio_data="AAAA")

    assert later["code"] == "UNSUPPORTED_MEDIA"
    assert refusals(reader) == [("audio_chunk", "UNSUPPORTED_MEDIA")]
    assert result["heard_by"] == ["captions"]
    assert anew == {"ok": True}


def test_nothing_of_an_interview_follows_its_result(url: str) -> None:
    with InterviewReader(url, user_id=14) as reader:
        reader.ask("start_interview", question_count=1)
        reader.ask("interviewer_done")
        reader.ask("client_transcript", text=WORDS, is_final=True)
        reader.ask("user_done_speaking")
        reader.expect("interview_complete")
        streamed = [reader.ask("audio_chunk", audio_data="AAAA") for _ in range(3)]
        captioned = reader.ask("client_transcript", text="late", is_final=True)

    assert reader.names(timers=True)[-1] == "interview_complete"
    assert [*streamed, captioned] == [{"ok": True}] * 4
