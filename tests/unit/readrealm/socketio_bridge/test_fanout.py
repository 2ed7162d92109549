"""This worker's rooms: who hears what, in which order, and how holes are filled."""

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readrealm.socketio_bridge.fanout import (
    MERGE_S,
    OVERTAKEN_WAIT_S,
    Fanout,
    GapReason,
    plain_text,
)
from readrealm.socketio_bridge.packets import websocket_frame
from readrealm.socketio_bridge.room import MAX_HELD, MAX_HELD_BYTES, PLAIN, Event
from tests.support.bridge import until

from .fakes import FakeMember, run_warped

ROOM = "book_42"


def event(number: int | None, name: str = "said") -> Event:
    return (name, b"%d" % (number or 0), number)


def emission(*events: Event, left_out: Sequence[str] = ()) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "socketio.emit", "events": [list(item) for item in events]}
    return message | ({"except": list(left_out)} if left_out else {})


def numbers(member: FakeMember) -> list[int]:
    """What a member of a Socket.IO namespace heard, as numbers."""
    return [json.loads("[" + str(text).partition("[")[2])[1] for text in member.heard]


class Log:
    """The store that holes are filled from; it remembers what it was asked."""

    def __init__(self, *kept: int) -> None:
        self.kept = list(kept)
        self.asked: list[tuple[str, int, int | None]] = []
        self.failures = 0
        """How many times it fails before it answers."""
        self.failure: Exception = ConnectionError("the store is away")
        self.gate: asyncio.Event | None = None
        """What it waits for before it answers."""

    async def __call__(self, group: str, after: int, up_to: int | None) -> Sequence[Event]:
        self.asked.append((group, after, up_to))
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise self.failure
        last = up_to if up_to is not None else max(self.kept, default=0)
        return [event(number) for number in self.kept if after < number <= last]


