"""Speech recognition in processes of its own.

A recogniser has a bounded number of processes, each with one model and one utterance at a
time. Who comes while all are busy waits, but not for ever; a process that dies or does not
answer in time is replaced, and the utterance it held is refused with `ProviderUnavailable`.
"""

import asyncio
import contextlib
import enum
import importlib.util
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import duration_ms
from speech.audio.voice import RATE_HZ
from speech.engines.recognition_process import RecognitionProcess
from speech.engines.recognition_wire import (
    Begin,
    Finish,
    Forget,
    Hear,
    Heard,
    Recognised,
    Transcribe,
    Word,
)

__all__ = [
    "Engine",
    "Recognised",
    "Recogniser",
    "RecogniserPool",
    "RecogniserSpec",
    "Utterance",
    "Word",
]

LONGEST_UTTERANCE_S = 300
"""A whole utterance that is handed over at once may last so long."""


class Engine(enum.Enum):
    POCKETSPHINX = "pocketsphinx"
    VOSK = "vosk"
    FASTER_WHISPER = "faster-whisper"
    SHERPA_ONNX = "sherpa-onnx"


_NEEDED = {
    Engine.VOSK: ("am/final.mdl", "conf/mfcc.conf"),
    Engine.FASTER_WHISPER: ("model.bin", "config.json"),
    Engine.SHERPA_ONNX: ("tokens.txt", "encoder*.onnx", "decoder*.onnx", "joiner*.onnx"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserSpec:
    """Which model recognises, and where it lies."""

    engine: Engine = Engine.POCKETSPHINX
    model_path: Path | None = None
    """The folder of the model; pocketsphinx brings its own."""
    language: str = "en"

    def check(self) -> None:
        """Make sure that everything is there, before a process is started for it.

        Raises:
            ProviderUnavailable: says what is missing.
        """
        package = self.engine.value.replace("-", "_")
        if importlib.util.find_spec(package) is None:
            raise ProviderUnavailable(
                f"the recogniser {self.engine.value} needs its package, which is not installed"
            )
        if self.engine is Engine.POCKETSPHINX:
            if self.language.partition("-")[0].lower() != "en":
                raise ProviderUnavailable(
                    "pocketsphinx ships with English only; another language needs another model"
                )
            return
        if self.model_path is None or not self.model_path.is_dir():
            raise ProviderUnavailable(
                f"the recogniser {self.engine.value} needs the path of a model folder"
            )
        for pattern in _NEEDED[self.engine]:
            if not any(self.model_path.glob(pattern)):
                raise ProviderUnavailable(
                    f"the model folder of the recogniser {self.engine.value} has no {pattern}"
                )


class Utterance(Protocol):
    """One utterance that is being recognised while it is spoken."""

    async def hear(self, pcm: bytes) -> str:
        """Take more sound (16 kHz s16le, whole samples).

        Returns: the hypothesis so far; every word of it may be revised later.

        Raises:
            ProviderUnavailable: the process died, or took too long.
        """

    async def finish(self) -> Recognised:
        """The result. Nothing may be heard afterwards; raises as `hear` does."""


class Recogniser(Protocol):
    def utterance(self, voice: str | None = None) -> AbstractAsyncContextManager[Utterance]:
        """Begin an utterance; leaving it without `Utterance.finish` forgets it.

        Args:
            voice: `Recognised.voice` of an earlier utterance of the same speaker.

        Raises:
            ProviderUnavailable: every process stayed busy, or none could be started.
        """

    async def transcribe(self, pcm: bytes) -> Recognised:
        """A whole utterance (16 kHz s16le), more exactly than live. Raises as `utterance`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long each step may take, in seconds."""

    start: float = 30.0
    """Loading the model."""
    wait: float = 10.0
    """Waiting for a process that is not busy."""
    answer: float = 20.0
    """One answer; a whole utterance has its own length besides."""


class RecogniserPool:
    """A `Recogniser` of a bounded number of processes, started when they are first needed.

    Args:
        spec: the model.
        processes: most utterances that are recognised at the same time; each process takes
            about 100 MB with pocketsphinx.
    """

    def __init__(
        self,
        spec: RecogniserSpec,
        *,
        processes: int = 4,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._spec = spec
        self._deadlines = deadlines or Deadlines()
        self._places = asyncio.Semaphore(processes)
        self._processes = processes
        self._idle: list[RecognitionProcess] = []
        self._busy: set[RecognitionProcess] = set()

    async def start(self, count: int | None = None) -> None:
        """Start ``count`` processes (all, without one), so that nobody waits for a model.

        Raises:
            ProviderUnavailable: the model is not there, or does not load.
        """
        wanted = self._processes if count is None else min(count, self._processes)
        async with contextlib.AsyncExitStack() as held:
            for _ in range(wanted):
                await held.enter_async_context(self._worker())

    async def close(self) -> None:
        """End every process, also those that are busy."""
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            await worker.stop()

    @contextlib.asynccontextmanager
    async def utterance(self, voice: str | None = None) -> AsyncIterator[Utterance]:
        async with self._worker() as worker:
            await worker.ask(Begin(voice), Heard, self._deadlines.answer)
            live = _LiveUtterance(worker, self._deadlines.answer)
            try:
                yield live
            finally:
                if not live.finished and worker.alive:
                    # Only told, not awaited: who leaves early, leaves at once.
                    worker.tell(Forget())

    async def transcribe(self, pcm: bytes) -> Recognised:
        seconds = duration_ms(len(pcm), rate_hz=RATE_HZ) / 1000
        if seconds > LONGEST_UTTERANCE_S:
            raise ProviderUnavailable(f"an utterance may last {LONGEST_UTTERANCE_S} s")
        async with self._worker() as worker:
            deadline = self._deadlines.answer + seconds
            return await worker.ask(Transcribe(pcm), Recognised, deadline)

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[RecognitionProcess]:
        try:
            async with asyncio.timeout(self._deadlines.wait):
                await self._places.acquire()
        except TimeoutError:
            raise ProviderUnavailable("every recogniser is busy; try again") from None
        try:
            worker = await self._started()
            self._busy.add(worker)
            try:
                yield worker
            finally:
                self._busy.discard(worker)
                if worker.alive:
                    self._idle.append(worker)
                else:
                    await worker.stop()
        finally:
            self._places.release()

    async def _started(self) -> RecognitionProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.stop()
        spec = self._spec
        spec.check()
        arguments = (spec.engine.value, str(spec.model_path or ""), spec.language)
        return await RecognitionProcess.start(*arguments, deadline_s=self._deadlines.start)


class _LiveUtterance:
    """An `Utterance` in one process."""

    def __init__(self, worker: RecognitionProcess, deadline_s: float) -> None:
        self._worker = worker
        self._deadline_s = deadline_s
        self.finished = False

    async def hear(self, pcm: bytes) -> str:
        return (await self._worker.ask(Hear(pcm), Heard, self._deadline_s)).text

    async def finish(self) -> Recognised:
        self.finished = True
        return await self._worker.ask(Finish(), Recognised, self._deadline_s)
