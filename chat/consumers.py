"""Chat over sockets: commands in, calls of the service out. Translates, and decides nothing but
which rooms its own socket is in."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from msgspec import UNSET

from chat.broadcast import room_name
from chat.events import (
    Cause,
    ChatMessage,
    DeleteMessage,
    Done,
    EditMessage,
    ExceptionNotice,
    GetMessages,
    GetPresence,
    GetWordings,
    Joined,
    JoinRoom,
    LeaveRoom,
    ModerationNotice,
    ReactMessage,
    Refused,
    ReportMessage,
    Said,
    Typing,
)
from chat.rules import ROOMS_PER_SOCKET, Visitor, clean_user_id, clean_username
from chat.services import ChatService
from chat.vocabulary import COMMANDS
from readrealm.kernel.errors import (
    AppError,
    Forbidden,
    InvalidInput,
    InvalidState,
    NotInRoom,
    StoreUnavailable,
    public_face,
)
from readrealm.kernel.identity import SocketIdentity
from readrealm.kernel.wire import Contract, parse, whole_number
from readrealm.socketio_bridge import EventConsumer

log = logging.getLogger(__name__)


class ChatConsumer(EventConsumer):
    """One socket, in any number of rooms; on ``/ws/rooms/<book_id>/`` in that one only.

    Args:
        service: gives the use cases of the running event loop.
    """

    events = frozenset(COMMANDS)
    refusals = (AppError,)

    service: ChatService
    identity: SocketIdentity

    def __init__(self, service: Callable[[], ChatService]) -> None:
        self._service_here = service
        self.rooms: set[int] = set()

    async def connected(self) -> None:
        self.service = self._service_here()
        self.identity = self.scope["identity"]

    async def answer(self, event: str, data: Any) -> Contract:
        match parse(COMMANDS[event].payload, self._addressed(data)):
            case JoinRoom() as command:
                return await self._join_room(command)
            case LeaveRoom() as command:
                return await self._leave_room(command)
            case ChatMessage() as command:
                visitor = self._require_member(command.book_id)
                self._claim(command)
                return Said(message=await self.service.say(command, visitor))
            case EditMessage() as command:
                visitor = self._require_member(command.book_id)
                return Said(message=await self.service.edit(command, visitor))
            case DeleteMessage() as command:
                await self.service.delete(command, self._require_member(command.book_id))
            case ReactMessage() as command:
                await self.service.react(command, self._require_member(command.book_id))
            case ReportMessage() as command:
                await self.service.report(command, self._require_member(command.book_id))
            case Typing() as command:
                await self.service.typing(command, self._require_member(command.book_id))
            case GetMessages() as command:
                self._require_member(command.book_id)
                return await self.service.read(command)
            case GetWordings() as command:
                self._require_member(command.book_id)
                return await self.service.wordings(command)
            case GetPresence() as command:
                self._require_member(command.book_id)
                return await self.service.presence(command.book_id)
            case _:
                raise NotImplementedError(event)
        return Done()

    async def refused(self, event: str, error: Exception) -> Refused:
        code, text = public_face(error)
        details = error.details if isinstance(error, AppError) else {}
        retry_after_ms = details.get("retry_after_ms", UNSET)
        notice = ExceptionNotice(
            message=text, code=code, cause=Cause(pattern=event), retry_after_ms=retry_after_ms
        )
        await self.emit("exception", notice)
        return Refused(code=code, error=text, retry_after_ms=retry_after_ms)

    async def unreadable(self, event: str, why: str) -> NoReturn:
        raise InvalidInput(why)

    async def disconnected(self) -> None:
        if self.identity.known is not None:
            self.service.seats.give_up(self.identity.known, self)
        await self._depart_from(self.rooms)

    # ------------------------------------------------------------------ rooms

    async def _join_room(self, command: JoinRoom) -> Joined:
        self._claim(command)
        visitor = self._visitor()
        # Seated first, asked second: whoever is sanctioned in between is told.
        self.service.seats.take(visitor.identity, self)
        await self.service.require_welcome(command.book_id, visitor)
        is_new = command.book_id not in self.rooms
        if is_new:
            await self._listen(command.book_id)
        try:
            welcome = await self.service.welcome(command.book_id)
            self.caught_up(room_name(command.book_id), welcome.head)
            await self.emit("previousMessages", welcome.messages)
            members = await self.service.enter(command.book_id, visitor)
        except BaseException:
            if is_new:
                self.rooms.discard(command.book_id)
                await self.leave(room_name(command.book_id))
            raise
        return Joined(book_id=command.book_id, head_seq=welcome.head, members=members)

    async def _listen(self, book_id: int) -> None:
        if len(self.rooms) >= ROOMS_PER_SOCKET:
            raise InvalidState(f"a socket can be in {ROOMS_PER_SOCKET} rooms; leave one first")
        try:
            await self.join(room_name(book_id))
        except (OSError, TimeoutError):
            raise StoreUnavailable from None
        self.rooms.add(book_id)

    async def _leave_room(self, command: LeaveRoom) -> Done:
        self._require_member(command.book_id)
        await self._depart(command.book_id)
        return Done()

    async def _depart_from(self, book_ids: Iterable[int]) -> None:
        """Out of several rooms, whether or not the roster can be told now."""
        for book_id in sorted(book_ids):
            try:
                await self._depart(book_id)
            except AppError as refusal:
                log.warning(
                    "the roster of room %d learns of a departure later: %s", book_id, refusal
                )

    async def _depart(self, book_id: int) -> None:
        """Out of the room first, told second: the leaver does not hear of it."""
        self.rooms.discard(book_id)
        await self.leave(room_name(book_id))
        await self.service.leave(book_id, self._visitor())

    # ------------------------------------------------------------------ moderation

    def be_told(self, notice: ModerationNotice) -> None:
        """Have a notice take its turn among the events of this socket."""
        self.inbox.dispatch({"type": "reader.moderated", "notice": notice})

    async def reader_moderated(self, message: Mapping[str, Any]) -> None:
        """Tell the reader, and leave the rooms that are closed to them."""
        notice: ModerationNotice = message["notice"]
        await self.emit("moderationNotice", notice)
        if notice.action == "unban":
            return
        closed = {book_id for book_id in self.rooms if notice.book_id in (UNSET, book_id)}
        await self._depart_from(closed)

    # ------------------------------------------------------------------ who and where

    def _claim(self, command: JoinRoom | ChatMessage) -> None:
        """Hold the socket to one identity: the credential's, else the first it claims."""
        self.identity.claim(clean_user_id(command.user_id), clean_username(command.username))

    def _require_member(self, book_id: int) -> Visitor:
        if book_id not in self.rooms:
            raise NotInRoom("join the room first")
        return self._visitor()

    def _visitor(self) -> Visitor:
        if self.identity.known is None:
            raise NotInRoom("join the room first")
        return Visitor(sid=self.sid, identity=self.identity.known)

    def _addressed(self, data: Any) -> Any:
        """The payload, with the room of the address if it names none.

        Raises:
            Forbidden: it names another one.
        """
        route = self.scope.get("url_route")
        if route is None or not (data is None or isinstance(data, Mapping)):
            return data
        addressed = {"bookId": whole_number(route["kwargs"]["book_id"])}
        named = {**addressed, **(data or {})}
        if whole_number(named["bookId"]) != addressed["bookId"]:
            raise Forbidden("this address belongs to another room")
        return named
