"""One client as its consumers see it: ordered events in, events and answers out.

Each consumer of a connection has an inbox of its own, so that a slow one never delays another,
and answers its events one after another in the order of their arrival.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from channels.consumer import get_handler_name
from channels.layers import get_channel_layer
from socketio import packet

from .consumer import EventConsumer
from .layer import MEMBER_PREFIX, bridge_layer
from .outlet import Outlet
from .packets import UNREADABLE, Packet
from .session import MESSAGE

log = logging.getLogger(__name__)

Application = Callable[..., Awaitable[None]]

INBOX_LIMIT = 256
"""Events of one client that one consumer may have waiting; more are answered `flooded`."""

INBOX_BYTES = 4 << 20
"""What those events may have together, as they were sent; one of any size may always wait."""

FAREWELL_TIMEOUT_S = 4.0
"""For a consumer to finish its events once its client has left, and again for `disconnected`."""


@dataclass(slots=True)
class _Item:
    """What waits for a consumer: an event, a group message, or (neither) its beginning."""

    event: str | None = None
    data: Any = None
    ack_id: int | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many events a client may send: ``burst`` at once, then one every ``interval_s``."""

    burst: int = 400
    interval_s: float = 0.005


class Connection:
    """One client in one namespace."""

    __slots__ = (
        "arrival",
        "audience",
        "inboxes",
        "is_leaving",
        "outlet",
        "owners",
        "pace",
        "scope",
        "sid",
    )

    def __init__(
        self,
        *,
        sid: str,
        audience: str,
        outlet: Outlet,
        scope: dict[str, Any],
        owners: dict[str, tuple[int, Application]],
        pace: Pace,
    ) -> None:
        self.sid, self.audience, self.outlet, self.scope = sid, audience, outlet, scope
        self.owners, self.pace = owners, pace
        self.arrival = 0.0
        """When the next event would be due at the steady pace (generic cell rate algorithm)."""
        self.inboxes: dict[int, Inbox] = {}
        self.is_leaving = False

    def deliver(
        self, event: str, args: Sequence[Any], ack_id: int | None, *, size_bytes: int = 0
    ) -> bool:
        """Queue one event for the consumer that answers it; False when there is none.

        It is queued before this returns: that alone keeps events in the order of arrival.

        Args:
            size_bytes: of the packet and its attachments, about.
        """
        owner = self.owners.get(event)
        if owner is None or self.is_leaving:
            return False
        inbox = self.inbox(*owner)
        if wait_s := self.spend():
            inbox.refuse_flood(event, ack_id, wait_s)
        else:
            inbox.put_event(event, args[0] if args else None, ack_id, size_bytes=size_bytes)
        return True

    def spend(self) -> float:
        """Count one event; 0, or the seconds until it would have been allowed."""
        now = time.monotonic()
        arrival = max(self.arrival, now)
        early_s = arrival - now - self.pace.interval_s * (self.pace.burst - 1)
        if early_s > 0:
            return early_s
        self.arrival = arrival + self.pace.interval_s
        return 0.0

    def inbox(self, index: int, application: Application) -> "Inbox":
        """The inbox of one consumer, made at its first use."""
        inbox = self.inboxes.get(index)
        if inbox is None:
            consumer = consumer_class(application)(**_initkwargs(application))
            inbox = self.inboxes[index] = Inbox(self, index, consumer)
        return inbox

    def emit(self, event: str, args: Sequence[Any]) -> None:
        """Send one event to this client, with any number of arguments, binary ones too."""
        self._send(Packet(packet.EVENT, data=[event, *args], namespace=self.audience))

    def acknowledge(self, ack_id: int, args: Sequence[Any]) -> None:
        """Answer one event."""
        self._send(Packet(packet.ACK, data=list(args), namespace=self.audience, id=ack_id))

    def close(self) -> None:
        """End the connection from the server's side."""
        self.outlet.close("server disconnect")

    def _send(self, outgoing: Packet) -> None:
        encoded = outgoing.encode()
        for part in encoded if isinstance(encoded, list) else [encoded]:
            self.outlet.put(part if isinstance(part, bytes) else MESSAGE + part)

    async def hang_up(self) -> None:
        """Let every consumer finish and say goodbye, within `FAREWELL_TIMEOUT_S`."""
        if not self.is_leaving:
            self.is_leaving = True
            await asyncio.gather(*[inbox.finish() for inbox in self.inboxes.values()])


