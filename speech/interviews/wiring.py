"""Builds interviews from stores, engines and settings; the only file of them that does."""

import asyncio
import logging
import secrets
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from pymongo.asynchronous.database import AsyncDatabase

from readrealm.kernel.clock import now_ms
from readrealm.kernel.errors import ProviderUnavailable
from readrealm.kernel.ratelimit import Rate
from readrealm.stores import mongo, redis
from readrealm.stores.allowance import Allowance
from speech.audio.containers import Container
from speech.engines.detector import SileroDetector
from speech.engines.recogniser import Engine, RecogniserSpec
from speech.engines.speaker import Speaker, local_speaker
from speech.interviews.catalogue import StoredBank
from speech.interviews.consumer import HANDOVER
from speech.interviews.crew import Crew, Judge, Phrasing
from speech.interviews.ear import Ear, Listener
from speech.interviews.hall import Hall, InterviewUpkeep
from speech.interviews.interview import Interview
from speech.interviews.judging import PooledJudge
from speech.interviews.live_store import LiveInterviews
from speech.interviews.microphone import Microphone
from speech.interviews.narration import Narrator
from speech.interviews.owners import Owner
from speech.interviews.pacing import Timekeeper, WallClock
from speech.interviews.phrasing import BankPhrasing, ModelPhrasing
from speech.interviews.recognition import SharedRecogniser
from speech.interviews.results import StoredResults, forget_before
from speech.interviews.runner import InterviewRunner
from speech.interviews.services import InterviewService
from speech.interviews.sound_keeping import NoSounds, Sounds
from speech.interviews.sound_store import ValkeySounds
from speech.interviews.state import Rules
from speech.interviews.transcription import CaptionTranscriber, RecogniserTranscriber, Transcriber

log = logging.getLogger(__name__)

STARTS = Rate(count=30, period_ms=60_000)
"""Interviews that one reader may begin."""

READINGS = Rate(count=20, period_ms=60_000)
"""Questions of one interview that are read aloud."""

LISTENING_THREADS = 2
SWITCH_S = 0.000_5
"""After which a thread that computes gives the interpreter to one that asks for it; 5 ms by
default, at each step of the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interviews:
    """Interviews on one event loop of one process."""

    service: InterviewService
    upkeep: InterviewUpkeep
    live: LiveInterviews
    narrator: Narrator


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What hears, judges and words."""

    transcriber: Callable[[], Transcriber]
    sounds: Sounds
    judge: Judge
    phrasing: Phrasing
    speaker: Speaker
    threads: ThreadPoolExecutor
    close: Callable[[], Awaitable[None]]


def build(
    *,
    database: AsyncDatabase[dict[str, Any]],
    layer: Any,
    equipment: Equipment,
    rules: Rules,
    time: Timekeeper | None = None,
    retention_days: int | None = None,
) -> Interviews:
    """Interviews for the running event loop; no store is asked yet."""
    live = LiveInterviews(database, holder=secrets.token_hex(8))
    time = time or WallClock(now_ms)
    results, bank, hall = StoredResults(), StoredBank(), Hall()

    def ear(listener: Listener, session_id: str, container: str) -> Ear:
        known = Container(container) if container else None
        return Ear(
            Microphone(SileroDetector, container=known),
            equipment.transcriber(),
            listener,
            threads=equipment.threads,
            sounds=equipment.sounds,
            session_id=session_id,
        )

    crew = Crew(
        time=time,
        snapshots=live,
        results=results,
        judge=equipment.judge,
        phrasing=equipment.phrasing,
        ear=ear,
    )

    def run(interview: Interview, owner: Owner, container: str) -> InterviewRunner:
        return InterviewRunner(interview, owner, crew=crew, container=container)

    async def summon(channel: str) -> None:
        await layer.send(channel, {"type": HANDOVER})

    async def forget_old() -> None:
        if retention_days is not None:
            await database_sync_to_async(forget_before)(timedelta(days=retention_days))

    service = InterviewService(
        live=live,
        banks=bank,
        readers=results,
        allowance=Allowance(STARTS, name="interviews"),
        hall=hall,
        rules=rules,
        clock=time.now_ms,
        run=run,
        summon=summon,
        pause=asyncio.sleep,
    )
    upkeep = InterviewUpkeep(
        hall=hall,
        orphans=live,
        adopt=service.adopt,
        forget_old=forget_old,
        close=equipment.close,
    )
    narrator = Narrator(
        live=live,
        speaker=equipment.speaker,
        allowance=Allowance(READINGS, name="interview-readings"),
    )
    return Interviews(service=service, upkeep=upkeep, live=live, narrator=narrator)


def build_from_settings() -> Interviews:
    """`build` with the stores and engines that Django's settings name."""
    # Threads that listen must not keep the event loop waiting for the interpreter.
    sys.setswitchinterval(SWITCH_S)
    rules = Rules(
        duration_limit_ms=settings.INTERVIEW_DURATION_S * 1000,
        silence_timeout_ms=settings.INTERVIEW_SILENCE_S * 1000,
        grace_ms=settings.INTERVIEW_GRACE_S * 1000,
        words_questions=settings.LLM_BASE_URL is not None,
        introduces=settings.INTERVIEW_INTRO_QUESTION,
    )
    return build(
        database=mongo.async_database(),
        layer=get_channel_layer(),
        equipment=_equipment(),
        rules=rules,
        retention_days=settings.INTERVIEW_RETENTION_DAYS,
    )


def _equipment() -> Equipment:
    listening = ThreadPoolExecutor(LISTENING_THREADS, thread_name_prefix="listen")
    judge = PooledJudge()
    recogniser = _recogniser()
    client: Any = None
    phrasing: Phrasing = BankPhrasing()
    if settings.LLM_BASE_URL is not None:
        import openai

        client = openai.AsyncOpenAI(
            base_url=settings.LLM_BASE_URL, api_key=settings.LLM_API_KEY or "none", max_retries=0
        )
        phrasing = ModelPhrasing(client, model=settings.LLM_MODEL, repeats=judge.repeats)

    def transcriber() -> Transcriber:
        if recogniser is None:
            return CaptionTranscriber()
        return RecogniserTranscriber(recogniser, name=settings.STT_ENGINE)

    async def close() -> None:
        if recogniser is not None:
            await recogniser.close()
        if client is not None:
            await client.close()
        listening.shutdown(wait=False, cancel_futures=True)
        judge.close()

    return Equipment(
        transcriber=transcriber,
        sounds=NoSounds() if recogniser is None else ValkeySounds(redis.client()),
        judge=judge,
        phrasing=phrasing,
        speaker=local_speaker(settings.TTS_MODEL_PATH),
        threads=listening,
        close=close,
    )


def _recogniser() -> SharedRecogniser | None:
    """None where only browsers hear, because that was chosen or nothing else is there."""
    if settings.INTERVIEW_STT == "captions":
        return None
    spec = RecogniserSpec(
        engine=Engine(settings.STT_ENGINE),
        model_path=settings.STT_MODEL_PATH,
        language=settings.STT_LANGUAGE,
    )
    try:
        spec.check()
    except ProviderUnavailable as error:
        log.warning("interviews are heard by browsers only: %s", error)
        return None
    return SharedRecogniser.of(spec, processes=settings.INTERVIEW_STT_PROCESSES)
