"""Socket.IO version 5, as its protocol document describes it, packet by packet.

The public suite of the Socket.IO project checks the same behaviours; these tests are ours.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.bridge import (
    CONNECT_TIMEOUT_S,
    BridgeServer,
    PollingSession,
    RawSocket,
    engine_socket,
)

PATH = "/socket.io/"
NAMESPACES = ["/", "/custom"]


@pytest.fixture
async def client(target: BridgeServer) -> AsyncIterator[RawSocket]:
    """A WebSocket with an Engine.IO session, connected to nothing yet."""
    async with engine_socket(target, PATH) as opened:
        yield opened


@pytest.fixture
async def connected(client: RawSocket) -> RawSocket:
    """A client in the main namespace that has heard its ``auth``."""
    await client.connect()
    assert await client.next_packet() == '42["auth",{}]'
    return client


def prefix(namespace: str) -> str:
    return "" if namespace == "/" else f"{namespace},"


# Connecting.


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("auth", ["", '{"token":"123"}'])
async def test_connect_is_answered_before_anything_else_is_said(
    client: RawSocket, namespace: str, auth: str
) -> None:
    about = await client.connect(namespace, auth)

    assert list(about) == ["sid"]
    heard = await client.next_packet()
    assert heard == f'42{prefix(namespace)}["auth",{auth or "{}"}]'


async def test_a_namespace_has_its_own_name_for_a_client(client: RawSocket) -> None:
    main = await client.connect("/")
    await client.next_packet()
    custom = await client.connect("/custom")

    assert main["sid"] != custom["sid"]


@pytest.mark.parametrize("spelling", ["40/random", "40/random,", '40/random,{"token":"1"}'])
async def test_an_unknown_namespace_is_refused_and_the_session_lives(
    client: RawSocket, spelling: str
) -> None:
    await client.send(spelling)

    assert await client.next_packet() == '44/random,{"message":"Invalid namespace"}'
    assert (await client.connect())["sid"]


async def test_a_polling_client_connects_and_speaks(target: BridgeServer) -> None:
    session = await PollingSession.open(target, PATH)

    assert (await session.connect()).startswith('40{"sid":')
    assert await session.next_packet() == '42["auth",{}]'
    await session.post('42["message","by post"]', '421["message-with-ack",[]]')
    assert await session.next_packet() == '42["message-back","by post"]'


async def test_a_session_that_joins_nothing_is_closed(target: BridgeServer) -> None:
    clock = asyncio.get_running_loop().time
    async with engine_socket(target, PATH) as client:
        opened_at = clock()

        with pytest.raises(ConnectionClosed):
            await client.next_packet()  # answers pings, so that they are not the reason

        assert CONNECT_TIMEOUT_S - 0.1 < clock() - opened_at < CONNECT_TIMEOUT_S + 1


@pytest.mark.parametrize(
    "packet",
    ["4abc", "4", "45", "47", '40"text"', "40[]", "40{", '44{"message":"mine"}'],
)
async def test_a_connect_that_is_none_closes_the_session(client: RawSocket, packet: str) -> None:
    await client.send(packet)

    assert await client.closed() == 1008


# Disconnecting.


async def test_a_client_leaves_the_main_namespace_and_only_pings_remain(
    connected: RawSocket,
) -> None:
    await connected.send("41", '42["message","into the void"]')

    assert await connected.receive() == "2"


async def test_leaving_one_namespace_leaves_the_other_alone(connected: RawSocket) -> None:
    await connected.connect("/custom")
    await connected.next_packet()

    await connected.send("41/custom,", '42/custom,["message","no"]', '42["message","yes"]')

    assert await connected.next_packet() == '42["message-back","yes"]'


async def test_a_client_may_come_back_to_a_namespace_it_left(connected: RawSocket) -> None:
    await connected.send("41")

    assert (await connected.connect())["sid"]


async def test_leaving_a_namespace_one_never_joined_is_no_fault(connected: RawSocket) -> None:
    await connected.send("41/custom,", '42["message","here"]')

    assert await connected.next_packet() == '42["message-back","here"]'


# Events and acknowledgements.


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize(
    "arguments",
    [
        '1,"2",{"3":[true]}',
        "null",
        '""',
        '"\u2028 gr\u00fc\u00dfe \U0001f40b"',
        "-1.5,0",
        "[[[[]]]],{}",
        '{"a":{"b":null}}',
        "9007199254740991",
    ],
)
async def test_an_event_arrives_with_all_its_arguments(
    client: RawSocket, namespace: str, arguments: str
) -> None:
    await client.connect(namespace)
    await client.next_packet()

    await client.send(f'42{prefix(namespace)}["message",{arguments}]')

    assert await client.next_packet() == f'42{prefix(namespace)}["message-back",{arguments}]'


async def test_an_event_without_arguments_arrives(connected: RawSocket) -> None:
    await connected.send('42["message"]')

    assert await connected.next_packet() == '42["message-back"]'


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("ack_id", ["0", "7", "456", "9007199254740993"])
async def test_an_event_that_asks_is_answered_under_its_number(
    client: RawSocket, namespace: str, ack_id: str
) -> None:
    await client.connect(namespace)
    await client.next_packet()

    await client.send(f'42{prefix(namespace)}{ack_id}["message-with-ack",1,"2",{{"3":[false]}}]')

    assert await client.next_packet() == f'43{prefix(namespace)}{ack_id}[1,"2",{{"3":[false]}}]'


TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_attachments_come_back_behind_their_event(client: RawSocket, namespace: str) -> None:
    where = prefix(namespace)
    await client.connect(namespace)
    await client.next_packet()

    await client.send(f'452-{where}["message",{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")

    assert [await client.next_packet() for _ in range(3)] == [
        f'452-{where}["message-back",{TWO}]',
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_attachments_come_back_behind_their_acknowledgement(connected: RawSocket) -> None:
    await connected.send(f'452-789["message-with-ack",{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")

    assert [await connected.next_packet() for _ in range(3)] == [
        f"462-789[{TWO}]",
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_attachments_are_put_where_their_number_says(connected: RawSocket) -> None:
    await connected.send(
        '452-["message",{"second":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]',
        b"first",
        b"second",
    )

    header, *attachments = [await connected.next_packet() for _ in range(3)]
    assert header == (
        '452-["message-back",{"second":{"_placeholder":true,"num":0}},'
        '{"_placeholder":true,"num":1}]'
    )
    assert attachments == [b"second", b"first"]


async def test_a_polling_client_sends_and_gets_attachments(target: BridgeServer) -> None:
    session = await PollingSession.open(target, PATH)
    await session.connect()
    assert await session.next_packet() == '42["auth",{}]'

    await session.post('451-["message",{"_placeholder":true,"num":0}]', "bAQID")

    assert await session.next_packet() == '451-["message-back",{"_placeholder":true,"num":0}]'
    assert await session.next_packet() == "bAQID"


@pytest.mark.parametrize(
    "packet",
    [
        "4abc",
        "4",
        "42",
        "42{}",
        '42"message"',
        "42[]",
        "42[null]",
        "42[{}]",
        '42["message"',
        '42abc["message-with-ack"]',
        "43",
        "43{}",
        "431{}",
        "48",
    ],
)
async def test_a_packet_that_breaks_the_protocol_closes_the_session(
    connected: RawSocket, packet: str
) -> None:
    await connected.send(packet)

    assert await connected.closed() == 1008


async def test_an_answer_to_nothing_is_passed_over(connected: RawSocket) -> None:
    await connected.send('4399["surprise"]', '42["message","still here"]')

    assert await connected.next_packet() == '42["message-back","still here"]'


async def test_an_event_nobody_handles_is_passed_over(connected: RawSocket) -> None:
    await connected.send('42["unheard of",1]', '42["message","still here"]')

    assert await connected.next_packet() == '42["message-back","still here"]'
