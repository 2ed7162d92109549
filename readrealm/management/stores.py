"""Which private stores this installation needs, and that they go on running."""

import asyncio
from collections.abc import Callable, Iterator

from django.conf import settings

from readrealm.stores.embedded import PrivateStore, StoreCannotRun
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
    """Start a store again whenever it is gone, until cancelled.

    The start itself blocks the event loop, for it has to happen in the thread that the new store
    will be tied to: usually half a second, after a crash as long as the journal takes.
    """
    failures = 0
    while True:
        await asyncio.sleep(CHECK_S)
        if store.is_running():
            continue
        say(f"{store.title} is gone; it is started again")
        try:
            store.start()
        except StoreCannotRun as error:
            say(str(error))
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1
        else:
            failures = 0
            say(f"{store.title} runs again{store.loss}")
