"""The client of the Realtime protocol: one path to Azure, OpenAI, anything compatible and the
engine of our own, through the openai SDK.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import encode_base64
from speech.realtime.events import AnswerDone, Event, TranscriptCompleted
from speech.realtime.link import Deadlines, Link, LinkLost, Sdk, connect
from speech.realtime.protocol import Memory, ReconnectPlan, SessionSpec, session_update
from speech.realtime.providers import Provider
from speech.realtime.shapes import JsonObject

__all__ = ["Deadlines", "Heard", "RealtimeClient", "Reconnected", "Reconnecting"]


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection was lost, and the next attempt is about to be made.

    Sound that is appended meanwhile is dropped: the provider has forgotten the beginning of
    the turn it belongs to.
    """

    attempt: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Reconnected:
    """There is a new session, which has been told its configuration and what was said."""


Heard: TypeAlias = Event | Reconnecting | Reconnected


class RealtimeClient:
    """One session with a provider, over as many connections as it takes.

    Use as a context manager, iterate over it in one task, send from any.

    Args:
        sdk: shared with other sessions of the same provider; one of its own without.

    Raises:
        ProviderUnavailable: on entering, the provider cannot be reached, refuses us or
            refuses the session; while iterating, it is gone for good; while sending, it
            does not take what is sent, or is being reconnected.
    """

    def __init__(
        self,
        provider: Provider,
        spec: SessionSpec,
        *,
        plan: ReconnectPlan | None = None,
        deadlines: Deadlines | None = None,
        sdk: Sdk | None = None,
    ) -> None:
        self._provider = provider
        self._spec = spec
        self._plan = plan or ReconnectPlan()
        self._deadlines = deadlines or Deadlines()
        self._memory = Memory()
        self._link: Link | None = None
        self._sdk, self._owns_sdk = sdk or Sdk(provider), sdk is None
        self._closed = False

    async def __aenter__(self) -> "RealtimeClient":
        try:
            await self._connect()
        except BaseException:
            await self._let_go()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        await self._hang_up()
        await self._let_go()

    async def _let_go(self) -> None:
        if self._owns_sdk:
            await self._sdk.close()

    def __aiter__(self) -> AsyncIterator[Heard]:
        return self._events()

    async def append(self, pcm: bytes) -> None:
        """Add sound to the input, 24 kHz s16le; dropped while reconnecting."""
        if self._link is not None:
            audio = encode_base64(pcm)
            await self._send({"type": "input_audio_buffer.append", "audio": audio})

    async def commit(self) -> None:
        """End the turn; an error event follows if there is less than 100 ms of sound."""
        await self._send({"type": "input_audio_buffer.commit"})

    async def respond(self) -> None:
        """Ask for an answer to what was said last; needed after a commit."""
        await self._send({"type": "response.create"})

    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the answer; an error event follows if there is none."""
        chosen = {"response_id": response_id} if response_id else {}
        await self._send({"type": "response.cancel", **chosen})

    async def truncate(self, item_id: str, *, audio_end_ms: int) -> None:
        """Tell how much of an answer was heard, when its playback was stopped."""
        await self._send(
            {
                "type": "conversation.item.truncate",
                "item_id": item_id,
                "content_index": 0,
                "audio_end_ms": audio_end_ms,
            }
        )

    async def _events(self) -> AsyncIterator[Heard]:
        while not self._closed:
            if self._link is None:
                raise ProviderUnavailable(f"{self._provider.name} is not connected")
            try:
                event = await self._link.receive()
            except LinkLost as lost:
                async for step in self._reconnect(lost.code):
                    yield step
            else:
                self._remember(event)
                yield event

    async def _reconnect(self, close_code: int | None) -> AsyncIterator[Heard]:
        await self._hang_up()
        attempt = 1
        while not self._closed:
            delay_s = self._plan.delay_s(attempt, close_code=close_code)
            if delay_s is None:
                raise ProviderUnavailable(f"{self._provider.name} has ended the connection")
            yield Reconnecting(attempt, delay_s)
            await asyncio.sleep(delay_s)
            try:
                await self._connect()
            except ProviderUnavailable:
                attempt, close_code = attempt + 1, None
                continue
            yield Reconnected()
            return

    async def _connect(self) -> None:
        """A configured connection that knows what was said before."""
        provider = self._provider
        update = session_update(self._spec, provider.dialect, is_local=provider.is_local)
        link = await connect(await self._sdk.ready(), provider, self._deadlines)
        try:
            await link.configure(update, self._memory.replay(provider.dialect))
        except BaseException:
            await link.close()
            raise
        self._link = link

    async def _send(self, event: JsonObject) -> None:
        if self._link is None:
            raise ProviderUnavailable(f"{self._provider.name} is being reconnected")
        try:
            await self._link.send(event)
        except LinkLost:
            # Whoever iterates finds out as well, and reconnects.
            raise ProviderUnavailable(f"{self._provider.name} is being reconnected") from None

    def _remember(self, event: Event) -> None:
        match event:
            case TranscriptCompleted(transcript=text):
                self._memory.add(text, by_reader=True)
            case AnswerDone(transcript=text):
                self._memory.add(text, by_reader=False)

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()
