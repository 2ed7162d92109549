"""What the gateway says to a provider and what it does when that one fails, over a real server."""

import asyncio
import base64
import time
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.integration.test_gateway import (
    SCRIPT,
    START,
    STARTED,
    STOPPED,
    after_greetings,
    documented,
)
from tests.support.bridge import free_port
from tests.support.clients import NodeScript, run_node
from tests.support.realtime_provider import FakeProvider, Script, serving
from tests.support.worker import Server

pytestmark = pytest.mark.timeout(120)


def sound(byte_count: int) -> dict[str, str]:
    return {"audio": base64.b64encode(b"\1\0" * (byte_count // 2)).decode()}


async def play(server: Server, *steps: list[Any]) -> list[list[Any]]:
    (said,) = await asyncio.to_thread(run_node, SCRIPT, server.url, list(steps), timeout_s=60)
    return after_greetings(said[1]["heard"])


TIGHT = {"VOICE_SESSIONS_PER_READER": "1", "VOICE_AUDIO_BYTES": "9600"}
"""Limits that a test reaches."""


class Stage:
    """Servers whose readers talk with whatever provider is on ``port`` at that time."""

    def __init__(self, start: StartServer, port: int) -> None:
        self._start, self._port = start, port

    def provider(self, script: Script, **options: Any) -> AbstractAsyncContextManager[FakeProvider]:
        return serving(script, port=self._port, **options)

    def serve(self, provider: FakeProvider, **variables: str) -> Server:
        chosen = {"OPENAI_API_KEY": "sk-test", "OPENAI_REALTIME_URL": provider.url, **variables}
        return self._start(workers=1, **chosen)


@pytest.fixture(scope="module")
def provider_port() -> int:
    return free_port()


@pytest.fixture
def stage(shared_server: StartServer, provider_port: int) -> Stage:
    return Stage(shared_server, provider_port)


async def listen(provider: FakeProvider, connection: Any) -> None:
    await provider.listen(connection)


def blocks_of(heard: list[dict[str, Any]]) -> list[int]:
    """Sizes of the pieces of sound that a provider was given."""
    appended = (event["audio"] for event in heard if event["type"] == "input_audio_buffer.append")
    return [len(base64.b64decode(audio)) for audio in appended]


async def until(condition: Any, *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


async def test_ten_thousand_bytes_are_two_blocks_and_the_rest_at_the_end(
    stage: Stage,
) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["emit", "start", {**START, "bookId": 7}],
            ["until", "transcript", "Session Started"],
            ["ask", "sendAudio", sound(10_000)],
            ["emit", "stop"],
            ["until", "done"],
        )

    assert documented(heard)[-4:] == [["state", 0], *STOPPED]
    assert blocks_of(provider.heard[0]) == [4_800, 4_800, 400]
    assert provider.heard[0][-1]["type"] == "input_audio_buffer.commit"
    assert provider.ended == 1
    request, (update,) = provider.requests[0], provider.sessions
    assert request.path == "/v1/realtime?model=gpt-realtime"
    assert request.headers["Authorization"] == "Bearer sk-test"
    session = update["session"]
    assert session["type"] == "realtime"
    assert session["instructions"].startswith("You are the reading companion of ReadRealm.")
    assert session["instructions"].endswith("The client's wishes:\nAnswer kindly.")
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert "temperature" not in session


async def test_the_preview_protocol_is_told_the_temperature(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider, REALTIME_PROTOCOL="preview")
        await play(
            running,
            ["ask", "start", {**START, "temperature": "0.9"}],
            ["ask", "stop"],
        )

    (update,) = provider.sessions
    assert update["session"]["temperature"] == 0.9
    assert provider.requests[0].headers["OpenAI-Beta"] == "realtime=v1"


async def test_who_speaks_into_an_answer_silences_it_and_the_provider_learns_how_far_it_was_heard(
    stage: Stage,
) -> None:
    async def script(provider: FakeProvider, connection: Any) -> None:
        await provider.hear(connection)
        await provider.begin_answer(connection, sounds=50)
        await provider.hear(connection)
        await provider.say(connection, "input_audio_buffer.speech_started", item_id="turn")
        await provider.begin_answer(connection, sounds=5)
        await provider.listen(connection)

    async with stage.provider(script) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["emit", "start", START],
            ["until", "state", "2"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "sound"],
            ["pause", 500],
            ["ask", "audioPlayed", {"itemId": "i", "ms": 700}],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "audio", "clear"],
            ["ask", "audioPlayed", {"itemId": "i", "ms": 610}],
            ["pause", 300],
        )

    said = [event for event in provider.heard[0] if event["type"] != "input_audio_buffer.append"]
    cancel, first, second = said
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "r")
    assert first["type"] == second["type"] == "conversation.item.truncate"
    assert first["item_id"] == "i"
    assert 700 <= first["audio_end_ms"] < 1_700, "what was reported, and a little later"
    assert second["audio_end_ms"] == 610, "the client knows better"
    at = heard.index(["audio", "clear"])
    assert heard[at - 1] == ["transcript", "<< Speech Started >>\n"]


