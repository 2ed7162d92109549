"""Acts of moderators as they are kept on record. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from chat.sanctions import ReaderKey
from readrealm.kernel.identity import Identity
from readrealm.kernel.text import clean

LONGEST_REASON = 200
"""Characters of what a moderator says to a reader."""


class Act(StrEnum):
    """What is on record."""

    HIDE = "hide"
    RESTORE = "restore"
    PURGE = "purge"
    TIMEOUT = "timeout"
    BAN = "ban"
    UNBAN = "unban"
    KEEP = "keep"
    """Reports of the message were judged, and the message stays."""
    DISMISS = "dismiss"
    """Reports of the message were judged to be without substance."""
    ERASE = "erase"
    """Everything that was kept about a reader was erased."""


class Verdict(StrEnum):
    """How reports of a message end."""

    HIDDEN = "hidden"
    KEPT = "kept"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One act of a moderator; never changed and never taken away."""

    at_ms: int
    act: Act
    moderator: Identity
    reason: str
    reader: ReaderKey
    """Whom it concerns: the author of the message, or the reader sanctioned."""
    username: str
    book_id: int | None = None
    message_id: str | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A reader whom an act concerns."""

    reader: ReaderKey
    username: str


def clean_reason(text: str) -> str:
    """A moderator's reason as it is kept; may be empty.

    Raises:
        InvalidInput: too long, or with control characters.
    """
    return clean(text, name="reason", longest=LONGEST_REASON) if text.strip() else ""
