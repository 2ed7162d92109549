"""The roster of every room in Valkey: one script for each change, so that edges are seen once.

Keys, all in one hash slot: ``workers`` (worker to end of its lease) and ``dying`` (workers whose
lease has ended); of a room ``readers`` (reader to number of sockets) and ``names``; of a worker
``rooms``, and of a worker in a room ``sockets`` (socket to reader). ``epoch`` is there for as
long as the server has not forgotten everything.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.events import Member
from chat.presence import (
    LEASE_MS,
    MEMBERS_SHOWN,
    PORTION,
    Attendance,
    Entrance,
    Movement,
    Movements,
    member_key,
    member_of,
)
from readrealm.kernel.errors import StoreUnavailable

log = logging.getLogger(__name__)

PREFIX = "readrealm:{presence}:"
ANSWER_S = 4.0
"""For one script."""

ATTEMPTS = 3
"""Of a change, when the worker's lease turns out to be lost in between."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A worker without a lease, or from before the server forgot, is told so (0) and changes nothing.
_TENURE = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('GET', KEYS[2]) ~= ARGV[2] then
    return {0}
end
"""

REGISTER = f"""{_NOW}
redis.call('SET', KEYS[2], ARGV[2], 'NX')
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return redis.call('GET', KEYS[2])
"""

RENEW = f"""{_TENURE}{_NOW}
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return {{1}}
"""

ENTER = f"""{_TENURE}
local arrived = {{}}
for i = 4, #ARGV, 3 do
    local socket, reader, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if redis.call('HSETNX', KEYS[6], socket, reader) == 1
        and redis.call('HINCRBY', KEYS[3], reader, 1) == 1 then
        arrived[#arrived + 1] = reader
    end
    redis.call('HSET', KEYS[4], reader, name)
end
redis.call('SADD', KEYS[5], ARGV[3])
return {{1, redis.call('HLEN', KEYS[3]), arrived}}
"""

_TAKE_OUT = """
local function take_out(sockets, readers, names, socket, reader)
    redis.call('HDEL', sockets, socket)
    if redis.call('HINCRBY', readers, reader, -1) > 0 then
        return nil
    end
    local name = redis.call('HGET', names, reader)
    redis.call('HDEL', readers, reader)
    redis.call('HDEL', names, reader)
    return name or ''
end
"""

LEAVE = f"""{_TENURE}{_TAKE_OUT}
local gone = {{}}
local reader = redis.call('HGET', KEYS[6], ARGV[4])
if reader then
    local name = take_out(KEYS[6], KEYS[3], KEYS[4], ARGV[4], reader)
    if name then
        gone = {{reader, name}}
    end
end
if redis.call('EXISTS', KEYS[6]) == 0 then
    redis.call('SREM', KEYS[5], ARGV[3])
end
return {{1, redis.call('HLEN', KEYS[3]), gone}}
"""

REAP = f"""{_NOW}{_TAKE_OUT}
local prefix = ARGV[1]
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10)) do
    redis.call('ZREM', KEYS[1], worker)
    redis.call('SADD', KEYS[3], worker)
end
local worker = redis.call('SRANDMEMBER', KEYS[3])
if not worker then
    return {{0}}
end
local rooms = prefix .. 'rooms:' .. worker
local book = redis.call('SRANDMEMBER', rooms)
if not book then
    redis.call('SREM', KEYS[3], worker)
    return {{1}}
