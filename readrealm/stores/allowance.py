"""Rate limits that every worker shares: `readrealm.kernel.ratelimit.spend`, kept in Valkey."""

from hashlib import sha1

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from readrealm.kernel.errors import RateLimited, StoreUnavailable
from readrealm.kernel.ratelimit import Rate
from readrealm.stores import redis

SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local interval, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local earliest = arrival - interval * (count - 1)
if now < earliest then
    return earliest - now
end
local following = arrival + interval
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', following - now)
return 0
"""
"""Keeps the theoretical arrival time under KEYS[1], by the server's clock; gives the wait in ms.

The key goes when its time has come, for then it says as little as none.
"""


SPEND_SHA = sha1(SPEND.encode(), usedforsecurity=False).hexdigest()
"""How a server that has seen the script calls it."""


class Allowance:
    """How often something may be done, counted over all workers.

    Args:
        rate: None lets everything pass, and asks no store.
        name: of what is limited; part of the key, so that two limits do not meet.
    """

    def __init__(self, rate: Rate | None, *, name: str) -> None:
        self.rate, self.name = rate, name

    async def spend(self, key: str) -> None:
        """Take one action of ``key``.

        Raises:
            RateLimited: too many; ``retry_after_ms`` says when the next one may come.
            StoreUnavailable: Valkey does not answer, so nothing is allowed.
        """
        if self.rate is None:
            return
        arguments = (f"readrealm:rate:{self.name}:{key}", self.rate.interval_ms, self.rate.count)
        try:
            wait_ms = await _run(redis.client(), arguments)
        except (RedisError, OSError, TimeoutError):
            raise StoreUnavailable from None
        if wait_ms > 0:
            raise RateLimited(retry_after_ms=wait_ms)


async def _run(client: Redis, arguments: tuple[str, int, int]) -> int:
    try:
        answer = await client.evalsha(SPEND_SHA, 1, *arguments)
    except NoScriptError:
        answer = await client.eval(SPEND, 1, *arguments)
    return int(answer)
