"""One WebSocket on a Twisted transport, as daphne's server wants a protocol to be.

In place of autobahn's, which costs a client as much again as everything above it: this one
keeps little state and no options, and lets one ready frame be written to many clients.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from math import inf
from typing import Any

from twisted.internet import asyncioreactor, tcp

from .frames import (
    TEXT,
    FrameError,
    FrameReader,
    Opcode,
    close_code,
    close_frame,
    control_frame,
    limit_frame,
)
from .packets import websocket_frame

log = logging.getLogger(__name__)

HIGH_WATER_BYTES = 256 << 10
"""Bytes in Twisted's buffer above which a client counts as congested."""

INPUT_LIMIT, INPUT_BYTES = 64, 256 << 10
"""Messages of one client that the application has not taken; above, its socket is not read."""

CONNECT_TIMEOUT_S = 20.0
"""For the application to accept or to refuse."""

CLOSE_TIMEOUT_S = 2.0
"""For the peer to answer a close frame."""

IDLE_S, PONG_S = 30.0, 30.0
"""A client that is silent for so long is pinged, and dropped when it stays silent for as long."""

ABNORMAL, INTERNAL_ERROR = 1006, 1011

CONNECTING, OPEN, CLOSING, DEAF, CLOSED = range(5)
"""``DEAF``: the client broke the protocol; what else it sends is dropped until it hangs up."""


