"""The local engine's end of the Realtime protocol: a WebSocket server for this machine only.

It listens on a loopback address or a Unix socket and nowhere else, and refuses browsers: a
page anywhere could otherwise speak to it through its reader's browser.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from readrealm.kernel.errors import AppError
from readrealm.kernel.wire import encode
from speech.realtime.connection import Engines, Session
from speech.realtime.conversation import new_id
from speech.realtime.events import Failure
from speech.realtime.outbox import ClientStalled, Outbox
from speech.realtime.renewal import LIMIT_S, SESSION_EXPIRED
from speech.realtime.shapes import ErrorDetail

log = logging.getLogger(__name__)

MAX_SESSIONS = 32
MAX_FRAME_BYTES = 4_194_304
"""A minute of sound in Base64; a longer frame closes the connection with 1009."""
MAX_FRAMES_WAITING = 16
GOING_AWAY = 1001
TOO_SLOW = 1008
BROKEN = 1011
LAST_WORD_S = 5.0
"""For the client to take the last thing that it is told."""


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A loopback address; port 0 takes any free one.

    Raises:
        ValueError: others could reach it.
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        try:
            is_loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            is_loopback = self.host == "localhost"
        if not is_loopback:
            raise ValueError("the engine listens on a loopback address only")


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket file, which only its owner may open."""

    path: Path


Address = TcpAddress | UnixAddress


def read_address(text: str) -> Address:
    """``127.0.0.1:8765``, ``[::1]:8765`` or ``unix:/run/engine.sock``.

    Raises:
        ValueError: none of these, or an address that others could reach.
    """
    if text.startswith("unix:"):
        return UnixAddress(Path(text.removeprefix("unix:")))
    parts = urlsplit(f"//{text}")
    if parts.hostname is None or parts.port is None or parts.path:
        raise ValueError("an address is host:port or unix:path")
    return TcpAddress(parts.hostname, parts.port)


class RealtimeServer:
    """Serves sessions.

    Args:
        token: what clients must show as ``Authorization: Bearer``; None takes everybody who
            can reach the address.
        session_s: a session of this age is ended as other providers end theirs: with the error
            ``session_expired``, and 1001. Its client knows from ``expires_at``.
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        max_sessions: int = MAX_SESSIONS,
        session_s: float = LIMIT_S,
    ) -> None:
        self._token = token
        self._max_sessions = max_sessions
        self._session_s = session_s
        self._sessions = 0

    @contextlib.asynccontextmanager
    async def listening(self, engines: Engines, address: Address) -> AsyncIterator[str]:
        """Serve sessions with these engines until the block ends; those that are open are then
        told that the engine goes away (1001).

        Yields: the address as `read_address` takes it, with the port that was really taken.

        Raises:
            OSError: the address cannot be had.
        """

        async def serve_one(connection: ServerConnection) -> None:
            await self._serve(connection, engines)

        server = await self._bound(serve_one, address)
        try:
            yield _named(address, server)
        finally:
            server.close()
            await server.wait_closed()
            if isinstance(address, UnixAddress):
                address.path.unlink(missing_ok=True)

    async def _bound(
        self, serve_one: Callable[[ServerConnection], Awaitable[None]], address: Address
    ) -> Server:
        options: dict[str, Any] = {
            "process_request": self._admit,
            "max_size": MAX_FRAME_BYTES,
            "max_queue": MAX_FRAMES_WAITING,
            "compression": None,
            "server_header": None,
        }
        if isinstance(address, TcpAddress):
            return await serve(serve_one, address.host, address.port, **options)
        address.path.unlink(missing_ok=True)
        # Narrowed before the file exists, so that nobody slips in between.
        previous = os.umask(0o177)
        try:
            return await unix_serve(serve_one, str(address.path), **options)
        finally:
            os.umask(previous)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Origin") is not None:
            return connection.respond(HTTPStatus.FORBIDDEN, "browsers are not served\n")
        if urlsplit(request.path).path.rstrip("/").rpartition("/")[2] != "realtime":
            return connection.respond(HTTPStatus.NOT_FOUND, "the path ends with /realtime\n")
        if self._token is not None and not self._is_known(request):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "a token is needed\n")
        if self._sessions >= self._max_sessions:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "all sessions are taken\n")
        return None

    def _is_known(self, request: Request) -> bool:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), (self._token or "").encode())

    async def _serve(self, connection: ServerConnection, engines: Engines) -> None:
        self._sessions += 1
        try:
            async with asyncio.timeout(self._session_s):
                expires_at = int(time.time() + self._session_s)
                await _converse(connection, engines, expires_at=expires_at)
        except* TimeoutError:
            await _expire(connection)
        except* ConnectionClosed:
            pass
        except* ClientStalled:
            await connection.close(TOO_SLOW, "nothing was read for too long")
        except* AppError as refusals:
            # Refused while opening: an engine that this session needs is not there.
            await connection.close(BROKEN, str(refusals.exceptions[0])[:120])
        except* Exception:
            log.exception("a session of the engine has failed")
            await connection.close(BROKEN, "something went wrong on our side")
        finally:
            self._sessions -= 1


async def _converse(connection: ServerConnection, engines: Engines, *, expires_at: int) -> None:
    outbox = Outbox()
    async with asyncio.TaskGroup() as tasks:
        model = _model(connection.request)
        session = Session(engines, outbox=outbox, tasks=tasks, model=model, expires_at=expires_at)
        tasks.create_task(_send(connection, outbox))
        await session.open()
        while True:
            # Ends with ConnectionClosed, which ends the tasks of the session with it.
            await session.take(await connection.recv())


async def _expire(connection: ServerConnection) -> None:
    message = "the session has reached its greatest age"
    error = ErrorDetail(message=message, code=SESSION_EXPIRED)
    frame = encode(Failure(event_id=new_id("event"), error=error))
    with contextlib.suppress(TimeoutError, ConnectionClosed):
        async with asyncio.timeout(LAST_WORD_S):
            await connection.send(frame, text=True)
    await connection.close(GOING_AWAY, message)


async def _send(connection: ServerConnection, outbox: Outbox) -> None:
    while True:
        frame = await outbox.get()
        await connection.send(frame, text=True)


def _model(request: Request | None) -> str:
    query = parse_qs(urlsplit(request.path).query) if request else {}
    return query.get("model", ["local"])[0][:128]


def _named(address: Address, server: Server) -> str:
    if isinstance(address, UnixAddress):
        return f"unix:{address.path}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{next(iter(server.sockets)).getsockname()[1]}"
