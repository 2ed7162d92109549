"""Who is in a room, on a real Valkey: over sockets, over workers, past dead ones and restarts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from chat.events import Member
from chat.presence import Movement
from chat.presence_scripts import ENTER
from chat.presence_store import PREFIX, ValkeyRoster
from readrealm.kernel.errors import StoreUnavailable
from tests.support.bridge import private_valkey

BOOK = 2701
ADA = Member(user_id="1", username="Ada")
BOB = Member(user_id="2", username="Bob")
GUEST = Member(user_id="1", username="Ada?", is_guest=True)

NewWorker = Callable[..., ValkeyRoster]


@pytest.fixture
async def valkey(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def worker(valkey: Redis) -> NewWorker:
    def start(**options: Any) -> ValkeyRoster:
        return ValkeyRoster(valkey, **options)

    return start


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110  a store tells nobody when a lease ends
            await asyncio.sleep(0.01)


def names(movements: list[Movement]) -> list[tuple[int, str, int]]:
    return [(each.book_id, each.member.username, each.present) for each in movements]


async def shown(roster: ValkeyRoster) -> tuple[int, list[str]]:
    count, members = await roster.members(BOOK)
    return count, sorted(member.username for member in members)


async def test_a_reader_comes_with_the_first_socket_and_goes_with_the_last(
    worker: NewWorker,
) -> None:
    here, there = worker(), worker()

    came = [
        await here.enter(BOOK, "s1", ADA),
        await here.enter(BOOK, "s2", ADA),
        await there.enter(BOOK, "s3", ADA),
        await there.enter(BOOK, "s4", BOB),
    ]
    went = [
        await here.leave(BOOK, "s1"),
        await there.leave(BOOK, "s3"),
        await here.leave(BOOK, "s2"),
        await here.leave(BOOK, "s2"),
    ]

    assert [each.is_new for each in came] == [True, False, False, True]
    assert [each.present for each in came] == [1, 1, 1, 2]
    assert went == [None, None, Movement(book_id=BOOK, member=ADA, present=1), None]
    assert await shown(here) == (1, ["Bob"])


async def test_a_socket_that_enters_again_is_still_one_socket(worker: NewWorker) -> None:
    roster = worker()
    await roster.enter(BOOK, "s1", ADA)

    again = await roster.enter(BOOK, "s1", ADA)
    left = await roster.leave(BOOK, "s1")

    assert not again.is_new
    assert left is not None
    assert await shown(roster) == (0, [])


async def test_a_guest_is_not_the_account_whose_id_it_claims(worker: NewWorker) -> None:
    roster = worker()
    await roster.enter(BOOK, "s1", ADA)

    claimed = await roster.enter(BOOK, "s2", GUEST)

    assert (claimed.is_new, claimed.present) == (True, 2)
    assert await roster.leave(BOOK, "s2") == Movement(book_id=BOOK, member=GUEST, present=1)


async def test_rooms_are_counted_apart(worker: NewWorker) -> None:
    roster = worker()
    await roster.enter(BOOK, "s1", ADA)
    await roster.enter(84, "s1", ADA)
    await roster.enter(84, "s2", BOB)

    assert await roster.counts([84, BOOK, 7]) == {84: 2, BOOK: 1, 7: 0}
    assert sorted(roster.book_ids) == [84, BOOK]
    await roster.leave(BOOK, "s1")
    assert roster.book_ids == [84]


async def test_nothing_is_left_in_the_store_when_everybody_is_gone(
    worker: NewWorker, valkey: Redis
) -> None:
    here, there = worker(), worker()
    for roster, sid in ((here, "s1"), (there, "s2")):
        await roster.enter(BOOK, sid, ADA)
        await roster.leave(BOOK, sid)
        await roster.retire()
    await worker().reap()

    assert sorted(await valkey.keys()) == [f"{PREFIX}epoch".encode()]


async def test_many_sockets_coming_and_going_at_once_are_counted_right(worker: NewWorker) -> None:
    workers = [worker(), worker()]

    async def visit(n: int) -> tuple[bool, bool]:
        roster = workers[n % 2]
        member = Member(user_id=str(n % 10), username=f"r{n % 10}")
        came = await roster.enter(BOOK, f"s{n}", member)
        return came.is_new, await roster.leave(BOOK, f"s{n}") is not None

    visits = await asyncio.gather(*(visit(n) for n in range(200)))

    assert sum(came for came, _ in visits) == sum(went for _, went in visits)
    assert await shown(workers[0]) == (0, [])


class TestDeadWorkers:
    async def test_their_readers_leave_once_and_one_survivor_announces_it(
        self, worker: NewWorker
    ) -> None:
        dead = worker(lease_ms=50)
        survivors = [worker(), worker(), worker()]
        await dead.enter(BOOK, "s1", ADA)
        await dead.enter(BOOK, "s2", BOB)
        await dead.enter(84, "s2", BOB)
        await survivors[0].enter(BOOK, "s3", ADA)

        async def is_over() -> bool:
            await asyncio.gather(*(each.reap() for each in survivors))
            return await survivors[0].counts([BOOK, 84]) == {BOOK: 1, 84: 0}

        await until(is_over)
        told = [each for roster in survivors for each in roster.take_movements().departures]

        assert sorted(names(told)) == [(84, "Bob", 0), (BOOK, "Bob", 1)]
        assert await shown(survivors[1]) == (1, ["Ada"])

    async def test_a_crowd_of_theirs_is_taken_out_completely(self, worker: NewWorker) -> None:
        dead, survivor = worker(lease_ms=1), worker()
        for n in range(450):
            await dead.enter(BOOK, f"s{n}", Member(user_id=str(n), username=f"r{n}"))
        await dead.retire()

        await survivor.reap()

        assert len(survivor.take_movements().departures) == 450
        assert await survivor.counts([BOOK]) == {BOOK: 0}

    async def test_a_worker_that_renews_stays_alive(self, worker: NewWorker) -> None:
        alive, other = worker(lease_ms=1_500), worker()
        await alive.enter(BOOK, "s1", ADA)
        # Time itself is the matter, and Valkey's: together longer than the lease.
        for _ in range(4):
            await asyncio.sleep(0.45)
            await alive.renew()
            await other.reap()

        assert other.take_movements().departures == []
        assert await shown(other) == (1, ["Ada"])

    @pytest.mark.parametrize("wakes_by", ["renew", "enter", "leave"])
    async def test_one_that_was_only_asleep_comes_back_with_its_readers(
        self, worker: NewWorker, wakes_by: str
    ) -> None:
        asleep, other = worker(), worker()
        await asleep.enter(BOOK, "s1", ADA)
        await asleep.enter(BOOK, "s2", BOB)
        await asleep.retire()
        await other.reap()
        assert len(other.take_movements().departures) == 2

        if wakes_by == "enter":
            await asleep.enter(BOOK, "s3", ADA)
        elif wakes_by == "leave":
            await asleep.leave(BOOK, "s2")
        await asleep.renew()

        back = asleep.take_movements()
        assert {each.member for each in back.arrivals} == {ADA, BOB}
        assert await shown(other) == ((1, ["Ada"]) if wakes_by == "leave" else (2, ["Ada", "Bob"]))

    async def test_who_entered_while_that_happened_is_entered_again(self, valkey: Redis) -> None:
        other = ValkeyRoster(valkey)

        async def fall_asleep_and_wake_up() -> None:
            await asleep.retire()
            await other.reap()
            await asleep.renew()

        asleep = Interrupted(valkey, fall_asleep_and_wake_up)

        await asleep.enter(BOOK, "s1", ADA)

        assert await shown(other) == (1, ["Ada"])

    async def test_who_was_entered_without_an_answer_is_taken_out_again(
        self, valkey: Redis
    ) -> None:
        async def lose_the_answer() -> None:
            raise StoreUnavailable

        roster = Interrupted(valkey, lose_the_answer)
        with pytest.raises(StoreUnavailable):
            await roster.enter(BOOK, "s1", ADA)
        assert await shown(roster) == (1, ["Ada"])

        await roster.renew()

        assert await shown(roster) == (0, [])


class Interrupted(ValkeyRoster):
    """A roster to which something happens between its first entrance and the answer."""

    def __init__(self, client: Redis, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(client)
        self._happens = [happens]

    async def _run(self, script: str, keys: list[str], *args: str | int) -> Any:
        reply = await super()._run(script, keys, *args)
        if script is ENTER and self._happens:
            await self._happens.pop()()
        return reply


class TestAnEmptyStore:
    async def test_rosters_are_made_again_from_what_workers_know_and_nobody_is_announced(
        self, worker: NewWorker, valkey: Redis
    ) -> None:
        here, there = worker(), worker()
        await here.enter(BOOK, "s1", ADA)
        await there.enter(BOOK, "s2", ADA)
        await there.enter(BOOK, "s3", BOB)

        await valkey.flushall()
        await here.renew()
        await there.renew()

        assert await shown(here) == (2, ["Ada", "Bob"])
        assert [each.take_movements().arrivals for each in (here, there)] == [[], []]
        assert await here.leave(BOOK, "s1") is None
        assert await there.leave(BOOK, "s2") is not None

    async def test_who_comes_and_goes_right_after_it_is_announced(
        self, worker: NewWorker, valkey: Redis
    ) -> None:
        roster = worker()
        await roster.enter(BOOK, "s1", ADA)
        await valkey.flushall()

        left = await roster.leave(BOOK, "s1")
        await valkey.flushall()
        came = await roster.enter(BOOK, "s2", BOB)

        assert left == Movement(book_id=BOOK, member=ADA, present=0)
        assert (came.is_new, came.present) == (True, 1)

    async def test_a_store_that_is_away_is_a_refusal_and_what_happened_meanwhile_is_told_later(
        self,
    ) -> None:
        with private_valkey() as server:
            client = Redis.from_url(server.url)
            here, there = ValkeyRoster(client), ValkeyRoster(client)
            await here.enter(BOOK, "s1", ADA)
            await there.enter(BOOK, "s2", BOB)

            server.stop()
            with pytest.raises(StoreUnavailable):
                await here.leave(BOOK, "s1")
            with pytest.raises(StoreUnavailable):
                await here.enter(BOOK, "s3", GUEST)
            with pytest.raises(StoreUnavailable):
                await here.renew()
            server.start()
            await there.renew()
            await here.renew()

            assert names(here.take_movements().departures) == [(BOOK, "Ada", 1)]
            assert await shown(there) == (1, ["Bob"])
            await client.aclose()
