"""The desk where sessions are counted, in Valkey, for all workers."""

import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import StoreUnavailable
from speech.gateway.quota import DAY_MS, LEASE_MS, MinutesSpent, Quota, TooManySessions

log = logging.getLogger(__name__)

OPEN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, most, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if longest >= 0 and tonumber(redis.call('GET', KEYS[2]) or 0) >= longest then
    return 'minutes'
end
if most >= 0 and redis.call('ZCARD', KEYS[1]) >= most then
    return 'sessions'
end
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
redis.call('PEXPIRE', KEYS[1], lease)
return 'open'
"""
"""KEYS: open sessions by the end of their lease; milliseconds used today. A limit below 0 is
none."""

RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[2])
if lease > 0 then
    redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], lease)
else
    redis.call('ZREM', KEYS[1], ARGV[1])
end
local used = redis.call('INCRBY', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return used
"""
"""Counts ARGV[3] milliseconds; a lease of 0 gives the place back."""


class ValkeyDesk:
    """Counts the sessions of every reader."""

    def __init__(self, valkey: Redis, quota: Quota, *, clock: Clock) -> None:
        self._valkey, self.quota, self.clock = valkey, quota, clock

    @contextlib.asynccontextmanager
    async def lease(self, reader: str) -> AsyncIterator["ValkeyLease"]:
        """See `Desk.lease`."""
        lease = ValkeyLease(self, reader)
        await lease.open()
        try:
            yield lease
        finally:
            await lease.close()

    async def run(self, script: str, keys: Sequence[str], *arguments: Any) -> Any:
        try:
            return await self._valkey.eval(script, len(keys), *keys, *arguments)
        except (RedisError, OSError, TimeoutError):
            raise StoreUnavailable from None


class ValkeyLease:
    """One session that is counted."""

    def __init__(self, desk: ValkeyDesk, reader: str) -> None:
        self._desk, self._reader = desk, reader
        self._id = secrets.token_hex(8)
        self._counted_until = time.monotonic()

    async def open(self) -> None:
        quota = self._desk.quota
        minutes, sessions = quota.minutes_per_day, quota.sessions
        longest_ms = -1 if minutes is None else minutes * 60_000
        most = -1 if sessions is None else sessions
        found = await self._desk.run(OPEN, self._keys(), self._id, LEASE_MS, most, longest_ms)
        match found.decode() if isinstance(found, bytes) else found:
            case "minutes":
                raise MinutesSpent(minutes or 0, retry_after_ms=self._until_midnight_ms())
            case "sessions":
                raise TooManySessions(sessions or 0, retry_after_ms=LEASE_MS)

    async def renew(self) -> None:
        """See `Lease.renew`; a store that is away is asked again the next time."""
        try:
            used_ms = await self._count(lease_ms=LEASE_MS)
        except StoreUnavailable:
            log.warning("the time of a voice session could not be counted; next time")
            return
        minutes = self._desk.quota.minutes_per_day
        if minutes is not None and used_ms >= minutes * 60_000:
            raise MinutesSpent(minutes, retry_after_ms=self._until_midnight_ms())

    async def close(self) -> None:
        try:
            await self._count(lease_ms=0)
        except StoreUnavailable:
            log.warning("the end of a voice session could not be counted; its lease runs out")

    async def _count(self, *, lease_ms: int) -> int:
        now = time.monotonic()
        passed_ms = round((now - self._counted_until) * 1_000)
        used = await self._desk.run(RENEW, self._keys(), self._id, lease_ms, passed_ms, 2 * DAY_MS)
        self._counted_until = now
        return int(used)

    def _keys(self) -> tuple[str, str]:
        # The braces keep both keys in one slot of a cluster.
        day = self._desk.clock() // DAY_MS
        prefix = f"readrealm:voice:{{{self._reader}}}"
        return f"{prefix}:open", f"{prefix}:used:{day}"

    def _until_midnight_ms(self) -> int:
        return DAY_MS - self._desk.clock() % DAY_MS
