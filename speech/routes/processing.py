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
from typing import Protocol

from msgspec import UNSET

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import AppError, ProviderUnavailable, public_face
from speech.engines.diariser import Diariser
from speech.routes.configuration import PipelineConfig
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
from speech.routes.work_events import (
    ProcessingFailed,
    Report,
    ReportActivity,
    ReportFailure,
    ReportTranscription,
    Transcription,
    VoiceActivity,
)
from speech.routes.work_store import Stored, Tenure, WorkStore

log = logging.getLogger(__name__)

IDLE_LOOK_S = 1.0
"""Between two looks into the store when nobody has rung."""

MOST_UTTERANCES = 16
"""That may wait to be put into words before no more sound is taken."""

MOST_BLOCKS = 64
"""Of an utterance that goes on, waiting for the recogniser."""


class Reporter(Protocol):
    """The way to the server."""

    def tell(self, report: Report) -> None:
        """Report if there is a connection now; what comes too late is of no use."""

    async def deliver(self, report: Report) -> None:
        """Report, again and again until it has been taken.

        Raises:
            LostTenure: the server knows of a newer tenure.
        """


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
class _Preview:
    """Interim texts of the utterance that goes on."""

    start_ms: int
    task: "asyncio.Task[None]"
    blocks: "asyncio.Queue[tuple[int, int, bytes]]"
    """Chunk number, end of the sound so far, and the sound."""
    has_spoken: bool = False


