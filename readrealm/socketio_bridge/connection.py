"""One client as Channels consumers see it: ordered events in, events and answers out.

`BridgeNamespace` is the end that python-socketio knows, `EventConsumer` the end that an
application fills in. Each consumer of a connection has an inbox of its own, so that a slow one
never delays another, and answers its events one after another in the order of their arrival.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, ClassVar

import socketio
from channels.consumer import AsyncConsumer, get_handler_name
from channels.layers import get_channel_layer
from socketio import packet

from .layer import MEMBER_PREFIX, RoomChannelLayer
from .outlet import Outlet
from .packets import Packet
from .session import MESSAGE, Session

log = logging.getLogger(__name__)

Application = Callable[..., Awaitable[None]]
Greet = Callable[[str], Iterable[tuple[str, Any]]]

INBOX_LIMIT = 256
"""Events of one client that one consumer may have waiting; more are answered `flooded`."""

FAREWELL_TIMEOUT_S = 8.0
"""For a consumer to finish its event and its `disconnected` after its client has left."""

NO_ARGUMENTS: tuple[Any, ...] = ()


class Refused(Exception):
    """Turns a client away from a namespace: the CONNECT_ERROR packet carries text and data."""

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.data = data


class EventConsumer(AsyncConsumer):
    """A Channels consumer that answers named events.

    The same class serves Socket.IO clients, through a `BridgeNamespace`, and plain JSON
    WebSockets, as an ordinary ASGI application. It is made for one client, at the first of its
    events. Subclasses name their ``events`` and the ``refusals`` they raise on purpose.

    Attributes:
        scope: the ASGI scope of the handshake, with what `authenticate` put there;
            ``scope["extensions"]["socketio"]`` has ``sid``, ``namespace`` and ``auth``.
        sid: public id of the connection.
        channel_name: what joins groups, and where `channel_layer.send` reaches this consumer.
    """

    events: ClassVar[frozenset[str]] = frozenset()
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    eager: ClassVar[bool] = False
    """Whether it is made when the client connects, not at its first event."""

    scope: dict[str, Any]
    sid: str
    channel_name: str
    inbox: "Inbox"

    async def connected(self) -> None:
        """The consumer begins; events wait until this has returned."""

    async def answer(self, event: str, data: Any) -> Any:
        """Do what the client asks; the result is the acknowledgement's one argument.

        Args:
            data: the event's first argument, None when there is none; further ones are dropped.
        """
        raise NotImplementedError(event)

    async def refused(self, event: str, error: Exception) -> Any:
        """Put a refusal, or a failure, into the words of this consumer.

        The result is the acknowledgement. Anything that is not one of ``refusals`` has been
        logged already, and its text must not reach the client.
        """
        return {"ok": False, "code": "INTERNAL_ERROR", "error": "something went wrong"}

    async def flooded(self, event: str, retry_after_ms: int) -> Any:
        """The client sends faster than it may; the result is the acknowledgement."""
        return {
            "ok": False,
            "code": "RATE_LIMITED",
            "error": "too many events",
            "retryAfterMs": retry_after_ms,
        }

    async def disconnected(self) -> None:
        """The client has left, or is made to leave; release what was taken. Runs once."""

    async def emit(self, event: str, *args: Any) -> None:
        """Send one event to this client only."""
        self.inbox.connection.emit(event, args)

    async def join(self, group: str) -> None:
        """Hear a group's events from now on."""
        await self.channel_layer.group_add(group, self.channel_name)
        self.inbox.groups.add(group)

    async def leave(self, group: str) -> None:
        """Hear a group's events no longer."""
        self.inbox.groups.discard(group)
        await self.channel_layer.group_discard(group, self.channel_name)

    async def close(self) -> None:
        """End this connection."""
        self.inbox.connection.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a plain JSON WebSocket."""
        from .plain import serve

        await serve(self, scope, receive, send)


class Connection:
    """One client in one namespace."""

    __slots__ = ("audience", "inboxes", "is_leaving", "outlet", "owners", "scope", "sid")

    def __init__(
        self,
        *,
        sid: str,
        audience: str,
        outlet: Outlet,
        scope: dict[str, Any],
        owners: dict[str, tuple[int, Application]],
    ) -> None:
        self.sid, self.audience, self.outlet, self.scope = sid, audience, outlet, scope
        self.owners = owners
        self.inboxes: dict[int, Inbox] = {}
        self.is_leaving = False

    def deliver(self, event: str, args: Sequence[Any], ack_id: int | None) -> bool:
        """Queue one event for the consumer that answers it; False when there is none.

        It is queued before this returns: that alone keeps events in the order of arrival.
        """
        owner = self.owners.get(event)
        if owner is None or self.is_leaving:
            return False
        index, application = owner
        self.inbox(index, application).put_event(event, args[0] if args else None, ack_id)
        return True

    def inbox(self, index: int, application: Application) -> "Inbox":
        """The inbox of one consumer, made at its first use."""
        inbox = self.inboxes.get(index)
        if inbox is None:
            consumer = _consumer_class(application)(**_initkwargs(application))
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
        "outlet",
        "task",
    )

    def __init__(self, connection: Connection, index: int, consumer: EventConsumer) -> None:
        self.connection, self.outlet = connection, connection.outlet
        self.audience = connection.audience
        self.items: deque[tuple[str | None, Any, int | None]] = deque()
        self.groups: set[str] = set()
        self.task: asyncio.Task[None] | None = None
        layer = _layer()
        self.channel_name = f"{MEMBER_PREFIX}{layer.worker_id}!{connection.sid}.{index}"
        self.consumer = consumer
        consumer.scope, consumer.sid = connection.scope, connection.sid
        consumer.channel_layer, consumer.channel_name = get_channel_layer(), self.channel_name
        consumer.inbox = self
        layer.register(self)
        self._put((None, None, None))

    def put_event(self, event: str, data: Any, ack_id: int | None) -> None:
        """Queue one event."""
        if len(self.items) >= INBOX_LIMIT:
            self._put_front_answer(event, ack_id)
        else:
            self._put((event, data, ack_id))

    def dispatch(self, message: dict[str, Any]) -> None:
        """Queue one group message for the consumer's handler of its type."""
        if len(self.items) < INBOX_LIMIT:
            self._put((None, message, None))
        else:
            log.warning("a consumer does not keep up; a %s message was dropped", message["type"])

    def _put(self, item: tuple[str | None, Any, int | None]) -> None:
        self.items.append(item)
        if self.task is None:
            self.task = asyncio.create_task(self._work())

    def _put_front_answer(self, event: str, ack_id: int | None) -> None:
        """Refuse at once what does not fit, without a place in the queue."""
        if ack_id is not None:
            refusal = asyncio.create_task(self._refuse_flood(event, ack_id))
            _REFUSALS.add(refusal)
            refusal.add_done_callback(_REFUSALS.discard)

    async def _refuse_flood(self, event: str, ack_id: int) -> None:
        reply = await self.consumer.flooded(event, 1_000)
        self.connection.acknowledge(ack_id, [reply])

    async def _work(self) -> None:
        try:
            while self.items:
                event, data, ack_id = self.items.popleft()
                if event is not None:
                    await self._answer(event, data, ack_id)
                elif data is None:
                    await self._guard(self.consumer.connected())
                else:
                    await self._guard(self._handle(data))
        finally:
            self.task = None

    async def _answer(self, event: str, data: Any, ack_id: int | None) -> None:
        try:
            reply = await self.consumer.answer(event, data)
        except Exception as error:
            if not isinstance(error, self.consumer.refusals):
                log.exception("event %s failed", event)
            try:
                reply = await self.consumer.refused(event, error)
            except Exception:
                log.exception("the refusal of event %s failed", event)
                return
        if ack_id is not None:
            self.connection.acknowledge(ack_id, [reply])

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
        """Answer what has arrived, leave every group, say goodbye."""
        try:
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                if self.task is not None:
                    await asyncio.wait({self.task})
                await self._guard(self.consumer.disconnected())
        except TimeoutError:
            log.warning("a consumer took too long to leave")
            if self.task is not None:
                self.task.cancel()
        layer = _layer()
        for group in self.groups:
            await layer.group_discard(group, self.channel_name)
        layer.unregister(self)


