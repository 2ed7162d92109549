"""Keeps sanctioned readers out, from a copy of what holds. Knows no MongoDB."""

import asyncio
import logging
import time
from typing import Protocol

from chat.sanctions import ReaderKey, Sanction, reader_key, require_free
from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import StoreUnavailable
from readrealm.kernel.identity import Identity

log = logging.getLogger(__name__)

FRESH_S = 0.8
"""For which what a worker knows of sanctions is taken for true."""

STALE_S = 60.0
"""For which it is still used while the store is away."""


class Load(Protocol):
    """Asks the store for every sanction that holds."""

    async def __call__(self, *, at_ms: int) -> list[Sanction]: ...


class SanctionGate:
    """Keeps sanctioned readers out, on one event loop, from a copy of what holds.

    The copy is asked for anew when it is older than `FRESH_S`, by one caller for all, so that
    a sanction is felt on every worker within a second and costs a message nothing.

    Args:
        load: gives what holds at a time; may raise `StoreUnavailable`.
    """

    def __init__(self, load: Load, *, clock: Clock) -> None:
        self._load, self._clock = load, clock
        self._loading = asyncio.Lock()
        self._known: dict[ReaderKey, list[Sanction]] = {}
        self._known_at = self._asked_at = -STALE_S

    async def require_free(self, reader: Identity, book_id: int) -> None:
        """Let pass whoever is not kept out of a room.

        Raises:
            Forbidden: says until when and why.
            StoreUnavailable: nobody can tell at present.
        """
        if time.monotonic() - self._asked_at >= FRESH_S:
            await self._ask()
        if time.monotonic() - self._known_at > STALE_S:
            raise StoreUnavailable
        own = self._known.get(reader_key(reader), ())
        require_free(own, book_id=book_id, now_ms=self._clock())

    def expire(self) -> None:
        """What holds has changed: ask anew before the next reader passes."""
        self._asked_at = -STALE_S

    async def _ask(self) -> None:
        async with self._loading:
            asked_at = time.monotonic()
            if asked_at - self._asked_at < FRESH_S:
                return
            try:
                holding = await self._load(at_ms=self._clock())
            except StoreUnavailable:
                log.warning("what is known of sanctions is not the newest")
            else:
                known: dict[ReaderKey, list[Sanction]] = {}
                for sanction in holding:
                    known.setdefault(sanction.reader, []).append(sanction)
                self._known, self._known_at = known, asked_at
            # After an answer or without one: nobody waits for another before its time.
            self._asked_at = max(asked_at, time.monotonic() - FRESH_S / 2)
