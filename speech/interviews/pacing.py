"""What time it is, and waiting for a moment; tests put their own in its place."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from readrealm.kernel.clock import now_ms


class Timekeeper(Protocol):
    def now_ms(self) -> int:
        """Unix time in milliseconds."""

    async def wait(self, woken: asyncio.Event, until_ms: int | None) -> None:
        """Come back when ``woken`` is set or the moment has come; None never comes."""


class WallClock:
    """The real time.

    Args:
        clock: gives Unix time in milliseconds.
    """

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock()

    async def wait(self, woken: asyncio.Event, until_ms: int | None) -> None:
        if until_ms is None:
            await woken.wait()
            return
        try:
            async with asyncio.timeout(max(0, until_ms - self._clock()) / 1000):
                await woken.wait()
        except TimeoutError:
            return
