"""Plain JSON WebSockets on a real server: the consumers of Socket.IO clients, the same groups."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.bridge import (
    MAX_PAYLOAD,
    BridgeServer,
    RawSocket,
    engine_socket,
    raw_socket,
    wait_for_state,
    workshop_state,
)


@pytest.fixture
async def plain(workshop: BridgeServer) -> AsyncIterator[RawSocket]:
    """A plain WebSocket client."""
    async with raw_socket(workshop, "/plain") as socket:
        yield socket


async def ask(socket: RawSocket, event: str, data: Any = None) -> Any:
    await socket.send(json.dumps({"event": event, "data": data, "id": 7}))
    answer = json.loads(await socket.receive())
    assert answer["ack"] == 7, answer
    return answer["data"]


@pytest.mark.parametrize("data", [None, 0, "gr\u00fc\u00dfe", {"a": [1, {"b": None}]}])
async def test_an_event_is_answered(plain: RawSocket, data: Any) -> None:
    assert await ask(plain, "echo", data) == data


async def test_a_bug_is_answered_and_stops_nothing(plain: RawSocket) -> None:
    await plain.send('{"event":"fail","id":1}')

    assert json.loads(await plain.receive()) == {
        "event": "exception",
        "data": {"code": "INTERNAL_ERROR", "event": "fail"},
    }
    assert json.loads(await plain.receive())["ack"] == 1
    assert await ask(plain, "echo", 1) == 1


async def test_both_kinds_of_clients_hear_each_other(
    workshop: BridgeServer, plain: RawSocket
) -> None:
    async with engine_socket(workshop, "/bench/") as other:
        await other.connect()
        await other.send('421["join","mixed"]')
        assert await other.next_packet() == '431[{"ok":true}]'
        assert await ask(plain, "join", "mixed") == {"ok": True}

        await other.send('42["emit",{"group":"mixed","event":"said","words":"hello"}]')

        assert json.loads(await plain.receive()) == {"event": "said", "data": "hello"}
        assert await other.next_packet() == '42["said","hello"]'
        await plain.send('{"event":"tell","data":{"group":"mixed","words":"hi"}}')
        assert await other.next_packet() == '42["told","hi"]'
        assert json.loads(await plain.receive()) == {"event": "told", "data": "hi"}


@pytest.mark.parametrize("frame", ["nope", '{"event":1}', b"binary", '{"event":"echo","data":NaN}'])
async def test_a_frame_that_is_no_event_closes(plain: RawSocket, frame: str | bytes) -> None:
    await plain.send(frame)

    assert await plain.closed() == 1008


async def test_a_frame_over_the_limit_closes_with_message_too_big(plain: RawSocket) -> None:
    await plain.send(json.dumps({"event": "echo", "data": "x" * MAX_PAYLOAD}))

    assert await plain.closed() == 1009


async def test_the_consumer_is_told_that_its_client_left(workshop: BridgeServer) -> None:
    before = (await workshop_state(workshop))["seen"].get("disconnected", 0)
    async with raw_socket(workshop, "/plain") as socket:
        await ask(socket, "join", "hall")

    await wait_for_state(
        workshop,
        lambda now: now["seen"].get("disconnected", 0) == before + 1 and not now["rooms"],
    )
