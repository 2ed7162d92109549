"""Plain JSON WebSockets, driven through ASGI without a network."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from readrealm.socketio_bridge import EventConsumer
from readrealm.socketio_bridge.packets import MAX_JSON_DEPTH
from readrealm.socketio_bridge.plain import MAX_FRAME_BYTES


class Parrot(EventConsumer):
    """Says again what it hears."""

    events = frozenset({"say", "fail", "leave"})

    async def connected(self) -> None:
        await self.emit("welcome")

    async def answer(self, event: str, data: Any) -> Any:
        if event == "fail":
            raise RuntimeError("a bug")
        if event == "leave":
            await self.close()
        await self.emit("said", data)
        return {"heard": data}


@pytest.fixture
async def link() -> AsyncIterator[ApplicationCommunicator]:
    """An accepted WebSocket."""
    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    made = ApplicationCommunicator(Parrot.as_asgi(), scope)
    await made.send_input({"type": "websocket.connect"})
    assert (await made.receive_output(timeout=5))["type"] == "websocket.accept"
    yield made
    await made.send_input({"type": "websocket.disconnect", "code": 1000})
    await made.wait(timeout=5)


async def say(link: ApplicationCommunicator, frame: str | bytes) -> None:
    key = "text" if isinstance(frame, str) else "bytes"
    await link.send_input({"type": "websocket.receive", key: frame})


async def heard(link: ApplicationCommunicator) -> Any:
    message = await link.receive_output(timeout=5)
    assert message["type"] == "websocket.send", message
    return json.loads(message["text"])


async def test_the_consumer_begins_with_the_connection(link: ApplicationCommunicator) -> None:
    assert await heard(link) == {"event": "welcome"}


async def test_an_event_with_an_id_is_answered(link: ApplicationCommunicator) -> None:
    await say(link, '{"event":"say","data":{"a":[1]},"id":7}')

    assert await heard(link) == {"event": "welcome"}
    assert await heard(link) == {"event": "said", "data": {"a": [1]}}
    assert await heard(link) == {"ack": 7, "data": {"heard": {"a": [1]}}}


async def test_an_event_without_an_id_is_not_answered(link: ApplicationCommunicator) -> None:
    await say(link, '{"event":"say"}')
    await say(link, '{"event":"say","data":2}')

    said = [await heard(link) for _ in range(3)]
    assert said[1:] == [{"event": "said", "data": None}, {"event": "said", "data": 2}]


async def test_a_bug_is_answered_and_the_connection_lives(link: ApplicationCommunicator) -> None:
    await heard(link)
    await say(link, '{"event":"fail","id":1}')
    await say(link, '{"event":"say","data":1,"id":2}')

    refusal = await heard(link)
    assert refusal["ack"] == 1
    assert refusal["data"]["code"] == "INTERNAL_ERROR"
    assert "a bug" not in json.dumps(refusal)
    assert await heard(link) == {"event": "said", "data": 1}


async def test_an_event_of_nobody_is_passed_over(link: ApplicationCommunicator) -> None:
    await heard(link)
    await say(link, '{"event":"unheard of","id":1}')
    await say(link, '{"event":"say","data":1}')

    assert await heard(link) == {"event": "said", "data": 1}


@pytest.mark.parametrize("depth", [MAX_JSON_DEPTH, 300])
@pytest.mark.parametrize("order", [("event", "id", "data"), ("data", "id", "event")])
async def test_data_that_is_nested_too_deeply_is_refused_and_the_connection_lives(
    link: ApplicationCommunicator, depth: int, order: tuple[str, ...]
) -> None:
    await heard(link)
    frame = {"event": '"say"', "id": "7", "data": "[" * depth + "]" * depth}

    await say(link, "{" + ",".join(f'"{key}":{frame[key]}' for key in order) + "}")
    await say(link, '{"event":"say","data":1}')

    refusal = await heard(link)
    assert (refusal["ack"], refusal["data"]["code"]) == (7, "VALIDATION_ERROR")
    assert "nested" in refusal["data"]["error"]
    assert await heard(link) == {"event": "said", "data": 1}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "nope",
        "[]",
        "null",
        '"say"',
        '{"data":1}',
        '{"event":1}',
        '{"event":["say"]}',
        '{"event":"say","id":"7"}',
        '{"event":"say","id":1.5}',
        '{"event":"say","id":true}',
        '{"event":"say","data":NaN}',
        "[" * 40 + "]" * 40,
        '{"event":"say","data":' + "[" * 40 + "}",
        '{"data":1,"event":' + "[" * 40 + "]" * 40 + "}",
        '{"event":"say","data":' + "[" * 100_000 + "]" * 100_000 + "}",
        b'{"event":"say"}',
    ],
)
async def test_a_frame_that_is_no_event_closes_the_connection(
    link: ApplicationCommunicator, frame: str | bytes
) -> None:
    await heard(link)

    await say(link, frame)

    message = await link.receive_output(timeout=5)
    assert message == {"type": "websocket.close", "code": 1008}


async def test_a_frame_over_the_limit_closes_with_message_too_big(
    link: ApplicationCommunicator,
) -> None:
    await heard(link)

    await say(link, json.dumps({"event": "say", "data": "x" * MAX_FRAME_BYTES}))

    assert await link.receive_output(timeout=5) == {"type": "websocket.close", "code": 1009}


async def test_what_was_said_before_the_end_arrives_before_it(
    link: ApplicationCommunicator,
) -> None:
    await heard(link)

    await say(link, '{"event":"say","data":1}')
    await asyncio.sleep(0)
    await say(link, '{"event":"leave"}')

    assert await heard(link) == {"event": "said", "data": 1}
    assert (await link.receive_output(timeout=5))["type"] == "websocket.close"
