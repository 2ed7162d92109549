"""Looks at what was said after everybody has it, and shows moderators what has a watch word.

Knows no MongoDB and no catalogue. Nothing is delayed and nothing is refused: a flag is for the
review queue alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chat.events import Message
from chat.watch_words import WatchList
from readrealm.kernel.clock import Clock

MOST_UNSEEN = 20_000
"""Messages that may wait to be looked at; of more, the newest."""


class Flags(Protocol):
    """Where flags are kept."""

    async def flag(self, message: Message, words: Sequence[str], *, at_ms: int) -> None:
        """Show a message to the moderators; the same wording is flagged once."""
        ...


def unseen() -> deque[Message]:
    """What was said on this worker and not looked at yet."""
    return deque(maxlen=MOST_UNSEEN)


class Watcher:
    """Looks, whenever `look` is called, at everything that was said since.

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
        clock: Clock,
    ) -> None:
        self._spoken, self._words, self._flags, self._clock = spoken, words, flags, clock

    async def look(self) -> None:
        """Flag what has a word of the list.

        Raises:
            StoreUnavailable: what was not looked at waits for the next call.
        """
        if not self._spoken:
            return
        watched = WatchList(await self._words())
        for _ in range(len(self._spoken)):
            message = self._spoken[0]
            found = watched.find(message.content) if watched else []
            if found:
                await self._flags.flag(message, found, at_ms=self._clock())
            # Only now: a flag that could not be kept is tried again. Others may have pushed the
            # oldest out meanwhile.
            if self._spoken and self._spoken[0] is message:
                self._spoken.popleft()
            if watched:
                await asyncio.sleep(0)  # a long list and long messages do not hold up the worker