end
local sockets = prefix .. 'sockets:' .. worker .. ':' .. book
local readers, names = prefix .. 'readers:' .. book, prefix .. 'names:' .. book
local gone = {{}}
local some = redis.call('HRANDFIELD', sockets, ARGV[2], 'WITHVALUES')
for i = 1, #some, 2 do
    local name = take_out(sockets, readers, names, some[i], some[i + 1])
    if name then
        gone[#gone + 1] = some[i + 1]
        gone[#gone + 1] = name
    end
end
if redis.call('EXISTS', sockets) == 0 then
    redis.call('SREM', rooms, book)
end
return {{1, redis.call('HLEN', readers), gone, book}}
"""
"""Takes out a portion of one room of one dead worker; whoever calls gets to announce it."""


@dataclass(frozen=True, slots=True)
class _Tenure:
    """One life of this worker, as the store knows it."""

    worker: str
    epoch: str


class ValkeyRoster:
    """The rosters of all rooms, as the sockets of one worker come and go.

    When the store has forgotten them, or has declared this worker dead, it enters again under a
    new name with all its sockets.

    Args:
        lease_ms: `renew` must be called well within it.
    """

    def __init__(self, client: Redis, *, lease_ms: int = LEASE_MS) -> None:
        self._client, self._lease_ms = client, lease_ms
        self._scripts: dict[str, Any] = {}
        self._own = Attendance()
        self._tenure: _Tenure | None = None
        self._last_epoch: str | None = None
        self._arrivals: list[Movement] = []
        self._departures: list[Movement] = []
        self._settling = asyncio.Lock()

    @property
    def book_ids(self) -> list[int]:
        """Rooms in which this worker has sockets."""
        return self._own.book_ids

    async def enter(self, book_id: int, sid: str, member: Member) -> Entrance:
        """Count a socket in; a socket that is in already changes nothing.

        Raises:
            StoreUnavailable: it does not count; should it do so all the same, `renew` corrects it.
        """
        try:
            reply = await self._change(ENTER, book_id, sid, member_key(member), member.username)
        except StoreUnavailable:
            self._own.leaving.add((book_id, sid))
            raise
        self._own.add(book_id, sid, member)
        return Entrance(is_new=bool(reply[2]), present=reply[1])

    async def leave(self, book_id: int, sid: str) -> Movement | None:
        """Count a socket out; the departure if it was the reader's last, else None.

        Raises:
            StoreUnavailable: it has left, and `renew` will tell who is gone by that.
        """
        self._own.leaving.add((book_id, sid))
        reply = await self._change(LEAVE, book_id, sid)
        self._own.remove(book_id, sid)
        return next(iter(_movements(book_id, reply[1], reply[2])), None)

    async def members(self, book_id: int) -> tuple[int, list[Member]]:
        """How many readers are present, and `MEMBERS_SHOWN` of them.

        Raises:
            StoreUnavailable: Valkey does not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hlen(_key("readers", book_id))
        pipeline.hscan(_key("names", book_id), 0, count=MEMBERS_SHOWN)
        count, (_, names) = await _answer(pipeline.execute())
        shown = list(names.items())[:MEMBERS_SHOWN]
        return count, [member_of(key.decode(), name.decode()) for key, name in shown]

    async def counts(self, book_ids: Sequence[int]) -> dict[int, int]:
        """How many readers are present in each room.

        Raises:
            StoreUnavailable: Valkey does not answer.
        """
        pipeline = self._client.pipeline(transaction=False)
        for book_id in book_ids:
            pipeline.hlen(_key("readers", book_id))
        return dict(zip(book_ids, await _answer(pipeline.execute()), strict=True))

    # ------------------------------------------------------------------ upkeep

    async def renew(self) -> None:
        """Stay alive, and tell the store what it does not know yet.

        Raises:
            StoreUnavailable: try again within the lease.
        """
        tenure = self._tenure or await self._settle(None)
        reply = await self._run(
            RENEW, _keys(0, tenure.worker), tenure.worker, tenure.epoch, self._lease_ms
        )
        if not reply[0]:
            await self._settle(tenure)
        for socket in sorted(self._own.leaving):
            if departure := await self.leave(*socket):
                self._departures.append(departure)

    async def reap(self) -> None:
        """Take out the readers of dead workers; of all workers exactly one gets each departure.

        Raises:
            StoreUnavailable: what was not taken out stays for later.
        """
        keys = [PREFIX + "workers", PREFIX + "epoch", PREFIX + "dying"]
        while (reply := await self._run(REAP, keys, PREFIX, PORTION))[0]:
            if len(reply) > 1:
                self._departures += _movements(int(reply[3]), reply[1], reply[2])

    def take_movements(self) -> Movements:
        """What `renew` and `reap` found out and nobody was told yet."""
        found = Movements(arrivals=self._arrivals, departures=self._departures)
        self._arrivals, self._departures = [], []
        return found

    async def retire(self) -> None:
        """End the lease now; whoever is still counted in is taken out by a surviving worker."""
        if self._tenure is not None:
            await _answer(self._client.zadd(PREFIX + "workers", {self._tenure.worker: 0}))

    # ------------------------------------------------------------------ the store

    async def _change(self, script: str, book_id: int, *args: str) -> Any:
        for _ in range(ATTEMPTS):
            tenure = self._tenure or await self._settle(None)
            keys = _keys(book_id, tenure.worker)
            reply = await self._run(script, keys, tenure.worker, tenure.epoch, book_id, *args)
            # Also not if the tenure ended meanwhile: what was entered under it does not count.
            if reply[0] and tenure is self._tenure:
                return reply
            await self._settle(tenure)
        raise StoreUnavailable

    async def _settle(self, lost: _Tenure | None) -> _Tenure:
        """Begin a new tenure, unless another call has done so since ``lost``.

        Readers who are counted in again are announced only if they were announced as gone: not
        when it was the store that forgot.
        """
        async with self._settling:
            if self._tenure is not None and self._tenure is not lost:
                return self._tenure
            self._tenure = None
            worker = secrets.token_hex(8)
            epoch = await self._run(
                REGISTER, _keys(0, worker), worker, secrets.token_hex(8), self._lease_ms
            )
            tenure = _Tenure(worker, epoch.decode())
            comebacks = await self._enter_again(tenure)
            if tenure.epoch == self._last_epoch:
                self._arrivals += comebacks
            self._tenure, self._last_epoch = tenure, tenure.epoch
            return tenure

    async def _enter_again(self, tenure: _Tenure) -> list[Movement]:
        comebacks: list[Movement] = []
        for book_id, sockets in self._own.portions():
            known = {member_key(member): member.username for _, member in sockets}
            triples = [(sid, member_key(member), member.username) for sid, member in sockets]
            flat = [text for triple in triples for text in triple]
            keys = _keys(book_id, tenure.worker)
            reply = await self._run(ENTER, keys, tenure.worker, tenure.epoch, book_id, *flat)
            if not reply[0]:
                raise StoreUnavailable
            named = [text for key in reply[2] for text in (key, known[key.decode()].encode())]
            comebacks += _movements(book_id, reply[1], named)
        return comebacks

    async def _run(self, script: str, keys: list[str], *args: str | int) -> Any:
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self._client.register_script(script)
        return await _answer(known(keys=keys, args=args))


async def _answer(asked: Any) -> Any:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asked
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("Valkey does not answer: %r", error)
        raise StoreUnavailable from None


def _key(kind: str, book_id: int) -> str:
    return f"{PREFIX}{kind}:{book_id}"


def _keys(book_id: int, worker: str) -> list[str]:
    return [
        PREFIX + "workers",
        PREFIX + "epoch",
        _key("readers", book_id),
        _key("names", book_id),
        f"{PREFIX}rooms:{worker}",
        f"{PREFIX}sockets:{worker}:{book_id}",
    ]


def _movements(book_id: int, present: int, named: Sequence[bytes]) -> list[Movement]:
    """``named`` is reader and name in turn."""
    pairs = zip(named[::2], named[1::2], strict=True)
    return [
        Movement(book_id=book_id, member=member_of(key.decode(), name.decode()), present=present)
        for key, name in pairs
    ]
