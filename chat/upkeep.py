"""What a worker does for its rooms without being asked: leases, ghosts, and how far logs go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NoReturn, Protocol

from chat.events import RoomHead, UserJoined, UserLeft
from chat.ports import Broadcast
from chat.presence import RENEW_EVERY_S, Movements, told
from readrealm.duties import repeat
from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import AppError

log = logging.getLogger(__name__)

HEAD_EVERY_S = 25.0
JITTER = 0.2
"""Share of a period by which it varies, so that workers do not act in step."""

STEP_S = 10.0
"""For one round of one duty."""

ROOMS_AT_ONCE = 500

LISTEN_AGAIN_S = 1.0

LOOK_EVERY_S, LAST_LOOK_S = 0.4, 2.0
"""Between two looks for watch words; and for the last look, after which the worker ends."""

LOOK_AGAIN_EVERY_S = 15.0
"""Between two looks at what no worker has looked at."""


class KeptRoster(Protocol):
    """The rosters, as their keeper sees them."""

    @property
    def book_ids(self) -> list[int]: ...

    async def renew(self) -> None: ...

    async def reap(self) -> None: ...

    async def retire(self) -> None: ...

    async def counts(self, book_ids: Sequence[int]) -> dict[int, int]: ...

    def take_movements(self) -> Movements: ...


class Logs(Protocol):
    """The logs, as their keeper sees them."""

    unsettled: set[int]

    async def close(self) -> None: ...


class Heads(Protocol):
    """How far logs go."""

    async def heads(self, book_ids: Sequence[int]) -> dict[int, int]: ...


class LocalRooms(Broadcast, Protocol):
    """How this worker's own members hear."""

    def tell_here(self, head: RoomHead) -> None: ...

    async def close(self) -> None: ...


class ChatUpkeep:
    """The standing duties of one worker. Whoever starts `run` on a task cancels that task when
    the last socket is gone, and waits for its end."""

    def __init__(
        self,
        *,
        roster: KeptRoster,
        logs: Logs,
        log: Heads,
        rooms: LocalRooms,
        clock: Clock,
        listen: Callable[[], Awaitable[None]] | None = None,
        watch: Callable[[], Awaitable[None]] | None = None,
        watch_again: Callable[[], Awaitable[None]] | None = None,
        renew_every_s: float = RENEW_EVERY_S,
        head_every_s: float = HEAD_EVERY_S,
    ) -> None:
        self._roster, self._logs, self._log = roster, logs, log
        self._rooms, self._clock = rooms, clock
        self._listen, self._watch, self._watch_again = listen, watch, watch_again
        self._renew_every_s, self._head_every_s = renew_every_s, head_every_s

    async def run(self) -> None:
        """Do all duties until cancelled, then keep and tell what still waits.

        A round that fails is logged and comes again.
        """
        try:
            async with asyncio.TaskGroup() as duties:
                duties.create_task(_repeat(self.keep_rosters, self._renew_every_s))
                duties.create_task(_repeat(self.settle, self._renew_every_s))
                duties.create_task(_repeat(self.tell_heads, self._head_every_s))
                if self._watch is not None:
                    duties.create_task(_repeat(self._watch, LOOK_EVERY_S))
                if self._watch_again is not None:
                    duties.create_task(_repeat(self._watch_again, LOOK_AGAIN_EVERY_S))
                if self._listen is not None:
                    duties.create_task(self._keep_listening(self._listen))
        finally:
            await self._retire()

    async def keep_rosters(self) -> None:
        """Renew this worker's lease, take out the readers of dead ones, and announce both."""
        try:
            await self._roster.renew()
            await self._roster.reap()
        finally:
            found = self._roster.take_movements()
            for movement in found.arrivals:
                await self._rooms.publish(told(UserJoined, movement, at_ms=self._clock()))
            for movement in found.departures:
                await self._rooms.publish(told(UserLeft, movement, at_ms=self._clock()))

    async def settle(self) -> None:
        """Tell every worker the head of rooms where something may have been kept in silence."""
        doubtful = list(self._logs.unsettled)
        for head in await self._heads(doubtful):
            self._logs.unsettled.discard(head.book_id)
            await self._rooms.publish(head)

    async def tell_heads(self) -> None:
        """Tell this worker's members how far the logs of their rooms go."""
        for head in await self._heads(self._roster.book_ids):
            self._rooms.tell_here(head)

    async def _heads(self, book_ids: list[int]) -> list[RoomHead]:
        found: list[RoomHead] = []
        for start in range(0, len(book_ids), ROOMS_AT_ONCE):
            some = book_ids[start : start + ROOMS_AT_ONCE]
            heads, counts = await self._log.heads(some), await self._roster.counts(some)
            found += [
                RoomHead(book_id=book_id, seq=heads.get(book_id, 0), members=counts[book_id])
                for book_id in some
            ]
        return found

    async def _retire(self) -> None:
        """Let the other workers take over at once what is left of this one."""
        await self._logs.close()
        await self._rooms.close()
        await self._look_once_more()
        try:
            await self._roster.retire()
        except AppError as refusal:
            log.warning("the lease ends by itself: %s", refusal)

    async def _look_once_more(self) -> None:
        if self._watch is None:
            return
        try:
            async with asyncio.timeout(LAST_LOOK_S):
                await self._watch()
        except (AppError, TimeoutError) as error:
            log.warning("others look at the last messages for watch words: %s", error)
        except Exception:
            log.exception("others look at the last messages for watch words")

    async def _keep_listening(self, listen: Callable[[], Awaitable[None]]) -> None:
        """Hear what moderators have to say to readers; begin again when the layer is lost."""
        while True:
            try:
                await listen()
            except (OSError, TimeoutError) as error:
                log.warning("notices of moderators are not heard: %s", error)
            except Exception:
                log.exception("notices of moderators are not heard")
            await asyncio.sleep(LISTEN_AGAIN_S)


def _repeat(duty: Callable[[], Awaitable[None]], every_s: float) -> Coroutine[Any, Any, NoReturn]:
    return repeat(duty, every_s=every_s, within_s=STEP_S, jitter=JITTER)
