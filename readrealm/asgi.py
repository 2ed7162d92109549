"""The composition root: pages, Socket.IO and plain WebSockets of one worker, start to drain."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from channels.layers import get_channel_layer  # noqa: E402  Django's applications come first
from channels.routing import URLRouter  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http.request import split_domain_port, validate_host  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.crypto import salted_hmac  # noqa: E402

from chat.consumers import ChatConsumer  # noqa: E402
from readrealm.credentials import AccountGuard  # noqa: E402
from readrealm.kernel.clock import now_ms  # noqa: E402
from readrealm.kernel.ratelimit import Rate  # noqa: E402
from readrealm.metrics.answers import observed  # noqa: E402
from readrealm.metrics.figures import FANOUT_SECONDS  # noqa: E402
from readrealm.metrics.worker import WorkerCollector  # noqa: E402
from readrealm.observability import REGISTRY  # noqa: E402
from readrealm.socketio_bridge import (  # noqa: E402
    BridgeMetrics,
    BridgeNamespace,
    ClusterManager,
    Refused,
    Server,
)
from readrealm.socketio_bridge.admission import Admission  # noqa: E402
from readrealm.socketio_bridge.directory import Directory  # noqa: E402
from readrealm.socketio_bridge.forwarding import Forwarder  # noqa: E402
from readrealm.socketio_bridge.websocket import POLICY_VIOLATION  # noqa: E402
from readrealm.stores import mongo, redis  # noqa: E402
from speech.gateway.consumer import GatewayConsumer  # noqa: E402
from speech.interviews.consumer import InterviewConsumer  # noqa: E402
from speech.routes.consumer import RoutesConsumer  # noqa: E402
from speech.routes.credentials import WorkerGuard  # noqa: E402

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

SOCKET_IO_PATH = "/socket.io/"

RETRY_SPREAD_MS = (100, 2_000)
"""When clients of a draining worker are asked to come back, so that they do not come at once."""


def greetings(sid: str) -> Iterable[tuple[str, Any]]:
    """What every client of the default namespace hears first, in the order of the contract."""
    now = now_ms()
    yield "connectionStatus", {"connected": True}
    yield (
        "connection:welcome",
        {
            "success": True,
            "data": {
                "message": "Welcome to the socket.io server!",
                "socketId": sid,
                "timestamp": now,
            },
            "timestamp": now,
        },
    )
    yield "connected", {"status": "success"}


def is_allowed_host(host: str) -> bool:
    """Whether a Host header names this site, by Django's rule for pages."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _paced(rate: Rate | None) -> tuple[int, float] | None:
    return (rate.count, rate.interval_ms / 1000) if rate else None


admission = Admission(
    allowed_origins=[*settings.CORS_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS],
    is_allowed_host=is_allowed_host,
    trust_proxy=settings.TRUST_PROXY_HEADERS,
    handshakes=_paced(settings.HANDSHAKE_RATE),
    max_per_address=settings.SOCKETS_PER_ADDRESS,
    credential_cookie=settings.SESSION_COOKIE_NAME,
)
rooms = apps.get_app_config("chat")
chat = observed(ChatConsumer).as_asgi(service=rooms.service)
voice = apps.get_app_config("speech")
talk = observed(GatewayConsumer).as_asgi(service=voice.gateway, address_of=admission.address)
routes = observed(RoutesConsumer).as_asgi(routes=lambda: voice.here().routes)
interviews = observed(InterviewConsumer).as_asgi(service=voice.interviews)
guard = WorkerGuard(AccountGuard())
namespace = BridgeNamespace(
    "/",
    [chat, talk, routes, interviews],
    guard=guard,
    greet=greetings,
    max_per_account=settings.SOCKETS_PER_USER,
)
server = Server(
    worker_id=settings.WORKER_ID,
    client_manager=ClusterManager(),
    gate=admission,
    ping_interval=25,
    ping_timeout=60,
    max_http_buffer_size=1_000_000,
)
server.register_namespace(namespace)


async def plain_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """A plain JSON WebSocket, under the same rules as a Socket.IO connection."""
    is_refused = admission(scope) is not None
    if not is_refused:
        try:
            await guard.authenticate(scope, None)
        except Refused:
            is_refused = True
    if not is_refused:
        await sockets(scope, receive, send)
    elif (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})


sockets = URLRouter([path("ws/rooms/<int:book_id>/", chat)])


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application of a worker."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["path"].startswith(SOCKET_IO_PATH):
        await server.handle_request(scope, receive, send)
    elif scope["type"] == "websocket":
        await plain_websocket(scope, receive, send)
    else:
        await pages(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    async with AsyncExitStack() as life:
        try:
            await life.enter_async_context(_working())
        except Exception as error:
            log.exception("the worker could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def _working() -> AsyncIterator[None]:
    """What a worker keeps doing between its start and its drain."""
    layer: Any = get_channel_layer()
    layer.here().fill_holes_from(rooms.entries_between)
    await server.manager.start(settings.WORKER_ID)
    directory = Directory(
        redis.client(), run_dir=settings.RUN_DIR, public=(settings.HOST, settings.PORT)
    )
    server.eio.forward = Forwarder(
        directory.locate,
        secret=salted_hmac("readrealm.relay", "workers of one cluster").hexdigest(),
        client_address=admission.address,
    )
    await directory.enter(settings.WORKER_ID)
    bridge = BridgeMetrics(server, layer.here())
    bridge.observe_fanout(lambda seconds, _: FANOUT_SECONDS.observe(seconds))
    figures = WorkerCollector(
        bridge=bridge.read,
        rooms=rooms.here().figures,
        is_draining=lambda: apps.get_app_config("readrealm").is_draining,
    )
    REGISTRY.register(figures)
    duties = [
        asyncio.create_task(directory.keep(settings.WORKER_ID), name="worker lease"),
        asyncio.create_task(rooms.upkeep.run(), name="rooms"),
        asyncio.create_task(voice.here().routes.upkeep.run(), name="voice sessions"),
        asyncio.create_task(voice.here().interviews.upkeep.run(), name="interviews"),
    ]
    try:
        yield
    finally:
        await _drain()
        REGISTRY.unregister(figures)
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        await layer.flush()
        await redis.aclose()
        await mongo.aclose()


async def _drain() -> None:
    """Tell clients when to come back, close them, and see their consumers off."""
    apps.get_app_config("readrealm").is_draining = True
    for connection in list(namespace.connections.values()):
        wait_ms = random.randint(*RETRY_SPREAD_MS)  # noqa: S311  spreads load, keeps no secret
        connection.emit("serverRestart", [{"retryInMs": wait_ms}])
    left = await server.drain(timeout_s=settings.DRAIN_S)
    if left:
        log.warning("%d farewells were not finished in time", left)
