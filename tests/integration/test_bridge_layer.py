"""The channel layer over a real Valkey: members, stock channels, other loops and processes."""

import asyncio
import random
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync

from readrealm.socketio_bridge import RoomChannelLayer
from readrealm.socketio_bridge import bus as bus_module
from readrealm.socketio_bridge.bus import LINGER_S
from readrealm.socketio_bridge.publications import BusUnavailable
from readrealm.stores.valkey import PrivateValkey
from tests.support.bridge import private_valkey, until
from tests.support.processes import ROOT, wait_until
from tests.unit.readrealm.socketio_bridge.fakes import FakeMember

PREFIXES = (f"layertest{number}" for number in count())
EMISSION = {"type": "socketio.emit", "events": [["said", b'"hello"', None]]}
HEARD = '42["said","hello"]'


@pytest.fixture
def prefix() -> str:
    """Names of this test only."""
    return next(PREFIXES)


@pytest.fixture
async def layer(redis_url: str, prefix: str) -> AsyncIterator[RoomChannelLayer]:
    """The layer of one worker."""
    made = RoomChannelLayer(hosts=[redis_url], prefix=prefix)
    yield made
    await made.flush()


@pytest.fixture
async def other_worker(redis_url: str, prefix: str) -> AsyncIterator[RoomChannelLayer]:
    """The layer of another worker."""
    made = RoomChannelLayer(hosts=[redis_url], prefix=prefix)
    yield made
    await made.flush()


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """The same Valkey, asked directly."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def register(layer: RoomChannelLayer, name: str, audience: str = "/") -> FakeMember:
    member = FakeMember(f"bridge.{layer.here().worker_id}!{name}.0", audience)
    layer.here().register(member)
    return member


async def join(layer: RoomChannelLayer, group: str, name: str = "one") -> FakeMember:
    member = register(layer, name)
    await layer.group_add(group, member.channel_name)
    return member


# Groups.


async def test_a_member_hears_its_group_from_its_own_worker_and_from_others(
    layer: RoomChannelLayer, other_worker: RoomChannelLayer
) -> None:
    here, there = await join(layer, "book_42"), await join(other_worker, "book_42", "two")

    await layer.group_send("book_42", EMISSION)
    await other_worker.group_send("book_42", EMISSION)

    await until(lambda: len(here.heard) == len(there.heard) == 2)
    assert here.heard == there.heard == [HEARD, HEARD]


async def test_who_has_joined_hears_what_is_sent_next(
    layer: RoomChannelLayer, other_worker: RoomChannelLayer
) -> None:
    for number in range(50):
        member = await join(layer, f"room{number}", f"m{number}")
        await other_worker.group_send(f"room{number}", EMISSION)
        await until(lambda member=member: member.heard == [HEARD])


async def test_who_has_left_hears_nothing(layer: RoomChannelLayer) -> None:
    leaves, stays = await join(layer, "book_42", "one"), await join(layer, "book_42", "two")

    await layer.group_discard("book_42", leaves.channel_name)
    await layer.group_send("book_42", EMISSION)

    await until(lambda: stays.heard)
    assert leaves.heard == []


async def test_one_message_costs_one_publication_whatever_the_members(
    layer: RoomChannelLayer, server: redis.Redis, prefix: str
) -> None:
    members = [await join(layer, "book_42", f"m{number}") for number in range(30)]
    before = server.info("commandstats").get("cmdstat_publish", {}).get("calls", 0)

    await layer.group_send("book_42", EMISSION)

    await until(lambda: all(member.heard for member in members))
    assert server.info("commandstats")["cmdstat_publish"]["calls"] == before + 1
    assert len(server.pubsub_channels(f"{prefix}*book_42*")) == 1


async def test_another_type_is_dispatched_to_members(layer: RoomChannelLayer) -> None:
    member = await join(layer, "book_42")

    await layer.group_send("book_42", {"type": "book.closed", "why": b"\x00bytes", "at": 1.5})

    await until(lambda: member.dispatched)
    assert member.dispatched == [{"type": "book.closed", "why": b"\x00bytes", "at": 1.5}]


async def test_a_stock_channel_in_the_same_group_hears_it_too(layer: RoomChannelLayer) -> None:
    member = await join(layer, "book_42")
    channel = await layer.new_channel()
    await layer.group_add("book_42", channel)
    message = {"type": "book.closed", "why": "late"}

    await layer.group_send("book_42", message)

    assert await asyncio.wait_for(layer.receive(channel), 5) == message
    await until(lambda: member.dispatched == [message])

    await layer.group_discard("book_42", member.channel_name)
    await layer.group_send("book_42", message)
    assert await asyncio.wait_for(layer.receive(channel), 5) == message


async def test_a_stock_channel_alone_works_as_in_channels(
    layer: RoomChannelLayer, other_worker: RoomChannelLayer
) -> None:
    channel = await layer.new_channel()
    receiving = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(0.05)  # Channels promises nothing to a channel that nobody receives

    await other_worker.send(channel, {"type": "test", "n": 1})

    assert await asyncio.wait_for(receiving, 5) == {"type": "test", "n": 1}


async def test_a_channel_of_nobody_cannot_join(layer: RoomChannelLayer) -> None:
    with pytest.raises(RuntimeError, match="not a channel"):
        await layer.group_add("book_42", "bridge.elsewhere!sid.0")


async def test_a_member_that_is_gone_before_it_joined_leaves_no_trace(
    layer: RoomChannelLayer, server: redis.Redis, prefix: str
) -> None:
    member = register(layer, "hasty")
    joining = asyncio.create_task(layer.group_add("book_42", member.channel_name))
    await asyncio.sleep(0)
    layer.here().unregister(member)
    await joining

    assert layer.here().fanout.rooms == {}
    await asyncio.to_thread(
        wait_until, lambda: not server.pubsub_channels(f"{prefix}*"), what="no subscription"
    )


async def test_joining_twice_is_joining_once(layer: RoomChannelLayer) -> None:
    member = await join(layer, "book_42")
    await layer.group_add("book_42", member.channel_name)

    await layer.group_send("book_42", EMISSION)
    await until(lambda: member.heard)
    await layer.group_discard("book_42", member.channel_name)
    await layer.group_send("book_42", EMISSION)
    await layer.group_discard("book_42", member.channel_name)

    assert member.heard == [HEARD]


async def test_whoever_comes_and_goes_at_once_the_count_is_right(
    layer: RoomChannelLayer, server: redis.Redis, prefix: str
) -> None:
    dice = random.Random(42)
    groups = ["a", "b", "c"]
    members = [register(layer, f"m{number}") for number in range(8)]
    joined = {(group, member.channel_name): False for group in groups for member in members}

    async def wander(group: str, name: str) -> None:
        for _ in range(10):
            if dice.random() < 0.5:
                await layer.group_add(group, name)
                joined[group, name] = True
            else:
                await layer.group_discard(group, name)
                joined[group, name] = False
            await asyncio.sleep(dice.choice([0, 0, 0.001]))

    await asyncio.gather(*[wander(*place) for place in joined])

    for group in groups:
        for member in members:
            member.heard.clear()
        await layer.group_send(group, EMISSION)
        expected = [member for member in members if joined[group, member.channel_name]]
        await until(lambda expected=expected: all(member.heard for member in expected))
        assert [member for member in members if member.heard] == expected
        for member in expected:
            await layer.group_discard(group, member.channel_name)
    await asyncio.to_thread(
        wait_until,
        lambda: not server.pubsub_channels(f"{prefix}*"),
        timeout_s=LINGER_S + 5,
        what="no subscription",
    )


async def test_a_flushed_layer_begins_anew(layer: RoomChannelLayer) -> None:
    member = await join(layer, "book_42")

    await layer.flush()
    await layer.group_add("book_42", member.channel_name)
    # The time after which a channel that was flushed would be left.
    await asyncio.sleep(LINGER_S + 0.2)
    await layer.group_send("book_42", EMISSION)

    await until(lambda: member.heard == [HEARD])


# Channel names of members.


async def test_a_message_reaches_one_member_from_any_worker(
    layer: RoomChannelLayer, other_worker: RoomChannelLayer
) -> None:
    await layer.here().listen_as("w1")
    member, neighbour = register(layer, "sid"), register(layer, "neighbour")

    await other_worker.send(member.channel_name, {"type": "book.whisper", "n": 1})
    await layer.send(member.channel_name, {"type": "book.whisper", "n": 2})

    await until(lambda: len(member.dispatched) == 2)
    assert [message["n"] for message in member.dispatched] == [1, 2]
    assert neighbour.dispatched == []


async def test_a_message_to_a_member_that_is_gone_is_lost_quietly(
    layer: RoomChannelLayer, other_worker: RoomChannelLayer
) -> None:
    await layer.here().listen_as("w1")
    gone, stays = register(layer, "gone"), register(layer, "stays")
    layer.here().unregister(gone)

    await other_worker.send(gone.channel_name, {"type": "x"})
    await other_worker.send(stays.channel_name, {"type": "x"})

    await until(lambda: stays.dispatched)
    assert gone.dispatched == []


# Other event loops and processes.


async def test_another_event_loop_reaches_the_members(layer: RoomChannelLayer) -> None:
    member = await join(layer, "book_42")

    await asyncio.to_thread(asyncio.run, layer.group_send("book_42", EMISSION))

    await until(lambda: member.heard == [HEARD])


async def test_an_event_loop_that_only_sends_opens_one_connection(
    layer: RoomChannelLayer, server: redis.Redis
) -> None:
    before = {client["id"] for client in server.client_list()}

    await layer.group_send("book_42", EMISSION)
    await asyncio.sleep(0.1)  # time for a second one to appear

    assert len({client["id"] for client in server.client_list()} - before) == 1


async def test_synchronous_code_reaches_the_members_and_leaves_no_connection(
    layer: RoomChannelLayer, server: redis.Redis
) -> None:
    member = await join(layer, "book_42")
    await layer.group_send("book_42", EMISSION)
    before = len(server.client_list())

    def send() -> None:
        async_to_sync(layer.group_send)("book_42", EMISSION)

    for _ in range(10):
        thread = threading.Thread(target=send)
        thread.start()
        await asyncio.to_thread(thread.join, 5)

    await until(lambda: len(member.heard) == 11)
    await asyncio.to_thread(
        wait_until, lambda: len(server.client_list()) <= before, what="closed connections"
    )


SENDER = """
import asyncio, sys
from readrealm.socketio_bridge import RoomChannelLayer
url, prefix = sys.argv[1:]
layer = RoomChannelLayer(hosts=[url], prefix=prefix)
asyncio.run(layer.group_send("book_42", {"type": "book.closed", "why": "another process"}))
"""


async def test_another_process_reaches_the_members(
    layer: RoomChannelLayer, redis_url: str, prefix: str
) -> None:
    member = await join(layer, "book_42")

    sending = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SENDER, redis_url, prefix],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert sending.returncode == 0, sending.stderr
    assert sending.stderr == ""
    await until(lambda: member.dispatched)
    assert member.dispatched == [{"type": "book.closed", "why": "another process"}]


# Losing the server.


@pytest.fixture
def valkey() -> Iterator[PrivateValkey]:
    """A Valkey of the test's own."""
    with private_valkey() as made:
        yield made


