"""What the bridge counts, read as plain numbers."""

import asyncio
import threading
from typing import Any

import pytest

from readrealm.socketio_bridge import (
    BridgeFigures,
    BridgeMetrics,
    BridgeNamespace,
    EventConsumer,
    RoomChannelLayer,
    Server,
)
from readrealm.socketio_bridge.layer import RoomLoopLayer

from .fakes import FakeMember

HALL = "hall"


class Answerer(EventConsumer):
    """Answers one event."""

    events = frozenset({"ask"})

    async def answer(self, event: str, data: Any) -> Any:
        return data


@pytest.fixture
async def server() -> Server:
    made = Server(connect_timeout_s=60)
    made.register_namespace(BridgeNamespace("/", [Answerer.as_asgi()]))
    return made


@pytest.fixture
async def layer(channel_layer: RoomChannelLayer) -> RoomLoopLayer:
    return channel_layer.here()


@pytest.fixture
async def metrics(server: Server, layer: RoomLoopLayer) -> BridgeMetrics:
    return BridgeMetrics(server, layer)


def emission(*numbers: int) -> dict[str, Any]:
    return {"type": "socketio.emit", "events": [["said", b"1", number] for number in numbers]}


async def test_sessions_and_clients_are_counted_while_they_are_there(
    server: Server, metrics: BridgeMetrics
) -> None:
    sessions = [
        server.eio.open({"type": kind}, kind) for kind in ("websocket", "websocket", "polling")
    ]
    await server._handle_eio_message(sessions[0].sid, "0")

    figures = metrics.read()
    for session in sessions:
        session.close("transport close")
    await server.eio.settle(timeout_s=1)

    assert figures.sessions == {"websocket": 2, "polling": 1}
    assert figures.connections == {"/": 1, "plain": 0}
    assert metrics.read().sessions == {"websocket": 0, "polling": 0}
    assert metrics.read().connections == {"/": 0, "plain": 0}
    assert metrics.read().sessions_ended == {"transport close": 3}


async def test_who_was_cut_counts_as_a_slow_reader(server: Server, metrics: BridgeMetrics) -> None:
    session = server.eio.open({"type": "websocket"}, "websocket")

    session.cut()

    assert metrics.read().sessions_ended == {"slow reader": 1}


async def test_packets_to_one_client_and_events_to_a_group_are_counted_apart(
    server: Server, layer: RoomLoopLayer, metrics: BridgeMetrics
) -> None:
    session = server.eio.open({"type": "websocket"}, "websocket")
    for number in range(3):
        layer.fanout.add(HALL, FakeMember(f"m{number}"))

    session.put("2")
    session.put("4hello")
    layer.fanout.receive(HALL, emission(1, 2))
    await asyncio.sleep(0)

    figures = metrics.read()
    session.close("transport close")
    assert (figures.packets_out, figures.deliveries_out, figures.groups) == (2, 6, 1)


async def test_holes_are_counted_by_how_they_were_noticed(
    layer: RoomLoopLayer, metrics: BridgeMetrics
) -> None:
    member = FakeMember("one")
    layer.fanout.add(HALL, member)
    kept = [("said", b"1", number) for number in (1, 2, 3, 5, 6)]

    async def backfill(group: str, after: int, up_to: int | None) -> Any:
        return [event for event in kept if after < event[2] <= (up_to or 6)]

    async def idle() -> None:
        async with asyncio.timeout(5):
            while (repair := layer.fanout.rooms[HALL].repair) and not repair.done():
                await asyncio.wait({repair})

    layer.fanout.backfill = backfill
    layer.fanout.receive(HALL, emission(1, 3))
    await idle()
    layer.fanout.receive(HALL, emission(5))
    await idle()
    layer.fanout.tell(HALL, ("head", None, None), head=6)
    await idle()

    figures = metrics.read()
    assert figures.gap_fills == {"overtaken": 2, "behind": 1}
    assert figures.gaps_given_up == 0


async def test_an_observer_is_told_of_every_batch_until_it_is_taken_away(
    layer: RoomLoopLayer, metrics: BridgeMetrics
) -> None:
    seen: list[tuple[float, int]] = []
    layer.fanout.add(HALL, FakeMember("one"))
    layer.fanout.add(HALL, FakeMember("two"))

    metrics.observe_fanout(lambda seconds, deliveries: seen.append((seconds, deliveries)))
    layer.fanout.receive(HALL, emission(1, 2, 3))
    await asyncio.sleep(0)
    metrics.observe_fanout(None)
    layer.fanout.receive(HALL, emission(4))
    await asyncio.sleep(0)

    ((seconds, deliveries),) = seen
    assert 0 < seconds < 1
    assert deliveries == 6


async def test_figures_can_be_read_from_another_thread(metrics: BridgeMetrics) -> None:
    found: list[BridgeFigures] = []
    reader = threading.Thread(target=lambda: found.append(metrics.read()))

    reader.start()
    reader.join(5)

    assert found == [metrics.read()]
