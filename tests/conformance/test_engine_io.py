"""Engine.IO version 4, as its protocol document describes it, under the echo and under Socket.IO.

The public suite of the Socket.IO project checks the same behaviours; these tests are ours.
"""

import asyncio
import json
from itertools import pairwise

import pytest

from tests.support.bridge import (
    MAX_PAYLOAD,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    SEPARATOR,
    BridgeServer,
    HttpConnection,
    PollingSession,
    RawSocket,
    engine_socket,
    raw_socket,
    refused_or_closed,
    request,
)

ECHO = "/engine.io/"


# Handshake.


async def test_a_poll_without_a_session_opens_one(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)

    assert session.handshake == {
        "sid": session.sid,
        "upgrades": ["websocket"],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": MAX_PAYLOAD,
    }
    assert len(session.sid) >= 20


async def test_a_websocket_without_a_session_opens_one(target: BridgeServer, path: str) -> None:
    async with raw_socket(target, f"{path}?EIO=4&transport=websocket") as client:
        opening = await client.receive()

    assert isinstance(opening, str)
    assert opening[0] == "0"
    handshake = json.loads(opening[1:])
    assert handshake.pop("sid")
    assert handshake == {
        "upgrades": [],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": MAX_PAYLOAD,
    }


async def test_a_websocket_that_offers_compression_is_served_without(
    target: BridgeServer, path: str
) -> None:
    async with raw_socket(
        target, f"{path}?EIO=4&transport=websocket", compression="deflate"
    ) as client:
        assert str(await client.receive()).startswith("0{")


async def test_sessions_have_names_of_their_own(target: BridgeServer, path: str) -> None:
    sessions = [await PollingSession.open(target, path) for _ in range(20)]

    assert len({session.sid for session in sessions}) == 20


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("GET", "transport=polling", 5),
        ("GET", "EIO=3&transport=polling", 5),
        ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=4", 0),
        ("GET", "EIO=4&transport=abc", 0),
        ("GET", "EIO=4&transport=websocket", 3),
        ("POST", "EIO=4&transport=polling", 2),
        ("PUT", "EIO=4&transport=polling", 2),
        ("DELETE", "EIO=4&transport=polling", 2),
        ("GET", "EIO=4&transport=polling&sid=nobody", 1),
        ("POST", "EIO=4&transport=polling&sid=nobody", 1),
    ],
)
async def test_a_request_that_is_no_handshake_gets_the_error_of_the_protocol(
    target: BridgeServer, path: str, method: str, query: str, code: int
) -> None:
    body = b"4hello" if method in {"POST", "PUT"} else None

    answer = await request(target, method, f"{path}?{query}", body)

    assert answer.status == 400
    assert json.loads(answer.body)["code"] == code


@pytest.mark.parametrize(
    "query",
    [
        "transport=websocket",
        "EIO=abc&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=nobody",
    ],
)
async def test_a_websocket_that_is_no_handshake_is_ended(
    target: BridgeServer, path: str, query: str
) -> None:
    await refused_or_closed(target, f"{path}?{query}")


# Messages.


@pytest.mark.parametrize(
    "packets",
    [
        ["4hello"],
        ["4"],
        ["4one", "4two", "4three"],
        ["4text", "bAQIDBA=="],
        ["bAQIDBA==", "4text", "bAA=="],
        ["4gr\u00fc\u00dfe \U0001f40b"],
    ],
)
async def test_a_payload_comes_back_packet_by_packet(
    target: BridgeServer, packets: list[str]
) -> None:
    session = await PollingSession.open(target, ECHO)

    posted = await session.post(*packets)
    polled = await session.poll()

    assert (posted.status, posted.text) == (200, "ok")
    assert polled.status == 200
    assert polled.packets == packets