class InputQueue(asyncio.Queue[dict[str, Any]]):
    """What a client sent and the application has not taken; stops the socket when it is long."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self.transport = transport
        self.size_bytes = 0
        self.is_paused = False
        self.is_awaited = False
        """Whether the application waits for the next message, and does nothing else."""

    async def get(self) -> dict[str, Any]:
        self.is_awaited = True
        try:
            return await super().get()
        finally:
            self.is_awaited = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        super().put_nowait(item)
        self.size_bytes += _size(item)
        is_long = self.qsize() > INPUT_LIMIT or self.size_bytes > INPUT_BYTES
        if is_long and not self.is_paused:
            self.is_paused = True
            self.transport.pauseProducing()

    def _get(self) -> dict[str, Any]:
        item: dict[str, Any] = super()._get()
        self.size_bytes -= _size(item)
        is_short = self.qsize() < INPUT_LIMIT // 2 and self.size_bytes < INPUT_BYTES // 2
        if is_short and self.is_paused:
            self.is_paused = False
            self.transport.resumeProducing()
        return item


def _size(item: dict[str, Any]) -> int:
    return len(item.get("text") or item.get("bytes") or "")


class WebSocket:
    """One WebSocket from its handshake on; also the `outlet.FrameWriter` of its session.

    Args:
        server: the daphne server that runs its application.
        accept: the response header value that completes the handshake.
        max_bytes: of one message from the client.
        is_relayed: another worker carries it to us, and is told how large a message may be.
    """

    application_type = "websocket"

    __slots__ = (
        "accept",
        "buffered_input",
        "direct",
        "heard_at",
        "is_relayed",
        "queue",
        "reader",
        "send_bare",
        "server",
        "state",
        "take",
        "transport",
    )

    def __init__(
        self, server: Any, *, accept: bytes, max_bytes: int, is_relayed: bool = False
    ) -> None:
        self.server, self.accept, self.is_relayed = server, accept, is_relayed
        self.reader = FrameReader(max_bytes)
        self.state = CONNECTING
        self.heard_at = time.monotonic()
        self.transport: Any = None
        self.queue: Any = None
        self.buffered_input = b""
        self.send_bare: Callable[[bytes], int] | None = None
        self.direct: Callable[[bytes], int] | None = None
        """`send_bare` while the last bytes all went out that way; None since anything else."""
        self.take: Callable[[str], bool] | None = None

    def begin(self, transport: Any, scope: dict[str, Any], leftover: bytes) -> None:
        """Take a transport over from HTTP and start the application."""
        transport.protocol = self
        self.transport = transport
        is_bare = isinstance(transport, tcp.Connection) and not transport.TLS
        self.send_bare = transport.socket.send if is_bare else None
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        self.server.protocol_connected(self)
        self.queue = self.server.create_application(self, scope)
        self.queue.put_nowait({"type": "websocket.connect"})
        self.buffered_input = leftover

    # From the client.

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self.state == CONNECTING:
            self._keep_until_accepted(data)
            return
        if self.state == DEAF:
            return
        if self.state == OPEN:
            self.heard_at = time.monotonic()
        try:
            for opcode, payload in self.reader.feed(data):
                self._receive(opcode, payload)
        except FrameError as error:
            self._fail(error.code, str(error))

    def _keep_until_accepted(self, data: bytes) -> None:
        self.buffered_input += data
        if len(self.buffered_input) > self.reader.max_bytes:
            self.transport.abortConnection()

    def _receive(self, opcode: Opcode, payload: Any) -> None:
        if opcode is TEXT:
            if self.state == OPEN:
                self._receive_text(payload)
        elif opcode is Opcode.CLOSE:
            self._closed_by_peer(payload)
        elif self.state != OPEN:
            return
        elif opcode is Opcode.BINARY:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": payload})
        elif opcode is Opcode.PING and buffered_bytes(self.transport) < HIGH_WATER_BYTES:
            self._write_buffered(control_frame(Opcode.PONG, payload))

    def _receive_text(self, text: str) -> None:
        queue, take = self.queue, self.take
        if take is not None and queue.is_awaited and queue.empty():
            try:
                if take(text):
                    return
            except Exception as error:
                log.exception("a message could not be handled")
                self.handle_exception(error)
                return
        queue.put_nowait({"type": "websocket.receive", "text": text})

    def _closed_by_peer(self, payload: bytes) -> None:
        code = close_code(payload)
        if self.state == OPEN:
            self._write_buffered(close_frame(code))
        self._end(code)
        self.transport.loseConnection()

    def _fail(self, code: int, reason: str) -> None:
        """Close on an error, and go on reading: a reset would overtake the close frame.

        The end of our side tells the peer at once (RFC 6455, section 7.1.1), whose answer would
        not be understood any more.
        """
        if self.state == OPEN:
            self._write_buffered(close_frame(code, reason))
            self.transport.loseWriteConnection()
        self._end(code, DEAF)

    def _end(self, code: int, state: int = CLOSED) -> None:
        """Tell the application, once, that nothing more comes."""
        if self.state not in {DEAF, CLOSED}:
            self.state = state
            self.heard_at = time.monotonic()
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code})

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        self.direct = self.take = None
        self._end(ABNORMAL)
        self.server.protocol_disconnected(self)

    # From the application.

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Act on one ASGI message."""
        kind = message["type"]
        if kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            if self.state == CONNECTING:
                self._refuse(b"403 Forbidden")
            else:
                self.close(message.get("code") or 1000, message.get("reason") or "")
        elif kind == "websocket.send":
            data = message.get("bytes")
            if self.state == OPEN:
                self._write_buffered(websocket_frame(message["text"] if data is None else data))
        else:
            raise ValueError(f"a WebSocket cannot handle {kind}")

    def _accept(self, message: dict[str, Any]) -> None:
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: " + self.accept,
        ]
        if message.get("subprotocol"):
            lines.append(b"Sec-WebSocket-Protocol: " + message["subprotocol"].encode("latin-1"))
        lines += [name + b": " + value for name, value in message.get("headers") or ()]
        self._write_buffered(b"\r\n".join([*lines, b"", b""]))
        self.state = OPEN
        if self.buffered_input:
            early, self.buffered_input = self.buffered_input, b""
            self.dataReceived(early)

    def _refuse(self, status: bytes) -> None:
        """Answer the handshake with an HTTP error."""
        self.transport.write(
            b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        self._end(ABNORMAL)
        self.transport.loseConnection()

    def handle_exception(self, exception: Exception) -> None:
        """The application failed; daphne has logged how."""
        if self.state == CONNECTING:
            self._refuse(b"500 Internal Server Error")
        else:
            self.close(INTERNAL_ERROR)

    def check_timeouts(self) -> None:
        """What daphne asks every two seconds."""
        silent_s = time.monotonic() - self.heard_at
        if self.state == CONNECTING and silent_s > CONNECT_TIMEOUT_S:
            self._refuse(b"503 Service Unavailable")
        elif silent_s > {
            CLOSING: CLOSE_TIMEOUT_S,
            DEAF: CLOSE_TIMEOUT_S,
            CLOSED: CLOSE_TIMEOUT_S,
            OPEN: IDLE_S + PONG_S,
        }.get(self.state, inf):
            self.transport.abortConnection()
        elif self.state == OPEN and silent_s > IDLE_S:
            self._write_buffered(control_frame(Opcode.PING))

    # As a frame writer.

    def write(self, frames: bytes) -> bool:
        """Hand over whole frames; False, and nothing is written, while the client does not read.

        A send on the bare socket spares Twisted's bookkeeping in the usual case that the kernel
        takes it all.
        """
        if self.state != OPEN:
            return self.state != CONNECTING  # closing: there is nobody to read it
        transport = self.transport
        if self.send_bare is None or transport.dataBuffer or transport._tempDataBuffer:
            if buffered_bytes(transport) > HIGH_WATER_BYTES:
                return False
            self._write_buffered(frames)
            return True
        try:
            sent = self.send_bare(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.direct = None
            self.transport.abortConnection()
            return True
        if sent < len(frames):
            self.write_rest(frames[sent:])
        else:
            self.direct = self.send_bare
        return True

    def write_rest(self, rest: bytes) -> None:
        self._write_buffered(rest)

    def _write_buffered(self, data: bytes) -> None:
        """Write through Twisted's buffer, behind which everything else then has to stay."""
        self.direct = None
        self.transport.write(data)

    def receive_with(self, take: Callable[[str], bool] | None) -> None:
        self.take = take

    def limit_incoming(self, max_bytes: int) -> None:
        self.reader.max_bytes = max_bytes
        if self.is_relayed and self.state == OPEN:
            self._write_buffered(limit_frame(max_bytes))

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; `check_timeouts` drops a peer that does not answer it."""
        if self.state == OPEN:
            self._write_buffered(close_frame(code, reason))
            self.state = CLOSING
            self.heard_at = time.monotonic()
            if self.queue.is_paused:
                self.transport.resumeProducing()


def read_plainly(transport: Any) -> None:
    """Spare each read of a transport the reactor's logging context, a third of what a read costs.

    Until it stops reading: when it resumes, the reactor reads in its own way.
    """
    reactor = getattr(transport, "reactor", None)
    if isinstance(reactor, asyncioreactor.AsyncioSelectorReactor) and transport in reactor._readers:
        loop = reactor._asyncioEventloop
        loop.add_reader(transport.fileno(), reactor._readOrWrite, transport, True)


def buffered_bytes(transport: Any) -> int:
    """What Twisted holds for a connection that its socket has not taken yet."""
    inner = getattr(transport, "transport", transport)
    if not hasattr(inner, "dataBuffer"):
        return 0
    held: int = len(inner.dataBuffer) - inner.offset + inner._tempDataLen
    return held
