"""Publish and subscribe over a real Valkey, which comes and goes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import count

import pytest
import redis

from readrealm.socketio_bridge import bus as bus_module
from readrealm.socketio_bridge.bus import LINGER_S, Bus
from readrealm.socketio_bridge.publications import MAX_PENDING_BYTES, BusUnavailable
from readrealm.stores.valkey import PrivateValkey
from tests.support.bridge import private_valkey, until

pytestmark = pytest.mark.paced

NUMBERS = count()


class Listener:
    """What a bus told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.resubscribed: list[str] = []
        self.echoes: list[bytes] = []
        """What was heard of publications that had been told already."""

    def receive(self, channel: str, payload: bytes, *, is_told: bool) -> None:
        self.heard.append((channel, payload))
        if is_told:
            self.echoes.append(payload)


def bus_to(url: str, listener: Listener) -> Bus:
    return Bus(
        {"address": url},
        receive=listener.receive,
        resubscribed=listener.resubscribed.extend,
    )


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def bus(redis_url: str, listener: Listener) -> AsyncIterator[Bus]:
    """A bus on the Valkey of the session."""
    made = bus_to(redis_url, listener)
    yield made
    await made.close()


@pytest.fixture
def channel() -> str:
    """A channel that no other test uses."""
    return f"bus test {next(NUMBERS)}"


