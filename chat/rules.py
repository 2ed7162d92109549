"""What may be said in a book room, by whom, and in which order. Decides, and asks nobody."""

import re
import unicodedata
from dataclasses import dataclass

from chat.events import (
    LONGEST_CONTENT,
    LONGEST_NAME,
    LONGEST_USER_ID,
    Member,
    Message,
    RemovedBy,
    RoomLogEvent,
)
from readrealm.kernel.errors import Forbidden, InvalidInput
from readrealm.kernel.identity import Identity
from readrealm.kernel.text import clean, is_refused

HISTORY_PAGE = 50
"""Messages a reader gets on joining."""

ROOMS_PER_SOCKET = 50

EMOJI_PER_MESSAGE, REACTIONS_PER_MESSAGE = 20, 500
"""Different emoji under one message, and reactions of all readers together."""

MOST_WORDINGS = 50
"""Former texts of a message that are shown."""

FORMER_READER = "Former reader"
"""In the place of a name that was erased."""

MISSED_AT_ONCE = 500
"""Log entries that are read at once for those who missed them."""

# ------------------------------------------------------------------ who speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A reader on one socket."""

    sid: str
    identity: Identity

    @property
    def allowance_key(self) -> str:
        """Whose allowance is spent: an account's, or that of one guest's socket, for what a
        guest calls itself costs nothing to change."""
        return self.identity.user_id if self.identity.authenticated else f"socket:{self.sid}"

    @property
    def member(self) -> Member:
        """As the others see this reader."""
        known = self.identity
        return Member(
            user_id=known.user_id, username=known.username, is_guest=not known.authenticated
        )


# ------------------------------------------------------------------ what is asked of the log


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that is not kept yet."""

    book_id: int
    author: Identity
    content: str
    client_msg_id: str | None = None
    reply_to: str | None = None
    reply_to_seq: int | None = None

    @property
    def resend_key(self) -> tuple[str, bool, str] | None:
        """Equal for a message and every repetition of it in the same room."""
        if self.client_msg_id is None:
            return None
        return self.author.user_id, self.author.authenticated, self.client_msg_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Another text for a message."""

    book_id: int
    message_id: str
    actor: Identity
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A message goes out of sight; a moderator's removal can be undone."""

    book_id: int
    message_id: str
    actor: Identity
    by: RemovedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """A message that a moderator removed comes back."""

    book_id: int
    message_id: str
    actor: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionSwitch:
    """A reader's emoji under a message, given or taken away."""

    book_id: int
    message_id: str
    actor: Identity
    emoji: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One reader is taken out of a message: out of its text and name if it is theirs, and out of
    its reactions."""

    book_id: int
    message_id: str
    actor: Identity
    """Who takes the reader's place: nobody in particular, and nobody else's as well."""
    reader: tuple[str, bool]
    """User id, and whether it names an account."""


Change = Edit | Removal | Restoration | ReactionSwitch | Erasure
"""What can happen to a message that is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of something that was asked of the log."""

    message: Message
    """In its present state."""
    event: RoomLogEvent | None
    """What the room is to hear; None when nothing is new."""


# ------------------------------------------------------------------ text


def clean_content(text: str) -> str:
    """A message as it is kept.

    Raises:
        InvalidInput: empty, over `LONGEST_CONTENT` characters, or with control characters.
    """
    return clean(text, name="content", longest=LONGEST_CONTENT)


def clean_user_id(text: str) -> str:
    """An identity as it is kept.

    Raises:
        InvalidInput: empty, too long, or with control characters, line ends included.
    """
    return _one_line(clean(text, name="userId", longest=LONGEST_USER_ID), name="userId")


_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols by category that show nothing."""


def clean_username(text: str) -> str:
    """A name as it is shown; it cannot turn the direction of its surroundings, or be invisible.

    Raises:
        InvalidInput: empty, too long, or not a visible single line.
    """
    name = _one_line(clean(text, name="username", longest=LONGEST_NAME), name="username")
    if _DIRECTION_CONTROLS.intersection(name):
        raise InvalidInput("username must not change the direction of text")
    if not any(_is_visible(character) for character in name):
        raise InvalidInput("username must be visible")
    return name


def clean_client_msg_id(text: str | None) -> str | None:
    """A client's own name for a message, untouched.

    Raises:
        InvalidInput: control characters.
    """
    if text is not None and any(is_refused(character) for character in text):
        raise InvalidInput("clientMsgId must not have control characters")
    return text


_BASE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf"
    "\u2934-\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_ELEMENT = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    f"|[{_BASE}][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?(?:[\U000e0020-\U000e007e]+\U000e007f)?)"
)
_EMOJI = re.compile(f"{_ELEMENT}(?:\u200d{_ELEMENT})*")
"""The shape of Unicode Technical Standard 51, definition ED-17, with blocks for the base."""


def check_emoji(text: str) -> str:
    """The emoji itself.

    Raises:
        InvalidInput: not exactly one emoji.
    """
    if not _EMOJI.fullmatch(text):
        raise InvalidInput("emoji must be exactly one emoji")
    return text


def _one_line(text: str, *, name: str) -> str:
    if "\n" in text or "\t" in text:
        raise InvalidInput(f"{name} must not have control characters")
    return text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _INVISIBLE_LETTERS


# ------------------------------------------------------------------ who may


def require_author(message: Message, reader: Identity) -> None:
    """Let only the author pass. A guest who claims an account's id is not that account.

    Raises:
        Forbidden: somebody else wrote the message.
    """
    if message.user_id != reader.user_id or message.is_guest == reader.authenticated:
        raise Forbidden("only the author can change a message")


# ------------------------------------------------------------------ order


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in its room's log."""

    seq: int
    at_ms: int
    """Unix milliseconds; never before the predecessor's, whatever this machine's clock says."""

    def after(self, *, now_ms: int) -> "Place":
        """The place of the next entry."""
        return Place(self.seq + 1, max(now_ms, self.at_ms))

    def entry_id(self, entropy: bytes) -> bytes:
        """The 12 bytes of the entry's ``_id``: second, number, 4 random bytes.

        Time and number rise together, so in a room the order of ids is the order of the log,
        on equal milliseconds too; the random bytes tell rooms apart.
        """
        second = self.at_ms // 1000 & 0xFFFF_FFFF
        return second.to_bytes(4, "big") + (self.seq & 0xFFFF_FFFF).to_bytes(4, "big") + entropy


BEFORE_THE_FIRST = Place(seq=0, at_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The entries with ``after < seq <= up_to``."""

    after: int
    up_to: int
    newest_first: bool
    has_more: bool
    """Whether the log goes on in the direction of reading."""


def window(*, before: int | None, after: int | None, limit: int, head: int) -> Window:
    """The part of a log, whose newest entry is ``head``, that a reader asks for.

    Raises:
        InvalidInput: both directions at once.
    """
    if before is not None and after is not None:
        raise InvalidInput("ask for beforeSeq or for afterSeq, not for both")
    if after is not None:
        up_to = min(after + limit, head)
        return Window(after=after, up_to=up_to, newest_first=False, has_more=up_to < head)
    newest = head if before is None else min(before - 1, head)
    oldest = max(newest - limit, 0)
    return Window(after=oldest, up_to=newest, newest_first=True, has_more=oldest > 0)
