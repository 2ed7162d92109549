"""Who is in a room, over all sockets and workers: terms, and what one worker knows itself.

A reader comes with the first of their sockets and goes with the last. Every worker holds a
lease; when it ends, the worker is dead and its sockets count no longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from chat.events import Member, PresenceChanged
from readrealm.kernel.clock import iso_ms, utc

LEASE_MS = 15_000
"""How long a worker that falls silent is believed to be alive."""

RENEW_EVERY_S = 5.0
"""Between two renewals: two may fail before the lease ends."""

MEMBERS_SHOWN = 200
"""Members that are named when somebody asks who is present; the count is always complete."""

PORTION = 200
"""Sockets that are told to the store in one call."""

AnyChange = TypeVar("AnyChange", bound=PresenceChanged)

_ACCOUNT, _GUEST = "u:", "g:"


def member_key(member: Member) -> str:
    """The reader behind a member; a guest is never the account whose id it claims."""
    return (_GUEST if member.is_guest else _ACCOUNT) + member.user_id


def member_of(key: str, username: str) -> Member:
    """The inverse of `member_key`, with the name last seen."""
    return Member(
        user_id=key.removeprefix(_GUEST) if key.startswith(_GUEST) else key.removeprefix(_ACCOUNT),
        username=username,
        is_guest=key.startswith(_GUEST),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """What entering a room meant."""

    is_new: bool
    """The reader was not there before, with any socket."""
    present: int
    """Distinct readers now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A reader came to a room, or went."""

    book_id: int
    member: Member
    present: int
    """Distinct readers afterwards."""


def told(kind: type[AnyChange], movement: Movement, *, at_ms: int) -> AnyChange:
    """How a room hears of a movement, as `UserJoined` or as `UserLeft`."""
    return kind(
        username=movement.member.username,
        timestamp=iso_ms(utc(at_ms)),
        user_id=movement.member.user_id,
        is_guest=movement.member.is_guest,
        book_id=movement.book_id,
        members=movement.present,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """What a worker has to announce."""

    arrivals: list[Movement] = field(default_factory=list)
    departures: list[Movement] = field(default_factory=list)


class Attendance:
    """The sockets of one worker by room: what the store is told again after it forgot."""

    def __init__(self) -> None:
        self._rooms: dict[int, dict[str, Member]] = {}
        self.leaving: set[tuple[int, str]] = set()
        """Sockets that have gone, of which the store does not know yet."""

    @property
    def book_ids(self) -> list[int]:
        return list(self._rooms)

    def add(self, book_id: int, sid: str, member: Member) -> None:
        self._rooms.setdefault(book_id, {})[sid] = member
        self.leaving.discard((book_id, sid))

    def remove(self, book_id: int, sid: str) -> None:
        self.leaving.discard((book_id, sid))
        room = self._rooms.get(book_id)
        if room is not None and room.pop(sid, None) is not None and not room:
            del self._rooms[book_id]

    def portions(self) -> Iterator[tuple[int, list[tuple[str, Member]]]]:
        """Every room's sockets as they are now, at most `PORTION` at a time."""
        rooms = [(book_id, list(sockets.items())) for book_id, sockets in self._rooms.items()]
        for book_id, sockets in rooms:
            for start in range(0, len(sockets), PORTION):
                yield book_id, sockets[start : start + PORTION]
