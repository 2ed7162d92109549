"""One Engine.IO session: heartbeat under a clock that the test moves, packets in, and its end."""

import asyncio

import pytest

from readrealm.socketio_bridge.packets import BadPacket
from readrealm.socketio_bridge.session import STALLED_LOOP_S, Session

from .fakes import ClockLoop, FakeEngine, FakeWriter


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def clock(engine: FakeEngine) -> ClockLoop:
    return engine.loop


def opened(engine: FakeEngine, transport: str = "polling") -> Session:
    session = Session(engine, "sid", transport, {})  # type: ignore[arg-type]
    session.start()
    return session


@pytest.fixture
def session(engine: FakeEngine) -> Session:
    return opened(engine)


# Heartbeat.


async def test_the_first_ping_comes_after_one_interval(session: Session, clock: ClockLoop) -> None:
    clock.advance(24.999)
    assert not session.queue
    clock.advance(0.002)
    assert list(session.queue) == ["2"]


async def test_every_pong_starts_the_next_interval(session: Session, clock: ClockLoop) -> None:
    for _ in range(5):
        clock.advance(25)
        assert session.take(1000) == ["2"]
        clock.advance(19.9)
        await session.receive("3")

    assert not session.closed
    clock.advance(24.9)
    assert not session.queue


async def test_a_ping_without_pong_ends_the_session_exactly_at_its_timeout(
    session: Session, engine: FakeEngine, clock: ClockLoop
) -> None:
    clock.advance(25 + 19.9)
    assert not session.closed

    clock.advance(0.2)

    assert session.closed
    assert engine.gone == ["ping timeout"]


async def test_timers_that_fire_a_little_late_do_not_add_up(
    session: Session, engine: FakeEngine, clock: ClockLoop
) -> None:
    clock.advance(24.999)
    clock.stall(0.011)
    clock.advance(19.98)
    assert not session.closed

    clock.stall(0.011)

    assert engine.gone == ["ping timeout"]


async def test_a_pong_is_overdue_also_before_its_timer_is_served(
    session: Session, engine: FakeEngine, clock: ClockLoop
) -> None:
    clock.advance(25 + 19.9)
    session.check_pong()
    assert not session.closed

    clock.now += 0.2
    session.check_pong()

    assert engine.gone == ["ping timeout"]


async def test_other_packets_are_no_pong(session: Session, clock: ClockLoop) -> None:
    clock.advance(25)
    await session.receive("4hello")

    clock.advance(20.1)

    assert session.closed


async def test_a_loop_that_stood_still_gives_the_client_its_time_again(
    session: Session, clock: ClockLoop
) -> None:
    clock.advance(25)
    clock.stall(20 + STALLED_LOOP_S + 0.1)

    assert not session.closed
    await session.receive("3")
    clock.advance(24.9)
    assert not session.closed


async def test_a_loop_that_stood_still_saves_no_client_that_is_dead(
    session: Session, clock: ClockLoop
) -> None:
    clock.advance(25)
    clock.stall(60)
    assert not session.closed

    clock.advance(20.1)

    assert session.closed


async def test_an_ended_session_has_no_timer_left(engine: FakeEngine) -> None:
    engine.expects_connect = True
    session = opened(engine)
    engine.loop.advance(25)

    session.close("transport close")

    assert engine.loop.pending == 0


# The wait for CONNECT.


async def test_a_session_that_connects_nowhere_is_closed(engine: FakeEngine) -> None:
    engine.expects_connect = True
    session = opened(engine)
    engine.loop.advance(25)
    await session.receive("3")

    engine.loop.advance(20)

    assert session.closed
    assert engine.gone == ["connect timeout"]


async def test_a_session_that_connects_stays(engine: FakeEngine) -> None:
    engine.expects_connect = True
    session = opened(engine)
    session.connections["/"] = object()
    engine.loop.advance(25)
    await session.receive("3")

    engine.loop.advance(20.1)

    assert not session.closed


# Packets in.


