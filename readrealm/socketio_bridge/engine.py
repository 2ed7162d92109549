"""The Engine.IO server: which sessions there are, and who answers a request.

It stands where `engineio.AsyncServer` stands under python-socketio and keeps its public
surface; the requests themselves are answered in `polling` and `websocket`.
"""

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol
from urllib.parse import parse_qs

import engineio

from . import polling, websocket
from .outlet import TRY_AGAIN_LATER, Congestion
from .packets import EnginePacket
from .session import CLOSE, MESSAGE, Session

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Forward = Callable[[str, Scope, Receive, Send], Awaitable[None]]

UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, BAD_VERSION = range(6)
"""Engine.IO error codes, as the JavaScript server numbers them."""

ERRORS = {
    UNKNOWN_TRANSPORT: "Transport unknown",
    UNKNOWN_SID: "Session ID unknown",
    BAD_METHOD: "Bad handshake method",
    BAD_REQUEST: "Bad request",
    FORBIDDEN: "Forbidden",
    BAD_VERSION: "Unsupported protocol version",
}


SLOW_READER = "slow reader"

PARTING_S = 5.0
"""For a polling client to fetch the last packets of a session that the server has ended."""


class Refusal(Exception):
    """A request that is answered with an Engine.IO error instead of a session."""

    def __init__(self, code: int, *, status: int = 400, message: str | None = None) -> None:
        super().__init__(message or ERRORS[code])
        self.code, self.status = code, status

    @property
    def body(self) -> bytes:
        return json.dumps({"code": self.code, "message": str(self)}, separators=(",", ":")).encode()


class Gate(Protocol):
    """Judges requests; `admission.Admission` is one."""

    def __call__(self, scope: Scope) -> Refusal | None:
        """Why this request gets no session, or None."""
        ...

    def open(self, scope: Scope) -> Refusal | None:
        """Why this request may not open a session, or None; then it is counted."""
        ...

    def closed(self, scope: Scope) -> None:
        """A session that was counted has ended."""
        ...

    def credential(self, scope: Scope) -> object:
        """What must be equal for every request of a session."""
        ...


