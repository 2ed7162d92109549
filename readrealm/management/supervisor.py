"""Keeps workers and private stores running: who died is replaced, who is asked to go drains first.

Runs in the main thread of its process only: the kernel ends children with the thread that
started them.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

from readrealm.management.attendants import Attendant
from readrealm.management.children import describe
from readrealm.management.stores import keep_running
from readrealm.management.workers import Worker
from readrealm.stores.embedded import PrivateStore

READY_TIMEOUT_S = 60.0
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before a worker is started again that never lived long; the last one repeats."""

TERMINAL_CHECK_S = 1.0

LONG_LIFE_S = 30.0
"""A worker that lived this long failed for a new reason, so its place starts over."""

Spawn = Callable[[int], Worker]
Say = Callable[[str], None]


class WorkerDidNotStart(Exception):
    """A worker ended before it was ready, at the first start."""


class Supervisor:
    """A fixed number of workers, the private stores they use, and what attends them.

    Args:
        spawn: starts a worker in a slot.
        workers: how many.
        stores: private stores that are running and must go on running.
        attendants: started when the workers serve, and ended after them.
        drain_s: what a stopping worker gives its sockets to leave.
        prepare: run before a rolling restart, with the code that will be started; False keeps
            the old workers.
        was_asked_to_stop: whether a signal came before this supervisor listened to signals.
        say: takes a line for people.
    """

    def __init__(
        self,
        spawn: Spawn,
        *,
        workers: int,
        stores: Sequence[PrivateStore],
        attendants: Sequence[Attendant],
        drain_s: float,
        prepare: Callable[[], Awaitable[bool]],
        was_asked_to_stop: Callable[[], bool],
        say: Say,
    ) -> None:
        self._spawn, self._stores, self._drain_s = spawn, stores, drain_s
        self._attendants = attendants
        self._prepare, self._was_asked_to_stop, self._say = prepare, was_asked_to_stop, say
        self._slots = [_Slot(number) for number in range(1, workers + 1)]
        self._leaving: set[Worker] = set()
        self._stop, self._roll = asyncio.Event(), asyncio.Event()
        self._had_terminal = sys.stdin is not None and sys.stdin.isatty()

    async def run(self, *, on_ready: Callable[[], None]) -> None:
        """Start every worker, call ``on_ready`` when all serve, and go on until SIGTERM or SIGINT.

        SIGHUP replaces one worker after the other.

        Raises:
            WorkerDidNotStart: the application does not start; everything was stopped again.
        """
        self._listen_to_signals()
        try:
            if await self._start_all():
                on_ready()
                await self._keep_all()
        finally:
            await self._stop_all()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        if self._was_asked_to_stop():  # before the lines above
            self._stop.set()

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._say("asked again: nobody is waited for")
            for worker in self._everybody():
                worker.kill()
            for attendant in self._attendants:
                attendant.kill()
        self._stop.set()

    def _hung_up(self) -> None:
        """SIGHUP: an operator wants new workers, or the terminal we belong to is gone."""
        (self._stop if self._has_lost_terminal() else self._roll).set()

    async def _watch_terminal(self) -> None:
        """Stop when our terminal is gone; make hears of that and does not hand it on."""
        while True:
            await asyncio.sleep(TERMINAL_CHECK_S)
            if self._has_lost_terminal():
                self._stop.set()

    def _has_lost_terminal(self) -> bool:
        return self._had_terminal and not sys.stdin.isatty()

    async def _start_all(self) -> bool:
        """False when we were asked to stop meanwhile."""
        for slot in self._slots:
            slot.worker = self._spawn(slot.number)
        stopping = asyncio.ensure_future(self._stop.wait())
        ready = asyncio.ensure_future(self._all_ready())
        try:
            await asyncio.wait({stopping, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stop.is_set():
                ready.result()
            return not self._stop.is_set()
        finally:
            stopping.cancel()
            ready.cancel()

    async def _all_ready(self) -> None:
        for slot in self._slots:
            if not await _is_ready(slot.worker):
                raise WorkerDidNotStart(
                    f"worker {slot.worker.worker_id} did not start; what it said stands above"
                )

    async def _keep_all(self) -> None:
        tasks = [asyncio.ensure_future(self._keep_worker(slot)) for slot in self._slots]
        tasks += [
            asyncio.ensure_future(keep_running(store, say=self._say)) for store in self._stores
        ]
        tasks += [asyncio.ensure_future(each.keep(say=self._say)) for each in self._attendants]
        tasks += [asyncio.ensure_future(self._keep_rolling())]
        tasks += [asyncio.ensure_future(self._watch_terminal())]
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (stopping, *tasks):
                task.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)

    async def _keep_worker(self, slot: "_Slot") -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            worker = slot.worker
            status = await asyncio.shield(worker.ended)
            if slot.worker is not worker:
                continue
            lived_long = loop.time() - worker.started_at > LONG_LIFE_S
            failures = 0 if lived_long else min(failures, len(RETRY_S) - 1)
            self._say(
                f"worker {worker.worker_id} ended ({describe(status)}); "
                f"another one starts in {RETRY_S[failures]:g} s"
            )
            await asyncio.sleep(RETRY_S[failures])
            failures += 1
            async with slot.changing:
                if slot.worker is worker:
                    slot.worker = self._spawn(slot.number)

    async def _keep_rolling(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            if not await self._prepare():
                self._say("the preparation failed; the old workers stay")
                continue
            for slot in self._slots:
                async with slot.changing:
                    if not await self._replace(slot):
                        break
            else:
                await asyncio.gather(*(each.renew() for each in self._attendants))
                self._say("every worker was replaced")

    async def _replace(self, slot: "_Slot") -> bool:
        """Start a worker beside the one of a slot; when it serves, let the old one drain."""
        old, new = slot.worker, self._spawn(slot.number)
        self._leaving.add(new)
        is_ready = await _is_ready(new)
        self._leaving.discard(new)
        if not is_ready:
            new.kill()
            self._say(f"worker {new.worker_id} did not start; {old.worker_id} stays")
            return False
        slot.worker = new
        self._leaving.add(old)
        await old.stop(within_s=self._drain_s)
        self._leaving.discard(old)
        self._say(f"worker {new.worker_id} has taken the place of {old.worker_id}")
        return True

    async def _stop_all(self) -> None:
        """Let every worker drain; the stores are stopped by who has started them, afterwards."""
        everybody = self._everybody()
        if any(not worker.ended.done() for worker in everybody):
            self._say("stopping: sockets are closed, what was begun is finished")
        await asyncio.gather(*(worker.stop(within_s=self._drain_s) for worker in everybody))
        await asyncio.gather(*(each.stop() for each in self._attendants))

    def _everybody(self) -> list[Worker]:
        return [*(slot.worker for slot in self._slots if slot.is_taken), *self._leaving]


class _Slot:
    """A place that always has a worker once the supervisor has begun."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.changing = asyncio.Lock()
        self._worker: Worker | None = None

    @property
    def is_taken(self) -> bool:
        return self._worker is not None

    @property
    def worker(self) -> Worker:
        if self._worker is None:
            raise RuntimeError("no worker was started here yet")
        return self._worker

    @worker.setter
    def worker(self, worker: Worker) -> None:
        self._worker = worker


async def _is_ready(worker: Worker) -> bool:
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            return await asyncio.shield(worker.is_ready)
    except TimeoutError:
        return False
