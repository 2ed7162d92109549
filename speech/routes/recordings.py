"""The sound of finished streams: decoded once more from its chunks, and kept if the configuration
said so when the stream began. Recordings are WAV files in GridFS, where every host finds them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from readrealm.kernel.errors import AppError, ProviderUnavailable, StoreUnavailable
from speech.audio.containers import StreamDecoder
from speech.audio.pcm import SAMPLE_BYTES, from_samples
from speech.audio.voice import RATE_HZ
from speech.engines.diariser import LONGEST_S, SpeakerTurn
from speech.routes.configuration import PipelineConfig
from speech.routes.database import Document
from speech.routes.pipeline import raw_track
from speech.routes.recording_files import BUCKET, wav_header
from speech.routes.work_store import Stored, Tenure, WorkStore


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings of one database."""

    database: AsyncDatabase[Document]

    async def keep(
        self, tenure: Tenure, store: WorkStore, threads: Executor, config: PipelineConfig
    ) -> None:
        """Keep the sound of a stream; one that is there is replaced.

        Raises:
            StoreUnavailable: it could not be kept.
        """
        bucket = AsyncGridFSBucket(self.database, bucket_name=BUCKET)
        try:
            try:
                await bucket.delete(tenure.key)
            except NoFile:
                # An upload that was broken off has parts, but no file.
                await self.database[f"{BUCKET}.chunks"].delete_many({"files_id": tenure.key})
            async with bucket.open_upload_stream_with_id(
                tenure.key,
                f"{tenure.session_id}-{tenure.number}.wav",
                metadata={"session": tenure.session_id, "stream": tenure.number},
            ) as file:
                await file.write(wav_header())
                async for pcm in decoded(tenure, store, threads, config):
                    await file.write(pcm)
        except PyMongoError:
            raise StoreUnavailable from None

    async def sound(
        self, tenure: Tenure, store: WorkStore, threads: Executor, config: PipelineConfig
    ) -> bytes:
        """The sound of a stream, 16 kHz s16le.

        Raises:
            ProviderUnavailable: it is too long to tell its speakers apart.
        """
        parts = bytearray()
        async for pcm in decoded(tenure, store, threads, config):
            parts += pcm
            if len(parts) > LONGEST_S * RATE_HZ * SAMPLE_BYTES:
                raise ProviderUnavailable(f"speakers are told apart in at most {LONGEST_S} s")
        return bytes(parts)


async def decoded(
    tenure: Tenure, store: WorkStore, threads: Executor, config: PipelineConfig
) -> AsyncIterator[bytes]:
    """The sound of all chunks in order, 16 kHz s16le; holes are silent, damage is left out."""
    stream = _Stream(config)
    loop = asyncio.get_running_loop()
    async for chunk in store.every_chunk(tenure):
        yield await loop.run_in_executor(threads, stream.feed, chunk)
    yield await loop.run_in_executor(threads, stream.finish)


class _Stream:
    """Decodes the chunks of one stream; a container may begin anew where the last one broke."""

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._decoder: StreamDecoder | None = None
        self._last: int | None = None

    def feed(self, chunk: Stored) -> bytes:
        pcm = b""
        try:
            if self._decoder is None:
                raw = raw_track(chunk.mime_type, self._config.raw_rate_hz)
                self._decoder = StreamDecoder(raw=raw)
            elif self._last is not None and chunk.seq > self._last + 1:
                missing = chunk.seq - self._last - 1
                pcm = from_samples(self._decoder.lost(missing * self._config.chunk_ms))
            pcm += from_samples(self._decoder.feed(chunk.sound))
        except AppError:
            self._decoder = None
        self._last = chunk.seq
        return pcm

    def finish(self) -> bytes:
        return from_samples(self._decoder.finish()) if self._decoder else b""


def speakers_of(
    texts: Iterable[Mapping[str, Any]], turns: Iterable[SpeakerTurn], *, offset_ms: int
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each text with the voice that it overlaps with most; texts without one are left out."""
    known = list(turns)
    for text in texts:
        shares: dict[int, float] = {}
        start_s = (text["startMs"] - offset_ms) / 1000
        end_s = (text["endMs"] - offset_ms) / 1000
        for turn in known:
            shared_s = min(end_s, turn.end_s) - max(start_s, turn.start_s)
            if shared_s > 0:
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + shared_s
        if shares:
            yield text, f"speaker_{max(shares, key=lambda speaker: shares[speaker])}"