@pytest.fixture
def server(redis_url: str) -> Iterator[redis.Redis]:
    """The same Valkey, asked directly."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def listeners(server: redis.Redis, channel: str) -> int:
    ((_, number),) = server.pubsub_numsub(channel)
    return int(number)


# Hearing.


async def test_who_has_subscribed_hears_what_is_published_next(
    bus: Bus, listener: Listener, server: redis.Redis
) -> None:
    for number in range(100):
        await bus.subscribe(f"at once {number}")
        assert server.publish(f"at once {number}", b"%d" % number) == 1

    await until(lambda: len(listener.heard) == 100)
    assert listener.heard == [(f"at once {number}", b"%d" % number) for number in range(100)]


async def test_a_publication_tells_how_many_listen(bus: Bus, channel: str, redis_url: str) -> None:
    assert await bus.publish(channel, b"to nobody") == 0
    other = bus_to(redis_url, Listener())
    await bus.subscribe(channel)
    await other.subscribe(channel)

    assert await bus.publish(channel, b"to two") == 2

    await other.close()


async def test_publications_arrive_in_their_order_and_unchanged(
    bus: Bus, listener: Listener, channel: str
) -> None:
    await bus.subscribe(channel)
    payloads = [bytes([number % 256]) * (number * 37) for number in range(300)]

    await asyncio.gather(*[bus.publish(channel, payload) for payload in payloads])

    await until(lambda: len(listener.heard) == 300)
    assert [payload for _, payload in listener.heard] == payloads


# Telling first.


class Members:
    """Listeners of this process, who are told by the publisher."""

    def __init__(self, listener: Listener) -> None:
        self.told: list[bytes] = []
        self.heard_before: list[int] = []
        self._listener = listener

    def tell(self, payload: bytes) -> bool:
        self.heard_before.append(len(self._listener.heard))
        self.told.append(payload)
        return True


@pytest.fixture
def members(listener: Listener) -> Members:
    return Members(listener)


async def test_who_is_told_first_hears_of_it_once_more_and_that_it_is_known(
    bus: Bus, listener: Listener, members: Members, channel: str
) -> None:
    await bus.subscribe(channel)

    for number in range(50):
        word = b"%d" % number
        await bus.publish(channel, word, tell=partial(members.tell, word))

    await until(lambda: len(listener.heard) == 50)
    assert listener.echoes == members.told == [b"%d" % number for number in range(50)]
    assert members.heard_before == list(range(50))


async def test_nobody_is_told_before_what_was_published_earlier_is_heard(
    bus: Bus, listener: Listener, members: Members, channel: str
) -> None:
    await bus.subscribe(channel)

    await asyncio.gather(
        bus.publish(channel, b"not to be told"),
        bus.publish(channel, b"next", tell=partial(members.tell, b"next")),
        bus.publish(f"not {channel}", b"elsewhere"),
    )
    await until(lambda: len(listener.heard) == 2)
    await bus.publish(channel, b"last", tell=partial(members.tell, b"last"))

    assert members.told == [b"last"]
    await until(lambda: listener.echoes == [b"last"])


async def test_what_others_publish_is_not_mistaken_for_an_echo(
    bus: Bus, listener: Listener, members: Members, server: redis.Redis, channel: str
) -> None:
    await bus.subscribe(channel)
    theirs = asyncio.to_thread(
        lambda: [server.publish(channel, b"theirs %d" % number) for number in range(200)]
    )
    ours = [
        bus.publish(channel, b"ours %d" % number, tell=partial(members.tell, b"ours %d" % number))
        for number in range(200)
    ]
    await asyncio.gather(theirs, *ours)

    await until(lambda: len(listener.heard) == 400)
    assert listener.echoes == members.told
    unknown = [payload for _, payload in listener.heard if payload not in set(members.told)]
    assert [word for word in unknown if word.startswith(b"theirs")] == [
        b"theirs %d" % number for number in range(200)
    ]


async def test_nobody_is_told_without_a_subscription(
    bus: Bus, members: Members, channel: str
) -> None:
    assert await bus.publish(channel, b"news", tell=partial(members.tell, b"news")) == 0

    assert members.told == []


# Holding on.


async def test_a_channel_is_left_a_while_after_its_last_listener(
    bus: Bus, server: redis.Redis, channel: str
) -> None:
    await bus.subscribe(channel)
    await bus.subscribe(channel)
    bus.release(channel)
    # Time itself is the matter here and below: a channel is left when so much has passed.
    await asyncio.sleep(LINGER_S + 0.2)
    assert listeners(server, channel) == 1

    released_at = time.monotonic()
    bus.release(channel)

    await until(lambda: listeners(server, channel) == 0)
    assert time.monotonic() - released_at >= LINGER_S - 0.05


async def test_a_listener_that_comes_back_soon_keeps_the_channel(
    bus: Bus, listener: Listener, server: redis.Redis, channel: str
) -> None:
    await bus.subscribe(channel)
    bus.release(channel)

    await bus.subscribe(channel)
    await asyncio.sleep(LINGER_S + 0.2)

    assert listeners(server, channel) == 1
    server.publish(channel, b"still")
    await until(lambda: listener.heard == [(channel, b"still")])


async def test_a_listener_that_comes_back_as_the_channel_is_left_hears(
    bus: Bus, listener: Listener, server: redis.Redis, channel: str
) -> None:
    await bus.subscribe(channel)
    loop = asyncio.get_running_loop()
    left_at = loop.time() + LINGER_S
    came_back = asyncio.Event()

    async def come_back() -> None:
        await bus.subscribe(channel)
        came_back.set()

    bus.release(channel)
    # Due with the timer that leaves, and after it: both run in one turn of the loop.
    loop.call_at(left_at + 0.0005, lambda: loop.create_task(come_back()))
    loop.call_at(left_at - 0.01, time.sleep, 0.05)
    await asyncio.wait_for(came_back.wait(), 5)

    assert await bus.publish(channel, b"anybody?") == 1
    await until(lambda: listener.heard == [(channel, b"anybody?")])


# Losing the server.


@pytest.fixture
def valkey() -> Iterator[PrivateValkey]:
    """A Valkey of the test's own."""
    with private_valkey() as made:
        yield made


@pytest.fixture
async def lone_bus(valkey: PrivateValkey, listener: Listener) -> AsyncIterator[Bus]:
    """A bus on it."""
    made = bus_to(valkey.url, listener)
    yield made
    await made.close()


def kill(valkey: PrivateValkey) -> None:
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()


def cut(valkey: PrivateValkey) -> None:
    """Close every connection to a server, from the server's side."""
    with redis.Redis.from_url(valkey.url) as server:
        server.client_kill_filter(_type="pubsub")
        server.client_kill_filter(_type="normal", skipme=True)


async def test_without_a_server_a_publication_fails_at_once(
    valkey: PrivateValkey, lone_bus: Bus
) -> None:
    await lone_bus.publish("news", b"fine")
    kill(valkey)

    for _ in range(3):
        begin = time.monotonic()
        with pytest.raises(BusUnavailable):
            await lone_bus.publish("news", b"lost")
        assert time.monotonic() - begin < 1

    assert lone_bus.publish_failures == 3


