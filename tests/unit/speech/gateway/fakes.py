"""A client, a provider and a desk for one session, as lists and queues."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from readrealm.kernel.errors import ProviderUnavailable
from speech.gateway.quota import Lease
from speech.gateway.steps import Tell
from speech.realtime.client import Heard
from speech.realtime.events import SessionCreated


class FakeClient:
    """Keeps what it is told; reads nothing while ``backlog_bytes`` says so."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.is_gone = False
        self.backlog_bytes = 0
        self.is_large = False
        self.news = asyncio.Event()

    def allow_large_frames(self, allowed: bool) -> None:
        self.is_large = allowed

    async def tell(self, event: Tell) -> None:
        self.told.append((event.event, event.payload))
        self.news.set()

    async def until(self, event: str, payload: Any = ...) -> None:
        """Wait until it has been told this."""
        async with asyncio.timeout(5):
            while not any(
                name == event and payload in (..., carried) for name, carried in self.told
            ):
                self.news.clear()
                await self.news.wait()

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.told]


class FakeTalk:
    """A provider whose events a test puts into ``events``; an exception there is its end."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.events: asyncio.Queue[Heard | Exception] = asyncio.Queue()
        self.said: list[tuple[str, Any]] = []
        self.is_open = False
        self.takes = asyncio.Event()
        self.takes.set()
        self.news = asyncio.Event()

    async def __aenter__(self) -> "FakeTalk":
        if self.refuses:
            raise ProviderUnavailable("not today")
        self.is_open = True
        self.events.put_nowait(SessionCreated())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while True:
            event = await self.events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def append(self, pcm: bytes) -> None:
        await self._say("append", pcm)

    async def commit(self) -> None:
        await self._say("commit", None)

    async def respond(self) -> None:
        await self._say("respond", None)

    async def cancel(self, response_id: str | None = None) -> None:
        await self._say("cancel", response_id)

    async def truncate(self, item_id: str, *, audio_end_ms: int) -> None:
        await self._say("truncate", (item_id, audio_end_ms))

    async def _say(self, what: str, about: Any) -> None:
        await self.takes.wait()
        self.said.append((what, about))
        self.news.set()

    async def until(self, what: str) -> None:
        """Wait until it was told this."""
        async with asyncio.timeout(5):
            while what not in [said for said, _ in self.said]:
                self.news.clear()
                await self.news.wait()


class FakeDesk:
    """Counts who is there; ``ends_with`` is what the first renewal says."""

    def __init__(
        self, refusal: Exception | None = None, ends_with: Exception | None = None
    ) -> None:
        self.refusal, self.ends_with = refusal, ends_with
        self.open: list[str] = []

    @contextlib.asynccontextmanager
    async def lease(self, reader: str) -> AsyncIterator[Lease]:
        if self.refusal is not None:
            raise self.refusal
        self.open.append(reader)
        try:
            yield self
        finally:
            self.open.remove(reader)

    async def renew(self) -> None:
        if self.ends_with is not None:
            raise self.ends_with
