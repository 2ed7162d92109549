"""Builds what the local engine runs with, once a process."""

import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import openai

from speech.companion.passages import Library
from speech.companion.replies import LanguageModel, ReadingCompanion, Replies
from speech.companion.shelf import FOLDER
from speech.engines.detector import SileroDetector
from speech.engines.embeddings import MiniLM, load_minilm
from speech.engines.recogniser import RecogniserPool, RecogniserSpec
from speech.engines.speaker import EspeakSpeaker, PiperSpeaker, Speaker
from speech.realtime.connection import Engines


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What an operator may choose."""

    data_dir: Path
    recogniser: RecogniserSpec = field(default_factory=RecogniserSpec)
    recogniser_processes: int = 4
    voice_model: Path | None = None
    """A Piper voice; espeak-ng without one."""
    llm_base_url: str = ""
    """An OpenAI-compatible chat endpoint; the reading companion alone without one."""
    llm_model: str = ""
    llm_key: str = field(default="", repr=False)


def library(data_dir: Path) -> Library:
    """The books of a data folder.

    Raises:
        ProviderUnavailable: the embedding model is not installed.
    """
    return Library(data_dir / FOLDER, load_minilm(), model=MiniLM.name)


@contextlib.asynccontextmanager
async def running_engines(options: EngineOptions) -> AsyncIterator[Engines]:
    """The engines, warm; every process of theirs has ended when the block ends.

    Raises:
        ProviderUnavailable: something that is needed is missing; says what.
    """
    speaker: Speaker = PiperSpeaker(options.voice_model) if options.voice_model else EspeakSpeaker()
    speaker.check()
    SileroDetector()
    options.recogniser.check()
    pool = RecogniserPool(options.recogniser, processes=options.recogniser_processes)
    async with contextlib.AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="companion"))
        companion = ReadingCompanion(library(options.data_dir), threads)
        replies = await stack.enter_async_context(_replies(options, companion))
        stack.push_async_callback(pool.close)
        await pool.start()
        yield Engines(detector=SileroDetector, recogniser=pool, speaker=speaker, replies=replies)


@contextlib.asynccontextmanager
async def _replies(options: EngineOptions, companion: ReadingCompanion) -> AsyncIterator[Replies]:
    if not options.llm_base_url:
        yield companion
        return
    client = openai.AsyncOpenAI(
        base_url=options.llm_base_url, api_key=options.llm_key or "none", max_retries=0
    )
    async with client:
        yield LanguageModel(client, options.llm_model or "default", companion)
