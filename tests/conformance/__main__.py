"""Serve an ASGI application on daphne, as a worker is served: ``module:attribute port``."""

import socket
import sys

from readrealm.socketio_bridge.daphne import run_worker

READY = "ready"


def main(application: str, port: str) -> None:
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
    run_worker(
        application,
        fd=listener.fileno(),
        on_ready=lambda: print(READY, flush=True),  # noqa: T201
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
