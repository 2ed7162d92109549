"""One frame to many clients: every byte once and in order, whatever one of them does."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readrealm.socketio_bridge.outlet import TRY_AGAIN_LATER, Congestion, broadcast
from readrealm.socketio_bridge.packets import EnginePacket, websocket_frame
from readrealm.socketio_bridge.twisted_websocket import HIGH_WATER_BYTES, IDLE_S

from .fakes import QueueOutlet
from .twisted_fakes import Client, clients


def framed(*items: EnginePacket) -> bytes:
    return b"".join(map(websocket_frame, items))


def tell(audience: list[Client], *items: EnginePacket) -> None:
    broadcast([client.outlet for client in audience], items, framed(*items))


@pytest.fixture
def three() -> Iterator[list[Client]]:
    """Clients whose direct way is open."""
    with clients(3) as made:
        tell(made, "4hello")
        for client in made:
            assert client.read() == framed("4hello")
            client.socket.sends = 0
        yield made


async def test_a_free_client_costs_one_system_call(three: list[Client]) -> None:
    tell(three, "4one", "4two")

    for client in three:
        assert client.socket.sends == 1
        assert not client.reactor.writers
        assert client.read() == framed("4one", "4two")


@pytest.mark.parametrize("room", [0, 1, 3, 7])
async def test_what_a_socket_did_not_take_follows_before_anything_else(
    three: list[Client], room: int
) -> None:
    slow = three[1]
    slow.socket.room = room
    tell(three, "4first")
    slow.socket.room = None

    tell(three, "4second")
    slow.outlet.put("4third")
    tell(three, "4fourth")

    assert slow.read() == framed("4first", "4second", "4third", "4fourth")
    for client in (three[0], three[2]):
        assert client.read() == framed("4first", "4second", "4fourth")


async def test_the_direct_way_opens_again_when_the_buffer_is_empty(three: list[Client]) -> None:
    slow = three[1]
    slow.socket.room = 2
    tell(three, "4first")
    assert slow.websocket.direct is None

    slow.socket.room = None
    assert slow.read() == framed("4first")
    tell(three, "4second")

    assert slow.websocket.direct is not None
    assert slow.read() == framed("4second")


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.ENOBUFS])
async def test_a_client_whose_socket_fails_is_dropped_and_the_others_hear_it(
    three: list[Client], number: int
) -> None:
    broken = three[1]
    broken.socket.error = OSError(number, "broken")
    tell(three, "4one")
    tell(three, "4two")
    broken.reactor.turn()

    assert broken.daphne.gone == [broken.websocket]
    assert broken.websocket.direct is None
    for client in (three[0], three[2]):
        assert client.read() == framed("4one", "4two")


async def test_a_client_that_hung_up_is_noticed_by_the_error_of_its_socket(
    three: list[Client],
) -> None:
    three[0].theirs.close()
    tell(three, "4one")
    three[0].reactor.turn()

    assert three[0].daphne.gone == [three[0].websocket]
    assert three[1].read() == framed("4one")


async def test_a_frame_never_reaches_the_client_that_got_the_number_of_a_closed_socket(
    three: list[Client],
) -> None:
    """The kernel gives the lowest free number to the next socket: a stale one would hit it."""
    gone = three[1]
    number = gone.socket.fileno()
    gone.transport.abortConnection()
    gone.socket.inner.close()  # even before the WebSocket is told
    stranger, its_peer = socket.socketpair()
    with stranger, its_peer:
        assert number in {stranger.fileno(), its_peer.fileno()}
        tell(three, "4secret")
        gone.reactor.turn()
        tell(three, "4secret")
        for end in (stranger, its_peer):
            end.setblocking(False)
            with pytest.raises(BlockingIOError):
                end.recv(1)
    assert three[0].read() == three[2].read() == framed("4secret", "4secret")


async def test_an_encrypted_client_is_never_written_past_its_encryption() -> None:
    congestion = Congestion(max_queue_bytes=1 << 20, stall_timeout_s=10)
    encrypted = Client(congestion, is_encrypted=True)
    try:
        tell([encrypted], "4one")
        tell([encrypted], "4two")
        assert encrypted.socket.sends == 0
        assert encrypted.websocket.direct is None
        assert encrypted.read() == framed("4one", "4two")
    finally:
        encrypted.end()


async def test_a_client_without_a_websocket_gets_the_packets_in_its_queue(
    three: list[Client],
) -> None:
    polling = QueueOutlet(three[0].outlet.congestion)
    broadcast([three[0].outlet, polling, three[1].outlet], ["4one", "4two"], framed("4one", "4two"))

    assert list(polling.queue) == ["4one", "4two"]
    assert three[0].read() == three[1].read() == framed("4one", "4two")


async def test_a_client_that_does_not_read_is_cut_and_the_others_do_not_notice() -> None:
    packet = "4" + "x" * 10_000
    with clients(3, max_queue_bytes=100_000) as made:
        dead = made[1]
        for _ in range(2 * HIGH_WATER_BYTES // len(packet)):
            tell(made, packet)
            for client in (made[0], made[2]):
                assert client.read() == framed(packet)
        waiting = len(dead.transport.dataBuffer) + dead.transport._tempDataLen
        assert waiting <= HIGH_WATER_BYTES + len(packet) + 16
        for _ in range(20):
            tell(made, packet)

        assert dead.outlet.ends == [("transport error", TRY_AGAIN_LATER)]
        assert dead.outlet.queued_bytes == 0
        for client in (made[0], made[2]):
            assert client.read() == framed(packet) * 20
            assert client.outlet.ends == []


async def test_a_congested_client_gets_everything_once_and_in_order_when_it_reads_again(
    three: list[Client],
) -> None:
    slow = three[1]
    packets = [f"4{number:04}" + "x" * 5_000 for number in range(200)]
    for packet in packets:
        tell(three, packet)
        three[0].read()
    assert slow.outlet.queue

    got = slow.read()
    while slow.outlet.queue:
        slow.outlet.flush()
        got += slow.read()

    assert got == framed(*packets)


def _pinged(client: Client) -> bytes:
    client.send_frame(0x89, b"hey")
    return b"\x8a\x03hey"


def _silent(client: Client) -> bytes:
    client.websocket.heard_at -= IDLE_S + 1
    client.websocket.check_timeouts()
    return b"\x89\x00"


def _answered_by_the_application(client: Client) -> bytes:
    client.websocket.handle_reply({"type": "websocket.send", "text": "2"})
    return framed("2")


@pytest.mark.parametrize("act", [_pinged, _silent, _answered_by_the_application])
async def test_nothing_overtakes_what_stands_in_the_buffer(
    three: list[Client], act: Callable[[Client], bytes]
) -> None:
    before = act(three[1])
    tell(three, "4after")

    assert three[1].read() == before + framed("4after")


def _closed_by_us(client: Client) -> None:
    client.websocket.close(1000)


def _closed_by_peer(client: Client) -> None:
    client.send_frame(0x88, (1000).to_bytes(2, "big"))


@pytest.mark.parametrize("end", [_closed_by_us, _closed_by_peer])
async def test_nothing_follows_a_close_frame(
    three: list[Client], end: Callable[[Client], None]
) -> None:
    end(three[1])
    tell(three, "4late")

    assert three[1].read() == b"\x88\x02\x03\xe8"
    assert three[0].read() == framed("4late")


async def test_a_client_that_broke_the_protocol_hears_why_and_nothing_more(
    three: list[Client],
) -> None:
    three[1].websocket.dataReceived(b"\x81\x01a")  # not masked
    tell(three, "4late")

    got = three[1].read()
    assert got[:1] == b"\x88"
    assert len(got) == 2 + got[1]


async def test_a_client_that_closes_while_the_others_are_written_hears_nothing_more(
    three: list[Client],
) -> None:
    first, last = three[0], three[2]
    send = first.websocket.direct
    assert send is not None

    def send_and_close(frames: bytes) -> int:
        last.websocket.close(1000)
        return send(frames)

    first.websocket.direct = send_and_close
    tell(three, "4late")

    assert last.read() == b"\x88\x02\x03\xe8"
    assert first.read() == three[1].read() == framed("4late")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tell", "put", "ping", "room", "free", "turn", "read", "flush"]),
            st.integers(0, 2),
            st.integers(0, 40),
        ),
        max_size=60,
    )
)
def test_whatever_sockets_do_every_client_gets_its_frames_once_and_in_order(
    steps: list[tuple[str, int, int]],
) -> None:
    async def play() -> None:
        with clients(3) as made:
            due, got = [b""] * 3, [b""] * 3
            for count, (step, index, size) in enumerate(steps):
                client = made[index]
                packet = f"4{count}" + "x" * size
                match step:
                    case "tell":
                        tell(made, packet)
                        due = [wire + framed(packet) for wire in due]
                    case "put":
                        client.outlet.put(packet)
                        due[index] += framed(packet)
                    case "ping":
                        due[index] += _pinged(client)
                    case "room":
                        client.socket.room = size
                    case "free":
                        client.socket.room = None
                    case "turn":
                        client.reactor.turn()
                    case "flush":
                        client.outlet.flush()
                    case "read" if client.socket.room is None:
                        got[index] += client.read()
            for index, client in enumerate(made):
                client.socket.room = None
                client.outlet.flush()
                got[index] += client.read()
            assert got == due

    asyncio.run(play())
