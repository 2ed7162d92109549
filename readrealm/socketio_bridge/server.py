"""The Socket.IO server: python-socketio's packets, namespaces, rooms and acks over our engine."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import socketio
from socketio import packet

from .clients import LocalManager, engine_packets
from .cluster import ClusterManager
from .connection import Connection
from .engine import Engine
from .namespace import BridgeNamespace, Refused
from .packets import (
    UNREADABLE,
    BadPacket,
    EnginePacket,
    Json,
    Packet,
    TooDeep,
    event_head,
)
from .session import Session

DRAIN_S = 5.0
"""For what follows the end of all sessions, when the lifespan ends."""

RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names that mean something to the protocol or to its clients; a client may not send them."""

ATTACHMENTS_TIMEOUT_S = 10.0
"""For the attachments that a binary packet announces."""


@dataclass(slots=True)
class _Incomplete:
    """A binary packet whose attachments are still to come."""

    packet: Packet
    deadline: asyncio.TimerHandle
    header_bytes: int
    attached_bytes: int = 0


@dataclass(slots=True)
class _Held:
    """What waits behind a CONNECT that is being decided."""

    parts: list[EnginePacket] = field(default_factory=list)
    size_bytes: int = 0


class Server(socketio.AsyncServer):
    """`socketio.AsyncServer` that behaves as the protocol documents say.

    Namespaces of kind `BridgeNamespace` run Channels consumers; function handlers and stock
    namespaces work as python-socketio documents them. Options of both servers are accepted.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"serializer": Packet, "client_manager": LocalManager(), "async_mode": "asgi"}
            | options
        )
        self.eio.expects_connect = True
        self.eio.deliver_now = self._receive_event_now
        self._deciding: set[tuple[str, str]] = set()
        """Sessions and namespaces whose CONNECT is being decided."""
        self._held: dict[tuple[str, str], _Held] = {}
        """Packets for a client whose CONNECT is being decided: they must not overtake it."""
        self._incomplete: dict[str, _Incomplete] = {}
        """By session."""

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def handle_request(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one ASGI scope: ``http``, ``websocket``, or ``lifespan``.

        The lifespan starts a `ClusterManager` and ends with a drain of `DRAIN_S` seconds.
        """
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self.eio.handle_request(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        if isinstance(self.manager, ClusterManager):
            await self.manager.start(self.eio.worker_id)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain(timeout_s=DRAIN_S)
        await send({"type": "lifespan.shutdown.complete"})

    async def drain(self, *, timeout_s: float, close_code: int = 1012) -> int:
        """Refuse new sessions, close all, run what follows; returns the tasks that are left.

        Clients see the transport closed, not a DISCONNECT packet: that is what makes them
        come back.
        """
        self.eio.draining = True
        for session in list(self.eio.sockets.values()):
            session.close("transport close", code=close_code)
        left: int = await self.eio.settle(timeout_s=timeout_s)
        return left

    # From Engine.IO.

    async def _handle_eio_message(self, eio_sid: str, data: EnginePacket) -> None:
        session: Session | None = self.eio.sockets.get(eio_sid)
        if session is None:
            return
        if eio_sid in self._incomplete:
            await self._add_attachment(session, data)
            return
        if isinstance(data, bytes):
            raise BadPacket("an attachment that no packet announced")
        received = Packet(encoded_packet=data)
        namespace = received.namespace or "/"
        match received.packet_type:
            case packet.EVENT:
                await self._receive_event(session, namespace, received, len(data))
            case packet.ACK:
                await self._handle_ack(eio_sid, namespace, received.id, received.data)
            case packet.CONNECT:
                await self._handle_connect(eio_sid, namespace, received.data)
            case packet.DISCONNECT:
                await self._handle_disconnect(eio_sid, namespace, self.reason.CLIENT_DISCONNECT)
            case packet.BINARY_EVENT | packet.BINARY_ACK:
                self._expect_attachments(session, namespace, received, len(data))
            case _:
                raise BadPacket("a packet that only servers send")

    def _receive_event_now(self, session: Session, text: str) -> bool:
        """Deliver an event to consumers, whose queues make nobody wait; False if it is none."""
        head = None if session.sid in self._incomplete else event_head(text)
        if head is None:
            return False
        namespace, ack_id, start = head
        connection = session.connections.get(namespace)
        if not isinstance(connection, Connection):
            return False
        try:
            data = Json.loads(text[start:])
        except BadPacket:
            return False
        if not data or not isinstance(data[0], str) or data[0] in RESERVED_EVENTS:
            return False
        _deliver(connection, data[0], data[1:], ack_id, len(text))
        return True

    async def _receive_event(
        self, session: Session, namespace: str, received: Packet, size_bytes: int
    ) -> None:
        connection = session.connections.get(namespace)
        event, *args = received.data
        if event in RESERVED_EVENTS:
            return
        if isinstance(connection, Connection):
            _deliver(connection, event, args, received.id, size_bytes)
        elif args and args[0] is UNREADABLE:
            # A stock handler has no words for it.
            raise TooDeep("the packet is nested too deeply")
        else:
            await self._handle_event(session.sid, namespace, received.id, received.data)

    def _expect_attachments(
        self, session: Session, namespace: str, received: Packet, size_bytes: int
    ) -> None:
        if namespace not in session.connections:
            raise BadPacket("a binary packet before CONNECT")
        if received.attachment_count == 0:
            raise BadPacket("a binary packet without attachments")
        deadline = asyncio.get_running_loop().call_later(
            ATTACHMENTS_TIMEOUT_S, self._give_up_attachments, session
        )
        self._incomplete[session.sid] = _Incomplete(received, deadline, size_bytes)

    def _give_up_attachments(self, session: Session) -> None:
        if self._incomplete.pop(session.sid, None) is not None:
            session.close("transport error", code=1008)

    async def _add_attachment(self, session: Session, data: EnginePacket) -> None:
        if not isinstance(data, bytes):
            raise BadPacket("a packet between a binary packet and its attachments")
        incomplete = self._incomplete[session.sid]
        incomplete.attached_bytes += len(data)
        if incomplete.attached_bytes > session.max_frame_bytes:
            raise BadPacket("the attachments are too large together")
        received = incomplete.packet
        if not received.add_attachment(data):
            return
        self._forget_attachments(session.sid)
        namespace = received.namespace or "/"
        if received.packet_type == packet.BINARY_EVENT:
            size_bytes = incomplete.header_bytes + incomplete.attached_bytes
            await self._receive_event(session, namespace, received, size_bytes)
        else:
            await self._handle_ack(session.sid, namespace, received.id, received.data)

    def _forget_attachments(self, eio_sid: str) -> None:
        # A deadline that is only forgotten would keep what came for as long as it had to come.
        if (incomplete := self._incomplete.pop(eio_sid, None)) is not None:
            incomplete.deadline.cancel()

    # Connecting.

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        session: Session = self.eio.sockets[eio_sid]
        if data is not None and not isinstance(data, dict):
            raise BadPacket("the auth payload must be an object")
        if not self._knows(namespace):
            await self._refuse(session, namespace, {"message": "Invalid namespace"})
            return
        key = (eio_sid, namespace)
        if namespace in session.connections or key in self._deciding:
            raise BadPacket("a second CONNECT to the same namespace")
        handler = self.namespace_handlers.get(namespace)
        self._deciding.add(key)
        try:
            if isinstance(handler, BridgeNamespace):
                await self._connect_bridge(session, handler, data)
            else:
                await self._connect_stock(session, namespace, data)
        finally:
            self._deciding.discard(key)

    def _knows(self, namespace: str) -> bool:
        return (
            namespace in self.handlers
            or namespace in self.namespace_handlers
            or self.namespaces == "*"
            or namespace in self.namespaces
        )

    async def _connect_bridge(self, session: Session, handler: BridgeNamespace, auth: Any) -> None:
        namespace: str = handler.namespace
        sid = await self.manager.pre_connect(session.sid, namespace)
        try:
            connection = await handler.admit(session, sid, auth)
        except Refused as refusal:
            await self._refuse(session, namespace, {"message": str(refusal), "data": refusal.data})
            await self._forget(handler, sid)
            return
        except BaseException:
            await self._forget(handler, sid)
            raise
        if session.closed:
            await self._forget(handler, sid)
            return
        await self.manager.connect(sid, namespace)
        session.connections[namespace] = connection
        await self._send_packet(session.sid, Packet(packet.CONNECT, {"sid": sid}, namespace))
        handler.welcome(connection)

    async def _forget(self, handler: BridgeNamespace, sid: str) -> None:
        await self.manager.disconnect(sid, handler.namespace, ignore_queue=True)
        await handler.forget(sid)

    async def _connect_stock(self, session: Session, namespace: str, auth: Any) -> None:
        key = (session.sid, namespace)
        held = self._held[key] = _Held()
        try:
            await super()._handle_connect(session.sid, namespace, auth)
        finally:
            self._held.pop(key, None)
        if session.closed:
            await super()._handle_disconnect(session.sid, namespace, session.reason)
        elif self.manager.sid_from_eio_sid(session.sid, namespace) is not None:
            session.connections[namespace] = True
            for part in held.parts:
                session.put(part)

    async def _refuse(self, session: Session, namespace: str, why: dict[str, Any]) -> None:
        refusal = Packet(packet.CONNECT_ERROR, data=why, namespace=namespace)
        await self._send_packet(session.sid, refusal)

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str, reason: str | None = None
    ) -> None:
        session: Session | None = self.eio.sockets.get(eio_sid)
        if session is not None:
            session.connections.pop(namespace, None)
        await super()._handle_disconnect(eio_sid, namespace, reason)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._forget_attachments(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    # Sending.

    async def _send_packet(self, eio_sid: str, pkt: Packet) -> None:
        may_wait = pkt.packet_type in {packet.EVENT, packet.BINARY_EVENT}
        self.post(eio_sid, pkt.namespace or "/", engine_packets(pkt), may_wait=may_wait)

    def post(
        self, eio_sid: str, namespace: str, parts: list[EnginePacket], *, may_wait: bool
    ) -> None:
        """Send the parts of one packet, with nothing between them.

        Args:
            may_wait: whether it has to stay behind a CONNECT that is being decided.
        """
        session: Session | None = self.eio.sockets.get(eio_sid)
        if session is None:
            return
        if may_wait and (eio_sid, namespace) in self._deciding:
            # To a client that may be refused yet: a stock handler's own words wait, no others go.
            self._hold(session, self._held.get((eio_sid, namespace)), parts)
            return
        for part in parts:
            session.put(part)

    def _hold(self, session: Session, held: _Held | None, parts: list[EnginePacket]) -> None:
        if held is None:
            return
        held.parts += parts
        held.size_bytes += sum(map(len, parts))
        if held.size_bytes > session.congestion.max_queue_bytes:
            session.cut()


def _deliver(
    connection: Connection, event: Any, args: list[Any], ack_id: int | None, size_bytes: int
) -> None:
    """Queue an event for its consumer; one that nobody answers is acknowledged without words."""
    is_theirs = connection.deliver(str(event), args, ack_id, size_bytes=size_bytes)
    if not is_theirs and ack_id is not None:
        connection.acknowledge(ack_id, [])
