"""What tests of the bridge hold in their hands: its servers, and clients that decide every byte.

The clients here know the protocols only as far as a test needs it: what they send is written out
in the test, so that a wrong byte can be sent as easily as a right one.
"""

import asyncio
import json
import os
import random
import re
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from readrealm.stores.valkey import PrivateValkey
from tests.support.processes import PYTHON, Program

DEADLINE_S = 15.0
"""For anything a server does at once; generous, for the machine may be busy."""

START_TIMEOUT_S = 60.0

PING_INTERVAL_S, PING_TIMEOUT_S = 0.3, 0.2
CONNECT_TIMEOUT_S = 1.0
"""Of the servers in `tests.conformance`."""

MAX_PAYLOAD = 1_000_000

TARGET = "tests.conformance.target:application"
WORKSHOP = "tests.conformance.workshop:application"

SEPARATOR = "\x1e"

FREE_PORTS = (20_000, 32_000)
"""Below those that connections are given, which would take one before its server listens."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and that the kernel gives nobody."""
    while True:
        port = random.randrange(*FREE_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True)
class BridgeServer:
    """A running ASGI server with the bridge in it."""

    kind: str
    port: int
    program: Program

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def rss_bytes(self) -> int:
        """Memory of the process that is really there."""
        status = Path(f"/proc/{self.program.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match, "the server is not running"
        return int(match[1]) * 1024


def command_for(kind: str, application: str, port: int) -> list[str]:
    """How to serve ``application`` on ``port`` with daphne or with uvicorn."""
    if kind == "daphne":
        return [PYTHON, "-m", "tests.conformance", application, str(port)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", application, *options]


@contextmanager
def serving(
    kind: str, application: str, *, environment: Mapping[str, str] | None = None
) -> Iterator[BridgeServer]:
    """A server that answers requests; it ends with the block, and with this process."""
    port = free_port()
    program = Program(
        command_for(kind, application, port), environment={**os.environ, **(environment or {})}
    )
    try:
        if kind == "daphne":
            program.wait_for_line("^ready$", timeout_s=START_TIMEOUT_S)
        else:
            wait_for_port(port, program)
        yield BridgeServer(kind, port, program)
    finally:
        program.end()


def wait_for_port(port: int, program: Program) -> None:
    """Come back when ``program`` listens on a port of the loopback interface."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert program.process.poll() is None, f"the server ended:\n{program.output}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens:\n{program.output}"
            time.sleep(0.02)


@contextmanager
def private_valkey() -> Iterator[PrivateValkey]:
    """A Valkey that a test may stop and start as it likes."""
    with tempfile.TemporaryDirectory(prefix="bridge-") as folder:
        valkey = PrivateValkey(Path(folder))
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.stop()


async def until(is_so: Callable[[], object], *, timeout_s: float = DEADLINE_S) -> None:
    """Come back when ``is_so``, which something on this event loop will bring about."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110  whatever it is, it tells nobody
            await asyncio.sleep(0.002)


# HTTP.


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def packets(self) -> list[str]:
        """The Engine.IO packets of a polling payload."""
        return self.text.split(SEPARATOR)


class HttpConnection:
    """One TCP connection that speaks HTTP/1.1, request after request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, server: BridgeServer) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 24))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.abort()

    def abort(self) -> None:
        """Hang up without a word."""
        self.writer.transport.abort()

    async def request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        chunks: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read its answer.

        Args:
            chunks: send the body in so many parts and without its length.
        """
        self.start(method, target, body, chunks=chunks, headers=headers)
        return await self.answer()

    def start(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        chunks: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a request; `answer` reads what comes back."""
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if chunks:
            lines.append("Transfer-Encoding: chunked")
        elif body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode()
        self.writer.write(head + (chunked(body or b"", chunks) if chunks else body or b""))

    async def answer(self) -> Answer:
        """The next response."""
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            pairs = [line.split(":", 1) for line in head[1:] if line]
            headers = {name.strip().lower(): value.strip() for name, value in pairs}
            return Answer(status, headers, await self._body(headers))

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body


def chunked(body: bytes, parts: int) -> bytes:
    """A body in chunked transfer coding (RFC 9112, section 7.1)."""
    size = max(1, -(-len(body) // parts))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def request(
    server: BridgeServer, method: str, target: str, body: bytes | None = None, **options: Any
) -> Answer:
    """One request on a connection of its own."""
    async with await HttpConnection.open(server) as connection:
        return await connection.request(method, target, body, **options)


@dataclass(slots=True)
class PollingSession:
    """An Engine.IO session on long-polling; every request has a connection of its own."""

    server: BridgeServer
    path: str
    handshake: dict[str, Any]
    unread: deque[str] = field(default_factory=deque)
    """Packets that came with one that was asked for."""

    @classmethod
    async def open(cls, server: BridgeServer, path: str) -> Self:
        answer = await request(server, "GET", f"{path}?EIO=4&transport=polling")
        assert answer.status == 200, answer
        assert answer.text[0] == "0", answer
        return cls(server, path, json.loads(answer.text[1:]))

    @property
    def sid(self) -> str:
        sid: str = self.handshake["sid"]
        return sid

    @property
    def target(self) -> str:
        return f"{self.path}?EIO=4&transport=polling&sid={self.sid}"

    async def poll(self) -> Answer:
        return await request(self.server, "GET", self.target)

    async def post(self, *packets: str, **options: Any) -> Answer:
        return await request(
            self.server, "POST", self.target, SEPARATOR.join(packets).encode(), **options
        )

    async def next_packet(self) -> str:
        """The next packet that is no ping; pings are answered."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                while self.unread:
                    if (packet := self.unread.popleft()) != "2":
                        return packet
                    await self.post("3")
                answer = await self.poll()
                assert answer.status == 200, answer
                self.unread.extend(answer.packets)

    async def connect(self, namespace: str = "/", auth: str = "") -> str:
        """Join a Socket.IO namespace; the answer, which is CONNECT if all went well."""
        where = "" if namespace == "/" else namespace + ","
        assert (await self.post(f"40{where}{auth}")).status == 200
        return await self.next_packet()


# WebSocket.


class RawSocket:
    """A WebSocket that shows every packet, pings of Engine.IO included."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    async def receive(self) -> str | bytes:
        """The next frame, whatever it is."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.websocket.recv()

    async def next_packet(self) -> str | bytes:
        """The next frame that is no ping; pings are answered."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                packet = await self.websocket.recv()
                if packet != "2":
                    return packet
                await self.websocket.send("3")

    async def send(self, *packets: str | bytes) -> None:
        for packet in packets:
            await self.websocket.send(packet)

    async def closed(self) -> int | None:
        """Wait for the server to close; its close code, None without a close frame."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while True:
                    await self.websocket.recv()
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else None

    async def connect(self, namespace: str = "/", auth: str = "") -> dict[str, Any]:
        """Join a Socket.IO namespace; what the server says about it."""
        where = "" if namespace == "/" else namespace + ","
        await self.send(f"40{where}{auth}")
        answer = await self.next_packet()
        assert isinstance(answer, str), answer
        assert answer.startswith(f"40{where}"), answer
        about: dict[str, Any] = json.loads(answer.removeprefix(f"40{where}"))
        return about

    async def close(self) -> None:
        await self.websocket.close()


@asynccontextmanager
async def raw_socket(
    server: BridgeServer, target: str, *, compression: str | None = None
) -> AsyncIterator[RawSocket]:
    """A WebSocket to ``target``.

    Args:
        compression: "deflate" offers permessage-deflate, as browsers and Node do.

    Raises:
        InvalidHandshake: the server turned it away.
    """
    async with connect(
        server.ws_url + target,
        compression=compression,
        max_size=None,
        ping_interval=None,
        open_timeout=DEADLINE_S,
        close_timeout=1,
        proxy=None,
    ) as websocket:
        yield RawSocket(websocket)


@asynccontextmanager
async def engine_socket(server: BridgeServer, path: str) -> AsyncIterator[RawSocket]:
    """An Engine.IO session that began as a WebSocket; its handshake has been read."""
    async with raw_socket(server, f"{path}?EIO=4&transport=websocket") as client:
        assert str(await client.receive()).startswith("0{")
        yield client


async def refused_or_closed(server: BridgeServer, target: str) -> None:
    """Return when the server turns a WebSocket away, before or after accepting it."""
    try:
        async with raw_socket(server, target) as client:
            await client.closed()
    except InvalidHandshake:
        return


class StalledReader:
    """A client that opens a WebSocket and never reads what comes out of it.

    Its receive buffer is small, so that the server notices soon.
    """

    def __init__(self, server: BridgeServer, target: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert self.socket.recv(12) == b"HTTP/1.1 101"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, text: str) -> None:
        """One text frame, masked with zeros."""
        body = text.encode()
        assert len(body) < 126, "short texts only"
        self.socket.sendall(bytes((0x81, 0x80 | len(body), 0, 0, 0, 0)) + body)

    async def was_cut(self, *, timeout_s: float) -> bool:
        """Whether the server drops the connection within the time, without anything being read."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if _is_reset(self.socket):
                return True
            await asyncio.sleep(0.05)
        return False


TCP_ESTABLISHED = 1


def _is_reset(connection: socket.socket) -> bool:
    """Whether the peer has ended a connection, told by the kernel and not by reading."""
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != TCP_ESTABLISHED


# A state that a server reports about itself.


async def workshop_state(server: BridgeServer) -> dict[str, Any]:
    """What the workshop counts: sessions, tasks, members and more."""
    answer = await request(server, "GET", "/state")
    state: dict[str, Any] = json.loads(answer.body)
    return state


def is_empty(state: dict[str, Any]) -> bool:
    """Whether the workshop holds nothing of any client."""
    counts = [
        state[name] for name in ("sessions", "session objects", "environs", "members", "rooms")
    ]
    return not any([*counts, *state["clients"].values(), *state["connections"].values()])


async def wait_for_state(
    server: BridgeServer, is_so: Callable[[dict[str, Any]], bool], *, timeout_s: float = DEADLINE_S
) -> dict[str, Any]:
    """The first state of the workshop for which ``is_so`` holds."""
    deadline = time.monotonic() + timeout_s
    while True:
        state = await workshop_state(server)
        if is_so(state):
            return state
        assert time.monotonic() < deadline, f"the server stays at {state}"
        await asyncio.sleep(0.05)
