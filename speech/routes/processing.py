"""One stream in the hands of a worker, from its first chunk to its last word.

Chunks are read from the store in the order of their numbers. Decoding and voice detection run in
a thread, recognition in processes; an utterance is put into words while the next one is heard.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import AppError, ProviderUnavailable
from speech.engines.diariser import Diariser
from speech.routes.configuration import PipelineConfig
from speech.routes.interim_texts import InterimTexts
from speech.routes.ordering import Wait, decide
from speech.routes.pipeline import (
    Happening,
    LongSilence,
    MakeDetector,
    SoundPipeline,
    Speaking,
    SpeechBegan,
    SpeechEnded,
    Utterance,
)
from speech.routes.recognition import Recognisers
from speech.routes.recordings import Recordings, speakers_of
from speech.routes.work_reports import Reporter, StreamReports
from speech.routes.work_store import Stored, Tenure, WorkStore

log = logging.getLogger(__name__)

Utterances = asyncio.Queue[tuple[int, Utterance, bool] | None]
"""To be put into words: the chunk that completed each, and whether interim texts were told of it.
None: there are no more."""

IDLE_LOOK_S = 1.0
"""Between two looks into the store when nobody has rung."""

MOST_UTTERANCES = 16
"""That may wait to be put into words before no more sound is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all streams of one worker share."""

    store: WorkStore
    reporter: Reporter
    recognisers: Recognisers
    recordings: Recordings
    diariser: Diariser
    make_detector: MakeDetector
    threads: Executor
    config: Callable[[], PipelineConfig]
    """As it is now."""
    clock: Clock


@dataclass(slots=True)
class StreamWork:
    """Works on one stream until it is finished, or until this task is cancelled."""

    tenure: Tenure
    tools: Tools
    rung: asyncio.Event
    """Set by whoever hears that there is a chunk."""
    _last: int | None = None
    _reports: StreamReports = field(init=False)

    def __post_init__(self) -> None:
        self._reports = StreamReports(self.tenure, self.tools.reporter)

    async def run(self) -> None:
        """Do everything there is to do.

        Raises:
            LostTenure: another worker has taken the stream over.
            StoreUnavailable: the store is away; what was not marked as done will be done again.
        """
        tools = self.tools
        pipeline = SoundPipeline(
            tools.make_detector, tools.config(), offset_ms=self.tenure.offset_ms
        )
        utterances: Utterances = asyncio.Queue(MOST_UTTERANCES)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._put_into_words(utterances))
            interim = InterimTexts(self._reports, tools.recognisers, group)
            try:
                await self._listen(pipeline, utterances, interim)
            finally:
                await interim.end()
            await utterances.put(None)
        await self._close(pipeline.sound_ms)

    async def _listen(
        self, pipeline: SoundPipeline, utterances: Utterances, interim: InterimTexts
    ) -> None:
        store, now = self.tools.store, self.tools.clock
        while True:
            self.rung.clear()
            # Asked first, looked second: a chunk that comes in between belongs to an open stream.
            is_over = await store.is_over(self.tenure, now_ms=now())
            chunks = await store.next_chunks(self.tenure, after=self._last)
            taken: list[Stored] = []
            wait_s = IDLE_LOOK_S
            for chunk in chunks:
                decision = decide(
                    chunk.seq,
                    last=self._last,
                    came_at_ms=chunk.at_ms,
                    now_ms=now(),
                    is_closed=is_over,
                )
                if isinstance(decision, Wait):
                    wait_s = decision.ms / 1000
                    break
                for happening in await self._hear(pipeline, chunk, decision.missing):
                    await self._follow(happening, chunk, utterances, interim)
                self._last = chunk.seq
                taken.append(chunk)
            if taken:
                await store.done(self.tenure, taken, sound_ms=pipeline.sound_ms)
            elif is_over and not chunks and await store.seal(self.tenure):
                break
            elif not taken:
                await self._wait(wait_s)
        last = Stored(self._last or 0, "", b"", 0, False)
        for happening in await self._in_thread(pipeline.finish):
            await self._follow(happening, last, utterances, interim)

    async def _hear(
        self, pipeline: SoundPipeline, chunk: Stored, missing: int
    ) -> Sequence[Happening]:
        pipeline.retune(self.tools.config())

        def hear() -> list[Happening]:
            found = pipeline.lost(missing) if missing else []
            return found + pipeline.hear(chunk.sound, chunk.mime_type)

        try:
            return await self._in_thread(hear)
        except AppError as refusal:
            await self._fail(chunk, refusal)
        except Exception as error:
            # A decoder may raise anything; one bad chunk must not end the stream.
            log.exception("a chunk could not be processed")
            await self._fail(chunk, error)
        return []

    async def _fail(self, chunk: Stored, error: Exception) -> None:
        # What a worker before us was done with, it has told of as well.
        if not chunk.is_done:
            await self._reports.failure(chunk.seq, error)

    async def _in_thread(self, work: Callable[[], list[Happening]]) -> list[Happening]:
        return await asyncio.get_running_loop().run_in_executor(self.tools.threads, work)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.rung.wait()

    async def _follow(
        self, happening: Happening, chunk: Stored, utterances: Utterances, interim: InterimTexts
    ) -> None:
        match happening:
            case SpeechBegan() | SpeechEnded() | LongSilence():
                if not chunk.is_done:
                    self._reports.activity(happening)
            case Speaking():
                if not chunk.is_done:
                    interim.hear(happening, seq=chunk.seq, config=self.tools.config())
            case Utterance():
                had_interim = await interim.end()
                if happening.end_ms > self.tenure.text_ms:
                    await utterances.put((chunk.seq, happening, had_interim))

    async def _put_into_words(self, utterances: Utterances) -> None:
        while (item := await utterances.get()) is not None:
            seq, utterance, had_interim = item
            config = self.tools.config()
            if not config.stt_enabled:
                continue
            try:
                text = await self.tools.recognisers.transcribe(utterance.pcm, config)
            except ProviderUnavailable as refusal:
                await self._reports.failure(seq, refusal)
                text = ""
            if text or had_interim:
                # Also an empty one: it takes interim texts back.
                await self._reports.final(
                    seq, text, start_ms=utterance.start_ms, end_ms=utterance.end_ms
                )

    async def _close(self, sound_ms: int) -> None:
        """Name the speakers, keep the recording, and be done with the stream."""
        tools, config = self.tools, self.tools.config()
        if config.diarize:
            await self._name_speakers(config)
        if self.tenure.recorded:
            await tools.recordings.keep(self.tenure, tools.store, tools.threads, config)
        late = await tools.store.late(self.tenure, after=self._last)
        await tools.store.finish(self.tenure, late=late, sound_ms=sound_ms)

    async def _name_speakers(self, config: PipelineConfig) -> None:
        """Tell the final texts again with who spoke. Without a model nobody is named."""
        tools = self.tools
        texts = await tools.store.texts(self.tenure)
        if not texts:
            return
        try:
            pcm = await tools.recordings.sound(self.tenure, tools.store, tools.threads, config)
            turns = await tools.diariser.diarise(
                pcm, min_speakers=config.min_speakers, max_speakers=config.max_speakers
            )
        except ProviderUnavailable as refusal:
            await self._reports.failure(self._last or 0, refusal)
            return
        for text, speaker in speakers_of(texts, turns, offset_ms=self.tenure.offset_ms):
            await self._reports.final(
                int(text["seq"]),
                text["text"],
                start_ms=int(text["startMs"]),
                end_ms=int(text["endMs"]),
                speaker=speaker,
            )
