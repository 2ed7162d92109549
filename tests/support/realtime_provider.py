"""A provider of the Realtime protocol that does what a test tells it to."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.server import ServerConnection, serve

Script = Callable[["FakeProvider", ServerConnection], Awaitable[None]]


@dataclass
class FakeProvider:
    """
    Attributes:
        requests: the handshake of every connection.
        heard: what each connection was told, but the session's configuration.
        sessions: the configurations.
        ended: how many connections have ended.
        refusal: what every configuration is refused with, if anything.
    """

    script: Script
    refusal: str = ""
    url: str = ""
    requests: list[Any] = field(default_factory=list)
    heard: list[list[dict[str, Any]]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    ended: int = 0

    async def serve_one(self, connection: ServerConnection) -> None:
        self.requests.append(connection.request)
        self.heard.append([])
        try:
            await self.say(connection, "session.created", session={"id": "s"})
            self.sessions.append(json.loads(await connection.recv()))
            if self.refusal:
                await self.say(connection, "error", error={"message": self.refusal})
            await self.say(connection, "session.updated", session={})
            with contextlib.suppress(websockets.ConnectionClosed):
                await self.script(self, connection)
        finally:
            self.ended += 1

    async def say(self, connection: ServerConnection, kind: str, **fields: Any) -> None:
        await connection.send(json.dumps({"type": kind, "event_id": "e", **fields}))

    async def hear(self, connection: ServerConnection) -> dict[str, Any]:
        """The next thing said by this client, which is the newest."""
        event: dict[str, Any] = json.loads(await connection.recv())
        self.heard[-1].append(event)
        return event

    async def listen(self, connection: ServerConnection) -> None:
        """Hear everything until the client leaves."""
        while True:
            await self.hear(connection)

    async def begin_answer(self, connection: ServerConnection, *, sounds: int) -> None:
        """An answer without an end; each sound lasts 100 ms."""
        part = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        await self.say(connection, "response.created", response={"id": "r"})
        await self.say(connection, "response.output_audio_transcript.delta", delta="Once ", **part)
        for _ in range(sounds):
            await self.say(connection, "response.output_audio.delta", delta="A" * 6_400, **part)


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, port: int = 0, refusal: str = ""
) -> AsyncIterator[FakeProvider]:
    """A provider on ``port``, or on a free one; ``url`` says where."""
    made = FakeProvider(script, refusal=refusal)
    async with serve(made.serve_one, "127.0.0.1", port) as server:
        made.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield made
