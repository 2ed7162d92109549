"""The roster of every room in Valkey; what the keys are is said in `chat.presence_scripts`."""

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
from chat.presence_scripts import ENTER, LEAVE, REAP, REGISTER, RENEW
from readrealm.kernel.errors import StoreUnavailable

log = logging.getLogger(__name__)

PREFIX = "readrealm:{presence}:"
ANSWER_S = 4.0
"""For one script."""

ATTEMPTS = 3
"""Of a change, when the worker's lease turns out to be lost in between."""


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

    async def rooms_of(self, member: Member) -> list[int]:
        """Every room that a reader is in; looks at all rooms, so it is not for each message.

        Raises:
            StoreUnavailable: Valkey does not answer.
        """
        prefix, reader = f"{PREFIX}readers:", member_key(member)

        async def look() -> list[bytes]:
            keys = self._client.scan_iter(match=f"{prefix}*", count=1_000)
            return [key async for key in keys if await self._client.hexists(key, reader)]

        return sorted(int(key.decode().removeprefix(prefix)) for key in await _answer(look()))

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
