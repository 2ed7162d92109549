"""python-socketio's book of clients and rooms on this worker.

The stock manager keeps a two-way dictionary for each client and looks through every room when
one leaves; with thousands of clients both are felt. This one keeps the same promises.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import socketio
from socketio import packet

from .packets import EnginePacket, Packet
from .session import MESSAGE


def engine_packets(outgoing: Packet) -> list[EnginePacket]:
    """A Socket.IO packet and its attachments as Engine.IO packets."""
    encoded = outgoing.encode()
    parts = encoded if isinstance(encoded, list) else [encoded]
    return [part if isinstance(part, bytes) else MESSAGE + part for part in parts]


@dataclass(slots=True)
class _Book:
    """The clients of one namespace."""

    clients: dict[str, str] = field(default_factory=dict)
    """Engine.IO session by sid."""
    sids: dict[str, str] = field(default_factory=dict)
    """The inverse."""
    connecting: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    rooms: dict[Any, set[str]] = field(default_factory=dict)
    rooms_of: dict[str, set[Any]] = field(default_factory=dict)


class LocalManager(socketio.AsyncManager):
    """Clients of this worker; an emit is encoded once and costs no task for each receiver."""

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, _Book] = {}

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        target = to or room
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        skipped = set(skip_sid) if isinstance(skip_sid, list) else {skip_sid}
        parts: list[EnginePacket] = []
        for sid, eio_sid in list(self.get_participants(namespace, target)):
            if sid in skipped:
                continue
            if callback is not None or not parts:
                number = self._generate_ack_id(sid, callback) if callback is not None else None
                parts = engine_packets(
                    Packet(packet.EVENT, namespace=namespace, data=[event, *args], id=number)
                )
            self.server.post(eio_sid, namespace, parts, may_wait=True)

    # Coming and going.

    def get_namespaces(self) -> Iterable[str]:
        return self.books.keys()

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Give a client its sid; None when the session is connected to the namespace already."""
        book = self.books.setdefault(namespace, _Book())
        if eio_sid in book.sids:
            return None
        sid: str = self.server.eio.generate_id()
        book.clients[sid], book.sids[eio_sid] = eio_sid, sid
        book.connecting.add(sid)
        return sid

    async def connect(self, sid: str, namespace: str) -> str:
        self.books[namespace].connecting.discard(sid)
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        book = self.books.get(namespace)
        return book is not None and sid in book.connecting

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        book = self.books.get(namespace)
        return (
            book is not None
            and sid in book.clients
            and sid not in book.connecting
            and sid not in book.leaving
        )

    def is_here(self, sid: Any, namespace: str) -> bool:
        """Whether a client of this worker has this sid."""
        book = self.books.get(namespace)
        return book is not None and isinstance(sid, str) and sid in book.clients

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        book = self.books.get(namespace)
        return book.sids.get(eio_sid) if book else None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        book = self.books.get(namespace)
        return book.clients.get(sid) if book else None

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        book = self.books[namespace]
        book.leaving.add(sid)
        return book.clients.get(sid)

    def basic_disconnect(self, sid: str, namespace: str, **options: Any) -> None:
        book = self.books.get(namespace)
        if book is None:
            return
        for room in list(book.rooms_of.get(sid, ())):
            self.basic_leave_room(sid, namespace, room)
        eio_sid = book.clients.pop(sid, None)
        if eio_sid is not None:
            del book.sids[eio_sid]
        book.connecting.discard(sid)
        book.leaving.discard(sid)
        self.callbacks.pop(sid, None)
        if not book.clients:
            del self.books[namespace]

    # Rooms.

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Sid and session of who is in a room, in one of several, or (None) in the namespace."""
        book = self.books.get(namespace)
        if book is None:
            return
        if room is None:
            yield from book.clients.items()
            return
        wanted = room if isinstance(room, list | tuple | set) else [room]
        seen: set[str] = set()
        for name in wanted:
            members = {name} if name in book.clients else book.rooms.get(name, set())
            for sid in members - seen:
                yield sid, book.clients[sid]
            seen |= members

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        book = self.books.get(namespace)
        if book is None or sid not in book.clients:
            raise ValueError("sid is not connected to requested namespace")
        if sid == room:
            return
        if room in book.clients:
            raise ValueError("cannot enter a sid room")
        book.rooms.setdefault(room, set()).add(sid)
        book.rooms_of.setdefault(sid, set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        book = self.books.get(namespace)
        members = book.rooms.get(room) if book else None
        if book is None or members is None or sid not in members:
            return
        members.discard(sid)
        if not members:
            del book.rooms[room]
        book.rooms_of[sid].discard(room)
        if not book.rooms_of[sid]:
            del book.rooms_of[sid]

    def basic_close_room(self, room: Any, namespace: str) -> None:
        if self.is_here(room, namespace):
            raise ValueError("cannot close a sid room")
        for sid, _ in list(self.get_participants(namespace, room)):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """The rooms of a client; its own, named like its sid, is one of them."""
        book = self.books.get(namespace)
        if book is None or sid not in book.clients:
            return []
        return [sid, *book.rooms_of.get(sid, ())]
