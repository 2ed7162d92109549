"""Which private stores this installation needs, and that they go on running."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress

from django.conf import settings

from readrealm.stores.embedded import PrivateStore, StoreCannotRun, spawn_quietly
from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey

CHECK_S = 0.25
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits after a start that failed; the last one repeats."""


def private_stores() -> Iterator[PrivateStore]:
    """One for each store without a URL of its own; none has been started."""
    if settings.MONGODB_IS_PRIVATE:
        yield PrivateMongod(settings.DATA_DIR)
    if settings.REDIS_IS_PRIVATE:
        yield PrivateValkey(settings.DATA_DIR)


async def keep_running(store: PrivateStore, *, say: Callable[[str], None]) -> None:
    """Start a store again whenever it is gone, until cancelled."""
    failures = 0
    while True:
        await asyncio.sleep(CHECK_S)
        if store.is_running():
            continue
        say(f"{store.title} is gone; it is started again")
        try:
            await _start_aside(store)
        except StoreCannotRun as error:
            say(str(error))
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1
        else:
            failures = 0
            say(f"{store.title} runs again{store.loss}")


async def _start_aside(store: PrivateStore) -> None:
    """Start a store while the event loop goes on: after a crash that may take as long as reading
    its journal, and dead workers are replaced meanwhile.

    Only the process is made on this thread, which its life will be tied to.
    """
    loop = asyncio.get_running_loop()

    def spawn(command: list[str]) -> "subprocess.Popen[bytes]":
        return asyncio.run_coroutine_threadsafe(_spawned(command), loop).result()

    starting = asyncio.ensure_future(asyncio.to_thread(store.start, spawn=spawn))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        store.give_up()
        with suppress(StoreCannotRun):
            await starting
        raise


async def _spawned(command: list[str]) -> "subprocess.Popen[bytes]":
    return spawn_quietly(command)
