"""Plain JSON WebSocket: the same consumers for clients that do not speak Socket.IO.

The client sends ``{"event": name, "data": object, "id": number?}`` and hears
``{"event": name, "data": ...}``; an event with an ``id`` is answered ``{"ack": id, "data": ...}``.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from .connection import Connection, Inbox, Pace
from .consumer import EventConsumer
from .outlet import Congestion, Outlet
from .packets import UNREADABLE, BadPacket, EnginePacket, Json, TooDeep
from .room import PLAIN
from .websocket import (
    POLICY_VIOLATION,
    TOO_LARGE,
    Gone,
    OversizedFrame,
    frame_writer,
    next_packet,
    sending,
)

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = 1_000_000
MAX_QUEUE_BYTES = 1 << 20
STALL_TIMEOUT_S = 10.0

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class PlainOutlet(Outlet):
    """The way out over one plain WebSocket."""

    __slots__ = ()

    def close(self, reason: str, *, code: int = 1000) -> None:
        if self.closed:
            return
        self.closed = True
        self.close_code = code
        if self.wake is not None:
            self.wake.set()
        if self.writer is not None:
            self.flush()
            self.writer.close(code)


class PlainConnection(Connection):
    """One client of a plain WebSocket, in the same terms as one of Socket.IO."""

    __slots__ = ()

    def __init__(self, outlet: PlainOutlet, scope: dict[str, Any]) -> None:
        sid = secrets.token_urlsafe(15)
        super().__init__(
            sid=sid, audience=PLAIN, outlet=outlet, scope=scope, owners={}, pace=Pace()
        )

    def emit(self, event: str, args: Sequence[Any]) -> None:
        self.outlet.put(Json.dumps({"event": event} | ({"data": args[0]} if args else {})))

    def acknowledge(self, ack_id: int, args: Sequence[Any]) -> None:
        self.outlet.put(Json.dumps({"ack": ack_id, "data": args[0] if args else None}))


async def serve(
    consumer: EventConsumer, scope: dict[str, Any], receive: Receive, send: Send
) -> None:
    """Serve one WebSocket with one consumer, from its acceptance to its end."""
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    outlet = PlainOutlet(
        Congestion(max_queue_bytes=MAX_QUEUE_BYTES, stall_timeout_s=STALL_TIMEOUT_S)
    )
    outlet.writer = frame_writer(scope)
    connection = PlainConnection(outlet, scope)
    inbox = connection.inboxes[0] = Inbox(connection, 0, consumer)
    async with sending(outlet, send, timeout_s=STALL_TIMEOUT_S):
        try:
            while not outlet.closed:
                _take(inbox, await next_packet(receive, lambda: MAX_FRAME_BYTES))
        except Gone:
            outlet.close("transport close")
        except OversizedFrame:
            outlet.close("transport error", code=TOO_LARGE)
        except BadPacket as error:
            log.info("closing a WebSocket that broke the protocol: %s", error)
            outlet.close("transport error", code=POLICY_VIOLATION)
        finally:
            outlet.close("transport close")
            await connection.hang_up()


def _take(inbox: Inbox, content: EnginePacket) -> None:
    if isinstance(content, bytes):
        raise BadPacket("binary frames have no meaning here")
    frame = _read(content)
    event, ack_id = frame.get("event"), frame.get("id")
    if not isinstance(event, str) or not isinstance(ack_id, int | None) or ack_id is True:
        raise BadPacket("a frame needs an event, and its id must be a number")
    if event not in inbox.consumer.events:
        return
    if wait_s := inbox.connection.spend():
        inbox.refuse_flood(event, ack_id, wait_s)
    else:
        inbox.put_event(event, frame.get("data"), ack_id, size_bytes=len(content))


def _read(content: str) -> dict[str, Any]:
    try:
        frame = Json.loads(content)
    except TooDeep:
        frame = _outline(content)
    if not isinstance(frame, dict):
        raise BadPacket("a frame must be an object")
    return frame


def _outline(content: str) -> Any:
    """A frame that is nested too deeply, with `UNREADABLE` for its data."""
    try:
        frame = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise BadPacket("the frame cannot be read") from error
    named = {key: Json.loads(str(frame[key], "utf-8")) for key in ("event", "id") if key in frame}
    return {**named, "data": UNREADABLE}
