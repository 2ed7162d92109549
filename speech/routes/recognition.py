"""The recognisers of one processing worker: a pool for each engine and language that the
configuration has asked for, and never more processes of each than the settings allow."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import RecogniserPool, Utterance
from speech.routes.conf import ProcessingSettings
from speech.routes.configuration import PipelineConfig

log = logging.getLogger(__name__)

ATTEMPTS = 6
"""For one utterance; the pool itself waits ten seconds for a free process."""


@dataclass(slots=True)
class _Pool:
    pool: RecogniserPool
    previews: asyncio.Semaphore
    """Live utterances. One process is left to those that are over, for their text is final."""


@dataclass(slots=True)
class Recognisers:
    """Recognises utterances; `close` ends every process."""

    settings: ProcessingSettings
    _pools: dict[tuple[str, str], _Pool] = field(default_factory=dict)

    async def transcribe(self, pcm: bytes, config: PipelineConfig) -> str:
        """The words of a whole utterance, 16 kHz s16le.

        Raises:
            ProviderUnavailable: the engine is not there, or failed again and again.
        """
        pool = self._pool(config)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return (await pool.pool.transcribe(pcm)).text
            except ProviderUnavailable:
                self.settings.spec(config.provider, config.language).check()
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError

    @contextlib.asynccontextmanager
    async def preview(self, config: PipelineConfig) -> AsyncIterator[Utterance]:
        """An utterance that goes on, for interim texts.

        Raises:
            ProviderUnavailable: no process is free now.
        """
        pool = self._pool(config)
        if pool.previews.locked():
            raise ProviderUnavailable("every recogniser is busy")
        async with pool.previews, pool.pool.utterance() as live:
            yield live

    async def close(self) -> None:
        for each in self._pools.values():
            await each.pool.close()
        self._pools.clear()

    def _pool(self, config: PipelineConfig) -> _Pool:
        key = (config.provider, config.language)
        known = self._pools.get(key)
        if known is None:
            spec = self.settings.spec(*key)
            spec.check()
            processes = self.settings.processes
            known = self._pools[key] = _Pool(
                RecogniserPool(spec, processes=processes), asyncio.Semaphore(processes - 1)
            )
        return known
