"""Looks at what was said after everybody has it, and shows moderators what has a watch word.

Knows no MongoDB and no catalogue. Nothing is delayed and nothing is refused: a flag is for the
review queue alone. Each worker looks at once at what was said on it; what a worker took with it
when it was killed is found in the store a little later, by any other.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chat.events import Message
from chat.rules import Place
from chat.watch_words import WatchList
from readrealm.kernel.clock import Clock

MOST_UNSEEN = 20_000
"""Messages that may wait to be looked at; of more, the newest, and the others wait for the look
into the store."""

SETTLED_MS = 15_000
"""The age at which an entry is in the store, or never will be: what it may take to be kept, and
ten seconds by which clocks may differ."""


class Flags(Protocol):
    """Where flags are kept."""

    async def flag(self, message: Message, words: Sequence[str], *, at_ms: int) -> None:
        """Show a message to the moderators; the same wording is flagged once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some entries of the logs of all rooms, one after another."""

    messages: Sequence[Message]
    """Those that were written or reworded there and are visible, each with the ``rev`` of that
    wording."""
    end: str
    """Id of the last entry."""


class Past(Protocol):
    """What was kept, by the ids of entries, whose order is that of time."""

    async def mark(self) -> str | None:
        """Up to where all workers together have looked; None when they never did."""
        ...

    async def advance(self, mark: str) -> None:
        """Set the mark, which never goes back."""
        ...

    async def stretch(self, *, after: str, before: str) -> Stretch | None:
        """What comes first between two ids; None when nothing does."""
        ...


def unseen() -> deque[Message]:
    """What was said on this worker and not looked at yet."""
    return deque(maxlen=MOST_UNSEEN)


class Watcher:
    """Looks, whenever it is told to, at everything that was said since.

    The words are read anew for each look, so every worker goes by the list as it is.

    Args:
        spoken: messages in the state in which they were kept, oldest first; emptied here.
        words: gives the list; may raise `StoreUnavailable`.
    """

    def __init__(
        self,
        spoken: deque[Message],
        *,
        words: Callable[[], Awaitable[Sequence[str]]],
        flags: Flags,
        past: Past,
        clock: Clock,
    ) -> None:
        self._spoken, self._words = spoken, words
        self._flags, self._past, self._clock = flags, past, clock

    async def look(self) -> None:
        """Flag what has a word of the list, of what was said on this worker.

        Raises:
            StoreUnavailable: what was not looked at waits for the next call.
        """
        if not self._spoken:
            return
        watched = WatchList(await self._words())
        for _ in range(len(self._spoken)):
            message = self._spoken[0]
            await self._look_at(message, watched)
            # Only now: a flag that could not be kept is tried again. Others may have pushed the
            # oldest out meanwhile.
            if self._spoken and self._spoken[0] is message:
                self._spoken.popleft()

    async def look_again(self) -> None:
        """Flag what has a word of the list, of what was kept on any worker before `SETTLED_MS`
        and nobody has looked at in the store; what was flagged before stays as it is.

        Raises:
            StoreUnavailable: goes on at the next call where this one ended.
        """
        horizon = _before_all_of(self._clock() - SETTLED_MS)
        mark = await self._past.mark()
        if mark is None:  # what is older than the watch list is none of its business
            await self._past.advance(horizon)
            return
        stretch = await self._past.stretch(after=mark, before=horizon)
        if stretch is None:
            return
        watched = WatchList(await self._words())
        while watched and stretch is not None:
            for message in stretch.messages:
                await self._look_at(message, watched)
            await self._past.advance(stretch.end)
            stretch = await self._past.stretch(after=stretch.end, before=horizon)
        await self._past.advance(horizon)

    async def _look_at(self, message: Message, watched: WatchList) -> None:
        if not watched:
            return
        if found := watched.find(message.content):
            await self._flags.flag(message, found, at_ms=self._clock())
        await asyncio.sleep(0)  # a long list and long messages do not hold up the worker


def _before_all_of(at_ms: int) -> str:
    """An id before those of all entries of a second, and after those of the second before."""
    return Place(seq=0, at_ms=at_ms).entry_id(bytes(4)).hex()
