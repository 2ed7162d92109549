"""Connections to MongoDB: MongoEngine's for threads, pymongo's asynchronous one for the loop.

Both write with majority and journal and wait for nothing without a deadline. Queries are
somebody else's job.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore
from typing import Any, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

import mongoengine
import pymongo
from bson.codec_options import CodecOptions
from django.conf import settings
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from readrealm.kernel.errors import StoreUnavailable
from readrealm.stores.addresses import DATABASE

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Document = dict[str, Any]

THREADS = 8
WAITING = 256
"""Calls that may wait for a thread; one more is refused."""

DEADLINE_S = 10.0
"""For one call in a thread, waiting included."""

OPTIONS: dict[str, Any] = {
    # Acknowledged means on a majority and in the journal: w=1 was seen to lose messages when
    # the server was killed.
    "w": "majority",
    "journal": True,
    "wTimeoutMS": 5_000,
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 15_000,
    "waitQueueTimeoutMS": 3_000,
    "maxPoolSize": 32,
    "retryWrites": True,
    "tz_aware": True,
    "uuidRepresentation": "standard",
    "appname": "readrealm",
}

DURABLE = WriteConcern(w="majority", j=True)

ASYNC_OPTIONS = OPTIONS | {"timeoutMS": 10_000}
"""``timeoutMS`` bounds a whole operation, retries included."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncMongoClient[Document]] = (
    WeakKeyDictionary()
)
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
_places = BoundedSemaphore(THREADS + WAITING)


def connect() -> None:
    """Make the default connection of MongoEngine known; it is opened at the first query."""
    mongoengine.connect(database_name(), host=settings.MONGODB_URL, connect=False, **OPTIONS)


def disconnect() -> None:
    """Close MongoEngine's connection; for a process that has done its queries and goes on."""
    mongoengine.disconnect()


def database_name() -> str:
    """The database that the URL names, or ``readrealm``."""
    return unquote(urlsplit(settings.MONGODB_URL).path.lstrip("/")) or DATABASE


def async_database() -> AsyncDatabase[Document]:
    """The database for the running event loop, which has one client of its own."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = AsyncMongoClient(settings.MONGODB_URL, **ASYNC_OPTIONS)
        _clients[loop] = client
    return client[database_name()]


def durable(database: AsyncDatabase[Document], name: str) -> AsyncCollection[Document]:
    """A collection whose writes are on a majority and in the journal, and which shows no others;
    moments that are read know their zone."""
    return database.get_collection(
        name,
        codec_options=CodecOptions(tz_aware=True),
        read_preference=ReadPreference.PRIMARY,
        write_concern=DURABLE,
        read_concern=ReadConcern("majority"),
    )


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """End what MongoDB does not answer in time, retries included, and refuse instead.

    Raises:
        StoreUnavailable: MongoDB is away, or too slow.
    """
    try:
        with pymongo.timeout(seconds):
            yield
    except PyMongoError as error:
        if not _is_away(error):
            raise
        log.warning("MongoDB does not answer: %s", type(error).__name__)
        raise StoreUnavailable from None


def _is_away(error: PyMongoError) -> bool:
    labels = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
    return (
        isinstance(error, ConnectionFailure)
        or error.timeout
        or any(error.has_error_label(label) for label in labels)
    )


async def aclose() -> None:
    """Close the client of the running event loop, if it has one."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.close()


async def in_store(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call on MongoEngine in a thread, of which there are `THREADS`.

    A call that is out of time goes on in its thread, where the driver's own deadlines end it.

    Raises:
        StoreUnavailable: too many calls are waiting, or this one took longer than `DEADLINE_S`.
    """
    if not _places.acquire(blocking=False):
        raise StoreUnavailable
    context = contextvars.copy_context()
    future = _threads.submit(context.run, partial(call, *args, **kwargs))
    # When the thread is done rather than when the caller is: a call without a listener still
    # occupies its thread.
    future.add_done_callback(lambda _: _places.release())
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        raise StoreUnavailable from None
