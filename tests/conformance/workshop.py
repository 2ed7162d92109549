"""An application of the bridge that tests work on: consumers that do what an event asks of them.

``/bench/`` is a Socket.IO server with the namespaces ``/`` (consumers), ``/guarded`` (a guard
that refuses, fails or takes its time), ``/account`` (two connections for an account at most),
``/stock`` (function handlers) and ``/slow`` (a stock connect handler that takes its time).
``/plain`` serves the same consumer as a plain JSON WebSocket. ``GET /state`` counts what the
process holds. Groups need the Valkey at ``REDIS_URL``.
"""

import asyncio
import gc
import json
import os
import time
from collections import Counter
from typing import Any

from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "readrealm.socketio_bridge.RoomChannelLayer",
            "CONFIG": {
                "hosts": [os.environ.get("REDIS_URL", "redis://localhost:6379")],
                "prefix": "workshop",
            },
        }
    }
)

from channels.layers import get_channel_layer  # noqa: E402  needs settings

from readrealm.socketio_bridge import (  # noqa: E402
    REVALIDATE,
    BridgeNamespace,
    EventConsumer,
    Refused,
    Server,
    account_group,
)
from readrealm.socketio_bridge import server as bridge_server  # noqa: E402
from readrealm.socketio_bridge.connection import Pace  # noqa: E402
from readrealm.socketio_bridge.session import Session  # noqa: E402
from tests.conformance.target import OPTIONS  # noqa: E402

SEEN: Counter[str] = Counter()
"""How often consumers began, ended and were told so."""


LOGGED_OUT: set[str] = set()
"""Names of accounts that the guard no longer knows."""


class Declined(Exception):
    """A refusal that is meant."""


class Worker(EventConsumer):
    """Does what it is asked."""

    events = frozenset(
        {"echo", "join", "leave", "tell", "emit", "block", "hang", "decline", "fail", "burst",
         "close", "kill", "allow", "measure", "announce", "log_out", "unsendable"}
    )  # fmt: skip
    refusals = (Declined,)

    async def connected(self) -> None:
        SEEN["connected"] += 1

    async def disconnected(self) -> None:
        SEEN["disconnected"] += 1

    async def answer(self, event: str, data: Any) -> Any:
        return await getattr(self, f"on_{event}")(data)

    async def refused(self, event: str, error: Exception) -> Any:
        code = "DECLINED" if isinstance(error, Declined) else "INTERNAL_ERROR"
        await self.emit("exception", {"code": code, "event": event})
        return {"ok": False, "code": code}

    async def on_echo(self, data: Any) -> Any:
        return data

    async def on_join(self, group: str) -> Any:
        await self.join(group)
        return {"ok": True}

    async def on_leave(self, group: str) -> Any:
        await self.leave(group)
        return {"ok": True}

    async def on_tell(self, data: Any) -> Any:
        await self.channel_layer.group_send(
            data["group"], {"type": "workshop.told", "words": data["words"]}
        )
        return {"ok": True}

    async def on_emit(self, data: Any) -> Any:
        events = [[data["event"], json.dumps(data["words"]).encode(), None]]
        await self.channel_layer.group_send(
            data["group"], {"type": "socketio.emit", "events": events}
        )
        return {"ok": True}

    async def workshop_told(self, message: dict[str, Any]) -> None:
        await self.emit("told", message["words"])

    async def on_block(self, seconds: float) -> Any:
        time.sleep(seconds)  # noqa: ASYNC251  the event loop is to stand still
        return {"ok": True}

    async def on_hang(self, seconds: float) -> Any:
        await asyncio.sleep(seconds)

    async def on_decline(self, data: Any) -> Any:
        raise Declined

    async def on_fail(self, data: Any) -> Any:
        raise RuntimeError("the text of a bug is for the log")

    async def on_unsendable(self, data: Any) -> Any:
        return {"odd": object()}

    async def on_burst(self, data: dict[str, int]) -> Any:
        for _ in range(data["count"]):
            await self.emit("burst", "x" * data["size"])
            # Gives the server the chance to write, as emits of a real handler do.
            await asyncio.sleep(0)
        return {"ok": True}

    async def on_close(self, data: Any) -> Any:
        await self.emit("farewell", "closing")
        await self.close()

    async def on_allow(self, max_bytes: int) -> Any:
        self.inbox.outlet.accept_frames_up_to(max_bytes)
        return {"ok": True}

    async def on_measure(self, data: str | bytes) -> Any:
        return len(data)

    async def on_announce(self, namespace: str) -> Any:
        await server.emit("announcement", "for members", namespace=namespace)
        return {"ok": True}

    async def on_log_out(self, name: str) -> Any:
        LOGGED_OUT.add(name)
        await self.channel_layer.group_send(account_group(name), {"type": REVALIDATE})
        return {"ok": True}

    async def on_kill(self, data: Any) -> Any:
        self.inbox.outlet.close("transport close", code=1012)


