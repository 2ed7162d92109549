"""What several services of chat need of the outside; what only one needs stands above it."""

from typing import Protocol

from chat.events import Message, RoomEvent, RoomLogEvent, Wording
from chat.rules import Change, Draft, Kept


class Messages(Protocol):
    """Where what is said is kept, in the log of each room."""

    async def append(self, draft: Draft) -> Kept:
        """Keep a message durably, or give the one that is kept under its client id."""
        ...

    async def change(self, change: Change) -> Kept:
        """Append a change and apply it to its message, both or neither."""
        ...


class Log(Protocol):
    """The log of each room, to be read."""

    async def find(self, book_id: int, message_id: str) -> Message:
        """Raises: NotFound."""
        ...

    async def wordings(self, book_id: int, message_id: str) -> list[Wording]:
        """What a message said, oldest first. Raises: NotFound."""
        ...

    async def latest(self, book_id: int, *, limit: int) -> list[Message]:
        """The newest visible messages, newest first."""
        ...

    async def head(self, book_id: int) -> int:
        """The number of the newest entry, 0 when there is none."""
        ...

    async def between(self, book_id: int, *, after: int, up_to: int) -> list[RoomLogEvent]:
        """Entries with ``after < seq <= up_to``, oldest first."""
        ...


class Broadcast(Protocol):
    """How a room hears, on every worker; the Channels layer in earnest."""

    async def publish(self, event: RoomEvent) -> None:
        """Tell the room; does not fail, for the log repairs what was not heard."""
        ...
