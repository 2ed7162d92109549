"""The book room's contract: what a reader may ask, what it is answered, what a room may hear.

What is published and which name each has on the wire is in `chat.vocabulary`. Limits are types;
units and promises stand under the field they are about. Times are ISO 8601 in UTC with
milliseconds and ``Z``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType, field

from readrealm.kernel.wire import Coercion, Contract, identifier, whole_number

LONGEST_CONTENT, LONGEST_NAME, LONGEST_USER_ID = 4_000, 64, 128
LONGEST_REPORT_REASON, LONGEST_NOTE = 64, 1_000
"""Characters after trimming, which `readrealm.kernel.text.clean` counts: a type would count what
trimming and NFC take away, and refuse in the words of another limit."""

BookId = Annotated[int, Meta(ge=1, le=2**53 - 1, description="42, 42.0 and '42' are the same")]


def _trimmed(longest: int) -> Meta:
    return Meta(
        description=f"1 to {longest} characters once trimmed", extra_json_schema={"minLength": 1}
    )


UserId = Annotated[str, _trimmed(LONGEST_USER_ID)]
Username = Annotated[str, _trimmed(LONGEST_NAME)]
Content = Annotated[str, _trimmed(LONGEST_CONTENT)]
MessageId = Annotated[str, Meta(min_length=24, max_length=24, pattern="^[0-9a-fA-F]{24}$")]
ClientMsgId = Annotated[str, Meta(min_length=1, max_length=64)]
Emoji = Annotated[str, Meta(min_length=1, max_length=16, description="exactly one emoji")]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Moment = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds, Z")]
RemovedBy = Literal["author", "moderator"]

ROOM: Mapping[str, Coercion] = {"bookId": whole_number}
PERSON: Mapping[str, Coercion] = {"bookId": whole_number, "userId": identifier}


# ------------------------------------------------------------------ what events are made of


class Reaction(Contract, frozen=True, kw_only=True):
    """One reader's emoji under a message."""

    emoji: Emoji
    user_id: UserId
    is_guest: bool = False
    """A reader without an account; tells it from the account that has the same id."""


class Message(Contract, frozen=True, kw_only=True):
    """A message in its present state; as an event, somebody said something.

    Inside a room the order by ``seq`` is the order by ``createdAt`` and then ``_id``.
    """

    id: MessageId = field(name="_id")
    book_id: BookId
    user_id: UserId
    username: Username
    """The author's name when the message was written."""
    content: str
    """Empty once the message is removed."""
    created_at: Moment
    updated_at: Moment
    """Equals ``createdAt`` until the author changes the text."""
    is_ai: bool = False
    is_guest: bool = False
    """The author had no account."""
    seq: Seq
    """Place in the room's log: 1, 2, 3 and so on, without holes."""
    rev: Seq
    """``seq`` of the last log entry that is contained in this state: an event about this
    message with a ``seq`` up to ``rev`` is old news."""
    client_msg_id: ClientMsgId | UnsetType = UNSET
    """As the author's client gave it."""
    reply_to: MessageId | UnsetType = UNSET
    reply_to_seq: Seq | UnsetType = UNSET
    """Where the answered message stands in the log, so that it can be asked for."""
    edited_at: Moment | UnsetType = UNSET
    deleted_by: RemovedBy | UnsetType = UNSET
    """Present on a tombstone."""
    reactions: list[Reaction] | UnsetType = UNSET
    """In the order in which they were given; absent when there are none."""


class Member(Contract, frozen=True, kw_only=True):
    """A reader who is present."""

    user_id: UserId
    username: Username
    is_guest: bool = False


# ------------------------------------------------------------------ client to server


class RoomCommand(Contract, frozen=True, kw_only=True):
    """What is asked of one room."""

    coercions: ClassVar[Mapping[str, Coercion]] = ROOM

    book_id: BookId


