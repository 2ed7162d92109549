"""Consumers behind the bridge, as clients see them: on a WebSocket and on long-polling."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.bridge import (
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    BridgeServer,
    HttpConnection,
    PollingSession,
    RawSocket,
    engine_socket,
    is_empty,
    raw_socket,
    wait_for_state,
    workshop_state,
)

PATH = "/bench/"
CLIENTS = ("websocket", "polling")


class Client:
    """A client on either transport."""

    def __init__(self, link: RawSocket | PollingSession) -> None:
        self.link = link

    async def send(self, *packets: str) -> None:
        if isinstance(self.link, RawSocket):
            await self.link.send(*packets)
        else:
            assert (await self.link.post(*packets)).status == 200

    async def ask(self, event: str, data: Any = None) -> Any:
        """Send an event and read its answer; nothing else may come before it."""
        await self.send(f"427{json.dumps([event, data], separators=(',', ':'))}")
        packet = str(await self.link.next_packet())
        assert packet.startswith("437"), packet
        return json.loads(packet[3:])[0]

    async def hear(self) -> list[Any]:
        """The next event: its name and its arguments."""
        packet = str(await self.link.next_packet())
        assert packet.startswith("42"), packet
        heard: list[Any] = json.loads(packet[2:])
        return heard


@pytest.fixture(params=CLIENTS)
async def client(workshop: BridgeServer, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client in the main namespace."""
    if request.param == "websocket":
        async with engine_socket(workshop, PATH) as socket:
            await socket.connect()
            yield Client(socket)
    else:
        session = await PollingSession.open(workshop, PATH)
        assert (await session.connect()).startswith("40")
        yield Client(session)


@pytest.fixture
async def websocket(workshop: BridgeServer) -> AsyncIterator[RawSocket]:
    """A WebSocket client with a session and no namespace."""
    async with engine_socket(workshop, PATH) as socket:
        yield socket


# Answers.


@pytest.mark.parametrize("data", [None, 1, "text", [1, [2]], {"a": {"b": None}}])
async def test_what_a_handler_returns_is_the_answer(client: Client, data: Any) -> None:
    assert await client.ask("echo", data) == data


async def test_a_refusal_is_told_and_answered(client: Client) -> None:
    await client.send('427["decline"]')

    assert await client.hear() == ["exception", {"code": "DECLINED", "event": "decline"}]
    assert await client.link.next_packet() == '437[{"ok":false,"code":"DECLINED"}]'


async def test_a_bug_is_answered_without_its_text_and_stops_nothing(client: Client) -> None:
    await client.send('427["fail"]', '428["echo","next"]')

    assert await client.hear() == ["exception", {"code": "INTERNAL_ERROR", "event": "fail"}]
    assert await client.link.next_packet() == '437[{"ok":false,"code":"INTERNAL_ERROR"}]'
    assert await client.link.next_packet() == '438["next"]'


async def test_an_answer_that_cannot_be_sent_is_a_bug_like_any_other(client: Client) -> None:
    await client.send('427["unsendable"]', '428["echo","next"]')

    assert await client.hear() == ["exception", {"code": "INTERNAL_ERROR", "event": "unsendable"}]
    assert await client.link.next_packet() == '437[{"ok":false,"code":"INTERNAL_ERROR"}]'
    assert await client.link.next_packet() == '438["next"]'


async def test_an_event_nobody_answers_is_acknowledged_with_nothing(client: Client) -> None:
    await client.send('427["unheard of"]')

    assert await client.link.next_packet() == "437[]"


async def test_events_are_answered_in_their_order(client: Client) -> None:
    await client.send(*[f'42{number}["echo",{number}]' for number in range(100)])

    answers = [await client.link.next_packet() for _ in range(100)]

    assert answers == [f"43{number}[{number}]" for number in range(100)]


async def test_a_handler_that_hangs_does_not_stop_the_heartbeat(client: Client) -> None:
    await client.send('42["hang",1]')

    async with asyncio.timeout(10):
        pings = 0
        while pings < 2:
            if isinstance(client.link, RawSocket):
                assert await client.link.receive() == "2"
                await client.link.send("3")
            else:
                assert (await client.link.poll()).packets == ["2"]
                await client.link.post("3")
            pings += 1


@pytest.mark.parametrize("depth", [32, 100_000])
async def test_an_event_that_is_nested_too_deeply_is_answered_and_closes_nothing(
    client: Client, depth: int
) -> None:
    deep = "[" * depth + "]" * depth

    await client.send(f'421["echo",{deep}]', f'42["echo",{deep}]', '422["echo","next"]')

    refusal = str(await client.link.next_packet())
    assert refusal.startswith("431[")
    assert json.loads(refusal[3:])[0]["code"] == "VALIDATION_ERROR"
    assert await client.link.next_packet() == '432["next"]'


