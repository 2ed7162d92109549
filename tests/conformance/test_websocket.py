"""RFC 6455 on the wire: what a server must do with frames, right and wrong ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from websockets.frames import Close, Frame
from websockets.frames import Opcode as Code

from tests.support.bridge import (
    DEADLINE_S,
    BridgeServer,
    HttpConnection,
    StalledReader,
    wait_for_state,
)

TARGET = "/engine.io/?EIO=4&transport=websocket"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def masked(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(Code(opcode), data, fin).serialize(mask=True)


class Wire:
    """An upgraded connection, frame by frame."""

    def __init__(self, http: HttpConnection) -> None:
        self.http = http

    def send(self, data: bytes) -> None:
        self.http.writer.write(data)

    async def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame that is no Engine.IO ping."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                first, second = await self.http.reader.readexactly(2)
                assert first & 0x80, "no fragments are expected"
                size = second & 0x7F
                if size > 125:
                    width = 2 if size == 126 else 8
                    size = int.from_bytes(await self.http.reader.readexactly(width), "big")
                payload = await self.http.reader.readexactly(size)
                if payload != b"2":
                    return first & 0x0F, payload

    async def closed(self) -> int:
        """The server's close code; then the connection must end."""
        while True:
            opcode, payload = await self.receive()
            if opcode == Code.CLOSE:
                break
        code = Close.parse(payload).code if payload else 1005
        self.send(masked(Code.CLOSE, payload))
        async with asyncio.timeout(DEADLINE_S):
            # A reset will do: what the client sent last may not have been read.
            with contextlib.suppress(ConnectionResetError):
                await self.http.reader.read()
        return code


async def upgrade(http: HttpConnection, target: str, early: bytes = b"") -> Wire:
    http.start("GET", target, headers=UPGRADE)
    http.writer.write(early)
    answer = await http.answer()
    assert answer.status == 101
    return Wire(http)


@pytest.fixture
async def wire(target: BridgeServer) -> AsyncIterator[Wire]:
    """An Engine.IO echo on a WebSocket; its handshake has been read."""
    async with await HttpConnection.open(target) as http:
        made = await upgrade(http, TARGET)
        assert (await made.receive())[1].startswith(b"0{")
        yield made


# The handshake.


async def test_the_handshake_is_answered_as_the_document_says(target: BridgeServer) -> None:
    async with await HttpConnection.open(target) as http:
        answer = await http.request("GET", TARGET, headers=UPGRADE)

    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == ACCEPT
    assert answer.headers["upgrade"].lower() == "websocket"
    assert answer.headers["connection"].lower() == "upgrade"
    assert "sec-websocket-extensions" not in answer.headers


async def test_browsers_spell_the_handshake_in_their_own_way(target: BridgeServer) -> None:
    headers = UPGRADE | {
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "WebSocket",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        "Sec-WebSocket-Protocol": "chat, superchat",
        "Cookie": "a=b; c=d",
        "User-Agent": "Mozilla/5.0",
    }
    async with await HttpConnection.open(target) as http:
        answer = await http.request("GET", TARGET, headers=headers)

    assert answer.status == 101


@pytest.mark.parametrize(
    "wrong",
    [
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": ""},
    ],
)
async def test_a_handshake_that_is_wrong_is_refused(
    target: BridgeServer, wrong: dict[str, str]
) -> None:
    async with await HttpConnection.open(target) as http:
        answer = await http.request("GET", TARGET, headers=UPGRADE | wrong)

    assert answer.status in {400, 426}


@pytest.mark.parametrize("target", ["daphne"], indirect=True)  # uvicorn loses them now and then
async def test_frames_may_come_with_the_handshake(target: BridgeServer) -> None:
    async with await HttpConnection.open(target) as http:
        wire = await upgrade(http, TARGET, masked(1, b"4early") + masked(2, b"bird"))

        assert (await wire.receive())[1].startswith(b"0{")
        assert await wire.receive() == (1, b"4early")
        assert await wire.receive() == (2, b"bird")


# Frames.


async def test_a_ping_is_answered_with_what_it_said(wire: Wire) -> None:
    for payload in (b"", b"hello", b"\xff" * 125):
        wire.send(masked(9, payload))

        assert await wire.receive() == (10, payload)


async def test_a_pong_nobody_asked_for_is_no_fault(wire: Wire) -> None:
    wire.send(masked(10, b"surprise") + masked(1, b"4hello"))

    assert await wire.receive() == (1, b"4hello")


async def test_fragments_are_one_message_and_may_be_interrupted(wire: Wire) -> None:
    wire.send(
        masked(1, b"4hal", fin=False) + masked(9, b"now") + masked(0, b"", fin=False)
        + masked(0, b"lo")
    )  # fmt: skip

    assert await wire.receive() == (10, b"now")
    assert await wire.receive() == (1, b"4hallo")


