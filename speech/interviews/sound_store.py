"""The sound of turns that go on, in Valkey, for a while: too short-lived and too much for MongoDB.

A Valkey that forgets costs no answer: a turn that goes on elsewhere then keeps the words that
were heard of it.
"""

import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from readrealm.kernel.errors import StoreUnavailable

PREFIX = "readrealm:interview:sound:"

EXPIRY_S = 900
"""After the last piece; longer than an interview waits for its reader."""

MOST_TURN_BYTES = 9_600_000
"""Of one turn: five minutes. Of a longer one nothing is kept."""

MOST_BYTES = 96_000_000
"""Of all turns that one worker keeps."""

PUT = """
local length = redis.call('STRLEN', KEYS[1])
local at = tonumber(ARGV[1])
if length == at then
    redis.call('APPEND', KEYS[1], ARGV[2])
elseif length ~= at + #ARGV[2] then
    redis.call('DEL', KEYS[1])
    return 0
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""Appends, also when a lost connection has it done twice; a hole ends the turn."""


class ValkeySounds:
    """`speech.interviews.sound_keeping.Sounds`.

    Args:
        clock: gives seconds that only grow.
    """

    def __init__(
        self,
        client: Redis,
        *,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client: Any = client
        self._most_bytes, self._clock = most_bytes, clock
        self._held: dict[str, tuple[int, float]] = {}
        """Bytes of each turn that this worker has put, and when they are gone."""

    async def put(self, session_id: str, turn: int, pcm: bytes, *, at_byte: int) -> bool:
        key = _key(session_id, turn)
        if not self._has_room(key, at_byte + len(pcm)):
            await self.forget(session_id, turn)
            return False
        try:
            is_kept = await self._client.eval(PUT, 1, key, at_byte, pcm, EXPIRY_S)
        except (RedisError, OSError, TimeoutError):
            raise StoreUnavailable from None
        return bool(is_kept)

    async def get(self, session_id: str, turn: int) -> bytes:
        try:
            return bytes(await self._client.get(_key(session_id, turn)) or b"")
        except (RedisError, OSError, TimeoutError):
            raise StoreUnavailable from None

    async def forget(self, session_id: str, turn: int) -> None:
        key = _key(session_id, turn)
        self._held.pop(key, None)
        try:
            await self._client.delete(key)
        except (RedisError, OSError, TimeoutError):
            raise StoreUnavailable from None

    def _has_room(self, key: str, wanted: int) -> bool:
        now = self._clock()
        self._held = {held: have for held, have in self._held.items() if have[1] > now}
        others = sum(size for held, (size, _) in self._held.items() if held != key)
        if wanted > MOST_TURN_BYTES or others + wanted > self._most_bytes:
            return False
        self._held[key] = (wanted, now + EXPIRY_S)
        return True


def _key(session_id: str, turn: int) -> str:
    return f"{PREFIX}{session_id}:{turn}"
