"""Nothing is left of clients that have gone, and nothing hangs when the server goes."""

import asyncio
import json
import os
import signal
from typing import Any

import redis

from tests.support.bridge import (
    BridgeServer,
    HttpConnection,
    PollingSession,
    engine_socket,
    is_empty,
    raw_socket,
    wait_for_state,
    workshop_state,
)
from tests.support.processes import wait_until

PATH = "/bench/"
CLIENTS = 100


async def visit(server: BridgeServer, number: int) -> None:
    """Come, join two groups, and leave in one of five ways."""
    way = number % 5
    if way == 0:
        session = await PollingSession.open(server, PATH)
        await session.connect()
        await session.post('421["join","hall"]', f'422["join","room{number}"]')
        assert await session.next_packet() == '431[{"ok":true}]'
        assert await session.next_packet() == '432[{"ok":true}]'
        await session.post("1")
        return
    async with engine_socket(server, PATH) as client:
        await client.connect()
        await client.send('421["join","hall"]', f'422["join","room{number}"]')
        assert await client.next_packet() == '431[{"ok":true}]'
        assert await client.next_packet() == '432[{"ok":true}]'
        await client.connect("/guarded", '{"name":"ada"}')
        match way:
            case 1:
                await client.close()
            case 2:
                client.websocket.transport.abort()
            case 3:
                await client.send('42["close"]')
                await client.closed()
            case 4:
                await client.send("41", "41/guarded,", "1")
                await client.closed()


def subscriptions(redis_url: str) -> set[bytes]:
    with redis.Redis.from_url(redis_url) as client:
        return set(client.pubsub_channels("workshop*"))


async def test_a_hundred_visits_leave_nothing_behind(
    own_workshop: BridgeServer, redis_url: str
) -> None:
    # What is made once, such as the connections to Valkey, is made by the first visit.
    await visit(own_workshop, 1)
    before = await wait_for_state(own_workshop, is_empty)
    seen = before["seen"]

    for start in range(0, CLIENTS, 20):
        await asyncio.gather(*[visit(own_workshop, number) for number in range(start, start + 20)])

    def is_as_before(now: dict[str, Any]) -> bool:
        return {**now, "seen": seen} == before and now["seen"] == {
            name: count + CLIENTS for name, count in seen.items()
        }

    await wait_for_state(own_workshop, is_as_before)
    wait_until(lambda: not subscriptions(redis_url), what="the end of every subscription")


async def test_clients_that_never_get_further_than_the_handshake_leave_nothing(
    own_workshop: BridgeServer,
) -> None:
    before = await workshop_state(own_workshop)

    for number in range(CLIENTS):
        if number % 2:
            await PollingSession.open(own_workshop, PATH)
        else:
            async with raw_socket(own_workshop, f"{PATH}?EIO=4&transport=websocket") as client:
                client.websocket.transport.abort()

    await wait_for_state(own_workshop, lambda now: now == before)


def open_files(server: BridgeServer) -> int:
    return len(os.listdir(f"/proc/{server.program.pid}/fd"))


async def test_no_file_stays_open_for_a_client_that_has_gone(own_workshop: BridgeServer) -> None:
    await visit(own_workshop, 1)
    await wait_for_state(own_workshop, is_empty)
    before = open_files(own_workshop)

    await asyncio.gather(*[visit(own_workshop, number) for number in range(30)])

    await wait_for_state(own_workshop, lambda now: now["sessions"] == now["members"] == 0)
    # The state is asked for over a connection of its own.
    wait_until(lambda: open_files(own_workshop) <= before + 1, timeout_s=10, what="closed sockets")


async def test_sigterm_closes_every_client_and_sees_every_consumer_off(
    own_workshop: BridgeServer,
) -> None:
    clock = asyncio.get_running_loop().time
    session = await PollingSession.open(own_workshop, PATH)
    await session.connect()
    await session.post('421["echo",1]')
    assert await session.next_packet() == "431[1]"
    async with (
        engine_socket(own_workshop, PATH) as client,
        raw_socket(own_workshop, "/plain") as plain,
        await HttpConnection.open(own_workshop) as polling,
    ):
        await client.connect()
        await client.send('421["echo",1]')
        assert await client.next_packet() == "431[1]"
        await plain.send('{"event":"echo","data":1,"id":1}')
        assert await plain.receive() == '{"ack":1,"data":1}'
        polling.start("GET", session.target)
        await session.post("3")
        begin = clock()

        own_workshop.program.send_signal(signal.SIGTERM)

        codes = await asyncio.gather(client.closed(), plain.closed())
        waiting = await polling.answer()
        status = await asyncio.to_thread(own_workshop.program.wait, timeout_s=10)

    assert list(codes) == [1012, 1012]
    # uvicorn ends its requests first and tells the application then: a ping frees the poll.
    assert waiting.packets[-1] in {"daphne": {"1"}, "uvicorn": {"1", "2"}}[own_workshop.kind]
    assert status in {0, -signal.SIGTERM}
    assert clock() - begin < 5
    (report,) = [line for line in own_workshop.program.lines if line.startswith('{"left"')]
    assert json.loads(report)["left"] == 0
    assert "Traceback" not in own_workshop.program.output