async def test_a_frame_may_come_byte_by_byte(wire: Wire) -> None:
    for byte in masked(1, "4gr\u00fc\u00dfe".encode()) + masked(2, b"\x00\x01"):
        wire.send(bytes([byte]))
        await wire.http.writer.drain()
        await asyncio.sleep(0)

    assert await wire.receive() == (1, "4gr\u00fc\u00dfe".encode())
    assert await wire.receive() == (2, b"\x00\x01")


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 1_000_000])
async def test_frames_of_every_length_come_back(wire: Wire, size: int) -> None:
    wire.send(masked(2, b"\xa5" * size))

    assert await wire.receive() == (2, b"\xa5" * size)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (Frame(Code.TEXT, b"4plain").serialize(mask=False), 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x8b\x80\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        (masked(1, b"4a", fin=False) + masked(2, b"b"), 1002),
        (masked(1, b"4\xff"), 1007),
        (masked(8, b"\x03"), 1002),
        (masked(8, (1006).to_bytes(2, "big")), 1002),
    ],
    ids=[
        "not masked",
        "reserved bit",
        "unknown data frame",
        "unknown control frame",
        "continuation of nothing",
        "ping in fragments",
        "message in a message",
        "not UTF-8",
        "half a close code",
        "a close code that may not be sent",
    ],
)
async def test_what_breaks_the_protocol_closes_with_its_code(
    wire: Wire, data: bytes, code: int
) -> None:
    wire.send(data)

    assert await wire.closed() == code


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_close_frame_is_answered_with_its_code(wire: Wire, code: int) -> None:
    wire.send(masked(8, Close(code, "bye").serialize()))

    assert await wire.closed() == code


async def test_an_empty_close_frame_is_answered(wire: Wire) -> None:
    wire.send(masked(8, b""))

    assert await wire.closed() in {1000, 1005}


# Clients that mean no good. What uvicorn does with them is its own affair.

BENCH = "/bench/?EIO=4&transport=websocket"
on_daphne = pytest.mark.parametrize("own_workshop", ["daphne"], indirect=True)


@on_daphne
async def test_a_client_that_is_done_and_stays_is_dropped(own_workshop: BridgeServer) -> None:
    last_words = {
        "breaks the protocol": b"\xff\x80\0\0\0\0",
        "says goodbye": masked(8, b"\x03\xe8"),
    }
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(StalledReader(own_workshop, BENCH)) for _ in last_words]
        for client in stalled:
            client.send("40")
            client.send('42["burst",{"count":1,"size":8000000}]')
        await wait_for_state(own_workshop, lambda now: now["members"] == len(stalled))
        await asyncio.sleep(0.3)  # until what they do not read waits for them

        for client, words in zip(stalled, last_words.values(), strict=True):
            client.socket.sendall(words)
        talking = asyncio.create_task(_talk_on(own_workshop))

        cut = await asyncio.gather(*[client.was_cut(timeout_s=10) for client in stalled])
        assert dict(zip(last_words, cut, strict=True)) == dict.fromkeys(last_words, True)
        await asyncio.wait_for(talking, 10)
        await wait_for_state(own_workshop, lambda now: now["sessions"] == 0)


async def _talk_on(server: BridgeServer) -> None:
    """Be closed, do not answer the close frame, and talk on; returns when it is dropped."""
    async with await HttpConnection.open(server) as http:
        wire = await upgrade(http, BENCH)
        wire.send(masked(1, b"x"))  # no packet: the server closes
        while (await wire.receive())[0] != Code.CLOSE:
            pass
        while await _is_open(http):
            wire.send(masked(10, b"still here"))


async def _is_open(http: HttpConnection) -> bool:
    """Whether the server has not ended the connection, a moment later."""
    try:
        async with asyncio.timeout(0.1):
            return bool(await http.reader.read(65_536))
    except TimeoutError:
        return True
    except ConnectionError:
        return False


@on_daphne
async def test_a_client_that_pings_and_does_not_read_costs_a_bounded_buffer(
    own_workshop: BridgeServer,
) -> None:
    ping = masked(9, b"x" * 125) * 1_000
    with StalledReader(own_workshop, BENCH) as stalled:
        stalled.send("40")  # or the session would end before it costs anything
        before = own_workshop.rss_bytes()
        stalled.socket.settimeout(3)

        def flood() -> None:
            try:
                for _ in range(250):
                    stalled.socket.sendall(ping)
            except OSError:
                return  # cut, or no longer read: both will do

        await asyncio.to_thread(flood)

        assert own_workshop.rss_bytes() - before < 20_000_000
