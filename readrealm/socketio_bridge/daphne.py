"""Everything that knows daphne: one worker process that drains, holds back, and closes properly.

What daphne lacks and is added here: the ASGI lifespan, a drain on SIGTERM, close codes other than
1000, empty frames, back pressure both ways, and a way to write one ready frame to many clients.
"""

import asyncio
import gc
import importlib
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from autobahn.websocket.protocol import WebSocketProtocol as Autobahn
from daphne import server as daphne_server  # installs the asyncio reactor: before any other Twisted
from daphne import ws_protocol
from twisted.internet import defer, reactor, tcp

from .balance import LoadBoard
from .websocket import WRITER_EXTENSION

log = logging.getLogger(__name__)

HIGH_WATER_BYTES = 256 << 10
"""Bytes in Twisted's buffer above which a client counts as congested."""

HARD_LIMIT_BYTES = 4 << 20
"""Bytes in Twisted's buffer above which a client of a plain ASGI application is cut."""

STALL_TIMEOUT_S = 10.0
INPUT_LIMIT = 64
"""Frames of one client that the application has not taken; then its socket is not read."""

RESTARTING = 1012
"""WebSocket close code "service restart" (IANA registry)."""

MAX_FRAME_BYTES = 1_000_000
STEP_BACK_S = 0.005
MAX_STEPS_BACK = 10
"""How often a worker that is ahead leaves a waiting connection to the others before it takes it."""

GC_THRESHOLDS = (50_000, 50, 100)
"""Objects of a worker live for hours or for microseconds: looking often finds nothing."""


class InputQueue(asyncio.Queue[dict[str, Any]]):
    """What a client sent and the application has not taken; stops the socket when it is long."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.transport = protocol.transport
        self.is_paused = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        super().put_nowait(item)
        if not self.is_paused and self.qsize() > INPUT_LIMIT and self.transport is not None:
            self.is_paused = True
            self.transport.pauseProducing()

    def _get(self) -> dict[str, Any]:
        item: dict[str, Any] = super()._get()
        if self.is_paused and self.qsize() < INPUT_LIMIT // 2:
            self.is_paused = False
            self.transport.resumeProducing()
        return item


class SocketWriter:
    """A `FrameWriter` on one of daphne's WebSockets.

    A frame from a server is not masked, so one sequence of bytes serves every client; a send on
    the bare socket spares Twisted's bookkeeping for the usual case that the kernel takes it all.
    """

    __slots__ = ("protocol", "send", "transport")

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        is_bare = isinstance(self.transport, tcp.Connection) and not self.transport.TLS
        self.send = self.transport.socket.send if is_bare else None

    def write(self, frames: bytes) -> bool:
        protocol, transport = self.protocol, self.transport
        if protocol.state != Autobahn.STATE_OPEN:
            return protocol.state != Autobahn.STATE_CONNECTING  # too late: there is no reader
        if protocol.send_queue:
            return False
        if self.send is None:
            return self._write_buffered(frames)
        if transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting:
            if buffered_bytes(transport) > HIGH_WATER_BYTES:
                return False
            transport.write(frames)
            return True
        try:
            sent = self.send(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            transport.abortConnection()
            return True
        if sent < len(frames):
            transport.write(frames[sent:])
        return True

    def _write_buffered(self, frames: bytes) -> bool:
        """Through a wrapping transport, such as TLS, which alone may write to the socket."""
        if buffered_bytes(self.transport) > HIGH_WATER_BYTES:
            return False
        self.transport.write(frames)
        return True

    def limit_incoming(self, max_bytes: int) -> None:
        self.protocol.maxFramePayloadSize = max_bytes
        self.protocol.maxMessagePayloadSize = max_bytes

    def close(self, code: int) -> None:
        self.protocol.serverClose(code)

    def abort(self) -> None:
        self.transport.abortConnection()


def buffered_bytes(transport: Any) -> int:
    """What Twisted holds for a connection that its socket has not taken yet."""
    inner = getattr(transport, "transport", transport)
    if not hasattr(inner, "dataBuffer"):
        return 0
    held: int = len(inner.dataBuffer) - inner.offset + inner._tempDataLen
    return held


class WebSocketProtocol(ws_protocol.WebSocketProtocol):
    """daphne's protocol with every close code and with empty frames."""

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state != self.STATE_CONNECTING:
            self.serverClose(message.get("code"), message.get("reason"))
        elif message["type"] == "websocket.send" and not (
            message.get("bytes") or message.get("text")
        ):
            self.sendMessage(b"", message.get("bytes") is not None)
        else:
            super().handle_reply(message)

    def serverClose(self, code: int | None = None, reason: str | None = None) -> None:  # noqa: N802
        if self.state == self.STATE_OPEN:
            text = reason.encode()[:120] if reason else None
            self.sendCloseFrame(code=code or 1000, reasonUtf8=text, isReply=False)


