"""What can be done in a book room. Knows no socket, no Valkey and no MongoDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat.events import (
    ChatMessage,
    DeleteMessage,
    EditMessage,
    GetMessages,
    GetWordings,
    Member,
    Message,
    MessagesPage,
    MessageUpdated,
    PresentMembers,
    ReactMessage,
    ReportMessage,
    RoomLogEvent,
    Typing,
    UserJoined,
    UserLeft,
    UserTyping,
    Wordings,
)
from chat.ports import Broadcast, Log, Messages
from chat.presence import Entrance, Movement, told
from chat.rules import (
    HISTORY_PAGE,
    MISSED_AT_ONCE,
    Draft,
    Edit,
    Kept,
    ReactionSwitch,
    Removal,
    Visitor,
    check_emoji,
    clean_client_msg_id,
    clean_content,
    require_author,
    window,
)
from chat.sanctions import Seats
from chat.vocabulary import EVENT_NAMES
from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import NotFound
from readrealm.kernel.identity import Identity
from readrealm.kernel.wire import plain


class Allowance(Protocol):
    """Who may act how often, over all workers."""

    async def spend(self, key: str) -> None:
        """Raises: RateLimited."""
        ...


class Roster(Protocol):
    """Who is in a room, over all sockets and workers."""

    async def enter(self, book_id: int, sid: str, member: Member) -> Entrance: ...

    async def leave(self, book_id: int, sid: str) -> Movement | None: ...

    async def members(self, book_id: int) -> tuple[int, list[Member]]: ...

    async def counts(self, book_ids: Sequence[int]) -> dict[int, int]: ...


class Gate(Protocol):
    """Who may take part at present, as moderators have it."""

    async def require_free(self, reader: Identity, book_id: int) -> None:
        """Raises: Forbidden."""
        ...


class Spoken(Protocol):
    """Where what was said waits to be looked at, after everybody has it."""

    def append(self, message: Message, /) -> None:
        """Does not fail and does not wait."""
        ...


class Desk(Protocol):
    """Where readers report what moderators should see."""

    async def report(self, command: ReportMessage, visitor: Visitor) -> None:
        """Raises: InvalidInput, NotFound."""
        ...


class Tally(Protocol):
    """Who counts what becomes of messages."""

    def said(self, *, again: bool) -> None:
        """A message is kept; ``again``: it was kept before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a reader who comes in reads first."""

    messages: list[Message]
    """Newest first."""
    head: int
    """Number of the log's entry that ``messages`` are at least as new as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService:
    """Rooms as readers use them. Every method may raise `StoreUnavailable`, and nobody was told
    of anything then.

    Membership is the caller's business: a socket knows its rooms best.
    """

    messages: Messages
    log: Log
    broadcast: Broadcast
    allowance: Allowance
    roster: Roster
    gate: Gate
    desk: Desk
    seats: Seats
    """The sockets of this worker, by reader."""
    spoken: Spoken
    """New messages and new wordings, for the watch list."""
    clock: Clock
    tally: Tally | None = None

    # ------------------------------------------------------------------ coming and going

    async def require_welcome(self, book_id: int, visitor: Visitor) -> None:
        """Let pass a reader who may come into a room.

        Raises:
            Forbidden: a moderator closed it to this reader; says until when.
        """
        await self.gate.require_free(visitor.identity, book_id)

    async def welcome(self, book_id: int) -> Welcome:
        """History for a socket that hears the room already, so that nothing falls in between."""
        # The head first: what is appended meanwhile is in the messages and heard as well, and
        # the reader drops it by its number; the other way round it would be in neither.
        head = await self.log.head(book_id)
        return Welcome(messages=await self.log.latest(book_id, limit=HISTORY_PAGE), head=head)

    async def enter(self, book_id: int, visitor: Visitor) -> int:
        """Count a socket in; the room hears of a new reader. Gives the readers present."""
        entrance = await self.roster.enter(book_id, visitor.sid, visitor.member)
        if entrance.is_new:
            movement = Movement(book_id=book_id, member=visitor.member, present=entrance.present)
            await self.broadcast.publish(told(UserJoined, movement, at_ms=self.clock()))
        return entrance.present

    async def leave(self, book_id: int, visitor: Visitor) -> None:
        """Count a socket out; the room hears when it was the reader's last."""
        movement = await self.roster.leave(book_id, visitor.sid)
        if movement is not None:
            await self.broadcast.publish(told(UserLeft, movement, at_ms=self.clock()))

    async def presence(self, book_id: int) -> PresentMembers:
        """Who is there, by name."""
        count, members = await self.roster.members(book_id)
        by_name = sorted(members, key=lambda member: (member.username.casefold(), member.user_id))
        return PresentMembers(count=count, members=by_name)

    async def present_in(self, book_ids: Sequence[int]) -> dict[int, int]:
        """How many readers are in each room."""
        return await self.roster.counts(book_ids)

    # ------------------------------------------------------------------ speaking

    async def say(self, command: ChatMessage, visitor: Visitor) -> Message:
        """Keep a message, then tell the room.

        Kept first, told second: a reader who misses the broadcast finds the message in the
        log, and nobody ever sees a message that was not kept.

        Raises:
            InvalidInput: text that may not be said.
            Forbidden: a moderator closed the room to the author.
            RateLimited: the author writes too often, or the room is written to too fast.
            NotFound: the message that is answered is not there.
        """
        content = clean_content(command.content)
        client_msg_id = clean_client_msg_id(command.client_msg_id)
        await self.require_welcome(command.book_id, visitor)
        await self._spend("chatMessage", visitor)
        answered = await self._answered(command)
        kept = await self.messages.append(
            Draft(
                book_id=command.book_id,
                author=visitor.identity,
                content=content,
                client_msg_id=client_msg_id,
                reply_to=answered.id if answered else None,
                reply_to_seq=answered.seq if answered else None,
            )
        )
        if self.tally is not None:
            self.tally.said(again=kept.event is None)
        return await self._tell(kept)

    async def edit(self, command: EditMessage, visitor: Visitor) -> Message:
        """Give one's own message another text.

        Raises:
            InvalidInput: text that may not be said.
            NotFound: there is no such message, or it is removed.
            Forbidden: somebody else wrote it, or a moderator closed the room to the author.
            RateLimited: too many changes.
        """
        content = clean_content(command.content)
        await self.require_welcome(command.book_id, visitor)
        await self._spend("changeMessage", visitor)
        require_author(await self._find(command), visitor.identity)
        return await self._tell(
            await self.messages.change(
                Edit(
                    book_id=command.book_id,
                    message_id=command.message_id,
                    actor=visitor.identity,
                    content=content,
                )
            )
        )

    async def delete(self, command: DeleteMessage, visitor: Visitor) -> None:
        """Take one's own message back; once more changes nothing.

        Raises:
            NotFound: there is no such message.
            Forbidden: somebody else wrote it.
            RateLimited: too many changes.
        """
        await self._spend("changeMessage", visitor)
        require_author(await self._find(command), visitor.identity)
        removal = Removal(
            book_id=command.book_id,
            message_id=command.message_id,
            actor=visitor.identity,
            by="author",
        )
        await self._tell(await self.messages.change(removal))

    async def react(self, command: ReactMessage, visitor: Visitor) -> None:
        """Put an emoji under a message, or take it away.

        Raises:
            InvalidInput: not an emoji.
            NotFound: there is no such message, or it is removed.
            InvalidState: the message has all the reactions it can have.
            Forbidden: a moderator closed the room to the reader.
            RateLimited: too many reactions.
        """
        emoji = check_emoji(command.emoji)
        await self.require_welcome(command.book_id, visitor)
        await self._spend("changeMessage", visitor)
        switch = ReactionSwitch(
            book_id=command.book_id,
            message_id=command.message_id,
            actor=visitor.identity,
            emoji=emoji,
            on=command.on,
        )
        await self._tell(await self.messages.change(switch))

    async def report(self, command: ReportMessage, visitor: Visitor) -> None:
        """Show a message to the moderators; once more changes nothing.

        Raises:
            InvalidInput: a reason or a note that may not be kept.
            NotFound: there is no such message.
            RateLimited: too many reports.
        """
        await self._spend("reportMessage", visitor)
        await self.desk.report(command, visitor)

    async def typing(self, command: Typing, visitor: Visitor) -> None:
        """Tell the room that somebody writes, or no longer does; nothing is kept.

        Raises:
            RateLimited: told too often.
        """
        await self._spend("typing", visitor)
        member = visitor.member
        await self.broadcast.publish(
            UserTyping(
                book_id=command.book_id,
                username=member.username,
                on=command.on,
                user_id=member.user_id,
                is_guest=member.is_guest,
            )
        )

    # ------------------------------------------------------------------ reading

    async def read(self, command: GetMessages) -> MessagesPage:
        """A range of the log.

        Raises:
            InvalidInput: both directions at once.
        """
        head = await self.log.head(command.book_id)
        asked = window(
            before=command.before_seq, after=command.after_seq, limit=command.limit, head=head
        )
        entries = await self.log.between(command.book_id, after=asked.after, up_to=asked.up_to)
        if asked.newest_first:
            entries.reverse()
        return MessagesPage(
            messages=[entry for entry in entries if isinstance(entry, Message)],
            events=[
                {"type": EVENT_NAMES[type(entry)], **plain(entry)}
                for entry in entries
                if not isinstance(entry, Message)
            ],
            head_seq=head,
            has_more=asked.has_more,
        )

    async def wordings(self, command: GetWordings) -> Wordings:
        """How a message was worded before.

        Raises:
            NotFound: there is no such message, or it is removed.
        """
        found = await self.log.wordings(command.book_id, command.message_id)
        return Wordings(message_id=command.message_id, wordings=found)

    async def missed(
        self, book_id: int, *, after: int, up_to: int | None
    ) -> Sequence[RoomLogEvent]:
        """What a room was told between two numbers, for a worker that did not hear it; the
        oldest `MISSED_AT_ONCE`. Without ``up_to``, to the end."""
        last = await self.log.head(book_id) if up_to is None else up_to
        return await self.log.between(book_id, after=after, up_to=min(last, after + MISSED_AT_ONCE))

    async def _spend(self, action: str, visitor: Visitor) -> None:
        await self.allowance.spend(f"{action}:{visitor.allowance_key}")

    async def _find(self, command: EditMessage | DeleteMessage) -> Message:
        return await self.log.find(command.book_id, command.message_id)

    async def _answered(self, command: ChatMessage) -> Message | None:
        if command.reply_to is None:
            return None
        message = await self.log.find(command.book_id, command.reply_to)
        if message.deleted_by:
            raise NotFound("the message that is answered is removed")
        return message

    async def _tell(self, kept: Kept) -> Message:
        if kept.event is not None:
            await self.broadcast.publish(kept.event)
        if isinstance(kept.event, Message | MessageUpdated):
            self.spoken.append(kept.message)
        return kept.message