# The door.


async def test_a_guest_hears_its_eager_consumer_first(websocket: RawSocket) -> None:
    await websocket.connect("/guarded", '{"name":"ada"}')

    assert await websocket.next_packet() == '42/guarded,["hello","ada"]'


async def test_a_refused_guest_hears_why_and_may_come_again(websocket: RawSocket) -> None:
    await websocket.send('40/guarded,{"refuse":"UNAUTHENTICATED"}')

    refusal = await websocket.next_packet()

    assert refusal == '44/guarded,{"message":"go away","data":{"code":"UNAUTHENTICATED"}}'
    assert (await websocket.connect("/guarded"))["sid"]


async def test_a_guard_with_a_bug_lets_nobody_in_and_says_nothing(
    workshop: BridgeServer, websocket: RawSocket
) -> None:
    async with engine_socket(workshop, PATH) as unlucky:
        await unlucky.send('40/guarded,{"fail":1}')
        heard: list[str | bytes] = []
        async with asyncio.timeout(10):
            async for packet in unlucky.websocket:
                heard.append(packet)
                if str(packet).startswith("44"):
                    break

    assert not any("the guard has a bug" in str(packet) for packet in heard)
    assert not any(str(packet).startswith("40") for packet in heard)
    assert (await workshop_state(workshop))["connections"]["/guarded"] == 0
    assert (await websocket.connect())["sid"]


async def test_nothing_overtakes_a_connect_that_is_being_decided(websocket: RawSocket) -> None:
    await websocket.send('40/guarded,{"after":0.1,"name":"bob"}', '42/guarded,5["who"]')

    assert str(await websocket.next_packet()).startswith('40/guarded,{"sid"')
    assert await websocket.next_packet() == '42/guarded,["hello","bob"]'
    assert await websocket.next_packet() == '43/guarded,5["bob"]'


@pytest.mark.parametrize("namespace", ["/guarded", "/slow"])
async def test_a_client_that_leaves_while_it_is_being_decided_about_leaves_nothing(
    workshop: BridgeServer, namespace: str
) -> None:
    for _ in range(5):
        async with engine_socket(workshop, PATH) as client:
            await client.send(f'40{namespace},{{"after":0.1}}')
            client.websocket.transport.abort()

    await wait_for_state(workshop, is_empty)


@pytest.mark.parametrize("namespace", ["/guarded", "/slow"])
async def test_a_polling_client_that_leaves_while_it_is_being_decided_about_leaves_nothing(
    workshop: BridgeServer, namespace: str
) -> None:
    session = await PollingSession.open(workshop, PATH)
    connecting = asyncio.create_task(session.post(f'40{namespace},{{"after":0.2}}'))
    await wait_for_state(workshop, lambda now: now["clients"].get(namespace, 0) == 1)

    await session.post("1")
    await connecting

    await wait_for_state(workshop, is_empty)


@pytest.mark.parametrize("namespace", ["/guarded", "/slow"])
async def test_a_second_connect_while_the_first_is_being_decided_breaks_the_protocol(
    workshop: BridgeServer, namespace: str
) -> None:
    await wait_for_state(workshop, is_empty)
    session = await PollingSession.open(workshop, PATH)

    packet = f'40{namespace},{{"after":0.1}}'
    answers = await asyncio.gather(session.post(packet), session.post(packet))

    assert sorted(answer.status for answer in answers) == [200, 400]
    state = await workshop_state(workshop)
    assert state["clients"].get(namespace, 0) <= 1
    assert state["connections"]["/guarded"] <= 1
    await wait_for_state(workshop, is_empty)


async def test_a_client_cannot_say_what_only_the_server_may(
    workshop: BridgeServer, websocket: RawSocket
) -> None:
    await websocket.connect("/stock")

    await websocket.send('42/stock,["disconnect","forged"]', "40")

    with contextlib.suppress(ConnectionClosed):  # as the JavaScript server answers it
        await websocket.next_packet()
    assert "stock left: forged" not in (await workshop_state(workshop))["seen"]


@pytest.mark.parametrize("namespace", ["/guarded", "/slow"])
async def test_who_is_not_let_in_yet_hears_nothing_that_is_for_members(
    workshop: BridgeServer, namespace: str
) -> None:
    async with engine_socket(workshop, PATH) as waiting, engine_socket(workshop, PATH) as inside:
        await inside.connect()
        await waiting.send(f'40{namespace},{{"after":0.2,"refuse":"FORBIDDEN"}}')

        assert await Client(inside).ask("announce", namespace) == {"ok": True}

        assert str(await waiting.next_packet()).startswith(f"44{namespace},")