async def test_a_poll_waits_for_what_is_posted_later(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    async with await HttpConnection.open(target) as waiting:
        waiting.start("GET", session.target)

        await session.post("4late")

        assert (await waiting.answer()).packets == ["4late"]


@pytest.mark.parametrize(
    "packet", ["4hello", "4", b"\x01\x02\x03\x04", b"\x00", "4\u2028\U0001f40b"]
)
async def test_a_frame_comes_back_as_what_it_was(target: BridgeServer, packet: str | bytes) -> None:
    async with engine_socket(target, ECHO) as client:
        await client.send(packet)

        assert await client.next_packet() == packet


async def test_frames_come_back_in_their_order(target: BridgeServer) -> None:
    packets = [f"4{number}" if number % 3 else b"%d" % number for number in range(200)]
    async with engine_socket(target, ECHO) as client:
        await client.send(*packets)

        assert [await client.next_packet() for _ in packets] == packets


@pytest.mark.parametrize("body", ["abc", "", "0{}", "2", "7", f"4fine{SEPARATOR}abc", "b###", "5"])
async def test_a_payload_that_is_none_ends_the_session(
    target: BridgeServer, path: str, body: str
) -> None:
    session = await PollingSession.open(target, path)

    posted = await session.post(body)

    assert posted.status == 400
    assert (await session.poll()).status == 400


@pytest.mark.parametrize("packet", ["abc", "", "0{}", "2", "7"])
async def test_a_frame_that_is_no_packet_ends_the_session(
    target: BridgeServer, path: str, packet: str
) -> None:
    async with engine_socket(target, path) as client:
        await client.send(packet)

        assert await client.closed() == 1008


async def test_two_polls_at_once_end_the_session(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    async with await HttpConnection.open(target) as first:
        first.start("GET", session.target)
        await _is_waited_for(session)

        second = await session.poll()

        assert second.status == 400
        assert (await first.answer()).packets[-1] == "1"
    assert (await session.poll()).status == 400


async def _is_waited_for(session: PollingSession) -> None:
    """Return when what was sent before on another connection has arrived: by a round trip."""
    assert (await session.post("3")).status == 200


async def test_a_client_that_hangs_up_its_poll_has_left(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    connection = await HttpConnection.open(target)
    connection.start("GET", session.target)
    await _is_waited_for(session)

    connection.abort()

    async with asyncio.timeout(PING_INTERVAL_S):
        while (await session.post("3")).status == 200:
            pass


# Heartbeat.


async def test_a_polling_client_that_answers_pings_stays(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    if path != ECHO:
        await session.connect()
        assert await session.next_packet() == '42["auth",{}]'

    for _ in range(2):
        polled = await session.poll()
        assert (polled.status, polled.packets) == (200, ["2"])
        assert (await session.post("3")).status == 200


async def test_a_websocket_client_is_pinged_at_the_announced_interval(
    target: BridgeServer, path: str
) -> None:
    clock = asyncio.get_running_loop().time
    async with engine_socket(target, path) as client:
        if path != ECHO:
            await client.connect()
            assert await client.receive() == '42["auth",{}]'
        times = [clock()]
        for _ in range(3):
            assert await client.receive() == "2"
            times.append(clock())
            await client.send("3")

    for before, after in pairwise(times[1:]):
        assert PING_INTERVAL_S - 0.05 < after - before < PING_INTERVAL_S + PING_TIMEOUT_S


async def test_a_polling_client_that_is_silent_is_given_up(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)

    # The silence is the matter: whoever asked whether it is over would break it.
    await asyncio.sleep(PING_INTERVAL_S + PING_TIMEOUT_S + 0.2)

    assert (await session.poll()).status == 400


async def test_a_poll_that_waits_hears_that_its_session_timed_out(
    target: BridgeServer, path: str
) -> None:
    session = await PollingSession.open(target, path)
    assert (await session.poll()).packets == ["2"]

    polled = await session.poll()

    assert polled.packets == ["1"]


async def test_a_websocket_client_that_is_silent_is_given_up(
    target: BridgeServer, path: str
) -> None:
    clock = asyncio.get_running_loop().time
    async with engine_socket(target, path) as client:
        opened_at = clock()

        await client.closed()

    assert PING_INTERVAL_S < clock() - opened_at < 4 * (PING_INTERVAL_S + PING_TIMEOUT_S)


# The end.


async def test_a_polling_client_may_leave(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    async with await HttpConnection.open(target) as waiting:
        waiting.start("GET", session.target)
        await _is_waited_for(session)

        assert (await session.post("1")).status == 200

        answer = await waiting.answer()
        assert (answer.status, answer.packets) == (200, ["6"])
    assert (await session.poll()).status == 400


async def test_what_follows_a_goodbye_is_not_heard(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)

    assert (await session.post("1", "4too late")).status == 200

    assert (await session.poll()).status == 400


async def test_a_websocket_client_may_leave(target: BridgeServer, path: str) -> None:
    async with engine_socket(target, path) as client:
        await client.send("1")

        assert await client.closed() == 1000


# Upgrade.


async def _probe(session: PollingSession, client: RawSocket) -> None:
    await client.send("2probe")
    assert await client.receive() == "3probe"


def _upgrade_target(session: PollingSession) -> str:
    return f"{session.path}?EIO=4&transport=websocket&sid={session.sid}"


async def test_a_session_moves_from_polling_to_a_websocket(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await _probe(session, client)
        assert (await session.poll()).packets == ["6"]

        await client.send("5")

        if path == ECHO:
            await client.send("4hello")
            assert await client.next_packet() == "4hello"
        else:
            assert (await client.connect())["sid"]


async def test_a_waiting_poll_is_freed_by_the_probe(target: BridgeServer, path: str) -> None:
    session = await PollingSession.open(target, path)
    async with (
        await HttpConnection.open(target) as waiting,
        raw_socket(target, _upgrade_target(session)) as client,
    ):
        waiting.start("GET", session.target)
        await _is_waited_for(session)

        await _probe(session, client)

        assert (await waiting.answer()).packets == ["6"]


async def test_what_was_sent_before_the_upgrade_arrives_once(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await _probe(session, client)
        await session.post("4by post", "bAQ==")

        await client.send("5", "4by frame")

        assert [await client.next_packet() for _ in range(3)] == ["4by post", b"\x01", "4by frame"]


async def test_polls_and_posts_are_refused_after_the_upgrade(
    target: BridgeServer, path: str
) -> None:
    session = await PollingSession.open(target, path)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await _probe(session, client)
        await client.send("5")

        assert (await session.poll()).status == 400
        assert (await session.post("4hello")).status == 400

        if path == ECHO:
            await client.send("4still here")
            assert await client.next_packet() == "4still here"


@pytest.mark.parametrize("is_complete", [False, True], ids=["while probing", "after the upgrade"])
async def test_a_second_websocket_of_a_session_is_closed(
    target: BridgeServer, path: str, is_complete: bool
) -> None:
    session = await PollingSession.open(target, path)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await _probe(session, client)
        if is_complete:
            await client.send("5")

        await refused_or_closed(target, _upgrade_target(session))

        await client.send(*([] if is_complete else ["5"]))
        if path == ECHO:
            await client.send("4mine")
            assert await client.next_packet() == "4mine"


async def test_a_websocket_that_does_not_probe_leaves_the_session_polling(
    target: BridgeServer,
) -> None:
    session = await PollingSession.open(target, ECHO)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await client.send("4not a probe")
        await client.closed()

    await session.post("4hello")

    assert (await session.poll()).packets == ["4hello"]


async def test_a_client_that_gives_its_upgrade_up_goes_on_polling(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    async with raw_socket(target, _upgrade_target(session)) as client:
        await _probe(session, client)

    await session.post("4hello")

    assert await session.next_packet() in {"4hello", "6"}
