"""Replies of one Redis connection, and a bus on a server that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import hiredis
import pytest

from readrealm.socketio_bridge import bus as bus_module
from readrealm.socketio_bridge.bus import Bus
from readrealm.socketio_bridge.publications import BusUnavailable
from readrealm.socketio_bridge.wire import Wire
from tests.support.bridge import until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Connected:
    """As much of a redis-py connection as a wire looks at."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer


class Server:
    """A server that a test plays: it sees every command and says what it likes."""

    def __init__(self) -> None:
        self.commands: list[list[bytes]] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.answer: Callable[[list[bytes], int], bytes | None] = lambda command, count: None
        """Reply to a command of the n-th connection; None for the usual one."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        number = len(self.writers)
        replies = hiredis.Reader()
        while data := await reader.read(65_536):
            replies.feed(data)
            while (command := replies.gets()) is not False:
                self.commands.append(command)
                reply = self.answer(command, number)
                writer.write(_usual(command) if reply is None else reply)
        writer.close()

    def names(self) -> list[bytes]:
        return [command[0] for command in self.commands if command[0] not in {b"CLIENT", b"HELLO"}]


def _usual(command: list[bytes]) -> bytes:
    match command[0]:
        case b"PUBLISH":
            return b":1\r\n"
        case b"SUBSCRIBE":
            return b"".join(
                hiredis.pack_command((b"subscribe", channel)).replace(b"*2", b">3") + b":1\r\n"
                for channel in command[1:]
            )
        case b"PING":
            return b"+PONG\r\n"
        case b"HELLO":
            return b"%1\r\n$5\r\nproto\r\n:3\r\n"
    return b"+OK\r\n"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def port(server: Server) -> AsyncIterator[int]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1]
    for writer in server.writers:
        writer.transport.abort()
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def bus(port: int) -> AsyncIterator[Bus]:
    made = Bus(
        {"address": f"redis://127.0.0.1:{port}"},
        receive=lambda channel, payload, *, is_told: None,
        resubscribed=lambda channels: None,
    )
    yield made
    await made.close()


@pytest.fixture
async def wire(port: int) -> AsyncIterator[tuple[Wire, list[Any]]]:
    heard: list[Any] = []
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    made = Wire(Connected(writer), heard.append)
    yield made, heard
    made.abort()


async def test_commands_leave_and_replies_come_in_order(
    server: Server, wire: tuple[Wire, list[Any]]
) -> None:
    link, heard = wire
    server.answer = lambda command, number: b"$%d\r\n%b\r\n" % (len(command[1]), command[1])

    link.send([("ECHO", "one"), ("ECHO", b"two\r\n")])
    link.send([("ECHO", "three")])

    await until(lambda: len(heard) == 3)
    assert heard == [b"one", b"two\r\n", b"three"]
    assert len(server.commands) == 3


async def test_a_reply_may_come_in_pieces(server: Server, wire: tuple[Wire, list[Any]]) -> None:
    link, heard = wire
    await until(lambda: server.writers)
    for piece in (b"$5\r", b"\nhe", b"llo\r\n:", b"7\r", b"\n"):
        server.writers[0].write(piece)
        await asyncio.sleep(0.005)  # or the pieces might be read as one

    await until(lambda: heard == [b"hello", 7])
    assert not link.lost.done()


async def test_a_connection_that_ends_is_lost_and_takes_nothing(
    server: Server, wire: tuple[Wire, list[Any]]
) -> None:
    link, _ = wire
    await until(lambda: server.writers)
    server.writers[0].close()

    async with asyncio.timeout(5):
        await link.lost
    with pytest.raises(ConnectionError):
        link.send([("PING",)])


async def test_what_is_no_reply_ends_the_connection(
    server: Server, wire: tuple[Wire, list[Any]]
) -> None:
    link, _ = wire
    await until(lambda: server.writers)
    server.writers[0].write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with asyncio.timeout(5):
        assert isinstance(await link.lost, hiredis.ProtocolError)


async def test_a_publication_without_a_reply_is_sent_once_more_and_an_answered_one_is_not(
    server: Server, bus: Bus
) -> None:
    def die_at_two(command: list[bytes], number: int) -> bytes | None:
        if command[0] == b"PUBLISH" and command[2] == b"two" and not lost:
            lost.append(number)
            server.writers[number - 1].transport.abort()
            return b""
        return None

    lost: list[int] = []
    server.answer = die_at_two
    assert await bus.publish("news", b"zero") == 1
    results = await asyncio.gather(*[bus.publish("news", word) for word in (b"one", b"two")])

    assert results == [1, 1]
    assert bus.publish_failures == 0
    published = [command[2] for command in server.commands if command[0] == b"PUBLISH"]
    assert published.count(b"zero") == 1
    assert published.count(b"two") == 2


async def test_a_publication_that_the_server_refuses_fails_and_the_next_is_taken(
    server: Server, bus: Bus
) -> None:
    server.answer = lambda command, number: (
        b"-LOADING not yet\r\n" if command[-1] == b"early" else None
    )
    with pytest.raises(BusUnavailable):
        await bus.publish("news", b"early")

    assert await bus.publish("news", b"late") == 1
    assert bus.publish_failures == 1


async def test_a_refusal_is_not_mistaken_for_the_answer_to_another_publication(
    server: Server, bus: Bus
) -> None:
    def refuse_once(command: list[bytes], number: int) -> bytes | None:
        if command[0] != b"PUBLISH":
            return None
        if command[2] == b"one" and not refused:
            refused.append(number)
            return b"-LOADING not yet\r\n"
        return b":%d\r\n" % int(command[2] == b"two")

    refused: list[int] = []
    server.answer = refuse_once
    assert await bus.publish("news", b"two") == 1
    results = await asyncio.gather(*[bus.publish("news", word) for word in (b"one", b"two")])

    assert results == [0, 1]
    assert [item[2] for item in server.commands if item[0] == b"PUBLISH"][-2:] == [b"one", b"two"]


async def test_a_connection_that_was_dropped_is_not_heard_any_more(
    server: Server, wire: tuple[Wire, list[Any]]
) -> None:
    link, heard = wire
    link.abort()
    link.data_received(b"+late\r\n")

    assert heard == []
    assert link.lost.done()


async def test_a_publication_whose_caller_has_gone_disturbs_nobody(
    server: Server, bus: Bus
) -> None:
    await bus.publish("news", b"first")
    gone = asyncio.create_task(bus.publish("news", b"gone"))
    await asyncio.sleep(0)
    gone.cancel()

    assert await bus.publish("news", b"next") == 1
    await until(lambda: bus._publications.waiting_bytes == 0)


async def test_a_bus_that_hears_nothing_for_too_long_connects_anew(
    server: Server, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(bus_module, "DEAF_AFTER_S", 0.8)
    await bus.subscribe("room")
    await until(lambda: server.names().count(b"PING") * 0.02 > 1.0)
    assert bus.reconnects == 0

    server.answer = lambda command, number: b"" if command[0] == b"PING" else None

    await until(lambda: bus.reconnects >= 1)
    await until(lambda: server.names().count(b"SUBSCRIBE") >= 2)
