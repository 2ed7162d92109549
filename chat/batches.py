"""Group commit: what arrives for a key while its last batch is away leaves with the next one.

A mechanism without a subject, as a queue is: it knows no room, no store and no wire.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_Entry = tuple[Item, asyncio.Future[Outcome]]


class Overfull(Exception):
    """Too much waits already, or the batches are closed; nothing was taken."""


class Batches(Generic[Item, Outcome]):
    """Batches of one event loop, one at a time for each key, in the order of arrival.

    A key has a task only while something waits for it. The tasks are owned here and end with
    `close`.

    Args:
        send: takes a key and its batch; gives one outcome for each item, in their order. An
            exception among the outcomes is raised to the caller of that item alone; one that
            is raised instead reaches all of them. It must keep deadlines of its own.
        largest: items of one batch.
        waiting: items of all keys that may wait; one more is refused.
        deadline_s: for a caller to get its outcome. What is still waiting then is dropped;
            what is on its way already may yet succeed.
    """

    def __init__(
        self,
        send: Callable[[int, Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]],
        *,
        largest: int,
        waiting: int,
        deadline_s: float,
    ) -> None:
        self._send, self._largest, self._limit = send, largest, waiting
        self._deadline_s = deadline_s
        self._queues: dict[int, deque[_Entry[Item, Outcome]]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._waiting = 0
        self._is_closed = False

    async def put(self, key: int, item: Item) -> Outcome:
        """Have an item sent with the next batch of its key; gives its outcome.

        It has its place in the order when the first step of this call returns.

        Raises:
            Overfull: refused at once.
            TimeoutError: no outcome in time.
        """
        if self._is_closed or self._waiting >= self._limit:
            raise Overfull
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append((item, outcome))
        self._waiting += 1
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(key), name=f"batches of {key}")
        async with asyncio.timeout(self._deadline_s):
            return await outcome

    async def close(self) -> None:
        """Take nothing more, and send what waits, within the deadline of its callers."""
        self._is_closed = True
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._deadline_s)
            for task in late:
                task.cancel()

    async def _work(self, key: int) -> None:
        queue = self._queues[key]
        try:
            while queue:
                if batch := self._take(queue):
                    await self._deliver(key, batch)
        finally:
            self._take_all(queue)
            del self._queues[key], self._tasks[key]

    def _take(self, queue: deque[_Entry[Item, Outcome]]) -> list[_Entry[Item, Outcome]]:
        """The next batch, without those whose callers have given up."""
        batch: list[_Entry[Item, Outcome]] = []
        while queue and len(batch) < self._largest:
            entry = queue.popleft()
            self._waiting -= 1
            if not entry[1].done():
                batch.append(entry)
        return batch

    def _take_all(self, queue: deque[_Entry[Item, Outcome]]) -> None:
        while queue:
            self._waiting -= 1
            _give_up(queue.popleft()[1])

    async def _deliver(self, key: int, batch: list[_Entry[Item, Outcome]]) -> None:
        futures = [future for _, future in batch]
        try:
            outcomes = await self._send(key, [item for item, _ in batch])
        except asyncio.CancelledError:
            for future in futures:
                _give_up(future)
            raise
        except Exception as error:
            outcomes = [error] * len(futures)
        # In the order of the batch: callers go on in the order in which their items were sent.
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _give_up(outcome: asyncio.Future[Outcome]) -> None:
    """Tell a caller that there is no outcome; the caller itself is not cancelled."""
    if not outcome.done():
        outcome.set_exception(TimeoutError())
