"""Interim texts: what somebody who is still speaking has said so far."""

import asyncio
import contextlib
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import Utterance
from speech.routes.configuration import PipelineConfig
from speech.routes.pipeline import Speaking
from speech.routes.work_reports import StreamReports

MOST_BLOCKS = 64
"""Of an utterance that goes on, waiting for the recogniser."""

Block = tuple[int, int, bytes]
"""Chunk number, end of the sound so far in milliseconds, and the sound."""


class Previews(Protocol):
    def preview(self, config: PipelineConfig) -> AbstractAsyncContextManager[Utterance]:
        """An utterance that goes on.

        Raises:
            ProviderUnavailable: no recogniser is free now.
        """


@dataclass(slots=True)
class _Ongoing:
    """The utterance that goes on."""

    task: "asyncio.Task[None]"
    blocks: "asyncio.Queue[Block]"
    has_text: bool = False


class InterimTexts:
    """Tells them for as long as a recogniser is free; the final text does without.

    Args:
        group: owns the task that listens.
    """

    def __init__(
        self, reports: StreamReports, recognisers: Previews, group: asyncio.TaskGroup
    ) -> None:
        self._reports, self._recognisers, self._group = reports, recognisers, group
        self._ongoing: _Ongoing | None = None

    def hear(self, more: Speaking, *, seq: int, config: PipelineConfig) -> None:
        """Take more sound of an utterance, the first of it or the next; never waits."""
        if not (config.stt_enabled and config.interim):
            return
        if self._ongoing is None:
            blocks: asyncio.Queue[Block] = asyncio.Queue(MOST_BLOCKS)
            task = self._group.create_task(self._recognise(more.start_ms, blocks, config))
            self._ongoing = _Ongoing(task, blocks)
        if not self._ongoing.task.done():
            with contextlib.suppress(asyncio.QueueFull):
                self._ongoing.blocks.put_nowait((seq, more.end_ms, more.pcm))

    async def end(self) -> bool:
        """The utterance is over, or nobody wants to hear of it; whether anything was told."""
        ongoing, self._ongoing = self._ongoing, None
        if ongoing is None:
            return False
        ongoing.task.cancel()
        await asyncio.wait({ongoing.task})
        return ongoing.has_text

    async def _recognise(
        self, start_ms: int, blocks: "asyncio.Queue[Block]", config: PipelineConfig
    ) -> None:
        told = ""
        with contextlib.suppress(ProviderUnavailable):
            async with self._recognisers.preview(config) as live:
                while True:
                    seq, end_ms, pcm = await blocks.get()
                    text = await live.hear(pcm)
                    if text and text != told and self._ongoing is not None:
                        told, self._ongoing.has_text = text, True
                        self._reports.interim(seq, text, start_ms=start_ms, end_ms=end_ms)
