"""Keeps the sound of a turn while it goes on, so that another worker can hear the turn as a whole.

Sound is kept in order and without holes, or not at all: half a turn must not be taken for one.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from readrealm.kernel.errors import StoreUnavailable

log = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0
"""Between two pieces: as much of an answer a crash may lose."""

PIECE_BYTES = 512_000
"""Most that is sent to the store at once: 16 s."""


class Sounds(Protocol):
    """The sound of turns, where every worker finds it. All raise `StoreUnavailable`."""

    async def put(self, session_id: str, turn: int, pcm: bytes, *, at_byte: int) -> bool:
        """Put the next piece behind ``at_byte`` bytes that are there; once, though it may be asked
        for again. False: there is a hole or no room, and nothing of the turn is kept any more."""

    async def get(self, session_id: str, turn: int) -> bytes:
        """All of a turn that is kept; empty for none."""

    async def forget(self, session_id: str, turn: int) -> None: ...


class NoSounds:
    """Keeps nothing, where no recogniser hears turns."""

    async def put(self, session_id: str, turn: int, pcm: bytes, *, at_byte: int) -> bool:
        return False

    async def get(self, session_id: str, turn: int) -> bytes:
        return b""

    async def forget(self, session_id: str, turn: int) -> None:
        return None


class SoundKeeper:
    """Keeps the sound of one interview, a turn at a time. Never raises.

    Args:
        take: gives sound of the turn from a byte on, at most so many bytes; empty for none yet.
    """

    def __init__(self, sounds: Sounds, session_id: str, take: Callable[[int, int], bytes]) -> None:
        self._sounds, self._session_id, self._take = sounds, session_id, take
        self._turn: int | None = None
        self._last: int | None = None
        self._kept = 0
        self._news, self._writing = asyncio.Event(), asyncio.Lock()

    async def begin(self, turn: int) -> None:
        """A turn begins; whatever the one before it needed of its sound is told and kept."""
        await self.forget()
        self._turn = self._last = turn
        self._kept = 0

    async def resume(self, turn: int) -> bytes:
        """The sound that another worker kept of a turn, which now goes on here."""
        self._last = turn
        try:
            sound = await self._sounds.get(self._session_id, turn)
        except StoreUnavailable as error:
            log.warning("the beginning of a turn cannot be heard: %s", error)
            sound = b""
        # Without its beginning the rest is not worth keeping.
        self._turn, self._kept = (turn, len(sound)) if sound else (None, 0)
        return sound

    def end(self) -> None:
        """Nothing more comes; what is kept stays until the next turn, or until it is too old."""
        self._turn = None

    def more(self) -> None:
        """There is more sound."""
        self._news.set()

    async def forget(self) -> None:
        """The sound of the latest turn is of no use to anybody."""
        last, self._turn, self._last = self._last, None, None
        if last is None:
            return
        try:
            await self._sounds.forget(self._session_id, last)
        except StoreUnavailable as error:
            log.warning("the sound of a turn goes when it is too old: %s", error)

    async def keep(self) -> None:
        """Keep what there is now."""
        async with self._writing:
            while (turn := self._turn) is not None and (pcm := self._take(self._kept, PIECE_BYTES)):
                try:
                    is_kept = await self._sounds.put(
                        self._session_id, turn, pcm, at_byte=self._kept
                    )
                except StoreUnavailable:
                    # From the same byte on, when there is more.
                    return
                if self._turn != turn:
                    return
                if not is_kept:
                    self._turn = None
                self._kept += len(pcm)

    async def run(self) -> None:
        """Keep what comes, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.keep()
            await asyncio.sleep(KEEP_EVERY_S)
