"""A private store is kept running beside everything else that a supervisor does."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from readrealm.management.stores import keep_running
from readrealm.stores.embedded import PrivateStore, StoreCannotRun, spawn_quietly
from tests.support.processes import wait_until

DEADLINE_S = 20.0


class SlowStore(PrivateStore):
    """A process that is usable once `journal` is set, as a mongod is once it has read its own."""

    title, variable = "the slow store", "SLOW_URL"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "store", folder / "run" / "store.sock", url="slow://")
        self.journal = threading.Event()

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import signal; signal.pause()"]

    def _wait_for_socket(self, deadline: float) -> None:
        while not self.journal.wait(0.01):
            self._require_life()
            assert time.monotonic() < deadline


@asynccontextmanager
async def kept(store: PrivateStore) -> AsyncIterator[list[str]]:
    """Keep it running within the block; what is said about it."""
    said: list[str] = []
    keeping = asyncio.ensure_future(keep_running(store, say=said.append))
    try:
        yield said
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        store.stop()


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what=what, timeout_s=DEADLINE_S)


async def test_the_event_loop_goes_on_while_a_store_starts(tmp_path):
    store = SlowStore(tmp_path)
    async with kept(store) as said:
        await until(lambda: store.process is not None, "its process")
        assert said == ["the slow store is gone; it is started again"]

        store.journal.set()

        await until(lambda: said[-1] == "the slow store runs again", "the word that it runs")


async def test_a_store_does_not_end_with_the_thread_that_waited_for_it(tmp_path):
    """The kernel ends a child with the thread that has made it."""
    store = SlowStore(tmp_path)
    store.journal.set()
    async with kept(store) as said:
        await until(lambda: "the slow store runs again" in said, "the word that it runs")
        await asyncio.get_running_loop().shutdown_default_executor()

        with pytest.raises(subprocess.TimeoutExpired):
            store.process.wait(0.3)


async def test_who_stops_does_not_wait_for_a_journal(tmp_path):
    store = SlowStore(tmp_path)
    async with kept(store):
        await until(lambda: store.process is not None, "its process")
        process, begin = store.process, time.monotonic()

    assert time.monotonic() - begin < 5
    assert process.wait(DEADLINE_S) == -signal.SIGKILL
    assert store.process is None


def test_a_start_that_is_given_up_as_its_process_begins_fails_at_once(tmp_path):
    store = SlowStore(tmp_path)

    def spawn(command: list[str]) -> "subprocess.Popen[bytes]":
        store.give_up()
        return spawn_quietly(command)

    begin = time.monotonic()
    with pytest.raises(StoreCannotRun, match="not wanted any more"):
        store.start(spawn=spawn)

    assert time.monotonic() - begin < 5
    assert store.process is None