class FairListener:
    """Accepts one connection at a time, and lets other workers go first while it is ahead.

    Args:
        port: a listening Twisted port that this worker shares.
        board: the counts of all workers.
    """

    def __init__(self, port: Any, board: LoadBoard) -> None:
        self.port, self.board = port, board
        self.steps_back = 0
        self._accept = port.doRead
        port.doRead = self.accept
        port.transport = self.connection
        self._show_life()

    def accept(self) -> None:
        """What the reactor calls when a connection waits."""
        if self.steps_back < MAX_STEPS_BACK and self.board.is_ahead():
            self.steps_back += 1
            self.port.stopReading()
            reactor_call_later(STEP_BACK_S, self._ask_again)
            return
        self.steps_back = 0
        self.port.numberAccepts = 1
        self._accept()

    def connection(self, *args: Any) -> tcp.Server:
        """A connection that is counted from its acceptance to its loss."""
        connection = CountedConnection(*args)
        connection.board = self.board
        self.board.change(+1)
        return connection

    def _ask_again(self) -> None:
        if not self.port.disconnecting and self.port.connected:
            self.port.startReading()

    def _show_life(self) -> None:
        self.board.write()
        reactor_call_later(1.0, self._show_life)


class CountedConnection(tcp.Server):
    """A TCP connection that takes itself off the board."""

    board: LoadBoard | None = None

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        board, self.board = self.board, None
        if board is not None:
            board.change(-1)
        super().connectionLost(reason)


def reactor_call_later(delay_s: float, call: Callable[[], None]) -> None:
    cast("Any", reactor).callLater(delay_s, call)


class Server(daphne_server.Server):
    """One daphne process behind a listening socket that others may share.

    Args:
        grace_s: for clients and consumers to leave after SIGTERM.
        on_ready: called once when the application has started and requests are served.
        board: the counts of the workers that share the first endpoint.
    """

    def __init__(
        self,
        application: Any,
        *,
        grace_s: float = 5.0,
        on_ready: Callable[[], None] | None = None,
        board: LoadBoard | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            application,
            **{
                "websocket_timeout": -1,
                "websocket_max_message_size": MAX_FRAME_BYTES,
                "websocket_max_frame_size": MAX_FRAME_BYTES,
                "application_close_timeout": grace_s,
                "server_name": "",
                "verbosity": 1,
            }
            | options,
        )
        self.grace_s, self.on_ready, self.board = grace_s, on_ready, board
        self.ready_callable = self._start_application
        self.ports: list[Any] = []
        self._factory: Any = None
        self._lifespan: Lifespan | None = None

    @property
    def ws_factory(self) -> Any:
        """daphne makes its factory inside ``run``; here it is given our protocol and options."""
        return self._factory

    @ws_factory.setter
    def ws_factory(self, factory: Any) -> None:
        factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=2)
        self._factory = factory

    def _share_options(self) -> None:
        """Hold autobahn's options on a class: it would copy forty of them to every connection."""
        options: dict[str, Any] = {}
        for name in WebSocketProtocol.CONFIG_ATTRS:
            value = getattr(self._factory, name)
            # A function that is an option must not become a method.
            options[name] = staticmethod(value) if callable(value) else value
        self._factory.protocol = type(
            "ConfiguredProtocol", (WebSocketProtocol,), {**options, "CONFIG_ATTRS": ()}
        )

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        scope.setdefault("asgi", {"version": "3.0"})
        if scope["type"] == "websocket":
            scope["extensions"] = {WRITER_EXTENSION: SocketWriter(protocol)}
        queue = InputQueue(protocol)
        details = self.connections.get(protocol)
        if details is None:
            return None

        async def send(message: dict[str, Any]) -> None:
            await self.handle_reply(protocol, message)

        details["application_instance"] = asyncio.ensure_future(
            self.application(scope, queue.get, send)
        )
        return queue

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] in {"websocket.send", "http.response.body"}:
            await self._hold_back(getattr(protocol, "transport", None))

    async def _hold_back(self, transport: Any) -> None:
        """Let an application wait for a client that reads slowly; cut one that does not read."""
        if transport is None or buffered_bytes(transport) <= HIGH_WATER_BYTES:
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STALL_TIMEOUT_S
        while (held := buffered_bytes(transport)) > HIGH_WATER_BYTES:
            if held > HARD_LIMIT_BYTES or loop.time() > deadline:
                transport.abortConnection()
                raise ConnectionError("the client does not read")
            await asyncio.sleep(0.02)

    def _start_application(self) -> None:
        self._share_options()
        loop = asyncio.get_event_loop()
        self._lifespan = Lifespan(self.application)
        starting = loop.create_task(self._lifespan.startup())
        starting.add_done_callback(self._started)

    def listen_success(self, port: Any) -> None:
        """A listening port is open; the first is the one that workers share."""
        super().listen_success(port)
        if self.board is not None and not self.ports:
            FairListener(port, self.board)
        self.ports.append(port)

    def _started(self, starting: "asyncio.Task[None]") -> None:
        if starting.exception() is not None:
            log.critical("the application did not start", exc_info=starting.exception())
            self.stop()
        elif self.on_ready is not None:
            self.on_ready()

    def kill_all_applications(self) -> Any:
        """What daphne calls before its reactor stops: drain instead of killing."""
        draining = asyncio.ensure_future(self._drain())
        return defer.Deferred.fromFuture(draining).addErrback(
            lambda failure: log.error("the drain failed: %s", failure)
        )

    async def _drain(self) -> None:
        for port in self.ports:
            port.stopListening()
        if self._lifespan is not None:
            await self._lifespan.shutdown(timeout_s=self.grace_s)
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol):
                protocol.serverClose(RESTARTING)
        left = await self._wait_for_applications()
        for task in left:
            task.cancel()
        if left:
            log.warning("%d applications did not end in time", len(left))

    async def _wait_for_applications(self) -> set["asyncio.Future[Any]"]:
        running = {
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details and not details["application_instance"].done()
        }
        if not running:
            return set()
        _, left = await asyncio.wait(running, timeout=self.grace_s)
        return left


