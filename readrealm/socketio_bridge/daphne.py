"""Everything that knows daphne: one worker process that drains, holds back, and closes properly.

daphne listens, speaks HTTP and runs applications. Added here: the ASGI lifespan, a drain on
SIGTERM, WebSockets of our own, back pressure, and a fair share of a common listening socket.
"""

import asyncio
import gc
import importlib
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from daphne import http_protocol
from daphne import server as daphne_server  # installs the asyncio reactor: before any other Twisted
from twisted.internet import defer

from .balance import LoadBoard
from .forwarding import RELAY_HEADER
from .frames import accept_key
from .lifespan import Lifespan
from .listener import FairListener
from .twisted_websocket import HIGH_WATER_BYTES, InputQueue, WebSocket, buffered_bytes, read_plainly
from .websocket import WRITER_EXTENSION

log = logging.getLogger(__name__)

HARD_LIMIT_BYTES = 4 << 20
"""Bytes in Twisted's buffer above which a client of a plain ASGI application is cut."""

STALL_TIMEOUT_S = 10.0

RESTARTING = 1012
"""WebSocket close code "service restart" (IANA registry)."""

MAX_FRAME_BYTES = 1_000_000

GC_THRESHOLDS = (50_000, 50, 100)
"""Objects of a worker live for hours or for microseconds: looking often finds nothing."""


class Request(http_protocol.WebRequest):
    """An HTTP request; one that asks for a WebSocket is handed over to ours."""

    transport: Any

    def process(self) -> Any:
        upgrade = self.requestHeaders.getRawHeaders(b"upgrade") or [b""]
        if upgrade[0].lower() == b"websocket":
            self._upgrade()
            return None
        return super().process()

    def _upgrade(self) -> None:
        asked = self.requestHeaders.getRawHeaders
        accept = accept_key((asked(b"sec-websocket-key") or [b""])[0].strip())
        versions = asked(b"sec-websocket-version") or [b""]
        try:
            path = unquote(self.path.decode("ascii"))
            _, _, query = self.uri.partition(b"?")
            query.decode("ascii")
        except UnicodeDecodeError:
            path = None
        if path is None or accept is None or self.method != b"GET" or versions != [b"13"]:
            self.setHeader(b"sec-websocket-version", b"13")
            self.basic_error(400, b"Bad Request", "This is no WebSocket handshake")
            return
        leftover = self.channel.clearLineBuffer()
        transport, self.transport = self.transport, None
        self.server.protocol_disconnected(self)
        is_relayed = asked(RELAY_HEADER) is not None
        socket = WebSocket(
            self.server, accept=accept, max_bytes=MAX_FRAME_BYTES, is_relayed=is_relayed
        )
        socket.begin(transport, self._websocket_scope(path, query), leftover)
        self.channel._networkProducer.resumeProducing()
        read_plainly(transport)

    def _websocket_scope(self, path: str, query: bytes) -> dict[str, Any]:
        headers = [
            (name.lower(), value)
            for name, values in self.requestHeaders.getAllRawHeaders()
            if b"_" not in name  # a name with "_" could pass for one with "-" (CVE-2015-0219)
            for value in values
        ]
        offered = b",".join(value for name, value in headers if name == b"sec-websocket-protocol")
        return {
            "type": "websocket",
            "path": path,
            "raw_path": self.path,
            "root_path": self.server.root_path,
            "scheme": "wss" if self.isSecure() else "ws",
            "headers": headers,
            "query_string": query,
            "client": _address(self.client),
            "server": _address(self.host),
            "subprotocols": [part.strip() for part in offered.decode("latin-1").split(",") if part],
        }


def _address(peer: Any) -> list[Any] | None:
    """Host and port; None for a Unix socket."""
    return [str(peer.host), peer.port] if hasattr(peer, "port") else None


class HTTPFactory(http_protocol.HTTPFactory):
    """Makes channels whose requests are ours."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel


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
            **{"application_close_timeout": grace_s, "server_name": "", "verbosity": 1} | options,
        )
        self.grace_s, self.on_ready, self.board = grace_s, on_ready, board
        self.ready_callable = self._start_application
        self.ports: list[Any] = []
        self._lifespan: Lifespan | None = None

    @property
    def http_factory(self) -> HTTPFactory:
        """daphne makes its own inside ``run``; this one takes its place."""
        return self._http_factory

    @http_factory.setter
    def http_factory(self, stock: Any) -> None:
        self._http_factory = HTTPFactory(self)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> InputQueue | None:
        """Run the application for one request or WebSocket; gives its input queue."""
        scope.setdefault("asgi", {"version": "3.0"})
        if scope["type"] == "websocket":
            scope["extensions"] = {WRITER_EXTENSION: protocol}
        details = self.connections.get(protocol)
        if details is None:
            return None
        queue = InputQueue(protocol.transport)

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

    def listen_success(self, port: Any) -> None:
        """A listening port is open; the first is the one that workers share."""
        super().listen_success(port)
        if self.board is not None and not self.ports:
            FairListener(port, self.board)
        self.ports.append(port)

    def _start_application(self) -> None:
        loop = asyncio.get_event_loop()
        self._lifespan = Lifespan(self.application)
        starting = loop.create_task(self._lifespan.startup())
        starting.add_done_callback(self._started)

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
            if isinstance(protocol, WebSocket):
                protocol.close(RESTARTING)
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