async def turn() -> None:
    """Let what was scheduled for the next turn of the loop happen."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.fixture
def fanout() -> Fanout:
    return Fanout()


@pytest.fixture
def member(fanout: Fanout) -> FakeMember:
    """A member of the room."""
    made = FakeMember("one")
    fanout.add(ROOM, made)
    return made


# Who hears what.


async def test_members_hear_their_room_and_no_other(fanout: Fanout, member: FakeMember) -> None:
    stranger = FakeMember("stranger")
    fanout.add("book_7", stranger)

    fanout.receive(ROOM, emission(("said", b'{"a":1}', None), ("left", None, None)))
    fanout.receive("nobody is here", emission(event(None)))
    await turn()

    assert member.heard == ['42["said",{"a":1}]', '42["left"]']
    assert stranger.heard == []


async def test_every_audience_gets_its_own_framing(fanout: Fanout) -> None:
    members = {name: FakeMember(name, name) for name in ("/", "/chat", PLAIN)}
    for made in members.values():
        fanout.add(ROOM, made)

    fanout.receive(ROOM, emission(("said", b"[1]", None)))
    await turn()

    assert members["/"].heard == ['42["said",[1]]']
    assert members["/chat"].heard == ['42/chat,["said",[1]]']
    assert members[PLAIN].heard == ['{"event":"said","data":[1]}']


async def test_what_a_member_is_written_are_the_frames_of_its_packets(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.receive(ROOM, emission(event(None), event(None)))
    await turn()

    assert member.outlet is not None
    assert b"".join(member.outlet.writes) == b"".join(map(websocket_frame, member.heard))


async def test_members_that_are_left_out_hear_nothing(fanout: Fanout, member: FakeMember) -> None:
    other = FakeMember("two")
    fanout.add(ROOM, other)

    fanout.receive(ROOM, emission(event(None, "a"), left_out=["one"]))
    fanout.receive(ROOM, emission(event(None, "b")))
    await turn()

    assert member.heard == ['42["b",0]']
    assert other.heard == ['42["a",0]', '42["b",0]']


async def test_members_that_are_left_out_hear_nothing_of_an_event_that_came_early(
    fanout: Fanout, member: FakeMember
) -> None:
    other = FakeMember("two")
    fanout.add(ROOM, other)
    fanout.receive(ROOM, emission(event(1)))

    fanout.receive(ROOM, emission(event(3), left_out=["one"]))
    fanout.receive(ROOM, emission(event(2)))
    await turn()

    assert numbers(other) == [1, 2, 3]
    assert numbers(member) == [1, 2]


async def test_another_type_goes_to_the_members_handlers(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.receive(ROOM, {"type": "book.closed", "why": "late"})
    await turn()

    assert member.dispatched == [{"type": "book.closed", "why": "late"}]
    assert member.heard == []


async def test_a_member_without_a_client_only_hears_what_is_dispatched(
    fanout: Fanout, member: FakeMember
) -> None:
    watch = FakeMember("watch")
    watch.outlet = None
    fanout.add(ROOM, watch)

    fanout.receive(ROOM, emission(event(None)))
    fanout.receive(ROOM, {"type": "look"})
    await turn()

    assert member.heard == ['42["said",0]']
    assert watch.dispatched == [{"type": "look"}]


# Batches.


async def test_events_of_one_turn_leave_in_one_write(fanout: Fanout, member: FakeMember) -> None:
    for number in range(1, 9):
        fanout.receive(ROOM, emission(event(number)))
    await turn()

    assert member.outlet is not None
    assert len(member.outlet.writes) == 1
    assert numbers(member) == list(range(1, 9))


async def test_a_write_has_a_limit() -> None:
    fanout, member = Fanout(max_batch_bytes=1_000), FakeMember("one")
    fanout.add(ROOM, member)

    fanout.receive(ROOM, emission(*[("said", b'"' + b"x" * 300 + b'"', None)] * 10))
    await turn()

    assert member.outlet is not None
    assert len(member.heard) == 10
    assert max(map(len, member.outlet.writes)) < 1_300


async def test_who_joins_hears_only_what_comes_later(fanout: Fanout, member: FakeMember) -> None:
    fanout.receive(ROOM, emission(event(1)))
    late = FakeMember("late")
    fanout.add(ROOM, late)
    fanout.receive(ROOM, emission(event(2)))
    await turn()

    assert numbers(member) == [1, 2]
    assert numbers(late) == [2]


async def test_who_leaves_has_heard_what_came_before(fanout: Fanout, member: FakeMember) -> None:
    stays = FakeMember("stays")
    fanout.add(ROOM, stays)
    fanout.receive(ROOM, emission(event(1)))

    fanout.discard(ROOM, member)
    fanout.receive(ROOM, emission(event(2)))
    await turn()

    assert numbers(member) == [1]
    assert numbers(stays) == [1, 2]


async def test_the_last_one_out_closes_the_room(fanout: Fanout, member: FakeMember) -> None:
    other = FakeMember("two", "/chat")

    assert fanout.add(ROOM, other) is False
    assert fanout.discard(ROOM, member) is False
    assert fanout.discard(ROOM, member) is False
    assert fanout.discard(ROOM, other) is True

    assert fanout.rooms == {}
    assert fanout.add(ROOM, member) is True


async def test_a_member_that_leaves_while_it_is_written_to_disturbs_nobody(
    fanout: Fanout, member: FakeMember
) -> None:
    others = [FakeMember(f"m{number}") for number in range(5)]
    for made in others:
        fanout.add(ROOM, made)
    assert others[2].outlet is not None
    others[2].outlet.shout = lambda items, frames: (  # type: ignore[method-assign]
        fanout.discard(ROOM, others[2]) and None
    )

    fanout.receive(ROOM, emission(event(1)))
    await turn()
    fanout.receive(ROOM, emission(event(2)))
    await turn()

    assert numbers(others[1]) == numbers(others[3]) == numbers(member) == [1, 2]


# Numbered events.


async def test_a_repetition_is_dropped(fanout: Fanout, member: FakeMember) -> None:
    for number in (1, 1, 2, 1, 2, 3, 3):
        fanout.receive(ROOM, emission(event(number)))
    await turn()

    assert numbers(member) == [1, 2, 3]


async def test_an_event_that_was_overtaken_is_waited_for(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = log = Log(1, 2, 3)
    fanout.receive(ROOM, emission(event(1)))
    fanout.receive(ROOM, emission(event(3)))
    await turn()
    assert numbers(member) == [1]

    fanout.receive(ROOM, emission(event(2)))
    # The time after which the log would have been asked.
    await asyncio.sleep(2 * OVERTAKEN_WAIT_S)

    assert numbers(member) == [1, 2, 3]
    assert log.asked == []


async def test_an_event_without_a_number_waits_for_nobody(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.receive(ROOM, emission(event(1)))
    fanout.receive(ROOM, emission(event(3), event(None)))
    await turn()

    assert numbers(member) == [1, 0]


async def test_what_is_about_to_come_leaves_in_the_same_write(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.expects_more = lambda: True
    fanout.receive(ROOM, emission(event(1)))
    await turn()
    assert member.heard == []

    fanout.expects_more = lambda: False
    fanout.receive(ROOM, emission(event(2)))
    await turn()

    assert member.outlet is not None
    assert member.outlet.writes == [b"".join(websocket_frame(text) for text in member.heard)]
    assert numbers(member) == [1, 2]


def test_nothing_waits_longer_than_a_millisecond_for_what_is_about_to_come() -> None:
    async def wait() -> float:
        fanout, member = Fanout(), FakeMember("one")
        fanout.expects_more = lambda: True
        fanout.add(ROOM, member)
        clock = asyncio.get_running_loop().time
        begin = clock()
        for number in range(1, 4):
            fanout.receive(ROOM, emission(event(number)))
            await turn()
        while not member.heard:  # noqa: ASYNC110  the clock jumps to the next timer
            await asyncio.sleep(MERGE_S / 10)
        assert numbers(member) == [1, 2, 3]
        return clock() - begin

    assert run_warped(wait) < 2 * MERGE_S + 0.05


# Told before they are heard.


async def test_events_whose_turn_it_is_are_told_first_and_known_when_they_are_heard(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.receive(ROOM, emission(event(1)))
    await turn()

    assert fanout.tell_first(ROOM, emission(event(2), event(3)))
    fanout.flush_told()
    assert numbers(member) == [1, 2, 3]
    fanout.receive(ROOM, emission(event(2), event(3)))
    await turn()

    assert numbers(member) == [1, 2, 3]


async def test_after_its_history_a_room_knows_whose_turn_it_is(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.caught_up(ROOM, 7)

    assert not fanout.tell_first(ROOM, emission(event(9)))
    assert fanout.tell_first(ROOM, emission(event(8)))
    fanout.flush_told()

    assert numbers(member) == [8]


@pytest.mark.parametrize(
    "early",
    [
        pytest.param([event(3)], id="a predecessor is on its way"),
        pytest.param([event(2), event(4)], id="one is missing between them"),
        pytest.param([event(1)], id="it was told"),
        pytest.param([event(None)], id="it has no number"),
        pytest.param([event(2), event(None)], id="one has no number"),
    ],
)
async def test_events_that_have_no_turn_or_not_yet_are_not_told_first(
    fanout: Fanout, member: FakeMember, early: list[Event]
) -> None:
    fanout.receive(ROOM, emission(event(1)))

    assert not fanout.tell_first(ROOM, emission(*early))
    fanout.flush_told()
    await turn()

    assert numbers(member) == [1]


async def test_nothing_is_told_first_while_something_waits_for_its_predecessors(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.receive(ROOM, emission(event(1)))
    fanout.receive(ROOM, emission(event(4)))

    assert not fanout.tell_first(ROOM, emission(event(2)))


async def test_a_room_without_a_number_tells_nothing_first(
    fanout: Fanout, member: FakeMember
) -> None:
    assert not fanout.tell_first(ROOM, emission(event(1)))
    assert not fanout.tell_first("book_7", emission(event(1)))


async def test_who_is_left_out_is_not_told_first_either(fanout: Fanout, member: FakeMember) -> None:
    other = FakeMember("two")
    fanout.add(ROOM, other)
    fanout.receive(ROOM, emission(event(1)))
    await turn()

    assert fanout.tell_first(ROOM, emission(event(2), left_out=[member.channel_name]))
    fanout.flush_told()

    assert (numbers(member), numbers(other)) == ([1], [1, 2])


# Holes.


async def test_an_event_that_never_came_is_asked_for(fanout: Fanout, member: FakeMember) -> None:
    fanout.backfill = log = Log(1, 2, 3, 4, 5)
    fanout.receive(ROOM, emission(event(1)))
    fanout.receive(ROOM, emission(event(4)))

    await until(lambda: len(member.heard) == 4)

    assert numbers(member) == [1, 2, 3, 4]
    assert log.asked == [(ROOM, 1, 4)]
    assert fanout.gap_fills == {GapReason.OVERTAKEN: 1}


async def test_who_has_heard_nothing_yet_misses_nothing_after_its_history(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = Log(*range(1, 8))
    fanout.caught_up(ROOM, 4)
    fanout.caught_up(ROOM, 3)
    fanout.caught_up(ROOM, 5)

    fanout.resume(ROOM)

    await until(lambda: len(member.heard) == 4)
    assert numbers(member) == [4, 5, 6, 7]
    assert fanout.gap_fills == {GapReason.RESUBSCRIBED: 1}


async def test_a_hole_between_the_history_and_the_first_event_is_filled(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = Log(*range(1, 8))
    fanout.caught_up(ROOM, 3)

    fanout.receive(ROOM, emission(event(6)))

    await until(lambda: len(member.heard) == 3)
    assert numbers(member) == [4, 5, 6]


async def test_an_event_on_its_way_while_the_history_was_read_is_told_all_the_same(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.caught_up(ROOM, 6)

    fanout.receive(ROOM, emission(event(5), event(6), event(7)))
    await turn()
    fanout.caught_up(ROOM, 2)
    fanout.receive(ROOM, emission(event(8)))
    await turn()

    assert numbers(member) == [5, 6, 7, 8]


async def test_what_comes_while_the_log_is_read_comes_once_and_in_order(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = log = Log(*range(1, 8))
    log.gate = asyncio.Event()
    fanout.receive(ROOM, emission(event(1), event(4)))
    await until(lambda: log.asked)

    fanout.receive(ROOM, emission(event(5), event(2), event(7)))
    log.gate.set()
    fanout.receive(ROOM, emission(event(6)))

    await until(lambda: len(member.heard) == 7)
    assert numbers(member) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (ConnectionError("away"), "WARNING"),
        (TimeoutError(), "WARNING"),
        (RuntimeError("a bug"), "ERROR"),
    ],
    ids=repr,
)
async def test_a_log_that_fails_is_asked_again(
    fanout: Fanout,
    member: FakeMember,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    level: str,
) -> None:
    fanout.backfill = log = Log(1, 2, 3)
    log.failures, log.failure = 1, failure
    fanout.receive(ROOM, emission(event(1), event(3)))

    await until(lambda: len(member.heard) == 3)

    assert numbers(member) == [1, 2, 3]
    assert len(log.asked) == 2
    assert [record.levelname for record in caplog.records] == [level]


async def test_what_even_the_log_does_not_have_is_passed_over(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = Log(1, 4)
    fanout.receive(ROOM, emission(event(1), event(4), event(6)))

    await until(lambda: len(member.heard) == 3)

    assert numbers(member) == [1, 4, 6]


async def test_without_a_log_a_hole_is_passed_over(fanout: Fanout, member: FakeMember) -> None:
    fanout.receive(ROOM, emission(event(1), event(3), event(5)))

    await until(lambda: len(member.heard) == 3)

    assert numbers(member) == [1, 3, 5]


async def test_large_events_do_not_wait_for_their_predecessors_without_end(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = Log(*range(1, 10))
    large = b'"' + b"x" * (MAX_HELD_BYTES // 2) + b'"'
    fanout.receive(ROOM, emission(event(1)))

    fanout.receive(ROOM, emission(*[("said", large, number) for number in range(3, 10)]))

    assert list(fanout.rooms[ROOM].held) == [3, 4]
    await until(lambda: len(member.heard) == 9)


async def test_more_events_than_may_wait_all_arrive(fanout: Fanout, member: FakeMember) -> None:
    last = MAX_HELD + 100
    fanout.backfill = Log(*range(1, last + 1))
    fanout.receive(ROOM, emission(event(1)))

    fanout.receive(ROOM, emission(*map(event, range(3, last + 1))))

    await until(lambda: len(member.heard) == last)
    assert numbers(member) == list(range(1, last + 1))


async def test_a_resubscribed_room_asks_for_what_it_missed(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = log = Log(1, 2, 3)
    fanout.receive(ROOM, emission(event(1)))

    fanout.resume(ROOM)

    await until(lambda: len(member.heard) == 3)
    assert numbers(member) == [1, 2, 3]
    assert log.asked == [(ROOM, 1, None)]


async def test_a_resubscribed_room_asks_even_while_it_waits_for_an_overtaken_event(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = Log(1, 2, 3, 4)
    fanout.receive(ROOM, emission(event(1), event(3), event(2)))

    fanout.resume(ROOM)

    await until(lambda: len(member.heard) == 4)
    assert numbers(member) == [1, 2, 3, 4]


async def test_a_room_that_heard_no_number_asks_for_nothing(
    fanout: Fanout, member: FakeMember
) -> None:
    fanout.backfill = log = Log(1, 2)

    fanout.resume(ROOM)
    fanout.resume("nobody is here")
    await turn()

    assert log.asked == []


async def test_a_room_that_was_left_is_not_filled(fanout: Fanout, member: FakeMember) -> None:
    fanout.backfill = log = Log(1, 2, 3)
    log.gate = asyncio.Event()
    fanout.receive(ROOM, emission(event(1), event(3)))
    await until(lambda: log.asked)

    fanout.discard(ROOM, member)
    log.gate.set()
    await turn()

    assert numbers(member) == [1]
    assert [task for task in asyncio.all_tasks() if task.get_name() == f"fill {ROOM}"] == []


@given(
    count=st.integers(2, 40),
    lost=st.sets(st.integers(2, 40)),
    seed=st.randoms(use_true_random=False),
    burst=st.integers(1, 10),
    repeats=st.integers(0, 5),
    own=st.sets(st.integers(2, 40)),
)
def test_whatever_the_order_of_arrival_members_hear_everything_once_and_in_order(
    count: int, lost: set[int], seed: random.Random, burst: int, repeats: int, own: set[int]
) -> None:
    arrivals = [number for number in range(2, count + 1) if number not in lost]
    arrivals += [seed.choice(arrivals) for _ in range(repeats) if arrivals]
    seed.shuffle(arrivals)

    async def play() -> list[list[int]]:
        fanout = Fanout()
        fanout.backfill = Log(*range(1, count + 1))
        members = [FakeMember("one"), FakeMember("two", "/chat")]
        for member in members:
            fanout.add(ROOM, member)
        fanout.receive(ROOM, emission(event(1)))
        for start in range(0, len(arrivals), burst):
            several = arrivals[start : start + burst]
            if own.issuperset(several):
                fanout.tell_first(ROOM, emission(*map(event, several)))
                fanout.flush_told()
            fanout.receive(ROOM, emission(*map(event, several)))
            await asyncio.sleep(seed.choice([0, 0, 0.01, 0.06]))
        # Seconds of a clock that jumps: longer than anything that is waited for.
        await asyncio.sleep(1)
        fanout.resume(ROOM)
        await asyncio.sleep(1)
        return [numbers(member) for member in members]

    assert run_warped(play) == [list(range(1, count + 1))] * 2


# Plain JSON.


@pytest.mark.parametrize(
    "name", ["said", 'say "hi"', "back\\slash", "line\nbreak", "gr\u00fc\u00dfe"]
)
def test_an_event_on_a_plain_websocket_is_json(name: str) -> None:
    assert json.loads(plain_text(name, b"[1]")) == {"event": name, "data": [1]}
    assert json.loads(plain_text(name, None)) == {"event": name}