async def test_an_account_has_a_limited_number_of_connections(workshop: BridgeServer) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(engine_socket(workshop, PATH)) for _ in range(4)]
        for socket in sockets[:2]:
            await socket.connect("/account", '{"name":"ada"}')

        await sockets[2].send('40/account,{"name":"ada"}')
        assert await sockets[2].next_packet() == (
            '44/account,{"message":"too many sockets of this account",'
            '"data":{"code":"RATE_LIMITED"}}'
        )
        await sockets[3].connect("/account", '{"name":"bob"}')

        await sockets[0].send("1")
        await sockets[0].closed()
        await wait_for_state(workshop, lambda now: now["connections"]["/account"] == 2)
        await sockets[2].connect("/account", '{"name":"ada"}')


async def test_who_logs_out_is_closed_everywhere_and_nobody_else(workshop: BridgeServer) -> None:
    name = f"carol {workshop.kind}".replace(" ", "-")
    async with AsyncExitStack() as stack:
        one, two, other, speaker = [
            await stack.enter_async_context(engine_socket(workshop, PATH)) for _ in range(4)
        ]
        for socket in (one, two):
            await socket.connect("/account", f'{{"name":"{name}"}}')
        await other.connect("/account", '{"name":"dave"}')
        await speaker.connect()

        assert await Client(speaker).ask("log_out", name) == {"ok": True}

        await one.closed()
        await two.closed()
        assert await other.next_packet() == '42/account,["hello","dave"]'
        await other.send('42/account,1["who"]')
        assert await other.next_packet() == '43/account,1["dave"]'
        await speaker.send(f'40/account,{{"name":"{name}"}}')
        assert "UNAUTHENTICATED" in str(await speaker.next_packet())


# Attachments.

HEADER = '451-["echo",{"_placeholder":true,"num":0}]'


async def test_a_binary_packet_whose_attachments_never_come_closes_the_session(
    websocket: RawSocket,
) -> None:
    await websocket.connect()

    await websocket.send(HEADER)

    with pytest.raises(ConnectionClosed) as closed:
        await websocket.next_packet()  # answers pings, so that they are not the reason
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_attachments_that_came_in_time_close_nothing_later(websocket: RawSocket) -> None:
    await websocket.connect()
    for number in range(8):
        await websocket.send(f'451-{number}["echo",{{"_placeholder":true,"num":0}}]')
        # Time itself is the matter: together longer than one attachment may take.
        await asyncio.sleep(0.1)
        await websocket.send(bytes([number]))

        assert await websocket.next_packet() == f'461-{number}[{{"_placeholder":true,"num":0}}]'
        assert await websocket.next_packet() == bytes([number])


# Larger frames.


async def test_a_client_may_be_allowed_larger_frames_and_only_while_it_is(
    websocket: RawSocket,
) -> None:
    await websocket.connect()
    client, large = Client(websocket), "x" * 2_000_000

    assert await client.ask("allow", 5_000_000) == {"ok": True}
    assert await client.ask("measure", large) == len(large)
    assert await client.ask("allow", 1_000_000) == {"ok": True}
    await websocket.send(f'42["measure","{large}"]')

    assert await websocket.closed() == 1009


async def test_one_packet_of_any_size_reaches_a_client_that_reads(client: Client) -> None:
    await client.send('42["burst",{"count":1,"size":3000000}]')

    assert await client.hear() == ["burst", "x" * 3_000_000]
    assert await client.ask("echo", "next") == "next"


async def test_a_client_may_poll_again_as_soon_as_it_has_its_answer(
    workshop: BridgeServer,
) -> None:
    session = await PollingSession.open(workshop, PATH)
    await session.connect()

    for _ in range(10):
        await session.post('42["burst",{"count":1,"size":900000}]')
        assert await session.next_packet() == f'42["burst","{"x" * 900_000}"]'
        at_once = asyncio.create_task(session.next_packet())
        await session.post('421["echo",1]')
        assert await at_once == "431[1]"


async def test_what_a_polling_client_was_allowed_holds_after_its_upgrade(
    workshop: BridgeServer,
) -> None:
    session = await PollingSession.open(workshop, PATH)
    await session.connect()
    await session.post('421["allow",5000000]')
    assert await session.next_packet() == '431[{"ok":true}]'
    async with raw_socket(
        workshop, f"{PATH}?EIO=4&transport=websocket&sid={session.sid}"
    ) as websocket:
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await websocket.send("5")

        assert await Client(websocket).ask("measure", "x" * 2_000_000) == 2_000_000


# Groups.


