"""Operations on rooms of python-socketio, which go through the channel layer of the workers."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import channel_layers

from readrealm.socketio_bridge import ClusterManager, RoomChannelLayer
from readrealm.socketio_bridge.packets import Packet
from tests.support.bridge import until


class FakeServer:
    """What a manager needs of its server; remembers who is sent something."""

    packet_class = Packet

    def __init__(self) -> None:
        self.numbers = count(1)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.reached: list[str] = []
        self.eio = SimpleNamespace(generate_id=lambda: f"w1.sid{next(self.numbers)}", own=self.own)

    def own(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def post(self, eio_sid: str, namespace: str, parts: list[Any], *, may_wait: bool) -> None:
        self.reached.append(eio_sid)


@pytest.fixture
async def manager(redis_url: str) -> AsyncIterator[ClusterManager]:
    """The book of one worker, ``w1``, with one client, ``w1.sid1``."""
    layer = RoomChannelLayer(hosts=[redis_url], prefix="clustertest")
    before = channel_layers.set("default", layer)
    made = ClusterManager()
    made.set_server(FakeServer())
    await made.start("w1")
    sid = await made.pre_connect("session", "/")
    assert sid == "w1.sid1"
    await made.connect(sid, "/")
    yield made
    await layer.flush()
    if before is None:
        del channel_layers.backends["default"]
    else:
        channel_layers.set("default", before)


@pytest.mark.parametrize("room", ["hall", "book_42", "book.42", "w2.room", "a.b.c", 42])
async def test_a_room_of_any_name_is_reached(manager: ClusterManager, room: Any) -> None:
    await manager.enter_room("w1.sid1", "/", room)

    await manager.emit("news", {"a": 1}, "/", room=room)

    await until(lambda: manager.server.reached == ["session"])


async def test_several_rooms_reach_a_client_once(manager: ClusterManager) -> None:
    for room in ("hall", "attic"):
        await manager.enter_room("w1.sid1", "/", room)

    await manager.emit("news", None, "/", room=["hall", "attic"])
    await manager.emit("news", None, "/")

    await until(lambda: len(manager.server.reached) == 2)
    assert manager.server.reached == ["session", "session"]


async def test_a_closed_room_is_empty(manager: ClusterManager) -> None:
    await manager.enter_room("w1.sid1", "/", "hall")

    await manager.close_room("hall", "/")

    await until(lambda: manager.get_rooms("w1.sid1", "/") == ["w1.sid1"])


async def test_a_client_of_a_worker_that_is_gone_is_given_up_in_time(
    manager: ClusterManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    from readrealm.socketio_bridge import cluster

    monkeypatch.setattr(cluster, "ANSWER_TIMEOUT_S", 0.1)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(manager.enter_room("gone.AbCdEfGhIjKlMnOpQrSt", "/", "hall"), 5)
