"""The one listening socket that all workers share."""

import errno
import socket

BACKLOG = 2048
"""Connections that wait for a worker, such as all of them after a restart."""


class CannotListen(Exception):
    """The address cannot be had; ``str()`` says why."""


def bind(host: str, port: int) -> socket.socket:
    """A TCP socket that has the address but does not accept yet.

    Raises:
        CannotListen: the port is taken, not allowed, or the host is not ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotListen(f"HOST {host}: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(host, port, error)) from None
    return listener


def listen(listener: socket.socket) -> None:
    """Let connections in; they wait until a worker accepts them.

    Raises:
        CannotListen: another process was faster.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise CannotListen(_why(host, port, error)) from None


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is taken: stop what listens there, or set PORT"
        case errno.EACCES:
            return f"port {port} is not allowed for this user: set PORT to 1024 or more"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine: set HOST"
        case _:
            return f"{host}:{port}: {error.strerror}"