class Engine(engineio.AsyncServer):
    """Engine.IO version 4 over ASGI: long-polling and WebSocket, and the upgrade between them.

    Args:
        worker_id: begins the id of every session, so that any worker knows who owns it.
        connect_timeout_s: a session without a Socket.IO connection is closed after this.
        max_queue_bytes: what may wait for one client that reads slowly before it is cut.
        stall_timeout_s: how long a congested client may take no byte at all.
        gate: judges every request; without one all pass.
        forward: passes a request on whose session another worker owns.
    """

    def __init__(
        self,
        *,
        worker_id: str = "",
        connect_timeout_s: float = 45.0,
        max_queue_bytes: int = 1 << 20,
        stall_timeout_s: float = 10.0,
        gate: Gate | None = None,
        forward: Forward | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"async_mode": "asgi", **options})
        self.worker_id = worker_id
        self.connect_timeout_s = connect_timeout_s
        self.expects_connect = False
        """Whether a client must connect to a Socket.IO namespace within ``connect_timeout_s``."""
        self.stall_timeout_s = stall_timeout_s
        self.congestion = Congestion(
            max_queue_bytes=max_queue_bytes, stall_timeout_s=stall_timeout_s
        )
        self.gate, self.forward = gate, forward
        self.deliver_now: Callable[[Session, str], bool] = _deliver_nothing
        """Takes a text message that nothing has to be awaited for; False leaves it to `deliver`."""
        self.draining = False
        self.sockets: dict[str, Session] = {}
        self.ended_by: Counter[str] = Counter()
        """Sessions that ended, by reason; those that were cut as `SLOW_READER`."""
        self._parting: dict[str, Session] = {}
        """Polling sessions that have ended, and what their clients have not fetched yet."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that serves; read once, for it is asked in every heartbeat."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    # What python-socketio calls.

    def generate_id(self) -> str:
        """A session id that cannot be guessed and names this worker: ``worker.random``."""
        return (
            f"{self.worker_id}.{secrets.token_urlsafe(15)}"
            if self.worker_id
            else (secrets.token_urlsafe(15))
        )

    def transport(self, sid: str) -> str:
        return self.sockets[sid].transport

    async def get_session(self, sid: str) -> dict[str, Any]:
        session = self.sockets[sid]
        if session.attributes is None:
            session.attributes = {}
        return session.attributes

    async def save_session(self, sid: str, session: dict[str, Any]) -> None:
        self.sockets[sid].attributes = session

    async def send(self, sid: str, data: EnginePacket) -> None:
        """Send one message; a session that is gone is passed over, as its client is."""
        if (session := self.sockets.get(sid)) is not None:
            session.put(data if isinstance(data, bytes) else MESSAGE + data)

    async def send_packet(self, sid: str, pkt: engineio.packet.Packet) -> None:
        if (session := self.sockets.get(sid)) is not None:
            session.put(pkt.encode())

    async def disconnect(self, sid: str | None = None) -> None:
        """End one session, or all of them."""
        chosen: Iterable[Session | None] = (
            list(self.sockets.values()) if sid is None else [self.sockets.get(sid)]
        )
        for session in chosen:
            if session is not None:
                session.close("server disconnect", farewell=CLOSE)

    async def shutdown(self) -> None:
        """End every session and wait for what this server started."""
        await self.disconnect()
        await self.settle(timeout_s=5)

    # What sessions call.

    def open(self, scope: Scope, transport: str) -> Session:
        """Begin a session; its first packet, the handshake, is queued."""
        session = Session(self, self.generate_id(), transport, scope)
        session.binding = self.gate.credential(scope) if self.gate else None
        self.sockets[session.sid] = session
        upgrades = ["websocket"] if transport == "polling" and self.allow_upgrades else []
        session.queue.append(
            "0"
            + json.dumps(
                {
                    "sid": session.sid,
                    "upgrades": upgrades,
                    "pingInterval": round(self.ping_interval * 1000),
                    "pingTimeout": round(self.ping_timeout * 1000),
                    "maxPayload": self.max_http_buffer_size,
                },
                separators=(",", ":"),
            )
        )
        session.start()
        return session

    async def announce(self, session: Session) -> None:
        """Tell the layer above that a session began."""
        if (handler := self.handlers.get("connect")) is not None:
            await handler(session.sid, {"asgi.scope": session.scope})

    async def deliver(self, session: Session, data: EnginePacket) -> None:
        """Hand a message of the client to the layer above."""
        if (handler := self.handlers.get("message")) is not None:
            await handler(session.sid, data)

    def ended(self, session: Session) -> None:
        """Forget a session that was closed and tell the layer above, on a task of ours."""
        self.sockets.pop(session.sid, None)
        was_cut = session.close_code == TRY_AGAIN_LATER
        self.ended_by[SLOW_READER if was_cut else str(session.reason)] += 1
        if session.transport == "polling" and session.reason == "server disconnect":
            self._parting[session.sid] = session
            self.loop.call_later(PARTING_S, self._parting.pop, session.sid, None)
        if self.gate is not None:
            self.gate.closed(session.scope)
        if (handler := self.handlers.get("disconnect")) is not None:
            self.own(handler(session.sid, session.reason))

    def own(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run work that belongs to no request; `settle` waits for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_report)
        return task

    async def settle(self, *, timeout_s: float) -> int:
        """Wait for owned tasks, at most ``timeout_s`` seconds; returns how many are left."""
        if not self._tasks:
            return 0
        _, pending = await asyncio.wait(set(self._tasks), timeout=timeout_s)
        return len(pending)

    # Requests.

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI ``http`` or ``websocket`` scope under the Engine.IO path."""
        query = {
            name: values[0]
            for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()
        }
        sid = query.get("sid")
        if sid is not None and self.forward is not None and not self._is_ours(sid):
            await self.forward(sid, scope, receive, send)
            return
        is_websocket = scope["type"] == "websocket"
        try:
            session = self._check(scope, query, is_websocket=is_websocket)
        except Refusal as refusal:
            answer = websocket.refuse if is_websocket else polling.refuse
            await answer(refusal, scope, receive, send)
            return
        serve = websocket.serve if is_websocket else polling.serve
        await serve(self, session, scope, receive, send)

    def _is_ours(self, sid: str) -> bool:
        return sid in self.sockets or sid.partition(".")[0] == self.worker_id

    def _check(self, scope: Scope, query: dict[str, str], *, is_websocket: bool) -> Session | None:
        transport = query.get("transport")
        if transport not in self.transports:
            raise Refusal(UNKNOWN_TRANSPORT)
        if (transport == "websocket") != is_websocket:
            raise Refusal(BAD_REQUEST)
        if query.get("EIO") != "4":
            raise Refusal(BAD_VERSION)
        if self.gate is not None and (refusal := self.gate(scope)) is not None:
            raise refusal
        session = self._find(query.get("sid"), scope)
        if not is_websocket:
            _check_method(scope["method"], session)
        if session is None and scope.get("method") != "OPTIONS":
            self._check_new(scope)
        return session

    def _check_new(self, scope: Scope) -> None:
        if self.draining:
            raise Refusal(BAD_REQUEST, status=503, message="the server is restarting")
        if self.gate is not None and (refusal := self.gate.open(scope)) is not None:
            raise refusal

    def _find(self, sid: str | None, scope: Scope) -> Session | None:
        if sid is None:
            return None
        session = self.sockets.get(sid)
        if session is not None and scope.get("method") == "GET":
            session.check_pong()  # a poll is no sign of life
            session = self.sockets.get(sid)
        if session is None and scope.get("method") == "GET":
            session = self._parted(sid)
        # Another credential gets the answer of an unknown session: it learns nothing.
        if session is None or (self.gate and self.gate.credential(scope) != session.binding):
            raise Refusal(UNKNOWN_SID)
        return session

    def _parted(self, sid: str) -> Session | None:
        """A session that has ended, if there is still something for its client to fetch."""
        session = self._parting.pop(sid, None)
        return session if session is not None and session.queue else None


def _deliver_nothing(session: Session, text: str) -> bool:
    return False


def _check_method(method: str, session: Session | None) -> None:
    if method == "OPTIONS":
        return
    if session is None and method != "GET":
        raise Refusal(BAD_METHOD)
    if session is not None and (method not in {"GET", "POST"} or session.transport != "polling"):
        raise Refusal(BAD_REQUEST)


def _report(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task of the Engine.IO server failed", exc_info=error)