async def test_a_provider_that_ends_in_the_middle_of_an_answer_ends_the_session(
    stage: Stage,
) -> None:
    async def script(provider: FakeProvider, connection: Any) -> None:
        await provider.hear(connection)
        await provider.begin_answer(connection, sounds=3)
        await connection.close(1000)

    async with stage.provider(script) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["emit", "start", START],
            ["until", "state", "2"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "sessionStatus", "false"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "error"],
            ["ask", "start", START],
            ["until", "transcript", "Session Started"],
        )

    told = documented(heard)
    at = next(n for n, (name, *_) in enumerate(told) if name == "error")
    assert told[at][1].endswith("has ended the connection")
    assert told[at + 1 : at + 3] == [["state", 1], ["sessionStatus", {"active": False}]]
    assert told[at + 3] == ["error", "No active session"]
    assert told[at + 4 :] == [event for event in STARTED if event[0] != "audioControl"]


@pytest.mark.parametrize("ending", ["lost", "expired"])
async def test_a_provider_that_comes_back_goes_on_with_the_session(
    stage: Stage, ending: str
) -> None:
    async def script(provider: FakeProvider, connection: Any) -> None:
        await provider.hear(connection)
        if len(provider.heard) == 1:
            await provider.begin_answer(connection, sounds=3)
            if ending == "expired":
                error = {"type": "invalid_request_error", "code": "session_expired"}
                await provider.say(connection, "error", error={**error, "message": "too old"})
            await connection.close(1001 if ending == "expired" else 1011)
        else:
            await provider.listen(connection)

    async with stage.provider(script) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["emit", "start", START],
            ["until", "state", "2"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "audioControl", "reconnecting"],
            ["until", "state", "2"],
            ["ask", "sendAudio", sound(4_800)],
            ["pause", 200],
        )

    assert len(provider.sessions) == 2
    assert ["audio", "clear"] in heard
    assert heard[-2:] == [["state", 0], ["state", 2]]
    assert not [event for event in heard if event[0] in ("error", "done")]
    assert provider.heard[1][0]["type"] == "response.create"


async def test_an_upstream_error_is_one_sentence_and_the_session_goes_on(
    stage: Stage,
) -> None:
    async def script(provider: FakeProvider, connection: Any) -> None:
        await provider.hear(connection)
        error = {"type": "server_error", "code": None, "message": "tenant 7 is out of quota"}
        await provider.say(connection, "error", error=error)
        await provider.hear(connection)
        await provider.begin_answer(connection, sounds=1)
        failed = {"id": "r", "status": "failed", "status_details": {"error": error}}
        await provider.say(connection, "response.done", response=failed)
        await provider.listen(connection)

    async with stage.provider(script) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["ask", "start", START],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "error"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "transcript", "---"],
            ["ask", "sendAudio", sound(4_800)],
            ["ask", "stop"],
        )

    assert [event[1] for event in heard if event[0] == "error"] == [
        "The speech service reported an error; the session goes on.",
        "The answer could not be given. Please ask again.",
    ]
    assert "tenant" not in str(heard)
    assert [event[1] for event in heard if event[0] == "state"] == [0, 2, 0, 1]
    assert documented(heard)[-3:] == STOPPED
    assert blocks_of(provider.heard[0]) == [4_800] * 3


async def test_a_session_that_the_provider_refuses_was_never_active(stage: Stage) -> None:
    async with stage.provider(listen, refusal="no such deployment") as provider:
        running = stage.serve(provider)
        heard = await play(
            running, ["emit", "start", START], ["until", "state", "1"], ["pause", 200]
        )

    assert heard == [
        ["state", 0],
        ["error", "Connection error: Unable to send config."],
        ["state", 1],
    ]


async def test_a_reader_who_leaves_frees_the_provider(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider)
        await play(running, ["ask", "start", START])

        await until(lambda: provider.ended == 1)


async def test_nothing_of_a_session_comes_after_the_next_has_begun(stage: Stage) -> None:
    async def script(provider: FakeProvider, connection: Any) -> None:
        await provider.hear(connection)
        while True:
            await provider.begin_answer(connection, sounds=1)
            await asyncio.sleep(0.005)  # a flood that never ends, and lets others have a turn

    async with stage.provider(script) as provider:
        running = stage.serve(provider)
        heard = await play(
            running,
            ["emit", "start", START],
            ["until", "state", "2"],
            ["emit", "sendAudio", sound(4_800)],
            ["until", "sound"],
            ["ask", "start", START],
            ["until", "state", "2"],
            ["pause", 500],
        )
        await until(lambda: provider.ended == 2)

    active = [n for n, event in enumerate(heard) if event == ["sessionStatus", {"active": True}]]
    assert len(active) == 2
    assert heard[active[1] + 1 :] == [["state", 2], ["transcript", "<< Session Started >>\n"]]
    assert ["sessionStatus", {"active": False}] not in heard


