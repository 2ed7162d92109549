"""The server that protocol suites are pointed at: an echo of each protocol, through the bridge.

``/engine.io/`` is an Engine.IO echo; ``/socket.io/`` emits ``auth`` with the handshake's auth on
connect, echoes ``message`` as ``message-back``, and acknowledges ``message-with-ack`` with its
arguments, in the namespaces ``/`` and ``/custom``.
"""

import argparse
import socket
from typing import Any

from django.conf import settings

OPTIONS = {
    "ping_interval": 0.3,
    "ping_timeout": 0.2,
    "max_http_buffer_size": 1_000_000,
    "connect_timeout_s": 1.0,
}


def make_application() -> Any:
    """The ASGI application; Django's settings must be configured."""
    from readrealm.socketio_bridge import Server
    from readrealm.socketio_bridge.engine import Engine

    echo = Engine(**OPTIONS)

    async def send_back(sid: str, data: Any) -> None:
        await echo.send(sid, data)

    echo.on("message", send_back)
    server = Server(**OPTIONS, namespaces=["/", "/custom"])

    for namespace in ("/", "/custom"):

        async def connect(sid: str, environ: Any, auth: Any, namespace: str = namespace) -> None:
            await server.emit("auth", auth or {}, to=sid, namespace=namespace)

        async def message(sid: str, *args: Any, namespace: str = namespace) -> None:
            await server.emit("message-back", args, to=sid, namespace=namespace)

        async def message_with_ack(sid: str, *args: Any) -> Any:
            return args

        server.on("connect", connect, namespace=namespace)
        server.on("message", message, namespace=namespace)
        server.on("message-with-ack", message_with_ack, namespace=namespace)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        is_engine = scope["path"].startswith("/engine.io/")
        await (echo if is_engine else server).handle_request(scope, receive, send)

    return application


if not settings.configured:
    settings.configure(
        CHANNEL_LAYERS={
            "default": {"BACKEND": "readrealm.socketio_bridge.RoomChannelLayer", "CONFIG": {}}
        }
    )
application = make_application()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument(
        "--application",
        default="tests.conformance.target:application",
        help="module:attribute of another ASGI application to serve instead",
    )
    arguments = parser.parse_args()
    port: int = arguments.port
    from readrealm.socketio_bridge.daphne import run_worker

    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    run_worker(
        arguments.application,
        fd=listener.fileno(),
        on_ready=lambda: print(f"listening on http://127.0.0.1:{port}", flush=True),  # noqa: T201
    )


if __name__ == "__main__":
    main()
