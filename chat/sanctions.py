"""Who may not take part at present, and the sockets that this concerns. Asks no store."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import UNSET

from chat.events import ModerationNotice
from readrealm.kernel.clock import iso_ms, utc
from readrealm.kernel.errors import Forbidden
from readrealm.kernel.identity import Identity

ReaderKey = tuple[str, bool]
"""User id, and whether it names an account. A guest who claims an account's id is somebody else,
and is found again only as long as the same id is claimed."""


class Measure(StrEnum):
    """What a sanction is."""

    TIMEOUT = "timeout"
    """Out of one room for some time."""
    BAN = "ban"
    """Out of every room until it is lifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanction:
    """One reader is kept out."""

    reader: ReaderKey
    username: str
    """As the reader was called then."""
    measure: Measure
    book_id: int | None
    """None: every room."""
    until_ms: int | None
    """Unix milliseconds; None: until it is lifted."""
    reason: str

    def holds(self, *, book_id: int, now_ms: int) -> bool:
        """Whether it keeps the reader out of a room; it ends by itself."""
        is_here = self.book_id is None or self.book_id == book_id
        return is_here and (self.until_ms is None or now_ms < self.until_ms)

    def notice(self) -> ModerationNotice:
        """How the reader hears of it."""
        return ModerationNotice(
            book_id=UNSET if self.book_id is None else self.book_id,
            action=self.measure.value,
            until=UNSET if self.until_ms is None else iso_ms(utc(self.until_ms)),
            reason=self.reason or UNSET,
        )


def reader_key(reader: Identity) -> ReaderKey:
    """By which a reader's sanctions are found."""
    return reader.user_id, reader.authenticated


def require_free(sanctions: Iterable[Sanction], *, book_id: int, now_ms: int) -> None:
    """Let pass whoever is not kept out of a room.

    Args:
        sanctions: of this reader.

    Raises:
        Forbidden: says until when and why.
    """
    for sanction in sanctions:
        if sanction.holds(book_id=book_id, now_ms=now_ms):
            until = sanction.until_ms
            ending = "" if until is None else f" until {iso_ms(utc(until))}"
            why = f": {sanction.reason}" if sanction.reason else ""
            where = "every room" if sanction.book_id is None else "this room"
            raise Forbidden(f"a moderator closed {where} to you{ending}{why}")


# ------------------------------------------------------------------ who is concerned


class Seated(Protocol):
    """A socket, as moderation sees one."""

    def be_told(self, notice: ModerationNotice) -> None:
        """Tell the reader, and leave the rooms that a sanction closes; does not wait."""
        ...


class Seats:
    """The sockets of one worker by the reader they speak for."""

    def __init__(self) -> None:
        self._sockets: dict[ReaderKey, set[Seated]] = {}

    def take(self, reader: Identity, socket: Seated) -> None:
        """A socket speaks for a reader; once more changes nothing."""
        self._sockets.setdefault(reader_key(reader), set()).add(socket)

    def give_up(self, reader: Identity, socket: Seated) -> None:
        """A socket is gone."""
        sockets = self._sockets.get(reader_key(reader))
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self._sockets[reader_key(reader)]

    def tell(self, reader: ReaderKey, notice: ModerationNotice) -> int:
        """Tell every socket of a reader; how many there are."""
        sockets = list(self._sockets.get(reader, ()))
        for socket in sockets:
            socket.be_told(notice)
        return len(sockets)
