"""A client of voice sessions: it sends requests, and remembers everything it hears, in order."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any

import socketio

DEADLINE_S = 15.0

Heard = tuple[str, Any]


class RoutesClient:
    """One socket of python-socketio's own client.

    Args:
        url: of the server.
        auth: for the handshake.
    """

    def __init__(self, url: str, *, auth: dict[str, Any] | None = None) -> None:
        self.url, self.auth = url, auth
        self.heard: list[Heard] = []
        self.heard_at: list[float] = []
        self._news = asyncio.Condition()
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._hear)

    async def __aenter__(self) -> "RoutesClient":
        await self.client.connect(self.url, auth=self.auth, transports=["websocket"], retry=False)
        await self.until(lambda: len(self.heard) >= 3)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()
        await self.client.shutdown()

    @property
    def sid(self) -> str:
        sid: str = self.client.get_sid()
        return sid

    async def emit(self, event: str, data: Any = None) -> None:
        """Send, and do not wait."""
        await self.client.emit(event, data)

    async def ask(self, event: str, data: Any = None) -> Any:
        """Send; the acknowledgement."""
        return await self.client.call(event, data, timeout=DEADLINE_S)

    async def chunk(self, session: str, seq: int, sound: bytes, mime: str = "audio/webm") -> Any:
        return await self.ask("audio:chunk", chunk(session, seq, sound, mime))

    def named(self, event: str) -> list[Any]:
        """What was heard under one name, in order."""
        return [data for name, data in self.heard if name == event]

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]

    async def wait_for(self, event: str, count: int = 1, *, timeout_s: float = DEADLINE_S) -> Any:
        """The ``count``-th event of a name."""
        await self.until(lambda: len(self.named(event)) >= count, timeout_s=timeout_s)
        return self.named(event)[count - 1]

    async def until(self, is_so: Callable[[], object], *, timeout_s: float = DEADLINE_S) -> None:
        """Come back when ``is_so``, which something that is heard brings about."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(is_so)
        except TimeoutError:
            said = [(name, json.dumps(data)[:200]) for name, data in self.heard]
            raise AssertionError(f"waited {timeout_s} s; heard {said}") from None

    async def _hear(self, event: str, *args: Any) -> None:
        async with self._news:
            self.heard.append((event, args[0] if args else None))
            self.heard_at.append(time.monotonic())
            self._news.notify_all()


def chunk(session: str, seq: int, sound: bytes, mime: str = "audio/webm") -> dict[str, Any]:
    """The payload of an ``audio:chunk``."""
    text = base64.b64encode(sound).decode()
    return {"sessionId": session, "seq": seq, "base64": text, "mimeType": mime}
