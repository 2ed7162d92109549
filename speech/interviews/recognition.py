"""The recognisers of a worker as interviews share them.

Hypotheses and whole answers have processes of their own: a reader who speaks for minutes holds a
process for all of them, and nobody else's answer may wait for that. Answers wait for a process in
the order in which they ended, with their sound, and what a process that dies takes with it is
heard again by another: hypotheses can be done without, an answer cannot.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import Deadlines, Recognised, RecogniserPool, RecogniserSpec
from speech.interviews.transcription import Utterance

log = logging.getLogger(__name__)

MOST_ANSWERS = 100
"""Whole answers that are heard or wait, on one worker."""

LONGEST_WAIT_S = 150.0
"""For a process that hears a whole answer."""

ATTEMPTS = 2
"""For a whole answer whose process dies or does not answer."""

LIVE = Deadlines(wait=5.0)
WHOLE = Deadlines(wait=LONGEST_WAIT_S, answer=40.0)


class Processes(Protocol):
    """Some processes of one recogniser. All raise `ProviderUnavailable`."""

    def utterance(self) -> AbstractAsyncContextManager[Utterance]: ...

    async def transcribe(self, pcm: bytes) -> Recognised: ...

    async def close(self) -> None: ...


class _Silence:
    """Hears nothing, for lack of a process: the whole answer is heard later."""

    async def hear(self, pcm: bytes) -> str:
        return ""


class SharedRecogniser:
    """A `speech.interviews.transcription.Recogniser`.

    Args:
        live: hear hypotheses.
        whole: hear whole answers.
        processes: how many there are of each.
        longest_wait_s: for a process that hears a whole answer.
    """

    def __init__(
        self,
        live: Processes,
        whole: Processes,
        *,
        processes: int,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._live, self._whole = live, whole
        self._processes, self._free = processes, processes
        self._places = asyncio.Semaphore(processes)
        self._longest_wait_s = longest_wait_s
        self._answers = 0

    @classmethod
    def of(cls, spec: RecogniserSpec, *, processes: int) -> "SharedRecogniser":
        """With so many processes for hypotheses, and as many again for whole answers."""
        return cls(
            RecogniserPool(spec, processes=processes, deadlines=LIVE),
            RecogniserPool(spec, processes=processes, deadlines=WHOLE),
            processes=processes,
        )

    @contextlib.asynccontextmanager
    async def utterance(self) -> AsyncIterator[Utterance]:
        """Hypotheses, if there is a process for them and no answer waits for one; else none."""
        if self._free == 0 or self._answers > self._processes:
            yield _Silence()
            return
        self._free -= 1
        try:
            async with self._live.utterance() as utterance:
                yield utterance
        finally:
            self._free += 1

    async def transcribe(self, pcm: bytes) -> Recognised:
        """A whole answer, as soon as a process is free for it.

        Raises:
            ProviderUnavailable: too many wait, it waited too long, or `ATTEMPTS` failed.
        """
        if self._answers >= MOST_ANSWERS:
            raise ProviderUnavailable("too many answers wait to be heard")
        self._answers += 1
        try:
            async with self._place():
                return await self._hear(pcm)
        finally:
            self._answers -= 1

    async def close(self) -> None:
        """End every process."""
        await self._live.close()
        await self._whole.close()

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._places.acquire()
        except TimeoutError:
            raise ProviderUnavailable("every recogniser is busy; try again") from None
        try:
            yield
        finally:
            self._places.release()

    async def _hear(self, pcm: bytes) -> Recognised:
        for left in reversed(range(ATTEMPTS)):
            try:
                return await self._whole.transcribe(pcm)
            except ProviderUnavailable as error:
                if not left:
                    raise
                log.warning("an answer is heard again: %s", error)
        raise AssertionError("unreachable")