async def test_a_quota_is_kept_and_given_back(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider, **TIGHT)
        refused = "Voice limit reached: one session at a time. Stop another one first."

        talk = [["ask", "start", START], ["tick"], ["hear"], ["ask", "stop"]]
        with NodeScript(SCRIPT, running.url, talk) as first:
            await asyncio.to_thread(first.expect, "tick", timeout_s=60)
            second = await play(
                running, ["emit", "start", START], ["until", "error"], ["pause", 100]
            )
            first.tell("that one has been refused")
            await asyncio.to_thread(first.finish, timeout_s=60)
        third = await play(running, ["ask", "start", START])

    assert second == [["error", refused]]
    assert ["sessionStatus", {"active": True}] in third


async def test_large_frames_are_for_those_who_talk(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider)
        script = """
            const [start, audio] = args;
            const big = { audio: audio.audio.repeat(1000) };
            const options = { transports: ["websocket"], forceNew: true, reconnection: false };
            const open = () => io(url, options);
            const idle = open();
            idle.on("disconnect", async () => {
              const talker = open();
              await new Promise((resolve) => talker.on("connect", resolve));
              await talker.timeout(9000).emitWithAck("start", start);
              const ack = await talker.timeout(20000).emitWithAck("sendAudio", big);
              say("acks", ack.ok, talker.connected);
              process.exit(0);
            });
            idle.on("connect", () => idle.emit("sendAudio", big));
        """
        small = {"audio": base64.b64encode(bytes(2_400)).decode()}
        ((_, *acks),) = await asyncio.to_thread(run_node, script, running.url, START, small)

    assert acks == [True, True]
    assert len(blocks_of(provider.heard[0])) >= 400


async def test_a_provider_that_is_not_there_is_the_documented_error(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        pass
    running = stage.serve(provider)

    heard = await play(running, ["emit", "start", START], ["until", "state", "1"], ["pause", 200])

    assert heard == [
        ["state", 0],
        ["error", "Connection error: Unable to send config."],
        ["state", 1],
    ]


BAD = [
    *[("start", data, "Invalid session parameters") for data in (
        None, 7, [], {}, {"temperature": 1}, {"systemMessage": "x"},
        {"systemMessage": "", "temperature": 1}, {"systemMessage": "  ", "temperature": 1},
        {"systemMessage": "x" * 8_001, "temperature": 1}, {"systemMessage": 5, "temperature": 1},
        {"systemMessage": "x", "temperature": None}, {"systemMessage": "x", "temperature": "hot"},
        {"systemMessage": "x", "temperature": "nan"}, {"systemMessage": "x", "temperature": 2.01},
        {"systemMessage": "x", "temperature": -0.1}, {"systemMessage": "x", "temperature": True},
        {"systemMessage": "x", "temperature": 1, "bookId": "many"},
    )],
    *[("sendAudio", data, "Invalid audio data") for data in (
        None, "AAAA", {}, {"audio": ""}, {"audio": None}, {"audio": 5}, {"audio": ["AAAA"]},
        {"audio": "AAA"}, {"audio": "AA AA"}, {"audio": "clear"}, {"audio": "Session start"},
        {"audio": "####"}, {"audio": "AAAA\n"}, {"audio": "AA=="  "AAAA"},
    )],
]  # fmt: skip


async def test_too_much_sound_at_once_is_answered_and_kills_nothing(stage: Stage) -> None:
    async with stage.provider(listen) as provider:
        running = stage.serve(provider, **TIGHT)
        heard = await play(
            running,
            ["ask", "start", START],
            ["emit", "sendAudio", sound(9_604)],
            ["until", "error"],
            ["ask", "sendAudio", sound(9_600)],
            ["ask", "stop"],
        )

    assert [event for event in heard if event[0] == "error"] == [["error", "Invalid audio data"]]
    assert blocks_of(provider.heard[0]) == [4_800, 4_800]


async def test_bad_input_is_answered_and_kills_nothing(stage: Stage) -> None:
    asked = [["ask", event, data] for event, data, _ in BAD]
    async with stage.provider(listen) as provider:
        running = stage.serve(provider)
        (said,) = await asyncio.to_thread(
            run_node,
            SCRIPT,
            running.url,
            [["ask", "start", START], *asked, ["ask", "sendAudio", sound(4_800)]],
            timeout_s=60,
        )

    heard, acks = said[1]["heard"], said[1]["acks"]
    assert [text for name, *rest in heard if name == "error" for text in rest] == [
        text for _, _, text in BAD
    ]
    assert [ack["ok"] for ack in acks] == [True, *[False] * len(BAD), True]
    assert {ack["code"] for ack in acks[1:-1]} == {"VALIDATION_ERROR", "INVALID_BASE64"}
    assert blocks_of(provider.heard[0]) == [4_800]
