"""A request is carried to the worker that owns its session, and the answer back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve

from readrealm.socketio_bridge.directory import Address
from readrealm.socketio_bridge.frames import limit_frame
from readrealm.socketio_bridge.relaying import (
    GOING_AWAY,
    NotPassedOn,
    pass_on_http,
    pass_on_websocket,
)
from readrealm.socketio_bridge.websocket import WRITER_EXTENSION

DEADLINE_S = 10.0
SCOPE: dict[str, Any] = {"type": "websocket", "path": "/socket.io/", "query_string": b"sid=x"}

Owner = Callable[[ServerConnection], Awaitable[None]]


class Client:
    """The ASGI server in front: what the client says, and what it hears."""

    def __init__(self, *says: str) -> None:
        self._says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._says.put_nowait({"type": "websocket.connect"})
        for text in says:
            self._says.put_nowait({"type": "websocket.receive", "text": text})
        self.heard: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return await self._says.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if message["type"] == "websocket.close":
            self._says.put_nowait({"type": "websocket.disconnect", "code": message["code"]})


async def heard_of(owner: Owner, folder: Path, *says: str) -> list[dict[str, Any]]:
    """What a client hears, from the relay's beginning to its end."""
    client, path = Client(*says), folder / "owner.sock"
    async with asyncio.timeout(DEADLINE_S), unix_serve(owner, str(path)):
        await pass_on_websocket(Address(unix=path), [], SCOPE, client.receive, client.send)
    return client.heard


async def test_what_both_say_is_carried_and_the_owner_ends_it(tmp_path: Path) -> None:
    async def echo(owner: ServerConnection) -> None:
        for _ in range(2):
            await owner.send(f"you said {await owner.recv()}")

    assert await heard_of(echo, tmp_path, "2probe", "5") == [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "you said 2probe"},
        {"type": "websocket.send", "text": "you said 5"},
        {"type": "websocket.close", "code": 1000},
    ]


@pytest.mark.parametrize("code", [1000, 1008, 1009, 1012, 1013])
async def test_the_code_with_which_the_owner_closes_is_the_clients(
    tmp_path: Path, code: int
) -> None:
    async def refuse(owner: ServerConnection) -> None:
        await owner.close(code)

    heard = await heard_of(refuse, tmp_path)

    assert heard[-1] == {"type": "websocket.close", "code": code}


async def test_an_owner_that_vanishes_is_gone_for_the_client_as_well(tmp_path: Path) -> None:
    async def vanish(owner: ServerConnection) -> None:
        owner.transport.abort()

    heard = await heard_of(vanish, tmp_path)

    assert heard[-1] == {"type": "websocket.close", "code": GOING_AWAY}


async def test_a_client_hears_nothing_of_an_owner_that_is_not_there(tmp_path: Path) -> None:
    client = Client()

    with pytest.raises(NotPassedOn):
        await pass_on_websocket(
            Address(unix=tmp_path / "nobody.sock"), [], SCOPE, client.receive, client.send
        )

    assert client.heard == []


class Writer:
    """Of the client's frames on the worker that it reached, as daphne's adapter offers one."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    def limit_incoming(self, max_bytes: int) -> None:
        self.limits.append(max_bytes)


async def test_the_owner_says_how_large_a_message_may_be(tmp_path: Path) -> None:
    async def allow(owner: ServerConnection) -> None:
        for ping in (limit_frame(1_000_000), limit_frame(100_000_000), b"\x89\x02hi"):
            owner.transport.write(ping)
        await (await owner.ping("everything before was read"))

    writer, client, path = Writer(), Client(), tmp_path / "owner.sock"
    scope = {**SCOPE, "extensions": {WRITER_EXTENSION: writer}}
    async with asyncio.timeout(DEADLINE_S), unix_serve(allow, str(path)):
        await pass_on_websocket(Address(unix=path), [], scope, client.receive, client.send)

    assert writer.limits == [1_000_000, 100_000_000]


POST: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/socket.io/",
    "query_string": b"sid=x",
}


async def answered(
    folder: Path, answer: bytes, headers: list[tuple[bytes, bytes]], *body: bytes
) -> tuple[bytes, list[dict[str, Any]]]:
    """What the owner got of a POST whose body comes in pieces, and what the client heard."""
    path, got = folder / "owner.sock", bytearray()

    async def owner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not got.endswith(b"the end") and not got.endswith(b"0\r\n\r\n"):
            got.extend(await reader.read(65_536))
        writer.write(answer)
        await writer.drain()
        writer.close()

    pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for at, piece in enumerate(body, start=1):
        message = {"type": "http.request", "body": piece, "more_body": at < len(body)}
        pieces.put_nowait(message)
    heard: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        heard.append(message)

    scope = {**POST, "headers": headers}
    server = await asyncio.start_unix_server(owner, str(path))
    async with asyncio.timeout(DEADLINE_S), server:
        await pass_on_http(Address(unix=path), [(b"host", b"x")], scope, pieces.get, send)
    return bytes(got), heard


async def test_a_body_is_handed_on_whatever_its_size_and_the_owner_decides(tmp_path: Path) -> None:
    body = [b"a" * 700_000, b"b" * 700_000, b"the end"]
    length = str(sum(map(len, body))).encode()
    refusal = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n"

    got, heard = await answered(tmp_path, refusal, [(b"content-length", length)], *body)

    assert got.partition(b"\r\n\r\n")[2] == b"".join(body)
    assert b"content-length: " + length in got.partition(b"\r\n\r\n")[0].lower()
    assert heard[0]["status"] == 413


async def test_a_body_of_unknown_length_is_handed_on_in_chunks(tmp_path: Path) -> None:
    ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    got, heard = await answered(
        tmp_path, ok, [(b"transfer-encoding", b"chunked")], b"4hello", b"the end"
    )

    assert b"6\r\n4hello\r\n7\r\nthe end\r\n0\r\n\r\n" in got
    assert heard[0]["status"] == 200
    assert heard[1]["body"] == b"ok"