@pytest.mark.parametrize("way", ["tell", "emit"])
async def test_members_of_a_group_hear_what_is_sent_to_it(
    workshop: BridgeServer, client: Client, way: str
) -> None:
    async with engine_socket(workshop, PATH) as other:
        await other.connect()
        speaker = Client(other)
        assert await client.ask("join", "shelf") == {"ok": True}

        for words in ("one", "two", "three"):
            data = {"group": "shelf", "words": words, "event": "told"}
            assert await speaker.ask(way, data) == {"ok": True}

        assert [await client.hear() for _ in range(3)] == [
            ["told", "one"],
            ["told", "two"],
            ["told", "three"],
        ]
        assert await client.ask("leave", "shelf") == {"ok": True}
        assert await speaker.ask(way, data) == {"ok": True}
        assert await client.ask("echo", "nothing came") == "nothing came"


async def test_ten_members_hear_the_same_events_in_the_same_order(workshop: BridgeServer) -> None:
    async with asyncio.timeout(30):
        sockets = [engine_socket(workshop, PATH) for _ in range(10)]
        members = [Client(await socket.__aenter__()) for socket in sockets]
        for member in members:
            assert isinstance(member.link, RawSocket)
            await member.link.connect()
            await member.ask("join", "choir")

        for number in range(20):
            voice = members[number % 10]
            words = {"group": "choir", "words": number, "event": "sung"}
            await voice.send(f"42{json.dumps(['emit', words])}")

        heard = [[(await member.hear())[1] for _ in range(20)] for member in members]
        for socket in sockets:
            await socket.__aexit__(None, None, None)

    assert sorted(heard[0]) == list(range(20))
    assert all(order == heard[0] for order in heard)


# Ends.


async def test_a_websocket_client_hears_what_was_said_before_it_is_closed(
    websocket: RawSocket,
) -> None:
    await websocket.connect()

    await websocket.send('42["close"]')

    assert await websocket.next_packet() == '42["farewell","closing"]'
    assert await websocket.closed() == 1000


@pytest.mark.parametrize("is_waiting", [True, False], ids=["polled", "unpolled"])
async def test_a_polling_client_hears_what_was_said_before_it_is_closed(
    workshop: BridgeServer, is_waiting: bool
) -> None:
    session = await PollingSession.open(workshop, PATH)
    await session.connect()
    async with await HttpConnection.open(workshop) as waiting:
        if is_waiting:
            waiting.start("GET", session.target)
            await session.post("3")
        await session.post('42["close"]')
        if not is_waiting:
            waiting.start("GET", session.target)

        assert (await waiting.answer()).packets == ['42["farewell","closing"]', "1"]
    assert (await session.poll()).status == 400


async def test_a_polling_client_that_is_disconnected_is_told_so(workshop: BridgeServer) -> None:
    session = await PollingSession.open(workshop, PATH)
    assert (await session.connect("/stock")).startswith("40/stock,")
    async with await HttpConnection.open(workshop) as waiting:
        waiting.start("GET", session.target)
        await session.post("3")

        await session.post('42/stock,["leave-me"]')

        assert (await waiting.answer()).packets[0] == "41/stock,"


async def test_a_websocket_client_that_is_disconnected_is_told_so(websocket: RawSocket) -> None:
    await websocket.connect("/stock")

    await websocket.send('42/stock,["leave-me"]')

    assert await websocket.next_packet() == "41/stock,"


async def test_a_transport_that_the_server_gives_up_says_service_restart(
    websocket: RawSocket,
) -> None:
    await websocket.connect()

    await websocket.send('42["kill"]')

    assert await websocket.closed() == 1012


@pytest.fixture
async def farewells(workshop: BridgeServer) -> int:
    """How many were said, once the clients of other tests have all gone."""
    alone = await wait_for_state(workshop, lambda now: not now["sessions"] and not now["members"])
    said: int = alone["seen"].get("disconnected", 0)
    return said


async def test_a_consumer_is_told_once_that_its_client_left(
    workshop: BridgeServer, farewells: int, client: Client
) -> None:
    await client.ask("join", "shelf")

    if isinstance(client.link, RawSocket):
        await client.send("41", "1")
        await client.link.closed()
    else:
        await client.send("41", "1")

    await wait_for_state(
        workshop,
        lambda now: now["seen"].get("disconnected", 0) == farewells + 1 and not now["rooms"],
    )


async def test_a_ping_that_was_answered_while_the_server_stood_still_counts(
    websocket: RawSocket,
) -> None:
    await websocket.connect()
    assert await websocket.receive() == "2"
    await websocket.send('421["block",0.9]')
    await asyncio.sleep(0.05)  # the server must be standing still when the answer arrives

    await websocket.send("3")

    assert await websocket.receive() == '431[{"ok":true}]'
    await websocket.send('422["echo","alive"]')
    assert await websocket.next_packet() == '432["alive"]'
    # Past the end of the time in which the ping had to be answered.
    await asyncio.sleep(PING_INTERVAL_S + PING_TIMEOUT_S / 2)
    await websocket.send('423["echo","still"]')
    assert await websocket.next_packet() == '433["still"]'
