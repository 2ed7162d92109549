"""Follow one message from a socket to the store, to the room and back, and count the doors."""

import ast
import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import uvicorn

from tests.integration.test_one_message import BOB, reader
from tests.support.stores import SessionStores

ROOT = Path(__file__).parents[2]

PATH = [
    "readrealm/socketio_bridge/connection.py",
    "chat/consumers.py",
    "chat/services.py",
    "chat/repository.py",
    "chat/broadcast.py",
    "readrealm/socketio_bridge/layer.py",
]
"""The files to read, in this order, to know what happens to a message."""

LEAVES = {
    "readrealm/kernel/clock.py": "what time it is",
    "readrealm/kernel/identity.py": "who the socket speaks for",
    "readrealm/kernel/ratelimit.py": "what a rate is",
    "readrealm/kernel/text.py": "what text may be",
    "readrealm/kernel/wire.py": "the contract, read and written",
    "chat/rules.py": "what may be said",
    "chat/entries.py": "a message as a document",
    "chat/batches.py": "what arrives together goes together",
    "chat/log_reader.py": "which number was the last",
    "chat/gate.py": "whether moderators let the author in",
    "chat/sanctions.py": "what keeps a reader out, and where",
    "chat/moderation_store.py": "what holds at present, asked once a second",
    "readrealm/stores/mongo.py": "how long MongoDB may take",
    "readrealm/stores/allowance.py": "whether the author may speak now",
    "readrealm/stores/redis.py": "where that is kept",
    "readrealm/metrics/answers.py": "how long the answer took",
    "readrealm/metrics/figures.py": "how many messages there were",
}
"""What the files on the path look things up in; none of them hands the message on."""

TRANSPORT = {
    "readrealm/socketio_bridge/server.py",
    "readrealm/socketio_bridge/engine.py",
    "readrealm/socketio_bridge/websocket.py",
    "readrealm/socketio_bridge/session.py",
    "readrealm/socketio_bridge/packets.py",
    "readrealm/socketio_bridge/publications.py",
    "readrealm/socketio_bridge/room.py",
    "readrealm/socketio_bridge/bus.py",
    "readrealm/socketio_bridge/wire.py",
    "readrealm/socketio_bridge/fanout.py",
    "readrealm/socketio_bridge/outlet.py",
}
"""Bytes to events before the first door, and events to bytes behind the last; knows no message."""


class Visits:
    """The files of this project that ran, in the order of their first visit."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in {"readrealm", "chat"}:
            file = str(path.relative_to(ROOT))
            if file not in self.files:
                self.files.append(file)


class Runner(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serves.set()


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """The book rooms of a worker on this event loop, behind a server of their own."""
    from readrealm import asgi
    from readrealm.socketio_bridge import BridgeNamespace, Server

    server = Server()
    server.register_namespace(BridgeNamespace("/", [asgi.chat], guard=asgi.guard))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = uvicorn.Config(
            server.handle_request, interface="asgi3", log_level="warning", lifespan="off"
        )
        runner = Runner(options)
        task = asyncio.create_task(runner.serve(sockets=[listening]))
        try:
            await asyncio.wait_for(runner.serves.wait(), 20)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            await server.drain(timeout_s=10)
            runner.should_exit = True
            async with asyncio.timeout(10):
                await task


@pytest.fixture
async def visits(stores: SessionStores) -> list[str]:
    """Where one chatMessage came by, from its sender to another reader of the room."""
    visited = Visits()
    async with serving() as url, reader(url, 2701) as ada, reader(url, 2701, BOB) as bob:
        await ada.join()
        await bob.join()
        # The first message goes through what is made once.
        await ada.say("Call me")
        await bob.hear("newMessage")
        sys.setprofile(visited)
        try:
            await ada.say("Ishmael.")
            await bob.hear("newMessage")
        finally:
            sys.setprofile(None)
    return visited.files


async def test_one_message_goes_through_six_files_one_way(visits: list[str]) -> None:
    doors = [file for file in visits if file not in {*LEAVES, *TRANSPORT}]

    assert doors == PATH
    assert len(PATH) <= 6


def imports(file: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_knows_no_door(leaf: str) -> None:
    assert imports(leaf).isdisjoint(module(door) for door in PATH)


@pytest.mark.parametrize("file", sorted(TRANSPORT))
def test_the_transport_knows_nothing_of_chat(file: str) -> None:
    assert not [name for name in imports(file) if name.partition(".")[0] in {"chat", "readrealm"}]


@pytest.mark.parametrize("position", range(1, 5))
def test_no_door_of_chat_knows_the_one_before_it(position: int) -> None:
    """Going one way is not a matter of luck: nobody could call back."""
    earlier = {module(door) for door in PATH[:position] if door.startswith("chat/")}

    assert imports(PATH[position]).isdisjoint(earlier), PATH[position]