class ReaderCommand(RoomCommand, frozen=True, kw_only=True):
    """What says who asks."""

    coercions: ClassVar[Mapping[str, Coercion]] = PERSON

    user_id: UserId
    username: Username


class MessageCommand(RoomCommand, frozen=True, kw_only=True):
    """What is asked about one message."""

    message_id: MessageId


class JoinRoom(ReaderCommand, frozen=True, kw_only=True):
    """Enter a book's room: `previousMessages` comes first, then the room hears `userJoined`.

    Joining again sends `previousMessages` again and announces nothing.
    """


class LeaveRoom(RoomCommand, frozen=True, kw_only=True):
    """Leave a room; those who stay hear `userLeft` if it was the reader's last socket there."""

    username: str | None = None
    """Accepted as documented, and not used: the name is the one the reader joined with."""


class ChatMessage(ReaderCommand, frozen=True, kw_only=True):
    """Say something in a room this socket has joined; the room hears `newMessage`.

    The acknowledgement means that the message is kept durably.
    """

    content: Content
    book_title: Annotated[str, Meta(max_length=1_000)] | None = None
    """Accepted as documented, and not kept."""
    client_msg_id: ClientMsgId | None = None
    """Makes sending again safe: the same id by the same author in the same room is kept once
    and broadcast once."""
    reply_to: MessageId | None = None
    """A message of the same room."""


class GetMessages(RoomCommand, frozen=True, kw_only=True):
    """Read a range of the room's log, forwards after ``afterSeq`` or backwards before
    ``beforeSeq``; without either, backwards from the newest entry."""

    before_seq: Seq | None = None
    after_seq: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    """Log entries of any kind."""


class EditMessage(MessageCommand, frozen=True, kw_only=True):
    """Replace the text of one's own message; the room hears `messageUpdated`."""

    content: Content


class DeleteMessage(MessageCommand, frozen=True, kw_only=True):
    """Take back one's own message; a tombstone stays and the room hears `messageDeleted`."""


class ReactMessage(MessageCommand, frozen=True, kw_only=True):
    """Put an emoji under a message, or take it away; the room hears `reactionChanged`."""

    emoji: Emoji
    on: bool


class GetWordings(MessageCommand, frozen=True, kw_only=True):
    """Read how a message was worded before it was edited. There are none of a removed message."""


class Typing(RoomCommand, frozen=True, kw_only=True):
    """Begin or stop writing; the room hears `userTyping`. Repeat ``on`` every few seconds."""

    on: bool


class ReportMessage(MessageCommand, frozen=True, kw_only=True):
    """Show a message to the moderators; once per reader and message."""

    reason: Annotated[str, _trimmed(LONGEST_REPORT_REASON)]
    note: (
        Annotated[str, Meta(description=f"up to {LONGEST_NOTE} characters once trimmed")] | None
    ) = None


class GetPresence(RoomCommand, frozen=True, kw_only=True):
    """Who is in a room this socket has joined."""


# ------------------------------------------------------------------ acknowledgements


class Done(Contract, frozen=True, kw_only=True):
    """It is so, whether or not it was so before."""

    ok: Literal[True] = True


class Joined(Contract, frozen=True, kw_only=True):
    """The socket hears the room."""

    ok: Literal[True] = True
    book_id: BookId
    head_seq: Seq
    """The state in `previousMessages` is at least as new as this entry of the log."""
    members: int
    """Distinct readers present."""


class Said(Contract, frozen=True, kw_only=True):
    """The message as it is kept: after sending again, the first one."""

    ok: Literal[True] = True
    message: Message


class MessagesPage(Contract, frozen=True, kw_only=True):
    """A range of the log."""

    ok: Literal[True] = True
    messages: list[Message]
    """In their present state; oldest first after ``afterSeq``, else newest first."""
    events: list[dict[str, Any]]
    """The other entries of the range in the same order: the payload of the event, with its
    name as ``type``."""
    head_seq: Seq
    has_more: bool
    """Whether the log goes on in the direction of reading."""