@pytest.fixture
async def lone_layer(valkey: PrivateValkey, prefix: str) -> AsyncIterator[RoomChannelLayer]:
    """The layer of a worker on it."""
    made = RoomChannelLayer(hosts=[valkey.url], prefix=prefix)
    yield made
    await made.flush()


def kill(valkey: PrivateValkey) -> None:
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()


def numbered(*numbers: int) -> dict[str, Any]:
    return {"type": "socketio.emit", "events": [["said", b"%d" % n, n] for n in numbers]}


@pytest.mark.paced
async def test_members_hear_again_within_two_seconds_and_miss_nothing_that_was_kept(
    valkey: PrivateValkey, lone_layer: RoomChannelLayer
) -> None:
    kept = [["said", b"%d" % number, number] for number in range(1, 6)]

    async def log(group: str, after: int, up_to: int | None) -> list[Any]:
        return [tuple(event) for event in kept if after < event[2] <= (up_to or 99)]

    lone_layer.here().fill_holes_from(log)
    member = await join(lone_layer, "book_42")
    await lone_layer.group_send("book_42", numbered(1))
    await until(lambda: member.heard)
    kill(valkey)

    for number in (2, 3, 4):
        with pytest.raises(BusUnavailable):
            await lone_layer.group_send("book_42", numbered(number))
    await asyncio.to_thread(valkey.start)

    await until(lambda: len(member.heard) == 5, timeout_s=2)
    assert member.heard == [f'42["said",{number}]' for number in range(1, 6)]
    await lone_layer.group_send("book_42", numbered(6))
    await until(lambda: member.heard[-1] == '42["said",6]')


async def test_without_a_server_nobody_joins_and_the_next_attempt_works(
    valkey: PrivateValkey, lone_layer: RoomChannelLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "REPLY_TIMEOUT_S", 0.2)
    member = register(lone_layer, "patient")
    kill(valkey)

    with pytest.raises(BusUnavailable):
        await lone_layer.group_add("book_42", member.channel_name)
    assert lone_layer.here().fanout.rooms == {}
    monkeypatch.undo()
    await asyncio.to_thread(valkey.start)

    await lone_layer.group_add("book_42", member.channel_name)
    await lone_layer.group_send("book_42", EMISSION)
    await until(lambda: member.heard == [HEARD])