class Inbox:
    """One consumer of one connection: its queue, and the task that works through it.

    The task runs only while there is something to do, so that an idle client costs none.
    """

    __slots__ = (
        "audience",
        "channel_name",
        "connection",
        "consumer",
        "groups",
        "items",
        "loop",
        "outlet",
        "refusals",
        "task",
        "waiting_bytes",
    )

    def __init__(self, connection: Connection, index: int, consumer: EventConsumer) -> None:
        self.connection, self.outlet = connection, connection.outlet
        self.audience = connection.audience
        self.items: deque[_Item] = deque()
        self.waiting_bytes = 0
        self.groups: set[str] = set()
        self.refusals: set[asyncio.Task[None]] = set()
        self.task: asyncio.Task[None] | None = None
        self.loop = asyncio.get_running_loop()
        layer = bridge_layer()
        self.channel_name = f"{MEMBER_PREFIX}{layer.worker_id}!{connection.sid}.{index}"
        self.consumer = consumer
        consumer.scope, consumer.sid = connection.scope, connection.sid
        consumer.channel_layer, consumer.channel_name = get_channel_layer(), self.channel_name
        consumer.inbox = self
        layer.register(self)
        self._put(_Item())

    def put_event(self, event: str, data: Any, ack_id: int | None, *, size_bytes: int) -> None:
        """Queue one event."""
        if self.items and self._is_full():
            self.refuse_flood(event, ack_id, 1.0)
        else:
            self._put(_Item(event, data, ack_id, size_bytes))

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        """Queue one group message for the consumer's handler of its type."""
        if self._is_full():
            log.warning("a consumer does not keep up; a %s message was dropped", message["type"])
        else:
            self._put(_Item(data=message, size_bytes=size_bytes))

    def _is_full(self) -> bool:
        return len(self.items) >= INBOX_LIMIT or self.waiting_bytes >= INBOX_BYTES

    def _put(self, item: _Item) -> None:
        self.items.append(item)
        self.waiting_bytes += item.size_bytes
        if self.task is None:
            # Not asyncio.create_task: to look the loop up and to number the task costs a third.
            self.task = self.loop.create_task(self._work(), name="consumer")

    def refuse_flood(self, event: str, ack_id: int | None, wait_s: float) -> None:
        """Refuse an event at once, without a place in the queue; asked for, so answered."""
        if ack_id is not None and len(self.refusals) < INBOX_LIMIT:
            refusal = asyncio.create_task(self._refuse_flood(event, ack_id, wait_s))
            self.refusals.add(refusal)
            refusal.add_done_callback(self.refusals.discard)

    async def _refuse_flood(self, event: str, ack_id: int, wait_s: float) -> None:
        reply = await self.consumer.flooded(event, math.ceil(wait_s * 1000))
        self.connection.acknowledge(ack_id, [reply])

    async def _work(self) -> None:
        try:
            while self.items:
                item = self.items.popleft()
                self.waiting_bytes -= item.size_bytes
                if item.event is not None:
                    await self._answer(item.event, item.data, item.ack_id)
                elif item.data is None:
                    await self._guard(self.consumer.connected())
                else:
                    await self._guard(self._handle(item.data))
        finally:
            self.task = None

    async def _answer(self, event: str, data: Any, ack_id: int | None) -> None:
        try:
            if data is UNREADABLE:
                reply = await self.consumer.unreadable(event, "the payload is nested too deeply")
            else:
                reply = await self.consumer.answer(event, data)
        except Exception as error:
            if not isinstance(error, self.consumer.refusals):
                log.exception("event %s failed", event)
            reply = await self._refuse(event, error)
        if ack_id is not None:
            await self._acknowledge(event, ack_id, reply)

    async def _refuse(self, event: str, error: Exception) -> Any:
        try:
            return await self.consumer.refused(event, error)
        except Exception:
            log.exception("the refusal of event %s failed", event)
            return await EventConsumer.refused(self.consumer, event, error)

    async def _acknowledge(self, event: str, ack_id: int, reply: Any) -> None:
        """Answer; a reply that is no JSON is a bug like any other."""
        try:
            self.connection.acknowledge(ack_id, [reply])
        except Exception as error:
            log.exception("the answer to event %s cannot be sent", event)
            self.connection.acknowledge(ack_id, [await self._refuse(event, error)])

    async def _handle(self, message: dict[str, Any]) -> None:
        handler = getattr(self.consumer, get_handler_name(message), None)
        if handler is None:
            log.warning("no handler for a %s message", message["type"])
        else:
            await handler(message)

    async def _guard(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            log.exception("a consumer failed")

    async def finish(self) -> None:
        """Answer what has arrived, say goodbye, leave every group; each within its time."""
        if self.task is not None:
            _, late = await asyncio.wait({self.task}, timeout=FAREWELL_TIMEOUT_S)
            for task in late:
                log.warning("an event was still being answered when its client had left")
                task.cancel()
        try:
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                await self._guard(self.consumer.disconnected())
        except TimeoutError:
            log.warning("a consumer took too long to leave")
        layer = bridge_layer()
        for group in list(self.groups):
            await layer.group_discard(group, self.channel_name)
        layer.unregister(self)


def _initkwargs(application: Any) -> dict[str, Any]:
    kwargs: dict[str, Any] = application.consumer_initkwargs
    return kwargs


def consumer_class(application: Any) -> type[EventConsumer]:
    found = getattr(application, "consumer_class", None)
    if not (isinstance(found, type) and issubclass(found, EventConsumer)):
        raise TypeError("a bridge namespace takes what EventConsumer.as_asgi() gives")
    return found