class Wording(Contract, frozen=True, kw_only=True):
    """What a message said for some time."""

    content: str
    written_at: Moment


class Wordings(Contract, frozen=True, kw_only=True):
    """Everything that a message said, the present wording last; of very many, the newest."""

    ok: Literal[True] = True
    message_id: MessageId
    wordings: list[Wording]


class PresentMembers(Contract, frozen=True, kw_only=True):
    """Who is present, by name; ``members`` may be cut short, ``count`` never is."""

    ok: Literal[True] = True
    count: int
    members: list[Member]


class Refused(Contract, frozen=True, kw_only=True):
    """The acknowledgement of every command that was not carried out."""

    ok: Literal[False] = False
    code: str
    error: str
    """Safe to show."""
    retry_after_ms: int | UnsetType = UNSET


# ------------------------------------------------------------------ server to client


class PresenceChanged(Contract, frozen=True, kw_only=True):
    """A reader came to a room, or went."""

    username: Username
    timestamp: Moment
    user_id: UserId
    is_guest: bool = False
    book_id: BookId
    members: int
    """Distinct readers present now."""


class UserJoined(PresenceChanged, frozen=True, kw_only=True):
    """The first socket of a reader entered the room."""


class UserLeft(PresenceChanged, frozen=True, kw_only=True):
    """The last socket of a reader left the room, closed, or died with its worker."""


class Cause(Contract, frozen=True, kw_only=True):
    """What an `exception` is about."""

    pattern: str
    """The name of the refused event."""


class ExceptionNotice(Contract, frozen=True, kw_only=True):
    """A command was not carried out; its acknowledgement says the same."""

    status: Literal["error"] = "error"
    message: str
    code: str
    cause: Cause
    retry_after_ms: int | UnsetType = UNSET


class MessageUpdated(Contract, frozen=True, kw_only=True):
    """A message has another text."""

    book_id: BookId
    seq: Seq
    message: Message


class MessageDeleted(Contract, frozen=True, kw_only=True):
    """A message is gone; show a tombstone."""

    book_id: BookId
    seq: Seq
    message_id: MessageId
    by: RemovedBy


class MessageRestored(Contract, frozen=True, kw_only=True):
    """A moderator brought a hidden message back."""

    book_id: BookId
    seq: Seq
    message: Message


class ReactionChanged(Contract, frozen=True, kw_only=True):
    """One reader gave an emoji to a message, or took it away."""

    book_id: BookId
    seq: Seq
    message_id: MessageId
    emoji: Emoji
    on: bool
    user_id: UserId
    is_guest: bool = False


class UserTyping(Contract, frozen=True, kw_only=True):
    """Somebody began or stopped writing; never kept, so forget it after a few seconds."""

    book_id: BookId
    username: Username
    on: bool
    user_id: UserId
    is_guest: bool = False


class RoomHead(Contract, frozen=True, kw_only=True):
    """How far the room's log goes; a client that is behind asks `getMessages`."""

    book_id: BookId
    seq: Seq
    members: int
    """Distinct readers present; a client that counts otherwise asks `getPresence`."""


class ModerationNotice(Contract, frozen=True, kw_only=True):
    """A moderator restricted or freed this reader, whose sockets then leave the room."""

    book_id: BookId | UnsetType = UNSET
    """Absent: every room."""
    action: Literal["timeout", "ban", "unban"]
    until: Moment | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ServerRestart(Contract, frozen=True, kw_only=True):
    """This worker is about to stop; connect again, and wait a random part of ``retryInMs``."""

    retry_in_ms: int


RoomLogEvent = Message | MessageUpdated | MessageDeleted | MessageRestored | ReactionChanged
"""An entry of a room's log, told: it carries a number. The rest is said once and forgotten."""
RoomEvent = RoomLogEvent | UserJoined | UserLeft | UserTyping | RoomHead
"""Whatever a whole room may hear."""