class Guest(EventConsumer):
    """Is there from the beginning."""

    events = frozenset({"who"})
    eager = True

    async def connected(self) -> None:
        await self.emit("hello", self.scope["guest"])

    async def answer(self, event: str, data: Any) -> Any:
        return self.scope["guest"]


class Door:
    """A guard that does what the auth payload says."""

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None:
        auth = auth or {}
        await asyncio.sleep(auth.get("after", 0))
        if "refuse" in auth:
            raise Refused("go away", code=auth["refuse"])
        if "fail" in auth:
            raise RuntimeError("the guard has a bug")
        scope["guest"] = auth.get("name", "nobody")

    def identity_key(self, scope: dict[str, Any]) -> str | None:
        return None


class AccountDoor(Door):
    """Knows accounts by name, until they log out."""

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None:
        await super().authenticate(scope, auth)
        if scope["guest"] in LOGGED_OUT:
            raise Refused("logged out", code="UNAUTHENTICATED")

    def identity_key(self, scope: dict[str, Any]) -> str | None:
        name: str | None = scope.get("guest")
        return name


bridge_server.ATTACHMENTS_TIMEOUT_S = 0.6
HEARTBEAT = {
    "ping_interval": float(os.environ.get("PING_INTERVAL_S", OPTIONS["ping_interval"])),
    "ping_timeout": float(os.environ.get("PING_TIMEOUT_S", OPTIONS["ping_timeout"])),
}
server = Server(**OPTIONS | HEARTBEAT, namespaces=[])
server.register_namespace(
    BridgeNamespace("/", [Worker.as_asgi()], pace=Pace(burst=1, interval_s=0.0))
)
server.register_namespace(BridgeNamespace("/guarded", [Guest.as_asgi()], guard=Door()))
server.register_namespace(
    BridgeNamespace("/account", [Guest.as_asgi()], guard=AccountDoor(), max_per_account=2)
)


@server.on("leave-me", namespace="/stock")
async def leave_me(sid: str) -> None:
    await server.disconnect(sid, namespace="/stock")


@server.on("disconnect", namespace="/stock")
async def left(sid: str, reason: str) -> None:
    SEEN[f"stock left: {reason}"] += 1


@server.on("connect", namespace="/slow")
async def come_slowly(sid: str, environ: Any, auth: Any) -> None:
    await asyncio.sleep((auth or {}).get("after", 0))
    if "refuse" in (auth or {}):
        raise ConnectionRefusedError("go away")


@server.on("disconnect", namespace="/slow")
async def slow_left(sid: str, reason: str) -> None:
    SEEN["slow left"] += 1


plain = Worker.as_asgi()


def state() -> dict[str, Any]:
    """What this process holds on to, after the garbage has been collected."""
    gc.collect()
    layer = get_channel_layer().here()
    return {
        "sessions": len(server.eio.sockets),
        "session objects": sum(isinstance(item, Session) for item in gc.get_objects()),
        "environs": len(server.environ),
        "clients": {
            name: sum(1 for _ in server.manager.get_participants(name, None))
            for name in server.manager.get_namespaces()
        },
        "connections": {
            name: len(namespace.connections)
            for name, namespace in server.namespace_handlers.items()
        },
        "members": len(layer.members),
        "rooms": len(layer.fanout.rooms),
        "tasks": len(asyncio.all_tasks()),
        "seen": dict(SEEN),
    }


async def live(receive: Any, send: Any) -> None:
    """Start, wait, drain, and say who was seen off."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    left = await server.drain(timeout_s=4)
    print(json.dumps({"left": left, "seen": SEEN}), flush=True)  # noqa: T201
    await get_channel_layer().flush()
    await send({"type": "lifespan.shutdown.complete"})


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
    elif scope["path"] == "/state":
        body = json.dumps(state()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    elif scope["path"] == "/plain":
        await plain(scope, receive, send)
    else:
        await server.handle_request(scope, receive, send)
