"""How many sockets and processing workers there are, counted in Valkey with a lease for each
process; and this process as its operating system sees it."""

import asyncio
import resource
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from platform import python_version
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from readrealm.kernel.errors import StoreUnavailable

SOCKETS, SOCKET_LEASES, PROCESSORS = (
    "readrealm:voice:sockets",
    "readrealm:voice:socket-leases",
    "readrealm:voice:processors",
)

LEASE_S = 15.0
PUBLISH_EVERY_S = 0.5
ANSWER_S = 2.0

STATUS = Path("/proc/self/status")
KILOBYTE = 1024
_STARTED = time.monotonic()


class SocketCensus:
    """`speech.routes.system.Census` on one event loop.

    Args:
        worker_id: names this process among the others.
    """

    def __init__(self, client: Redis, *, worker_id: str) -> None:
        self._client, self._worker_id = client, worker_id
        self._sids: set[str] = set()
        self._published: tuple[int, float] = (-1, 0.0)

    @property
    def here(self) -> int:
        return len(self._sids)

    def enter(self, sid: str) -> None:
        self._sids.add(sid)

    def leave(self, sid: str) -> None:
        self._sids.discard(sid)

    async def everywhere(self) -> tuple[int, int]:
        now = time.time()
        await self.publish()
        pipeline = self._client.pipeline(transaction=False)
        pipeline.zrangebyscore(SOCKET_LEASES, now, "+inf")
        pipeline.hgetall(SOCKETS)
        pipeline.zcount(PROCESSORS, now, "+inf")
        alive, counts, processors = await _answer(pipeline.execute())
        return sum(int(counts.get(worker, 0)) for worker in alive), int(processors)

    async def publish(self) -> None:
        """Say how many there are here, if it is not known."""
        count, at = self._published
        if count == self.here and time.monotonic() - at < LEASE_S / 3:
            return
        now = time.time()
        pipeline = self._client.pipeline()
        pipeline.hset(SOCKETS, self._worker_id, str(self.here))
        pipeline.zadd(SOCKET_LEASES, {self._worker_id: now + LEASE_S})
        pipeline.zremrangebyscore(SOCKET_LEASES, "-inf", now - 10 * LEASE_S)
        count = self.here
        await _answer(pipeline.execute())
        self._published = (count, time.monotonic())

    async def retire(self) -> None:
        """This process counts no sockets any more."""
        pipeline = self._client.pipeline()
        pipeline.hdel(SOCKETS, self._worker_id)
        pipeline.zrem(SOCKET_LEASES, self._worker_id)
        await _answer(pipeline.execute())


async def _answer(asked: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asked
    except (RedisError, OSError, TimeoutError):
        raise StoreUnavailable from None


class ThisProcess:
    """`speech.routes.system.Machine`."""

    platform = sys.platform
    runtime_version = python_version()

    @property
    def uptime_s(self) -> float:
        return round(time.monotonic() - _STARTED, 3)

    def memory(self) -> dict[str, int]:
        """From the process status of Linux; elsewhere, only the largest resident set is known."""
        try:
            return memory_of(STATUS.read_text())
        except OSError:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            rss = peak if sys.platform == "darwin" else peak * KILOBYTE
            return {"rss": rss, "heapTotal": rss, "heapUsed": rss, "external": 0}


def memory_of(status: str) -> dict[str, int]:
    """Bytes by documented name, from the text of ``/proc/<pid>/status``."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)

    def size(name: str) -> int:
        return int(fields.get(name, "0").split()[0]) * KILOBYTE

    return {
        "rss": size("VmRSS"),
        "heapTotal": size("VmData"),
        "heapUsed": size("RssAnon"),
        "external": size("RssFile") + size("RssShmem"),
    }
