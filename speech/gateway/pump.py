"""Moves one session: client to provider, provider to client, with deadlines and bounded queues.

What is said, and in which order, `session.py` decides.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import AppError, InvalidState, ProviderUnavailable, public_face
from speech.gateway.events import CANNOT_CONNECT
from speech.gateway.lanes import Client, Commands, Outbox
from speech.gateway.quota import RENEW_S, Lease
from speech.gateway.session import Phase, Session
from speech.gateway.steps import (
    Append,
    Cancel,
    Command,
    Commit,
    DropSound,
    Respond,
    Step,
    Tell,
    Truncate,
)
from speech.realtime.client import Heard, Reconnected, Reconnecting
from speech.realtime.events import Failure

log = logging.getLogger(__name__)

GONE_CHECK_S = 0.1
"""How often a session that waits for its last answer looks whether anybody waits with it."""

LEAVE_S = 5.0
"""For the provider's connection to close."""


class Talk(Protocol):
    """A conversation with a provider; `speech.realtime.client.RealtimeClient` in earnest."""

    async def __aenter__(self) -> "Talk": ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> AsyncIterator[Heard]: ...

    async def append(self, pcm: bytes) -> None: ...

    async def commit(self) -> None: ...

    async def respond(self) -> None: ...

    async def cancel(self, response_id: str | None = None) -> None: ...

    async def truncate(self, item_id: str, *, audio_end_ms: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """In seconds."""

    drain: float = 5.0
    """For the last answer, once the client has stopped."""
    idle: float = 600.0
    """Without sound, before the session is ended."""
    renew: float = RENEW_S


def monotonic_ms() -> int:
    """Milliseconds of a clock that never jumps."""
    return time.monotonic_ns() // 1_000_000


class Pump:
    """One session, from `open` to its end. `open` once, then any of the others, one at a time.

    Args:
        lease: counts the session while it lasts.
    """

    def __init__(
        self,
        client: Client,
        talk: Talk,
        lease: contextlib.AbstractAsyncContextManager[Lease],
        *,
        patience: Patience | None = None,
        clock: Clock = monotonic_ms,
    ) -> None:
        self._client, self._talk, self._lease = client, talk, lease
        self._patience, self._clock = patience or Patience(), clock
        self._session = Session()
        self._commands, self._outbox = Commands(), Outbox(client)
        self._news = asyncio.Event()
        """The provider has said something."""
        self._held = contextlib.AsyncExitStack()
        """The provider's connection, and the lease."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self._session.phase is Phase.ENDED

    async def open(self) -> None:
        """Call the provider; the session is active when this returns.

        Raises:
            ProviderUnavailable: it cannot be had; the client knows it.
            RateLimited: the reader has had enough; nothing was told.
            StoreUnavailable: nobody knows how much the reader has had; nothing was told.
        """
        async with contextlib.AsyncExitStack() as stack:
            lease = await stack.enter_async_context(self._lease)
            await self._tell(self._session.begin())
            try:
                await stack.enter_async_context(self._talk)
            except ProviderUnavailable as error:
                log.warning("a voice session could not be opened: %s", error)
                await self._tell(self._session.refuse(CANNOT_CONNECT))
                raise
            await self._tell(self._session.open())
            self._client.allow_large_frames(True)
            self._held = stack.pop_all()
            self._task = asyncio.create_task(self._run(lease), name="voice")

    async def hear(self, pcm: bytes) -> None:
        """Sound of the reader; waits while the provider does not keep up.

        Raises:
            ProviderUnavailable: it takes nothing any more.
        """
        await self._do(self._session.hear(pcm))

    async def played(self, ms: int, item_id: str | None) -> None:
        """The client has played so much of an answer."""
        await self._do(self._session.played(ms, item_id, now_ms=self._clock()))

    async def stop(self) -> None:
        """Say the rest, wait for the answer a little, and end; the client is told so."""
        await self._do(self._session.stop())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.drain):
                await self._drained()
        await self._end()
        await self._outbox.flush()
        await self._tell(self._session.close())

    async def abandon(self) -> None:
        """End at once; the client is told nothing more of this session."""
        self._session.phase = Phase.ENDED
        await self._end()

    # ------------------------------------------------------------------ the task

    async def _run(self, lease: Lease) -> None:
        error: Exception | None = None
        async with self._held:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen())
                    tasks.create_task(self._speak())
                    tasks.create_task(self._outbox.deliver())
                    tasks.create_task(self._renew(lease))
            except* AppError as ended:
                error = ended.exceptions[0]
            except* Exception as failed:
                log.exception("a voice session has failed")
                error = failed.exceptions[0]
            if error is not None:
                await self._drop(error)

    async def _drop(self, error: Exception) -> None:
        """The session has ended by itself; unless it was just being stopped, that is told."""
        await self._commands.close()
        self._news.set()
        if self._session.phase is Phase.ACTIVE:
            self._client.allow_large_frames(False)
            await self._outbox.flush()
            await self._tell(self._session.drop(public_face(error)[1]))

    async def _listen(self) -> None:
        async for heard in self._talk:
            await self._do(self._steps(heard))
            self._news.set()
        raise ProviderUnavailable("the speech service has ended the session")

    def _steps(self, heard: Heard) -> Iterable[Step]:
        match heard:
            case Reconnecting(attempt=attempt):
                return self._session.lose() if attempt == 1 else ()
            case Reconnected():
                return self._session.regain()
            case Failure(error=error):
                log.warning("the provider reported %s (%s)", error.code, error.type)
        return self._session.take(heard, now_ms=self._clock())

    async def _speak(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience.idle):
                    command = await self._commands.get()
            except TimeoutError:
                minutes = round(self._patience.idle / 60)
                raise InvalidState(f"Session ended: no audio for {minutes} minutes") from None
            # Whoever listens finds out as well, and reconnects or gives up.
            with contextlib.suppress(ProviderUnavailable):
                await self._say(command)

    async def _say(self, command: Command) -> None:
        match command:
            case Append(pcm=pcm):
                await self._talk.append(pcm)
            case Commit():
                await self._talk.commit()
            case Respond():
                await self._talk.respond()
            case Cancel(response_id=response_id):
                await self._talk.cancel(response_id)
            case Truncate(item_id=item_id, audio_end_ms=end_ms):
                await self._talk.truncate(item_id, audio_end_ms=end_ms)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._patience.renew)
            await lease.renew()

    # ------------------------------------------------------------------ steps

    async def _do(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Tell():
                    await self._outbox.put(step)
                case DropSound():
                    await self._outbox.drop_sound()
                case _:
                    await self._commands.put(step)

    async def _tell(self, steps: Iterable[Step]) -> None:
        """Tell the client at once; for the beginning and the end, when nothing else moves."""
        for step in steps:
            if isinstance(step, Tell):
                await self._client.tell(step)

    async def _drained(self) -> None:
        """Wait until everything was said on both sides, or nobody is there to hear it."""
        while not self._client.is_gone and not self._task_is_done:
            self._news.clear()
            if self._session.is_drained and self._commands.is_empty and self._outbox.is_empty:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GONE_CHECK_S):
                    await self._news.wait()

    @property
    def _task_is_done(self) -> bool:
        return self._task is None or self._task.done()

    async def _end(self) -> None:
        """Nothing of the task is left when this returns."""
        self._client.allow_large_frames(False)
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            _, late = await asyncio.wait({task}, timeout=LEAVE_S)
            if late:
                log.warning("a provider's connection takes long to close")
        # A task that is cancelled before its first step has let go of nothing.
        await self._held.aclose()
