"""Sessions and minutes of a reader, counted in Valkey."""

import contextlib

import pytest

from readrealm.kernel.clock import now_ms
from readrealm.kernel.errors import StoreUnavailable
from readrealm.stores import redis
from speech.gateway.quota import DAY_MS, MinutesSpent, Quota, TooManySessions
from speech.gateway.quota_store import ValkeyDesk
from tests.support.stores import SessionStores

pytestmark = pytest.mark.usefixtures("stores")


def desk(minutes: int | None = None, sessions: int | None = None, day: int = 20_000) -> ValkeyDesk:
    quota = Quota(minutes_per_day=minutes, sessions=sessions)
    return ValkeyDesk(redis.client(), quota, clock=lambda: day * DAY_MS + 1_000)


async def use(counter: ValkeyDesk, reader: str, minutes: int) -> None:
    """Have a reader talk for so long."""
    async with counter.lease(reader) as lease:
        lease._counted_until -= minutes * 60  # type: ignore[attr-defined]


async def test_so_many_sessions_at_a_time_over_all_workers() -> None:
    async with desk(sessions=2).lease("ada"), desk(sessions=2).lease("ada"):
        with pytest.raises(TooManySessions) as refused:
            async with desk(sessions=2).lease("ada"):
                pass
        assert refused.value.details["retry_after_ms"] > 0
        async with desk(sessions=2).lease("ben"):
            pass

    async with desk(sessions=2).lease("ada"):
        pass


async def test_a_session_that_fails_gives_its_place_back() -> None:
    with contextlib.suppress(KeyError):
        async with desk(sessions=1).lease("ada"):
            raise KeyError

    async with desk(sessions=1).lease("ada"):
        pass


async def test_a_worker_that_died_is_forgotten_in_time() -> None:
    valkey = redis.client()
    await valkey.zadd("readrealm:voice:{ada}:open", {"lost": now_ms() - 1})

    async with desk(sessions=1).lease("ada"):
        pass


async def test_minutes_are_counted_by_the_day() -> None:
    counter = desk(minutes=10)
    await use(counter, "ada", 6)
    await use(counter, "ada", 4)

    with pytest.raises(MinutesSpent) as refused:
        await use(counter, "ada", 1)
    assert refused.value.details["retry_after_ms"] == DAY_MS - 1_000
    assert "10 minutes a day" in str(refused.value)
    await use(counter, "ben", 1)
    await use(desk(minutes=10, day=20_001), "ada", 1)


async def test_a_long_session_ends_when_the_minutes_do() -> None:
    async with desk(minutes=10).lease("ada") as lease:
        await lease.renew()
        lease._counted_until -= 601
        with pytest.raises(MinutesSpent):
            await lease.renew()


async def test_without_a_limit_nothing_is_refused() -> None:
    counter = desk()
    await use(counter, "ada", 100_000)

    await use(counter, "ada", 1)


async def test_without_the_store_nobody_can_tell(session_stores: SessionStores) -> None:
    class Away:
        async def eval(self, *_: object) -> None:
            raise OSError

    counter = ValkeyDesk(Away(), Quota(minutes_per_day=1, sessions=1), clock=now_ms)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        async with counter.lease("ada"):
            pass
