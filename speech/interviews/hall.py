"""The interviews that one worker runs: their tasks, and those that other workers left behind."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, Protocol

from readrealm.duties import repeat
from readrealm.kernel.errors import RateLimited
from speech.interviews.live_store import Snapshot
from speech.interviews.owners import Owner
from speech.interviews.runner import InterviewRunner

log = logging.getLogger(__name__)

MOST_INTERVIEWS = 500
"""That one worker runs."""

ADOPT_EVERY_S = 2.0
ADOPTED_AT_ONCE = 20
STEP_S = 10.0

RETENTION_EVERY_S = 3_600.0


class Orphans(Protocol):
    async def take_orphan(self) -> Snapshot | None:
        """Raises:
        StoreUnavailable: there may be some.
        """


class Hall:
    """Every interview of this event loop, and the tasks that run them."""

    def __init__(self) -> None:
        self._runners: dict[str, InterviewRunner] = {}
        self._tasks: dict[asyncio.Task[None], InterviewRunner] = {}

    def runner_of(self, owner: Owner) -> InterviewRunner | None:
        """The interview of a reader that runs here."""
        runner = self._runners.get(owner.key)
        return None if runner is None or runner.is_over else runner

    def require_place(self) -> None:
        """Raises:
        RateLimited: this worker runs as many as it can.
        """
        if len(self._tasks) >= MOST_INTERVIEWS:
            raise RateLimited(retry_after_ms=30_000)

    def admit(self, runner: InterviewRunner) -> None:
        """Run an interview, in the place of what the reader had here before."""
        self._runners[runner.owner.key] = runner
        task = asyncio.create_task(runner.run(), name=f"interview {runner.session_id}")
        self._tasks[task] = runner
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Leave every interview to other workers."""
        for runner in list(self._tasks.values()):
            await runner.release()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=STEP_S)

    def _ended(self, task: asyncio.Task[None]) -> None:
        runner = self._tasks.pop(task)
        if self._runners.get(runner.owner.key) is runner:
            del self._runners[runner.owner.key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("interview %s broke off", runner.session_id, exc_info=error)


class InterviewUpkeep:
    """The standing duties of a worker for interviews. Whoever runs `run` on a task cancels it
    when the last socket is gone, and waits for its end.

    Args:
        adopt: goes on with an interview that was taken.
        forget_old: deletes results that are older than they may get.
        close: ends what only this worker has.
    """

    def __init__(
        self,
        *,
        hall: Hall,
        orphans: Orphans,
        adopt: Callable[[Snapshot], Awaitable[InterviewRunner]],
        forget_old: Callable[[], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._hall, self._orphans, self._adopt = hall, orphans, adopt
        self._forget_old, self._close = forget_old, close

    async def run(self) -> None:
        """Do all duties until cancelled; then leave every interview to other workers."""
        try:
            async with asyncio.TaskGroup() as duties:
                duties.create_task(_repeat(self.adopt_orphans, ADOPT_EVERY_S))
                duties.create_task(_repeat(self._forget_old, RETENTION_EVERY_S))
        finally:
            await self._hall.close()
            await self._close()

    async def adopt_orphans(self) -> None:
        """Go on with interviews whose worker is dead, so that each comes to its result."""
        for _ in range(ADOPTED_AT_ONCE):
            snapshot = await self._orphans.take_orphan()
            if snapshot is None:
                return
            await self._adopt(snapshot)


def _repeat(duty: Callable[[], Awaitable[None]], every_s: float) -> Coroutine[Any, Any, NoReturn]:
    return repeat(duty, every_s=every_s, within_s=STEP_S)
