"""Live talk, from the public client through a real server to the local engine and back."""

import base64
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import StartServer
from tests.support.clients import NodeScript, run_node
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import at_24_khz, needs_recordings, recording, silence

pytestmark = pytest.mark.timeout(150)

SCRIPT = (Path(__file__).parent / "js" / "voice.mjs").read_text()
GREETINGS = ["connectionStatus", "connection:welcome", "connected"]
START = {"systemMessage": "Answer kindly.", "temperature": 0.8}
STARTED = [
    ["state", 0],
    ["audio", "Session start"],
    ["audioControl", {"type": "sessionStart"}],
    ["sessionStatus", {"active": True}],
    ["state", 2],
    ["transcript", "<< Session Started >>\n"],
]
STOPPED = [["state", 1], ["sessionStatus", {"active": False}], ["done"]]
BLOCK_BYTES = 4_800


@pytest.fixture
def speech(tmp_path: Path) -> Callable[..., str]:
    """Makes files of what a reader says: pieces at 16 kHz, one after the other."""
    number = count()

    def keep(*sounds: np.ndarray) -> str:
        file = tmp_path / f"{next(number)}.pcm"
        file.write_bytes(at_24_khz(np.concatenate(sounds)))
        return str(file)

    return keep


def one_block() -> str:
    return base64.b64encode(bytes(BLOCK_BYTES)).decode()


@pytest.fixture
def talking(shared_server: StartServer) -> Server:
    """A server with a local engine of its own."""
    running = shared_server(workers=1, VOICE="true")
    running.running.wait_for_line("engine listens", timeout_s=40)
    return running


def play(server: Server, *steps: list[Any]) -> tuple[list[list[Any]], list[Any]]:
    """What one reader hears and is acknowledged, without the greetings."""
    (said,) = run_node(SCRIPT, server.url, list(steps), timeout_s=100)
    return after_greetings(said[1]["heard"]), said[1]["acks"]


def after_greetings(heard: list[list[Any]]) -> list[list[Any]]:
    assert [name for name, *_ in heard[:3]] == GREETINGS
    return heard[3:]


def payloads(heard: list[list[Any]], name: str) -> list[Any]:
    return [event[1] for event in heard if event[0] == name]


def documented(heard: list[list[Any]]) -> list[list[Any]]:
    """Without the typed events that only newer clients know."""
    return [event for event in heard if event[0] not in ("transcriptDelta", "audioControl")]


GOLDEN_OPENING = [
    ["error", "No active session"],
    ["error", "No active session to stop"],
    ["error", "Invalid session parameters"],
    *STARTED,
    ["error", "Invalid audio data"],
    ["transcript", "<< Speech Started >>\n"],
    ["audio", "clear"],
]


@needs_recordings
def test_the_golden_sequence(talking: Server, speech: Callable[..., str]) -> None:
    """Chapter 8.2 of the contract."""
    heard, _ = play(
        talking,
        ["emit", "sendAudio", {"audio": one_block()}],
        ["until", "error"],
        ["emit", "stop"],
        ["until", "error"],
        ["emit", "start", {"systemMessage": "x"}],
        ["until", "error"],
        ["emit", "start", START],
        ["until", "transcript", "Session Started"],
        ["emit", "sendAudio", {"audio": ""}],
        ["until", "error"],
        ["speak", speech(silence(0.5), recording("goforward.wav"), silence(1.5))],
        ["until", "transcript", "---"],
        ["emit", "stop"],
        ["until", "done"],
        ["pause", 300],
    )

    told_of_old = documented(heard)
    opening = [event for event in GOLDEN_OPENING if event[0] != "audioControl"]
    assert told_of_old[: len(opening)] == opening
    assert told_of_old[-4:] == [["state", 0], *STOPPED]
    turn = told_of_old[len(opening) : -4]
    name, line = turn[0]
    assert name == "transcript"
    assert line.startswith("User: ")
    assert line.endswith("\n")
    assert "ten" in line
    assert turn[-1] == ["transcript", "---\n"]
    assert {name for name, *_ in turn} == {"transcript", "sound"}
    assert sum(size for name, size, *_ in turn if name == "sound") > 48_000


@needs_recordings
def test_two_sockets_never_hear_each_other(talking: Server, speech: Callable[..., str]) -> None:
    def steps(clip: str) -> list[list[Any]]:
        return [
            ["emit", "start", START],
            ["until", "transcript", "Session Started"],
            ["speak", speech(silence(0.3), recording(clip), silence(1.5))],
            ["until", "transcript", "---"],
            ["ask", "stop"],
            ["pause", 300],
        ]

    with ThreadPoolExecutor(2) as readers:
        first, second = readers.map(
            lambda clip: play(talking, *steps(clip))[0], ["goforward.wav", "lj001-0002.wav"]
        )

    lines = [
        [line for line in payloads(heard, "transcript") if line.startswith("User: ")]
        for heard in (first, second)
    ]
    assert [len(said) for said in lines] == [1, 1]
    assert "ten" in lines[0][0]
    assert "comparatively" in lines[1][0]
    for heard in (first, second):
        assert len(turn_ids(heard)) == 2
        assert sum(name == "done" for name, *_ in heard) == 1
    assert not turn_ids(first) & turn_ids(second)


def turn_ids(heard: list[list[Any]]) -> set[str]:
    return {event["turnId"] for event in payloads(heard, "transcriptDelta")}


@needs_recordings
def test_the_typed_events_say_what_the_documented_ones_say(
    talking: Server, speech: Callable[..., str]
) -> None:
    heard, _ = play(
        talking,
        ["emit", "start", START],
        ["until", "transcript", "Session Started"],
        ["speak", speech(silence(0.3), recording("goforward.wav"), silence(1.5))],
        ["until", "transcript", "---"],
        ["ask", "stop"],
    )

    deltas = payloads(heard, "transcriptDelta")
    words = payloads(heard, "transcript")
    final = {event["role"]: event["text"] for event in deltas if event["final"]}
    assert f"User: {final['user']}\n" in words
    told = [
        event["text"] for event in deltas if event["role"] == "assistant" and not event["final"]
    ]
    assert "".join(told) == final["assistant"]
    assert all(text in words for text in told)
    controls = [event["type"] for event in payloads(heard, "audioControl")]
    assert controls == ["sessionStart", "clear", "answerStart", "answerEnd"]


def test_a_session_outlives_the_engine(talking: Server) -> None:
    """The supervisor starts another engine, and the session goes on with that."""
    (pid,) = talking.pids_of("manage.py realtime_engine")
    steps = [
        ["emit", "start", START],
        ["until", "state", "2"],
        ["tick"],
        ["hear"],
        ["until", "state", "0"],
        ["until", "state", "2"],
        ["ask", "sendAudio", {"audio": one_block()}],
        ["ask", "stop"],
    ]

    with NodeScript(SCRIPT, talking.url, steps) as reader:
        reader.expect("tick")
        os.kill(pid, signal.SIGKILL)
        reader.tell("killed")
        ((result),) = reader.expect("result", timeout_s=60)

    heard = after_greetings(result["heard"])
    assert not [event for event in heard if event[0] == "error"]
    assert ["audioControl", {"type": "reconnecting"}] in heard
    assert heard[-3:] == STOPPED
    assert [ack["ok"] for ack in result["acks"]] == [True, True]