@dataclass(slots=True)
class StreamWork:
    """Works on one stream until it is finished, or until this task is cancelled."""

    tenure: Tenure
    tools: Tools
    rung: asyncio.Event
    """Set by whoever hears that there is a chunk."""
    _last: int | None = None
    _preview: _Preview | None = None
    _told_missing: set[str] = field(default_factory=set)

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
        utterances: asyncio.Queue[tuple[int, Utterance, bool] | None] = asyncio.Queue(
            MOST_UTTERANCES
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._put_into_words(utterances))
            try:
                await self._listen(pipeline, utterances, group)
            finally:
                await self._drop_preview()
            await utterances.put(None)
        await self._close(pipeline.sound_ms)

    async def _listen(
        self,
        pipeline: SoundPipeline,
        utterances: "asyncio.Queue[tuple[int, Utterance, bool] | None]",
        group: asyncio.TaskGroup,
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
                    await self._follow(happening, chunk, utterances, group)
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
            await self._follow(happening, last, utterances, group)

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
            await self._fail(chunk.seq, refusal, is_new=not chunk.is_done)
        except Exception as error:
            # A decoder may raise anything; one bad chunk must not end the stream.
            log.exception("a chunk could not be processed")
            await self._fail(chunk.seq, error, is_new=not chunk.is_done)
        return []

    async def _in_thread(self, work: Callable[[], list[Happening]]) -> list[Happening]:
        return await asyncio.get_running_loop().run_in_executor(self.tools.threads, work)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.rung.wait()

    # ------------------------------------------------------------------ what is heard

    async def _follow(
        self,
        happening: Happening,
        chunk: Stored,
        utterances: "asyncio.Queue[tuple[int, Utterance, bool] | None]",
        group: asyncio.TaskGroup,
    ) -> None:
        match happening:
            case SpeechBegan() | SpeechEnded() | LongSilence():
                if not chunk.is_done:
                    self._tell_activity(happening)
            case Speaking():
                if not chunk.is_done:
                    self._speak_on(happening, chunk.seq, group)
            case Utterance():
                had_preview = await self._drop_preview()
                if happening.end_ms > self.tenure.text_ms:
                    await utterances.put((chunk.seq, happening, had_preview))

    def _tell_activity(self, happening: SpeechBegan | SpeechEnded | LongSilence) -> None:
        silence = happening.silence_ms if isinstance(happening, LongSilence) else UNSET
        activity = VoiceActivity(
            session_id=self.tenure.session_id,
            speaking=isinstance(happening, SpeechBegan),
            at_ms=happening.at_ms,
            silence_ms=silence,
        )
        self.tools.reporter.tell(ReportActivity(**self._signed(), result=activity))

    def _speak_on(self, more: Speaking, seq: int, group: asyncio.TaskGroup) -> None:
        config = self.tools.config()
        if not (config.stt_enabled and config.interim):
            return
        if self._preview is None:
            blocks: asyncio.Queue[tuple[int, int, bytes]] = asyncio.Queue(MOST_BLOCKS)
            task = group.create_task(self._preview_words(more.start_ms, blocks, config))
            self._preview = _Preview(more.start_ms, task, blocks)
        if not self._preview.task.done():
            with contextlib.suppress(asyncio.QueueFull):
                self._preview.blocks.put_nowait((seq, more.end_ms, more.pcm))

    async def _preview_words(
        self,
        start_ms: int,
        blocks: "asyncio.Queue[tuple[int, int, bytes]]",
        config: PipelineConfig,
    ) -> None:
        """Interim texts for as long as a recogniser is free; the final one does without."""
        told = ""
        with contextlib.suppress(ProviderUnavailable):
            async with self.tools.recognisers.preview(config) as live:
                while True:
                    seq, end_ms, pcm = await blocks.get()
                    text = await live.hear(pcm)
                    if text and text != told and self._preview is not None:
                        told, self._preview.has_spoken = text, True
                        interim = self._text(seq, text, start_ms, end_ms, is_final=False)
                        self.tools.reporter.tell(interim)

    async def _drop_preview(self) -> bool:
        """End the interim texts; whether there were any."""
        preview, self._preview = self._preview, None
        if preview is None:
            return False
        preview.task.cancel()
        await asyncio.wait({preview.task})
        return preview.has_spoken

    # ------------------------------------------------------------------ words

    async def _put_into_words(
        self, utterances: "asyncio.Queue[tuple[int, Utterance, bool] | None]"
    ) -> None:
        while (item := await utterances.get()) is not None:
            seq, utterance, had_preview = item
            config = self.tools.config()
            if not config.stt_enabled:
                continue
            try:
                text = await self.tools.recognisers.transcribe(utterance.pcm, config)
            except ProviderUnavailable as refusal:
                await self._fail(seq, refusal, is_new=True)
                text = ""
            if text or had_preview:
                # Also an empty one: it takes interim texts back.
                final = self._text(seq, text, utterance.start_ms, utterance.end_ms, is_final=True)
                await self.tools.reporter.deliver(final)

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
            await self._fail(self._last or 0, refusal, is_new=True)
            return
        for text, speaker in speakers_of(texts, turns, offset_ms=self.tenure.offset_ms):
            named = self._text(
                int(text["seq"]),
                text["text"],
                int(text["startMs"]),
                int(text["endMs"]),
                is_final=True,
                speaker=speaker,
            )
            await tools.reporter.deliver(named)

    def _text(
        self,
        seq: int,
        text: str,
        start_ms: int,
        end_ms: int,
        *,
        is_final: bool,
        speaker: str | None = None,
    ) -> ReportTranscription:
        result = Transcription(
            session_id=self.tenure.session_id,
            seq=seq,
            text=text,
            is_final=is_final,
            start_ms=start_ms,
            end_ms=end_ms,
            speaker=speaker or UNSET,
        )
        return ReportTranscription(**self._signed(), result=result)

    async def _fail(self, seq: int, error: Exception, *, is_new: bool) -> None:
        """Tell the owner, once for each reason, what could not be done."""
        code, text = public_face(error)
        if not is_new or text in self._told_missing:
            return
        self._told_missing.add(text)
        failed = ProcessingFailed(
            session_id=self.tenure.session_id, seq=seq, code=code, error=text[:300]
        )
        await self.tools.reporter.deliver(ReportFailure(**self._signed(), result=failed))

    def _signed(self) -> dict[str, int]:
        return {"stream": self.tenure.number, "term": self.tenure.term}
