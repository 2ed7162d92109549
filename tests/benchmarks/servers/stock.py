"""python-socketio as its documentation sets it up, on uvicorn with uvloop and httptools."""

import argparse
import socket
import sys
from typing import Any

import socketio
import uvicorn

from tests.benchmarks.servers.messages import (
    MAX_FRAME_BYTES,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    ROOM,
    Messages,
)


def build(messages: Messages, *, valkey: str | None) -> socketio.AsyncServer:
    """The server; with a Valkey it is one of several workers."""
    manager = socketio.AsyncRedisManager(f"unix://{valkey}") if valkey else None
    server = socketio.AsyncServer(
        async_mode="asgi",
        client_manager=manager,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        max_http_buffer_size=MAX_FRAME_BYTES,
    )

    async def join(sid: str, data: dict[str, Any]) -> dict[str, bool]:
        await server.enter_room(sid, ROOM.format(data["bookId"]))
        return {"ok": True}

    async def say(sid: str, data: dict[str, Any]) -> dict[str, bool]:
        message = await messages.keep(data)
        await server.emit("newMessage", message, room=ROOM.format(data["bookId"]))
        return {"ok": True}

    async def answer(sid: str, data: Any) -> dict[str, bool]:
        return {"ok": True}

    server.on("joinRoom", join)
    server.on("chatMessage", say)
    server.on("ackTest", answer)
    return server


class Uvicorn(uvicorn.Server):
    """uvicorn that says when clients may come."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fd", type=int, help="a listening socket that was inherited")
    parser.add_argument("--valkey", help="path of its socket, for one of several workers")
    parser.add_argument("--mongodb")
    options = parser.parse_args()
    server = build(Messages(options.mongodb), valkey=options.valkey)
    config = uvicorn.Config(
        socketio.ASGIApp(server),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
        ws_max_size=MAX_FRAME_BYTES,
    )
    Uvicorn(config).run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
