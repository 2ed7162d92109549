"""What the public suites leave out: sizes, odd packets, and clients that stop half way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.bridge import (
    MAX_PAYLOAD,
    SEPARATOR,
    BridgeServer,
    HttpConnection,
    PollingSession,
    RawSocket,
    engine_socket,
    raw_socket,
    request,
)

ECHO, PATH = "/engine.io/", "/socket.io/"


@pytest.fixture
async def connected(target: BridgeServer) -> AsyncIterator[RawSocket]:
    """A WebSocket client in the main namespace that has heard its ``auth``."""
    async with engine_socket(target, PATH) as client:
        await client.connect()
        assert await client.next_packet() == '42["auth",{}]'
        yield client


# Long-polling payloads.


async def test_forty_packets_in_one_payload_all_arrive(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    packets = [f"4{number}" for number in range(40)]

    assert (await session.post(*packets)).status == 200

    assert (await session.poll()).packets == packets


async def test_forty_events_in_one_payload_are_answered_in_order(target: BridgeServer) -> None:
    session = await PollingSession.open(target, PATH)
    await session.connect()
    assert await session.next_packet() == '42["auth",{}]'

    await session.post(*[f'42{number}["message-with-ack"]' for number in range(40)])

    answers = [await session.next_packet() for _ in range(40)]
    assert answers == [f"43{number}[]" for number in range(40)]


@pytest.mark.parametrize("chunks", [0, 7], ids=["with its length", "chunked"])
@pytest.mark.parametrize("is_polled", [False, True], ids=["unpolled", "polled"])
@pytest.mark.parametrize("excess", [1, 4_000_000])
async def test_a_payload_over_the_limit_gets_413_and_ends_the_session(
    target: BridgeServer, path: str, chunks: int, is_polled: bool, excess: int
) -> None:
    session = await PollingSession.open(target, path)
    body = b"4" + b"x" * (MAX_PAYLOAD - 1 + excess)
    async with (
        await HttpConnection.open(target) as waiting,
        await HttpConnection.open(target) as posting,
    ):
        if is_polled:
            waiting.start("GET", session.target)
            await session.post("3")

        answer = await posting.request("POST", session.target, body, chunks=chunks)

        assert answer.status == 413
        if is_polled:
            assert (await waiting.answer()).packets[-1] == "1"
        if answer.headers.get("connection") != "close":
            assert (await posting.request("GET", session.target)).status == 400
    assert (await session.poll()).status == 400


@pytest.mark.parametrize("chunks", [0, 300], ids=["with its length", "chunked"])
async def test_a_payload_of_just_the_limit_is_taken(target: BridgeServer, chunks: int) -> None:
    session = await PollingSession.open(target, ECHO)
    packet = "4" + "x" * (MAX_PAYLOAD - 1)
    async with await HttpConnection.open(target) as connection:
        answer = await connection.request("POST", session.target, packet.encode(), chunks=chunks)

        assert (answer.status, answer.text) == (200, "ok")
        assert (await connection.request("GET", session.target)).text == packet


async def test_a_payload_may_come_in_chunks_that_split_its_packets(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    packets = ["4gr\u00fc\u00dfe", "bAQIDBA==", "4\U0001f40b"]
    body = SEPARATOR.join(packets).encode()

    answer = await request(target, "POST", session.target, body, chunks=len(body))

    assert (answer.status, answer.text) == (200, "ok")
    assert (await session.poll()).packets == packets


async def test_one_connection_serves_requests_of_many_sessions(target: BridgeServer) -> None:
    sessions = [await PollingSession.open(target, ECHO) for _ in range(5)]
    async with await HttpConnection.open(target) as connection:
        for number, session in enumerate(sessions):
            await connection.request("POST", session.target, b"4%d" % number)
        answers = [await connection.request("GET", session.target) for session in sessions]

    assert [answer.text for answer in answers] == ["40", "41", "42", "43", "44"]


async def test_a_payload_that_is_not_utf_8_ends_the_session(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)

    answer = await request(target, "POST", session.target, b"4\xff\xfe")

    assert answer.status == 400
    assert (await session.poll()).status == 400


# Frames.


@pytest.mark.parametrize("kind", ["text", "binary", "fragments"])
async def test_a_frame_over_the_limit_closes_with_message_too_big(
    target: BridgeServer, path: str, kind: str
) -> None:
    async with engine_socket(target, path) as client:
        body = "4" + "x" * MAX_PAYLOAD
        sent = {"text": body, "binary": body.encode(), "fragments": [body[:10], body[10:]]}[kind]
        with_reset = asyncio.ensure_future(client.websocket.send(sent))

        assert await client.closed() == 1009

        await asyncio.wait({with_reset})
        with_reset.exception()


async def test_a_frame_of_just_the_limit_is_taken(target: BridgeServer) -> None:
    packet = "4" + "x" * (MAX_PAYLOAD - 1)
    async with engine_socket(target, ECHO) as client:
        await client.send(packet)

        assert await client.next_packet() == packet


async def test_a_frame_counts_in_bytes_and_not_in_letters(target: BridgeServer) -> None:
    async with engine_socket(target, ECHO) as client:
        await client.send("4" + "\u00fc" * (MAX_PAYLOAD - 10))

        assert await client.closed() == 1009


async def test_a_probe_over_the_limit_closes_with_message_too_big(target: BridgeServer) -> None:
    session = await PollingSession.open(target, ECHO)
    async with raw_socket(target, f"{ECHO}?EIO=4&transport=websocket&sid={session.sid}") as client:
        await client.send("2probe")
        assert await client.receive() == "3probe"
        await client.send("x" * (MAX_PAYLOAD + 1))

        assert await client.closed() == 1009


async def test_an_empty_binary_frame_comes_back(target: BridgeServer) -> None:
    async with engine_socket(target, ECHO) as client:
        await client.send(b"")

        assert await client.next_packet() == b""


# Attachments.

HEADER = '451-["message",{"_placeholder":true,"num":0}]'
HEADER_BACK = '451-["message-back",{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize("attachment", [b"", b"\x00", b"\xff" * 70_000])
async def test_an_attachment_of_any_size_comes_back(
    connected: RawSocket, attachment: bytes
) -> None:
    await connected.send(HEADER, attachment)

    assert [await connected.next_packet() for _ in range(2)] == [HEADER_BACK, attachment]


async def test_an_empty_attachment_comes_back_by_polling(target: BridgeServer) -> None:
    session = await PollingSession.open(target, PATH)
    await session.connect()
    assert await session.next_packet() == '42["auth",{}]'

    assert (await session.post(HEADER, "b")).status == 200

    assert await session.next_packet() == HEADER_BACK
    assert await session.next_packet() == "b"


async def test_a_heartbeat_may_come_between_a_header_and_its_attachment(
    connected: RawSocket,
) -> None:
    await connected.send(HEADER, "3", b"\x01")

    assert [await connected.next_packet() for _ in range(2)] == [HEADER_BACK, b"\x01"]


async def test_as_many_attachments_as_allowed_come_back(connected: RawSocket) -> None:
    holders = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(32))
    attachments = [bytes([number]) for number in range(32)]

    await connected.send(f'4532-["message",{holders}]', *attachments)

    assert await connected.next_packet() == f'4532-["message-back",{holders}]'
    assert [await connected.next_packet() for _ in attachments] == attachments


@pytest.mark.parametrize(
    "packets",
    [
        [HEADER, '42["message","in between"]'],
        [HEADER, HEADER],
        [HEADER, "41"],
        [b"unannounced"],
        ['4533-["message"]'],
        ['459999999999-["message"]'],
        ['4599999999999-["message"]'],
        ['450-["message"]'],
        ['45["message"]'],
        ['451-["message",{"_placeholder":true,"num":1}]', b"\x01"],
        ['451-["message",{"_placeholder":true,"num":-1}]', b"\x01"],
        ['451-["message",{"_placeholder":true,"num":"0"}]', b"\x01"],
        ['451-["message",{"_placeholder":true,"num":null}]', b"\x01"],
        ['452-["message"]', b"x" * 600_000, b"x" * 600_000],
        ['451-/custom,["message",{"_placeholder":true,"num":0}]', b"\x01"],
    ],
    ids=[
        "event in between",
        "header in between",
        "disconnect in between",
        "not announced",
        "33 attachments",
        "ten digits",
        "eleven digits",
        "none announced",
        "no count",
        "number beyond the last",
        "negative number",
        "number as text",
        "no number",
        "too large together",
        "namespace not joined",
    ],
)
async def test_attachments_that_do_not_fit_close_the_session(
    connected: RawSocket, packets: list[str | bytes]
) -> None:
    for packet in packets:
        await connected.send(packet)

    assert await connected.closed() == 1008


async def test_a_binary_packet_before_connect_closes_the_session(target: BridgeServer) -> None:
    async with engine_socket(target, PATH) as client:
        await client.send(HEADER)

        assert await client.closed() == 1008


# JSON.


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "argument",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        '{"a":NaN}',
        nested(32),
        '{"a":' * 32 + "1" + "}" * 32,
        nested(100_000),
        "'single'",
        "01",
        '"\n"',
        "1,",
    ],
    ids=lambda text: text[:12],
)
async def test_what_is_not_json_closes_the_session(connected: RawSocket, argument: str) -> None:
    await connected.send(f'42["message",{argument}]')

    assert await connected.closed() == 1008


@pytest.mark.parametrize(
    "argument",
    [nested(31), '"' + "[{" * 100 + '"', '"\\"' + "[" * 100 + '"', "[],[]," * 100 + "[]"],
    ids=["31 deep", "brackets in a text", "brackets behind a quote", "brackets side by side"],
)
async def test_nesting_counts_and_brackets_do_not(connected: RawSocket, argument: str) -> None:
    await connected.send(f'42["message",{argument}]')

    assert await connected.next_packet() == f'42["message-back",{argument}]'


@pytest.mark.parametrize(
    "argument",
    ["100000000000000000000", "-100000000000000000000", '"\\ud83d"', '{"\\udc00":1}'],
    ids=["large", "large and negative", "half a surrogate pair", "half a pair as a key"],
)
async def test_what_javascript_can_say_comes_back(connected: RawSocket, argument: str) -> None:
    await connected.send(f'42["message",{argument}]', '42["message","next"]')

    assert await connected.next_packet() == f'42["message-back",{argument}]'
    assert await connected.next_packet() == '42["message-back","next"]'


# Connecting.


async def test_a_second_connect_to_a_namespace_closes_the_session(connected: RawSocket) -> None:
    await connected.send("40")

    assert await connected.closed() == 1008


async def test_a_polling_client_that_joins_nothing_is_closed(target: BridgeServer) -> None:
    session = await PollingSession.open(target, PATH)
    async with asyncio.timeout(10):
        while "1" not in (polled := await session.poll()).packets and polled.status == 200:
            await session.post("3")

    assert (await session.poll()).status == 400