_REFUSALS: set[asyncio.Task[None]] = set()


def _layer() -> Any:
    """The bridge's channel layer on the running loop."""
    layer = get_channel_layer()
    if not isinstance(layer, RoomChannelLayer):
        raise TypeError("CHANNEL_LAYERS must use the BACKEND of the bridge, RoomChannelLayer")
    return layer.here()


Authenticate = Callable[[dict[str, Any], Any], Awaitable[None]]
"""``(scope, auth)``: puts the user into the scope, or raises `Refused`."""


class BridgeNamespace(socketio.AsyncNamespace):
    """All connections of one Socket.IO namespace on this worker.

    Args:
        namespace: Socket.IO namespace, such as ``"/"``.
        consumers: ASGI applications made by ``EventConsumer.as_asgi``; no event twice.
        authenticate: decides before the CONNECT packet who the client is.
        greet: the events that a client gets first, given its sid.
    """

    def __init__(
        self,
        namespace: str,
        consumers: Sequence[Application],
        *,
        authenticate: Authenticate | None = None,
        greet: Greet | None = None,
    ) -> None:
        super().__init__(namespace)
        self.owners = owners_of(consumers)
        self.eager = [
            (index, application)
            for index, application in enumerate(consumers)
            if _consumer_class(application).eager
        ]
        self.authenticate, self.greet = authenticate, greet
        self.connections: dict[str, Connection] = {}

    async def admit(self, session: Session, sid: str, auth: Any) -> Connection:
        """Decide about a client; it is not connected yet.

        Raises:
            Refused: it may not connect.
        """
        about = {"sid": sid, "namespace": self.namespace, "auth": auth}
        extensions = session.scope.get("extensions") or {}
        scope = {**session.scope, "extensions": {**extensions, "socketio": about}}
        if self.authenticate is not None:
            await self.authenticate(scope, auth)
        return Connection(
            sid=sid, audience=self.namespace, outlet=session, scope=scope, owners=self.owners
        )

    def welcome(self, connection: Connection) -> None:
        """Greet a client whose CONNECT packet is on its way."""
        self.connections[connection.sid] = connection
        for event, *args in self.greet(connection.sid) if self.greet else ():
            connection.emit(event, args)
        for index, application in self.eager:
            connection.inbox(index, application)

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """What python-socketio calls: of the bridge's namespaces only for the end."""
        if event == "disconnect":
            connection = self.connections.pop(args[0], None)
            if connection is not None:
                await connection.hang_up()


def owners_of(consumers: Sequence[Application]) -> dict[str, tuple[int, Application]]:
    """Which consumer answers which event.

    Raises:
        ValueError: two consumers name the same event.
    """
    owners: dict[str, tuple[int, Application]] = {}
    for index, application in enumerate(consumers):
        events = _consumer_class(application).events
        if twice := owners.keys() & events:
            raise ValueError(f"answered by two consumers: {sorted(twice)}")
        owners |= dict.fromkeys(events, (index, application))
    return owners


def _initkwargs(application: Any) -> dict[str, Any]:
    kwargs: dict[str, Any] = application.consumer_initkwargs
    return kwargs


def _consumer_class(application: Any) -> type[EventConsumer]:
    found = getattr(application, "consumer_class", None)
    if not (isinstance(found, type) and issubclass(found, EventConsumer)):
        raise TypeError("a bridge namespace takes what EventConsumer.as_asgi() gives")
    return found