class Lifespan:
    """The ASGI lifespan of one application, for a server that has none."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._received: asyncio.Queue[dict[str, str]] = asyncio.Queue(2)
        self._sent: asyncio.Queue[dict[str, str]] = asyncio.Queue(2)
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Run the application's start; one that knows no lifespan counts as started.

        Raises:
            RuntimeError: the application said that it could not start.
        """
        self._task = asyncio.ensure_future(self._run())
        self._received.put_nowait({"type": "lifespan.startup"})
        answer = await self._next_answer()
        if answer == "lifespan.startup.failed":
            raise RuntimeError("the application could not start")

    async def shutdown(self, *, timeout_s: float) -> None:
        """Run the application's end, at most ``timeout_s`` seconds."""
        if self._task is None or self._task.done():
            return
        self._received.put_nowait({"type": "lifespan.shutdown"})
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._next_answer()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self.application(scope, self._received.get, self._sent.put)
        except Exception as error:
            log.debug("the application knows no lifespan: %r", error)

    async def _next_answer(self) -> str | None:
        answer = asyncio.ensure_future(self._sent.get())
        task = cast("asyncio.Task[None]", self._task)
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()["type"]
        answer.cancel()
        return None


def run_worker(
    application: str,
    *,
    fd: int,
    unix_socket: str | None = None,
    worker_id: str = "",
    grace_s: float = 5.0,
    on_ready: Callable[[], None] | None = None,
    load_board: Path | None = None,
) -> None:
    """Serve until SIGTERM, then drain; returns when the last client has left or been left.

    Args:
        application: ``module:attribute`` of an ASGI application; imported here.
        fd: a listening socket that was inherited.
        unix_socket: where this worker alone listens too, for what other workers pass on.
        worker_id: put into the environment as ``WORKER_ID`` before the import.
        grace_s: seconds for the drain.
        on_ready: called once when requests are served.
        load_board: a file that all workers behind ``fd`` share, to take turns fairly; by default
            ``load`` beside ``unix_socket``.
    """
    os.environ["WORKER_ID"] = worker_id
    module, _, attribute = application.partition(":")
    target = getattr(importlib.import_module(module), attribute)
    os.set_blocking(fd, False)
    endpoints = [f"fd:fileno={fd}"]
    if unix_socket is not None:
        with suppress(FileNotFoundError):
            os.unlink(unix_socket)
        endpoints.append(f"unix:{unix_socket}:mode=600")
        load_board = load_board or Path(unix_socket).with_name("load")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    board = LoadBoard(load_board) if load_board is not None else None
    Server(target, endpoints=endpoints, grace_s=grace_s, on_ready=on_ready, board=board).run()


__all__ = ["Server", "SocketWriter", "reactor", "run_worker"]
