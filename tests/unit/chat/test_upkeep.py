"""The standing duties of a worker."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import pytest

from chat.events import Member, RoomEvent, RoomHead, UserJoined, UserLeft
from chat.presence import Movement, Movements
from chat.upkeep import ChatUpkeep
from readrealm.kernel.errors import StoreUnavailable
from tests.unit.chat.fakes import BOOK, NOW_MS, Heard

ADA, BOB = Member(user_id="1", username="Ada"), Member(user_id="2", username="Bob")


class Rooms(Heard):
    """What was told everywhere, and what here alone."""

    def __init__(self) -> None:
        super().__init__()
        self.here: list[RoomHead] = []
        self.is_closed = False

    def tell_here(self, head: RoomHead) -> None:
        self.here.append(head)

    async def close(self) -> None:
        self.is_closed = True


class Roster:
    """A roster in two rooms, with something to announce."""

    book_ids: list[int] = [BOOK, 7]  # noqa: RUF012

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: set[str] = set()
        self.found = Movements()

    async def renew(self) -> None:
        self._call("renew")

    async def reap(self) -> None:
        self._call("reap")

    async def retire(self) -> None:
        self._call("retire")

    async def counts(self, book_ids: Sequence[int]) -> dict[int, int]:
        return dict.fromkeys(book_ids, 3)

    def take_movements(self) -> Movements:
        found, self.found = self.found, Movements()
        return found

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise StoreUnavailable


class Log:
    async def heads(self, book_ids: Sequence[int]) -> dict[int, int]:
        return {BOOK: 12} if BOOK in book_ids else {}


class Logs:
    def __init__(self) -> None:
        self.unsettled: set[int] = set()
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def parts() -> tuple[ChatUpkeep, Roster, Logs, Rooms]:
    roster, logs, rooms = Roster(), Logs(), Rooms()
    upkeep = ChatUpkeep(
        clock=lambda: NOW_MS,
        roster=roster,
        logs=logs,
        log=Log(),
        rooms=rooms,
        renew_every_s=0.01,
        head_every_s=0.01,
    )
    return upkeep, roster, logs, rooms


Parts = tuple[ChatUpkeep, Roster, Logs, Rooms]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  duties are seen by what they did
            await asyncio.sleep(0.005)


def movement(member: Member, present: int) -> Movement:
    return Movement(book_id=BOOK, member=member, present=present)


async def test_what_rosters_find_out_is_announced(parts: Parts) -> None:
    upkeep, roster, _, rooms = parts
    roster.found = Movements(arrivals=[movement(ADA, 2)], departures=[movement(BOB, 1)])

    await upkeep.keep_rosters()
    await upkeep.keep_rosters()

    assert [(type(each), each.username, each.members) for each in told(rooms)] == [
        (UserJoined, "Ada", 2),
        (UserLeft, "Bob", 1),
    ]
    assert roster.calls == ["renew", "reap"] * 2


def told(rooms: Rooms) -> list[UserJoined | UserLeft]:
    return [each for each in rooms.events if isinstance(each, UserJoined | UserLeft)]


async def test_what_was_found_out_is_announced_even_if_the_rest_fails(parts: Parts) -> None:
    upkeep, roster, _, rooms = parts
    roster.found = Movements(departures=[movement(BOB, 1)])
    roster.failing = {"reap"}

    with pytest.raises(StoreUnavailable):
        await upkeep.keep_rosters()

    assert [each.username for each in told(rooms)] == ["Bob"]


async def test_heads_are_told_to_members_here(parts: Parts) -> None:
    upkeep, _, _, rooms = parts

    await upkeep.tell_heads()

    assert rooms.here == [
        RoomHead(book_id=BOOK, seq=12, members=3),
        RoomHead(book_id=7, seq=0, members=3),
    ]
    assert rooms.events == []


async def test_a_doubtful_room_is_told_its_head_everywhere_once(parts: Parts) -> None:
    upkeep, _, logs, rooms = parts
    logs.unsettled = {BOOK}

    await upkeep.settle()
    await upkeep.settle()

    assert rooms.events == [RoomHead(book_id=BOOK, seq=12, members=3)]
    assert logs.unsettled == set()


async def test_duties_are_done_again_and_again_and_after_failures(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep, roster, logs, rooms = parts
    roster.failing = {"renew"}

    with caplog.at_level(logging.WARNING):
        duties = asyncio.create_task(upkeep.run())
        await until(lambda: roster.calls.count("renew") > 2 and len(rooms.here) > 4)
        roster.failing = set()
        roster.found = Movements(departures=[movement(BOB, 0)])
        await until(lambda: bool(rooms.events))
    duties.cancel()
    with pytest.raises(asyncio.CancelledError):
        await duties

    assert "keep_rosters failed and comes again" in caplog.text
    assert logs.is_closed
    assert rooms.is_closed
    assert roster.calls[-1] == "retire"


async def test_a_bug_in_one_duty_does_not_stop_the_others(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep, roster, logs, rooms = parts
    logs.unsettled = {BOOK}

    async def broken(event: RoomEvent) -> None:
        raise KeyError("bug")

    rooms.publish = broken  # type: ignore[method-assign]
    duties = asyncio.create_task(upkeep.run())
    await until(lambda: "settle failed" in caplog.text and len(rooms.here) > 4)
    duties.cancel()
    await asyncio.gather(duties, return_exceptions=True)

    assert roster.calls.count("renew") > 1


async def test_a_store_that_is_away_at_the_end_does_not_hold_up_the_end(parts: Parts) -> None:
    upkeep, roster, _, rooms = parts
    roster.failing = {"retire"}
    duties = asyncio.create_task(upkeep.run())
    await until(lambda: bool(roster.calls))

    duties.cancel()
    await asyncio.gather(duties, return_exceptions=True)

    assert duties.cancelled()
    assert rooms.is_closed


async def test_what_was_said_is_looked_at_at_once_and_again_and_once_more_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[str] = []

    async def look() -> None:
        looks.append("at once")

    async def look_again() -> None:
        looks.append("again")
        raise StoreUnavailable

    upkeep = ChatUpkeep(
        clock=lambda: NOW_MS,
        roster=Roster(),
        logs=Logs(),
        log=Log(),
        rooms=Rooms(),
        watch=look,
        watch_again=look_again,
    )
    duties = asyncio.create_task(upkeep.run())
    await until(lambda: len(looks) >= 2)
    assert sorted(looks) == ["again", "at once"]

    duties.cancel()
    await asyncio.gather(duties, return_exceptions=True)

    assert looks[2:] == ["at once"]
    assert "look_again failed and comes again" in caplog.text
