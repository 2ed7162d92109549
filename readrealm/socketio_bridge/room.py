"""One group as one worker sees it: its members, what is about to leave, and how far it has come."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from .outlet import Outlet

Event = tuple[str, bytes | None, int | None]
"""Name, JSON of its one argument, and number in the group (None: not numbered)."""

PLAIN = "plain"
"""The audience of plain JSON WebSockets; every other audience is a Socket.IO namespace."""

MAX_HELD, MAX_HELD_BYTES = 500, 4 << 20
"""Events of one group that may wait for predecessors; more are left to the backfill."""


class Member(Protocol):
    """One listener of a group: a connection, as one of its consumers joined it."""

    @property
    def audience(self) -> str:
        """Socket.IO namespace, or `PLAIN`: members of one audience get the same bytes."""
        ...

    @property
    def outlet(self) -> Outlet | None:
        """The way to its client; None for a member that only hears what is dispatched."""
        ...

    @property
    def channel_name(self) -> str: ...

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        """Queue a group message for the consumer's handler.

        Args:
            size_bytes: of the message as it was published.
        """
        ...


@dataclass(slots=True)
class Room:
    """One group as this worker sees it."""

    audiences: dict[str, dict[Member, None]] = field(default_factory=dict)
    pending: list[tuple[str, bytes | None, tuple[str, ...]]] = field(default_factory=list)
    """Events of this turn of the event loop: name, JSON and the channels that are left out."""
    last_number: int | None = None
    """Of the numbered events that were told here; what is lower is told no more."""
    caught_up: int | None = None
    """Up to where every member has the numbers from elsewhere, until the first is told here."""
    newest: int = 0
    """The highest number that was announced, told or not."""
    must_ask: bool = False
    """Something may have been missed, whether or not a later number tells of it."""
    held: dict[int, tuple[Event, tuple[str, ...]]] = field(default_factory=dict)
    """Events that came too early, with whom they leave out."""
    repair: asyncio.Task[None] | None = None
    outlets: dict[str, list[Outlet]] = field(default_factory=dict)
    """The members' ways out by audience; read with `outlets_of`, made anew when members change."""

    def add(self, member: Member) -> None:
        self.audiences.setdefault(member.audience, {})[member] = None
        self.outlets = {}

    def discard(self, member: Member) -> None:
        members = self.audiences[member.audience]
        del members[member]
        if not members:
            del self.audiences[member.audience]
        self.outlets = {}

    def begin(self, number: int | None = None) -> None:
        """Settle, if that can be, after which number an event can be missing.

        Args:
            number: of the first event that is about to be told, also to those who have it already.
        """
        if self.last_number is None:
            known = [self.caught_up, None if number is None else number - 1]
            self.last_number = min((one for one in known if one is not None), default=None)

    def outlets_of(self, audience: str, left_out: tuple[str, ...]) -> list[Outlet]:
        """The clients of one audience; the list does not change when members come and go."""
        found = None if left_out else self.outlets.get(audience)
        if found is None:
            found = [
                member.outlet
                for member in self.audiences.get(audience, ())
                if member.outlet is not None and member.channel_name not in left_out
            ]
            if not left_out:
                self.outlets[audience] = found
        return found

    def has_place(self) -> bool:
        """Whether one more event may wait for its predecessors."""
        waiting_bytes = sum(len(event[1] or b"") for event, _ in self.held.values())
        return len(self.held) < MAX_HELD and waiting_bytes < MAX_HELD_BYTES

    def members(self) -> list[Member]:
        return [member for members in self.audiences.values() for member in members]
