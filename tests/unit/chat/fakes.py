"""Small stand-ins for what chat's services need, and a reader who keeps to the contract."""

import os
from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from chat.entries import (
    Document,
    change_document,
    event_of,
    message_document,
    message_of,
    place_of,
    plan,
    wordings_of,
)
from chat.events import (
    Member,
    Message,
    MessageDeleted,
    MessageRestored,
    MessageUpdated,
    Reaction,
    ReactionChanged,
    ReportMessage,
    RoomEvent,
    RoomLogEvent,
    Wording,
)
from chat.presence import Entrance, Movement, member_key
from chat.rules import Change, Draft, Kept, Visitor
from chat.sanctions import Seats
from chat.services import ChatService
from readrealm.kernel.errors import Forbidden, NotFound, RateLimited, StoreUnavailable
from readrealm.kernel.identity import Identity

NOW_MS = 1_795_253_400_123
NOW = "2026-11-21T09:30:00.123Z"

ADA = Identity(user_id="1", username="Ada", authenticated=True)
BOB = Identity(user_id="2", username="Bob", authenticated=True)
GUEST = Identity(user_id="1", username="Ada?")
MODERATOR = Identity(user_id="9", username="Mo", is_staff=True, authenticated=True)

BOOK = 2701


class MemoryLogs:
    """The logs of rooms in lists, by the rules that the real ones keep to."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms
        self.rooms: dict[int, list[Document]] = {}
        self.is_away = False

    async def append(self, draft: Draft) -> Kept:
        self._answer()
        room = self.rooms.setdefault(draft.book_id, [])
        for entry in room:
            key = entry["userId"], entry["authenticated"], entry.get("clientMsgId")
            if key == draft.resend_key:
                return Kept(message_of(entry), event=None)
        last = place_of(room[-1] if room else None)
        room.append(message_document(draft, last.after(now_ms=self.now_ms)))
        message = message_of(room[-1])
        return Kept(message, event=message)

    async def change(self, change: Change) -> Kept:
        self._answer()
        stored = self._stored(change.book_id, change.message_id)
        room = self.rooms[change.book_id]
        place = place_of(room[-1]).after(now_ms=self.now_ms)
        step = plan(change, stored, place)
        if step is None:
            return Kept(message_of(stored), event=None)
        stored.update(step.update.get("$set", {}))
        for name in step.update.get("$unset", {}):
            stored.pop(name, None)
        given = stored.setdefault("reactions", [])
        given += step.update.get("$push", {}).values()
        for own in step.update.get("$pull", {}).values():
            given.remove(own)
        room.append(change_document(change, step, place))
        return Kept(message_of(stored), event=event_of(room[-1], stored))

    async def find(self, book_id: int, message_id: str) -> Message:
        self._answer()
        return message_of(self._stored(book_id, message_id))

    async def wordings(self, book_id: int, message_id: str) -> list[Wording]:
        self._answer()
        stored = self._stored(book_id, message_id)
        edits = [
            entry
            for entry in self.rooms[book_id]
            if entry["kind"] == "edit" and entry["messageId"] == stored["_id"]
        ]
        return wordings_of(stored, edits)

    async def latest(self, book_id: int, *, limit: int) -> list[Message]:
        self._answer()
        entries = self.rooms.get(book_id, [])
        visible = [entry for entry in entries if entry.get("state") == "visible"]
        return [message_of(entry) for entry in visible[: -limit - 1 : -1]]

    async def head(self, book_id: int) -> int:
        self._answer()
        return len(self.rooms.get(book_id, []))

    async def between(self, book_id: int, *, after: int, up_to: int) -> list[RoomLogEvent]:
        self._answer()
        room = self.rooms.get(book_id, [])
        by_id = {entry["_id"]: entry for entry in room}
        return [
            event_of(entry, by_id[entry.get("messageId", entry["_id"])])
            for entry in room[after:up_to]
        ]

    def _stored(self, book_id: int, message_id: str) -> Document:
        for entry in self.rooms.get(book_id, []):
            if entry["_id"] == ObjectId(message_id) and entry["kind"] == "message":
                return entry
        raise NotFound("there is no such message in this room")

    def _answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable


class MemoryRoster:
    """Rosters as sets of sockets."""

    def __init__(self) -> None:
        self.sockets: dict[int, dict[str, Member]] = {}
        self.is_away = False

    async def enter(self, book_id: int, sid: str, member: Member) -> Entrance:
        self._answer()
        is_new = member_key(member) not in self._readers(book_id)
        self.sockets.setdefault(book_id, {})[sid] = member
        return Entrance(is_new=is_new, present=len(self._readers(book_id)))

    async def leave(self, book_id: int, sid: str) -> Movement | None:
        self._answer()
        member = self.sockets.get(book_id, {}).pop(sid, None)
        if member is None or member_key(member) in self._readers(book_id):
            return None
        return Movement(book_id=book_id, member=member, present=len(self._readers(book_id)))

    async def members(self, book_id: int) -> tuple[int, list[Member]]:
        self._answer()
        readers = self._readers(book_id)
        return len(readers), list(readers.values())

    async def counts(self, book_ids: Sequence[int]) -> dict[int, int]:
        self._answer()
        return {book_id: len(self._readers(book_id)) for book_id in book_ids}

    def _readers(self, book_id: int) -> dict[str, Member]:
        return {member_key(member): member for member in self.sockets.get(book_id, {}).values()}

    def _answer(self) -> None:
        if self.is_away:
            raise StoreUnavailable


class Heard:
    """Everything that rooms were told."""

    def __init__(self) -> None:
        self.events: list[RoomEvent] = []

    async def publish(self, event: RoomEvent) -> None:
        self.events.append(event)


class Spends:
    """Lets so many actions of a key through."""

    def __init__(self, limit: int = 1_000) -> None:
        self.limit = limit
        self.spent: list[str] = []

    async def spend(self, key: str) -> None:
        if self.spent.count(key) >= self.limit:
            raise RateLimited(retry_after_ms=1_000)
        self.spent.append(key)


class Doors:
    """Rooms that are open to everybody but those whose user id is named."""

    def __init__(self, *closed_to: str) -> None:
        self.closed_to = set(closed_to)

    async def require_free(self, reader: Identity, book_id: int) -> None:
        if reader.user_id in self.closed_to:
            raise Forbidden("a moderator closed this room to you")


class Reports:
    """What readers reported."""

    def __init__(self) -> None:
        self.kept: list[ReportMessage] = []

    async def report(self, command: ReportMessage, visitor: Visitor) -> None:
        self.kept.append(command)


def chat(**parts: Any) -> ChatService:
    """The service over stand-ins; ``chat(allowance=Spends(1))`` changes one."""
    logs = parts.get("messages", MemoryLogs())
    usual: dict[str, Any] = {
        "messages": logs,
        "log": logs,
        "broadcast": Heard(),
        "allowance": Spends(),
        "roster": MemoryRoster(),
        "gate": Doors(),
        "desk": Reports(),
        "seats": Seats(),
        "spoken": [],
        "clock": lambda: NOW_MS,
    }
    return ChatService(**usual | parts)


class Reader:
    """What a client knows of a room: it applies the next event, drops old ones and waits for
    those that are missing."""

    def __init__(self) -> None:
        self.last = 0
        self.messages: dict[str, Message] = {}
        self._early: dict[int, RoomLogEvent] = {}

    def hear(self, event: RoomLogEvent) -> None:
        if event.seq > self.last:
            self._early[event.seq] = event
        while self.last + 1 in self._early:
            self.last += 1
            self._apply(self._early.pop(self.last))

    def _apply(self, event: RoomLogEvent) -> None:
        match event:
            case Message():
                self._keep(event)
            case MessageUpdated() | MessageRestored():
                self._keep(event.message)
            case MessageDeleted() if self._is_news(event):
                self.messages[event.message_id] = _but(
                    self.messages[event.message_id],
                    content="",
                    deletedBy=event.by,
                    reactions=None,
                    rev=event.seq,
                )
            case ReactionChanged() if self._is_news(event):
                self._react(event)

    def _keep(self, message: Message) -> None:
        known = self.messages.get(message.id)
        if known is None or known.rev < message.rev:
            self.messages[message.id] = message

    def _is_news(self, event: MessageDeleted | ReactionChanged) -> bool:
        return self.messages[event.message_id].rev < event.seq

    def _react(self, event: ReactionChanged) -> None:
        message = self.messages[event.message_id]
        own = Reaction(emoji=event.emoji, user_id=event.user_id, is_guest=event.is_guest)
        given = [each for each in message.reactions or [] if each != own]
        given += [own] if event.on else []
        self.messages[event.message_id] = _but(message, reactions=given or None, rev=event.seq)


def _but(message: Message, **changed: Any) -> Message:
    """A message with other fields; None takes one away."""
    import msgspec

    fields = {**msgspec.to_builtins(message), **msgspec.to_builtins(changed)}
    return msgspec.convert({k: v for k, v in fields.items() if v is not None}, Message)


def random_id() -> str:
    return os.urandom(12).hex()
