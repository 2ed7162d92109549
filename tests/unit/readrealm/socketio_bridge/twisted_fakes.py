"""A WebSocket on a real Twisted transport over a socket pair: no reactor, no daphne."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet import tcp
from twisted.python.failure import Failure

from readrealm.socketio_bridge.outlet import Congestion
from readrealm.socketio_bridge.twisted_websocket import InputQueue, WebSocket

from .fakes import QueueOutlet

MAX_BYTES = 1_000_000


class StillReactor:
    """A reactor that does nothing by itself: a test says when a socket is written."""

    def __init__(self) -> None:
        self.writers: set[Any] = set()
        self.calls: list[Callable[[], None]] = []

    def addReader(self, reader: Any) -> None:  # noqa: N802
        pass

    def removeReader(self, reader: Any) -> None:  # noqa: N802
        pass

    def addWriter(self, writer: Any) -> None:  # noqa: N802
        self.writers.add(writer)

    def removeWriter(self, writer: Any) -> None:  # noqa: N802
        self.writers.discard(writer)

    def callLater(self, delay: float, call: Callable[..., None], *args: Any) -> None:  # noqa: N802
        self.calls.append(lambda: call(*args))

    def turn(self) -> None:
        """One turn: sockets that take bytes are written, and what is due is called."""
        for writer in list(self.writers):
            if (failure := writer.doWrite()) is not None:
                writer.connectionLost(Failure(failure))
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Daphne:
    """What a WebSocket needs of its server."""

    def __init__(self) -> None:
        self.gone: list[WebSocket] = []

    def protocol_connected(self, protocol: WebSocket) -> None:
        pass

    def protocol_disconnected(self, protocol: WebSocket) -> None:
        self.gone.append(protocol)

    def create_application(self, protocol: WebSocket, scope: dict[str, Any]) -> InputQueue:
        return InputQueue(protocol.transport)


class BareSocket:
    """A socket whose ``send`` a test may make short, full or broken."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.room: int | None = None
        """Bytes it takes before it is full; None for what the kernel takes."""
        self.error: OSError | None = None
        self.sends = 0

    def send(self, data: Any) -> int:
        self.sends += 1
        if self.error is not None:
            raise self.error
        if self.room is None:
            return self.inner.send(data)
        if self.room == 0:
            raise BlockingIOError(errno.EAGAIN, "full")
        taken = self.inner.send(bytes(data)[: self.room])
        self.room -= taken
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Client:
    """One client: its end of the pair, and the server's WebSocket, transport and outlet."""

    def __init__(self, congestion: Congestion, *, is_encrypted: bool = False) -> None:
        self.reactor = StillReactor()
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.theirs.setblocking(False)
        self.socket = BareSocket(ours)
        self.daphne = Daphne()
        self.websocket = WebSocket(self.daphne, accept=b"x", max_bytes=MAX_BYTES)
        self.transport = tcp.Connection(self.socket, self.websocket, self.reactor)
        self.transport.connected = True
        self.transport.setTcpNoDelay = lambda _: None  # a pair of Unix sockets has no such thing
        self.transport.TLS = is_encrypted
        self.websocket.begin(self.transport, {}, b"")
        self.transport.TLS = False  # so that what would be encrypted can be read
        self.websocket.handle_reply({"type": "websocket.accept"})
        self.reactor.turn()
        self.theirs.recv(65_536)
        self.outlet = QueueOutlet(congestion)
        self.outlet.writer = self.websocket
        self.socket.sends = 0

    def read(self) -> bytes:
        """All that this client gets, until nothing more is on its way."""
        found = bytearray()
        while True:
            try:
                found += (part := self.theirs.recv(1 << 20))
            except (BlockingIOError, ConnectionResetError):
                part = b""
            if not part and not self.reactor.writers and not self.reactor.calls:
                return bytes(found)
            self.reactor.turn()

    def send_frame(self, first: int, payload: bytes) -> None:
        """Let the server hear a small frame of this client, masked with zeros."""
        self.websocket.dataReceived(bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def end(self) -> None:
        self.socket.inner.close()
        self.theirs.close()


@contextmanager
def clients(count: int, *, max_queue_bytes: int = 1 << 20) -> Iterator[list[Client]]:
    """Connected clients of one event loop."""
    congestion = Congestion(max_queue_bytes=max_queue_bytes, stall_timeout_s=10)
    made = [Client(congestion) for _ in range(count)]
    try:
        yield made
    finally:
        for client in made:
            client.end()
