"""An application that hangs; a server loads it, so it needs nothing that only tests have."""

import threading
from collections.abc import Awaitable, Callable
from typing import Any


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Its first request blocks the event loop for good."""
    if scope["type"] == "http":
        print("stuck", flush=True)  # noqa: T201  the test waits for it
        threading.Event().wait()
