"""Which processing worker works on a session: a lease for each, in Valkey.

A lease only spares two workers the same work. What keeps a worker that has lost one, and does not
know it, from telling anybody is its tenure in MongoDB (`speech.routes.work_store`). So a Valkey
that forgets everything costs nothing: whoever works on goes on, and takes its leases again.
"""

import time
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from speech.routes.census import LEASE_S, PROCESSORS

PREFIX = "readrealm:voice:lease:"
LEASE_MS = 3_000
RENEW_EVERY_S = 1.0

RENEW = """
local lost = {}
for i, key in ipairs(KEYS) do
    local holder = redis.call('GET', key)
    if holder == ARGV[1] or not holder then
        redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
    else
        lost[#lost + 1] = i - 1
    end
end
return lost
"""
"""Extends leases, and takes again those that the server forgot; gives those of somebody else."""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""


class Leases:
    """The leases of one worker.

    Args:
        holder: names this worker among all that ever were.
    """

    def __init__(self, client: Redis, *, holder: str) -> None:
        self._client, self._holder = client, holder
        self._renew: Any = client.register_script(RENEW)
        self._release: Any = client.register_script(RELEASE)

    async def acquire(self, session_id: str) -> bool:
        """Take the lease of a session, if nobody has it. Without Valkey nobody gets one."""
        try:
            return bool(
                await self._client.set(PREFIX + session_id, self._holder, nx=True, px=LEASE_MS)
            )
        except (RedisError, OSError, TimeoutError):
            return False

    async def renew(self, session_ids: Iterable[str]) -> list[str]:
        """Extend leases, and say that this worker is alive; those that are lost.

        None is lost while Valkey does not answer.
        """
        held = list(session_ids)
        try:
            await self._client.zadd(PROCESSORS, {self._holder: time.time() + LEASE_S})
            if not held:
                return []
            keys = [PREFIX + session_id for session_id in held]
            lost = await self._renew(keys=keys, args=[self._holder, LEASE_MS])
        except (RedisError, OSError, TimeoutError):
            return []
        return [held[index] for index in lost]

    async def release(self, session_id: str) -> None:
        """Give a lease back; one that cannot be given back ends by itself."""
        try:
            await self._release(keys=[PREFIX + session_id], args=[self._holder])
        except (RedisError, OSError, TimeoutError):
            return

    async def retire(self) -> None:
        """This worker is not counted any more."""
        try:
            await self._client.zrem(PROCESSORS, self._holder)
        except (RedisError, OSError, TimeoutError):
            return
