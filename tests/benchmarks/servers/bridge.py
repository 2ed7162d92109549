"""Our bridge on daphne, with nothing but a room: one worker, as `manage.py serve` starts them.

Room events take the way of the product: channel layer, Valkey, fan-out. As there, a room's messages
have numbers, which one process can count; several have none, for without a database nobody
counts for all of them.
"""

import argparse
import itertools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import django
import msgspec
from django.conf import settings

from tests.benchmarks.servers.messages import (
    MAX_FRAME_BYTES,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    ROOM,
    Messages,
)

Application = Callable[..., Awaitable[None]]

application: Application
"""Where `run_worker` finds what `build` made."""


def configure(*, valkey: str) -> None:
    """Set Django up: the bridge needs a channel layer and no more."""
    layer = "readrealm.socketio_bridge.RoomChannelLayer"
    settings.configure(
        CHANNEL_LAYERS={"default": {"BACKEND": layer, "CONFIG": {"hosts": [f"unix://{valkey}"]}}},
    )
    django.setup()


def build(worker_id: str, messages: Messages, *, is_alone: bool) -> Application:
    """The ASGI application of one worker.

    Args:
        is_alone: whether it can count the messages of a room, since no other worker does.
    """
    from readrealm.socketio_bridge import BridgeNamespace, ClusterManager, EventConsumer, Server
    from readrealm.socketio_bridge.connection import Pace

    numbers = itertools.count(1) if is_alone else itertools.repeat(None)

    class Reader(EventConsumer):
        events = frozenset({"joinRoom", "chatMessage", "ackTest"})

        async def answer(self, event: str, data: Any) -> dict[str, bool]:
            if event == "joinRoom":
                await self.join(ROOM.format(data["bookId"]))
            elif event == "chatMessage":
                message = msgspec.json.encode(await messages.keep(data))
                emission = {
                    "type": "socketio.emit",
                    "events": [["newMessage", message, next(numbers)]],
                }
                await self.channel_layer.group_send(ROOM.format(data["bookId"]), emission)
            return {"ok": True}

    manager = ClusterManager()
    server = Server(
        worker_id=worker_id,
        client_manager=manager,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        max_http_buffer_size=MAX_FRAME_BYTES,
    )
    # A generator is one client for many: its events are counted, and never too many.
    unlimited = Pace(burst=1_000_000, interval_s=1e-9)
    server.register_namespace(BridgeNamespace("/", [Reader.as_asgi()], pace=unlimited))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await server.handle_request(scope, receive, send)
            return
        await receive()
        await manager.start(worker_id)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await server.drain(timeout_s=5)
        await send({"type": "lifespan.shutdown.complete"})

    return application


def announce() -> None:
    """Tell the benchmark that clients may come."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fd", type=int, help="a listening socket that was inherited")
    parser.add_argument("--worker-id", default="w1")
    parser.add_argument("--alone", action="store_true", help="no other worker shares its rooms")
    parser.add_argument("--valkey", required=True, help="path of its socket")
    parser.add_argument("--mongodb")
    options = parser.parse_args()
    configure(valkey=options.valkey)
    global application
    application = build(options.worker_id, Messages(options.mongodb), is_alone=options.alone)
    from readrealm.socketio_bridge.daphne import run_worker

    run_worker(
        f"{__name__}:application",
        fd=options.fd,
        worker_id=options.worker_id,
        on_ready=announce,
    )


if __name__ == "__main__":
    main()