async def test_a_server_that_comes_back_empty_is_heard_again_within_two_seconds(
    valkey: PrivateValkey, lone_bus: Bus, listener: Listener
) -> None:
    for number in range(20):
        await lone_bus.subscribe(f"room {number}")
    kill(valkey)
    await until(lambda: lone_bus.reconnects > 2, timeout_s=10)

    await asyncio.to_thread(valkey.start)
    back_at = time.monotonic()

    await until(lambda: len(listener.resubscribed) == 20)
    assert time.monotonic() - back_at < 2
    assert sorted(listener.resubscribed) == sorted(f"room {number}" for number in range(20))
    assert await lone_bus.publish("room 7", b"again") == 1
    await until(lambda: listener.heard == [("room 7", b"again")])


async def test_a_subscription_that_was_wanted_meanwhile_begins_with_the_server(
    valkey: PrivateValkey, lone_bus: Bus, listener: Listener
) -> None:
    await lone_bus.subscribe("known")
    kill(valkey)
    await until(lambda: lone_bus.reconnects)
    wanted = asyncio.create_task(lone_bus.subscribe("new"))

    await asyncio.to_thread(valkey.start)
    await asyncio.wait_for(wanted, 5)

    assert await lone_bus.publish("new", b"hello") == 1
    assert listener.resubscribed == ["known"]


async def test_a_subscription_without_a_server_fails_in_time(
    valkey: PrivateValkey, lone_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "REPLY_TIMEOUT_S", 0.2)
    kill(valkey)

    with pytest.raises(BusUnavailable):
        await asyncio.wait_for(lone_bus.subscribe("nobody there"), 2)
    lone_bus.release("nobody there")


async def test_a_lost_connection_is_made_again(
    valkey: PrivateValkey, lone_bus: Bus, listener: Listener
) -> None:
    await lone_bus.subscribe("room")
    cut(valkey)

    await until(lambda: listener.resubscribed == ["room"])

    assert await lone_bus.publish("room", b"again") == 1


async def test_who_publishes_does_not_notice_a_lost_connection(
    valkey: PrivateValkey, lone_bus: Bus, listener: Listener
) -> None:
    await lone_bus.subscribe("room")
    await lone_bus.publish("room", b"before")
    cut(valkey)

    await lone_bus.publish("room", b"after")

    await until(lambda: len(listener.heard) == 2)
    assert [payload for _, payload in listener.heard] == [b"before", b"after"]
    assert lone_bus.publish_failures == 0


async def test_a_server_that_does_not_answer_is_waited_for_as_long_as_promised(
    valkey: PrivateValkey, lone_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lone_bus.publish("news", b"fine")
    monkeypatch.setattr(bus_module, "REPLY_TIMEOUT_S", 0.5)
    assert valkey.process is not None
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        with pytest.raises(BusUnavailable):
            await lone_bus.publish("news", b"lost")
        assert time.monotonic() - begin < 0.9
    finally:
        valkey.process.send_signal(signal.SIGCONT)


async def test_what_waits_to_be_published_is_bounded(
    valkey: PrivateValkey, lone_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "REPLY_TIMEOUT_S", 3)
    assert valkey.process is not None
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        waiting = [
            asyncio.create_task(lone_bus.publish("flood", bytes(MAX_PENDING_BYTES // 4)))
            for _ in range(4)
        ]
        await asyncio.sleep(0)
        begin = time.monotonic()

        with pytest.raises(BusUnavailable):
            await lone_bus.publish("flood", b"one more")

        assert time.monotonic() - begin < 1, "refused at once, and not when the others are"
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
        assert all(isinstance(result, BusUnavailable) for result in results)
    finally:
        valkey.process.send_signal(signal.SIGCONT)


# Closing.


async def test_a_closed_bus_leaves_no_task_and_opens_again(
    bus: Bus, listener: Listener, channel: str
) -> None:
    await bus.subscribe(channel)
    before = len(asyncio.all_tasks())

    await bus.close()

    assert len(asyncio.all_tasks()) < before
    await bus.subscribe(channel)
    assert await bus.publish(channel, b"hello") == 1
