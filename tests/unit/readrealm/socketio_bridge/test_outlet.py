"""The way out to one client: in order, at once where possible, bounded where not."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readrealm.socketio_bridge.outlet import TRY_AGAIN_LATER, Congestion
from readrealm.socketio_bridge.packets import EnginePacket, websocket_frame
from tests.support.bridge import until

from .fakes import FakeWriter, QueueOutlet

MAX_QUEUE_BYTES = 1_000


@pytest.fixture
def writer() -> FakeWriter:
    return FakeWriter()


@pytest.fixture
def outlet(writer: FakeWriter) -> QueueOutlet:
    """An outlet onto a socket."""
    made = QueueOutlet(Congestion(max_queue_bytes=MAX_QUEUE_BYTES, stall_timeout_s=0.15))
    made.writer = writer
    return made


def frames(*items: EnginePacket) -> bytes:
    return b"".join(map(websocket_frame, items))


async def test_a_free_socket_is_written_at_once(outlet: QueueOutlet, writer: FakeWriter) -> None:
    outlet.put("4one")
    outlet.put(b"two")

    assert writer.frames == [frames("4one"), frames(b"two")]
    assert not outlet.queue


async def test_frames_that_are_ready_are_written_in_one_go(
    outlet: QueueOutlet, writer: FakeWriter
) -> None:
    outlet.shout(["4one", "4two"], frames("4one", "4two"))

    assert writer.frames == [frames("4one", "4two")]


async def test_a_full_socket_is_tried_again_and_nothing_overtakes(
    outlet: QueueOutlet, writer: FakeWriter
) -> None:
    writer.is_full = True
    outlet.put("4one")
    writer.is_full = False

    outlet.put("4two")
    outlet.shout(["4three", "4four"], frames("4three", "4four"))

    await until(lambda: not outlet.queue)
    assert writer.bytes_out == frames("4one", "4two", "4three", "4four")
    assert outlet.queued_bytes == 0


async def test_a_socket_that_takes_little_by_little_is_not_cut(
    outlet: QueueOutlet, writer: FakeWriter
) -> None:
    writer.is_full = True
    for number in range(20):
        outlet.put(f"4{number:02}")
    writer.is_full, writer.room = False, 1

    for taken in range(1, 21):
        await until(lambda taken=taken: len(writer.frames) == taken)
        writer.room = 1

    assert writer.bytes_out == frames(*[f"4{number:02}" for number in range(20)])
    assert outlet.ends == []


async def test_a_client_is_cut_when_too_much_waits_for_it(
    outlet: QueueOutlet, writer: FakeWriter
) -> None:
    writer.is_full = True

    packet = "4" + "x" * 99
    for _ in range(MAX_QUEUE_BYTES // len(packet)):
        outlet.put(packet)
    assert outlet.ends == []
    outlet.put(packet)
    outlet.put(packet)

    assert outlet.ends == [("transport error", TRY_AGAIN_LATER)]
    assert not outlet.queue
    assert outlet.queued_bytes == 0


async def test_one_packet_of_any_size_may_wait(outlet: QueueOutlet, writer: FakeWriter) -> None:
    writer.is_full = True
    outlet.put("451-header")

    outlet.put(b"x" * (5 * MAX_QUEUE_BYTES))

    assert outlet.ends == []
    outlet.put("4next")
    assert outlet.ends == [("transport error", TRY_AGAIN_LATER)]


async def test_a_client_is_cut_when_it_takes_nothing_for_too_long(
    outlet: QueueOutlet, writer: FakeWriter
) -> None:
    writer.is_full = True
    outlet.put("4waits")

    await until(lambda: outlet.ends)

    assert outlet.ends == [("transport error", TRY_AGAIN_LATER)]


async def test_what_comes_after_the_end_is_dropped(outlet: QueueOutlet, writer: FakeWriter) -> None:
    outlet.close("transport close")

    outlet.put("4late")
    outlet.shout(["4late"], frames("4late"))

    assert writer.frames == []
    assert not outlet.queue


async def test_one_client_that_is_cut_does_not_stop_the_others() -> None:
    congestion = Congestion(max_queue_bytes=1 << 20, stall_timeout_s=0.8)
    dead, slow = QueueOutlet(congestion), QueueOutlet(congestion)
    dead.writer, slow.writer = FakeWriter(), FakeWriter()
    dead.writer.is_full = slow.writer.is_full = True
    dead.put("4never")
    slow.put("4soon")
    taken = slow.writer

    # Part of the time after which both would be cut.
    await asyncio.sleep(0.1)
    taken.is_full = False

    await until(lambda: dead.ends)
    assert taken.bytes_out == frames("4soon")
    assert slow.ends == []


async def test_without_a_socket_the_sender_is_woken() -> None:
    outlet = QueueOutlet(Congestion(max_queue_bytes=MAX_QUEUE_BYTES, stall_timeout_s=1))
    outlet.wake = asyncio.Event()

    outlet.put("4one")

    assert outlet.wake.is_set()
    assert list(outlet.queue) == ["4one"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "shout", "fill", "free", "flush"]), st.integers(1, 3)),
        max_size=40,
    )
)
def test_whatever_the_socket_does_packets_leave_once_and_in_order(
    steps: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        writer = FakeWriter()
        outlet = QueueOutlet(Congestion(max_queue_bytes=1 << 20, stall_timeout_s=60))
        outlet.writer = writer
        sent: list[EnginePacket] = []
        for step, count in steps:
            items: list[EnginePacket] = [f"4{len(sent) + number}" for number in range(count)]
            match step:
                case "put":
                    outlet.put(items[0])
                    sent.append(items[0])
                case "shout":
                    outlet.shout(items, frames(*items))
                    sent.extend(items)
                case "fill":
                    writer.is_full = True
                case "free":
                    writer.is_full, writer.room = False, count
                case "flush":
                    outlet.flush()
        writer.is_full, writer.room = False, None
        assert outlet.flush()
        assert writer.bytes_out == frames(*sent)
        assert outlet.queued_bytes == 0

    asyncio.run(play())
