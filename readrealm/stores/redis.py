"""Connections to Valkey or Redis, one bounded pool an event loop. Knows no keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as ConnectionLost

CONNECTIONS = 32
WAIT_S = 2.0
"""For a free connection."""

ANSWER_S = 3.0
"""For the answer to one command."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()


def client() -> Redis:
    """The client of the running event loop; values come back as bytes.

    Every command ends within a deadline. One that failed because the connection was lost is
    tried once more, so send only what may be done twice.
    """
    loop = asyncio.get_running_loop()
    known = _clients.get(loop)
    if known is None:
        known = _clients[loop] = Redis.from_pool(_pool())
    return known


@asynccontextmanager
async def lent() -> AsyncIterator[Redis]:
    """The client for one piece of work: the worker's own on its event loop, and elsewhere one
    whose connections end with the work."""
    is_own = asyncio.get_running_loop() in _clients
    try:
        yield client()
    finally:
        if not is_own:
            await aclose()


async def aclose() -> None:
    """Close the client of the running event loop, if it has one."""
    known = _clients.pop(asyncio.get_running_loop(), None)
    if known is not None:
        await known.aclose()


def _pool() -> BlockingConnectionPool:
    return BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=CONNECTIONS,
        timeout=WAIT_S,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        health_check_interval=30,
        # A restarted Valkey is noticed by the first command on each old connection.
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.02), 1),
        retry_on_error=[ConnectionLost],
    )
