"""The client of the Realtime protocol: one path to Azure, OpenAI, anything compatible and the
engine of our own, through the openai SDK.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import encode_base64
from speech.realtime.events import AnswerDone, Event, TranscriptCompleted
from speech.realtime.link import Deadlines, Link, LinkLost, Sdk, connect
from speech.realtime.protocol import Memory, ReconnectPlan, SessionSpec, session_update
from speech.realtime.providers import Provider
from speech.realtime.renewal import BYTES_PER_S, Lull, RenewalPlan
from speech.realtime.shapes import JsonObject

__all__ = ["Deadlines", "Heard", "RealtimeClient", "Reconnected", "Reconnecting"]

log = logging.getLogger(__name__)

REPEATED_S = 0.5
"""Of the newest sound is told to the session that replaces another, so that no word loses its
beginning. No more than the silence that ends a turn, or a turn would be heard twice."""
_REPEATED_BYTES = int(REPEATED_S * BYTES_PER_S)


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

    Use as a context manager, iterate over it in one task, send from any. A provider ends a session
    at a certain age; before that, it is replaced by a new one in a lull, and nobody notices.

    Args:
        sdk: shared with other sessions of the same provider; one of its own without.
        renewal: when a session is old.
        now_s: since 1970.

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
        renewal: RenewalPlan | None = None,
        sdk: Sdk | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._spec = spec
        self._plan = plan or ReconnectPlan()
        self._deadlines = deadlines or Deadlines()
        self._renewal = renewal or RenewalPlan()
        self._memory = Memory()
        self._link: Link | None = None
        self._waiting: asyncio.Timeout | None = None
        """Ends the wait for the next event of a session that was replaced."""
        self._lull, self._old_at_s = Lull(), 0.0
        self._newest = bytearray()
        """Sound that was appended last."""
        self._sending = asyncio.Lock()
        """Held while something is sent, and while sessions change."""
        self._now_s = now_s
        self._sdk, self._owns_sdk = sdk or Sdk(provider), sdk is None
        self._closed = False
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "RealtimeClient":
        try:
            self._take_over(await self._opened())
        except BaseException:
            await self._let_go()
            raise
        self._renewing = asyncio.create_task(self._renew_for_ever(), name="voice renewal")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        await self._hang_up()
        await self._let_go()

    async def _let_go(self) -> None:
        if self._owns_sdk:
            await self._sdk.close()

    def __aiter__(self) -> AsyncIterator[Heard]:
        return self._events()

    async def append(self, pcm: bytes) -> None:
        """Add sound to the input, 24 kHz s16le; dropped while reconnecting."""
        async with self._sending:
            if self._link is not None:
                await self._say(_append(pcm))
            self._newest += pcm
            del self._newest[:-_REPEATED_BYTES]

    async def commit(self) -> None:
        """End the turn; an error event follows if there is less than 100 ms of sound."""
        self._lull.ask()
        await self._send({"type": "input_audio_buffer.commit"})

    async def respond(self) -> None:
        """Ask for an answer to what was said last; needed after a commit."""
        self._lull.ask()
        await self._send({"type": "response.create"})

    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the answer; an error event follows if there is none."""
        chosen = {"response_id": response_id} if response_id else {}
        await self._send({"type": "response.cancel", **chosen})

    async def truncate(self, item_id: str, *, audio_end_ms: int) -> None:
        """Tell how much of an answer was heard, when its playback was stopped."""
        self._lull.hush()
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
            link = self._link
            if link is None:
                raise ProviderUnavailable(f"{self._provider.name} is not connected")
            try:
                event = await self._said_by(link)
            except LinkLost as lost:
                if link is self._link:
                    async for step in self._reconnect(lost.code):
                        yield step
                continue
            if event is not None:
                self._remember(event)
                yield event

    async def _said_by(self, link: Link) -> Event | None:
        """The next event; None if the session was replaced, whose last words do not count."""
        try:
            async with asyncio.timeout(None) as self._waiting:
                event = await link.receive()
        except TimeoutError:
            return None
        finally:
            self._waiting = None
        return event if link is self._link else None

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
                self._take_over(await self._opened())
            except ProviderUnavailable:
                attempt, close_code = attempt + 1, None
                continue
            yield Reconnected()
            return

    async def _renew_for_ever(self) -> None:
        """Replace every session when it is old, in a lull."""
        while True:
            wait_s = self._old_at_s - time.monotonic()
            await asyncio.sleep(max(wait_s, self._renewal.look))
            present = self._link
            if present is not None and time.monotonic() >= self._old_at_s and self._is_lull:
                try:
                    await self._renew(present)
                except ProviderUnavailable as error:
                    log.warning("a voice session grows too old: %s", error)
                    await asyncio.sleep(self._renewal.pause)

    async def _renew(self, present: Link) -> None:
        """Open a new session beside the present one, and change over if it still is a lull.

        Raises:
            ProviderUnavailable: there is no new one to be had; the present one lives on.
        """
        count = self._lull.count
        left = fresh = await self._opened()
        try:
            # Whatever is sent next goes to the new session, behind the sound that it has missed.
            async with self._sending:
                if present is self._link and count == self._lull.count and self._is_lull:
                    left = present
                    self._take_over(fresh)
                    log.info("%s: a new session for an old one", self._provider.name)
                    with contextlib.suppress(LinkLost):  # Whoever iterates finds out as well.
                        await fresh.send(_append(bytes(self._newest)))
        finally:
            await left.close()

    @property
    def _is_lull(self) -> bool:
        return self._lull.is_now(now_s=time.monotonic())

    def _take_over(self, link: Link) -> None:
        """From now on this is the session."""
        self._link, self._lull = link, Lull()
        if self._waiting is not None:
            self._waiting.reschedule(0)
        old_after_s = self._renewal.old_after_s(link.created, now_s=self._now_s())
        self._old_at_s = time.monotonic() + old_after_s

    async def _opened(self) -> Link:
        """A configured connection that knows what was said before."""
        provider = self._provider
        update = session_update(self._spec, provider.dialect, is_local=provider.is_local)
        link = await connect(await self._sdk.ready(), provider, self._deadlines)
        try:
            await link.configure(update, self._memory.replay(provider.dialect))
        except BaseException:
            await link.close()
            raise
        return link

    async def _send(self, event: JsonObject) -> None:
        async with self._sending:
            await self._say(event)

    async def _say(self, event: JsonObject) -> None:
        if self._link is None:
            raise ProviderUnavailable(f"{self._provider.name} is being reconnected")
        try:
            await self._link.send(event)
        except LinkLost:
            # Whoever iterates finds out as well, and reconnects.
            raise ProviderUnavailable(f"{self._provider.name} is being reconnected") from None

    def _remember(self, event: Event) -> None:
        self._lull.take(event, now_s=time.monotonic())
        match event:
            case TranscriptCompleted(transcript=text):
                self._memory.add(text, by_reader=True)
            case AnswerDone(transcript=text):
                self._memory.add(text, by_reader=False)

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


def _append(pcm: bytes) -> JsonObject:
    return {"type": "input_audio_buffer.append", "audio": encode_base64(pcm)}
