"""The recognisers of a worker as interviews share them.

Hypotheses and whole answers have processes of their own: a reader who speaks for minutes holds a
process for all of them, and nobody else's answer may wait for that.
"""

import contextlib
from collections.abc import AsyncIterator

from speech.engines.recogniser import Deadlines, Recognised, RecogniserPool, RecogniserSpec
from speech.interviews.transcription import Utterance

LIVE = Deadlines(wait=5.0)
WHOLE = Deadlines(wait=30.0)
"""Answers queue for a process, in the order in which they ended."""


class _Silence:
    """Hears nothing, for lack of a process: the whole answer is heard later."""

    async def hear(self, pcm: bytes) -> str:
        return ""


class SharedRecogniser:
    """A `speech.interviews.transcription.Recogniser`.

    Args:
        processes: for hypotheses, and as many again for whole answers.
    """

    def __init__(self, spec: RecogniserSpec, *, processes: int) -> None:
        self._live = RecogniserPool(spec, processes=processes, deadlines=LIVE)
        self._whole = RecogniserPool(spec, processes=processes, deadlines=WHOLE)
        self._free = processes

    @contextlib.asynccontextmanager
    async def utterance(self) -> AsyncIterator[Utterance]:
        """Hypotheses, as long as there is a process for them; none else."""
        if self._free == 0:
            yield _Silence()
            return
        self._free -= 1
        try:
            async with self._live.utterance() as utterance:
                yield utterance
        finally:
            self._free += 1

    async def transcribe(self, pcm: bytes) -> Recognised:
        return await self._whole.transcribe(pcm)

    async def close(self) -> None:
        """End every process."""
        await self._live.close()
        await self._whole.close()