@pytest.mark.parametrize(
    ("packet", "delivered"), [("4hello", "hello"), ("4", ""), (b"\x01", b"\x01"), (b"", b"")]
)
async def test_messages_are_handed_on(
    session: Session, engine: FakeEngine, packet: str | bytes, delivered: str | bytes
) -> None:
    await session.receive(packet)

    assert engine.delivered == [delivered]


@pytest.mark.parametrize("packet", ["", "0", "2", "2probe", "5", "7", "x", "\u00b2"])
async def test_a_polling_client_may_not_send_that(session: Session, packet: str) -> None:
    with pytest.raises(BadPacket):
        await session.receive(packet)


async def test_an_upgrade_packet_is_harmless_on_a_websocket(engine: FakeEngine) -> None:
    await opened(engine, "websocket").receive("5")


async def test_nothing_is_handed_on_after_the_end(session: Session, engine: FakeEngine) -> None:
    await session.receive("1")

    await session.receive("4late")

    assert engine.delivered == []
    assert engine.gone == ["client disconnect"]


# Packets out.


def test_a_poll_takes_what_fits_but_at_least_one(session: Session) -> None:
    for item in ("4" * 60, "4" * 60, b"x" * 30, "4" * 200, "4"):
        session.put(item)

    taken = [session.take(160) for _ in range(3)]

    assert [[len(item) for item in items] for items in taken] == [[60, 60, 30], [200], [1]]
    assert not session.queue


def test_the_bytes_that_wait_are_counted_right(session: Session) -> None:
    session.put("4hello")
    session.put(b"abc")

    assert session.queued_bytes == 9
    session.take(6)
    assert session.queued_bytes == 3


async def test_a_poll_that_waits_is_woken_by_a_packet(session: Session) -> None:
    session.poll = asyncio.Event()

    session.put("4hello")

    assert session.poll.is_set()


def test_a_client_that_does_not_poll_is_cut() -> None:
    engine = FakeEngine(max_queue_bytes=1_000)
    session = opened(engine)

    for _ in range(12):
        session.put("4" + "x" * 99)

    assert session.closed
    assert engine.gone == ["transport error"]
    assert sum(map(len, session.queue)) < 10


# The end.


def test_the_end_is_told_once(session: Session, engine: FakeEngine) -> None:
    session.close("ping timeout")
    session.close("transport close")

    assert engine.gone == ["ping timeout"]
    assert session.reason == "ping timeout"


@pytest.mark.parametrize(("farewell", "last"), [("1", "1"), ("6", "6")])
async def test_a_polling_client_hears_the_end_in_its_poll(
    session: Session, farewell: str, last: str
) -> None:
    session.poll = asyncio.Event()

    session.close("client disconnect", farewell=farewell)

    assert session.poll.is_set()
    assert session.take(1000)[-1] == last


def test_what_waits_for_a_polling_client_leaves_before_the_farewell(session: Session) -> None:
    session.put("4goodbye")

    session.close("server disconnect")

    assert session.take(1000) == ["4goodbye", "1"]


def test_what_waits_for_a_websocket_leaves_before_the_close_frame(engine: FakeEngine) -> None:
    session = opened(engine, "websocket")
    session.put("4goodbye")
    session.writer = writer = FakeWriter()

    session.close("server disconnect", code=1012)

    assert writer.frames == [b"\x81\x084goodbye"]
    assert writer.closed_with == 1012


async def test_a_client_that_takes_no_frame_is_cut() -> None:
    engine = FakeEngine(max_queue_bytes=1_000)
    session = opened(engine, "websocket")
    session.writer = writer = FakeWriter()
    writer.is_full = True

    for _ in range(12):
        session.put("4" + "x" * 99)

    assert writer.closed_with == 1013
    assert session.closed
    assert engine.gone == ["transport error"]


def test_a_client_may_be_allowed_larger_frames(engine: FakeEngine) -> None:
    session = opened(engine, "websocket")
    session.writer = writer = FakeWriter()

    session.accept_frames_up_to(100_000_000)

    assert session.max_frame_bytes == 100_000_000
    assert writer.frame_limit == 100_000_000
