"""Puts the turns of one session into words while they are being spoken."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import byte_count
from speech.audio.voice import RATE_HZ
from speech.engines.recogniser import Recognised, Recogniser, Utterance
from speech.realtime.events import TranscriptCompleted, TranscriptDelta, TranscriptFailed
from speech.realtime.listening import Turn
from speech.realtime.outbox import Outbox
from speech.realtime.partials import SettledText
from speech.realtime.refusals import error_detail

MAX_TURNS = 4
"""Turns of one session that may be in recognition at the same time."""

STEP_BYTES = byte_count(200, rate_hz=RATE_HZ)
"""Recognised at once. More would mean fewer hypotheses, and a longer wait for each."""

Then = Callable[[str], Awaitable[None]]
"""What to do with the words of a turn."""


@dataclass(slots=True, eq=False)
class _Heard:
    """A turn in recognition."""

    turn: Turn
    shown: bool
    """Whether the client wants to see the words."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """There is new sound, or the turn has ended."""
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has been told that the turn is complete."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Its words are known, or never will be."""
    then: Then | None = None


class Hearing:
    """Recognises every turn it is given, each in a task of its own.

    Args:
        tasks: owns those tasks.
    """

    def __init__(self, recogniser: Recogniser, *, outbox: Outbox, tasks: asyncio.TaskGroup) -> None:
        self._recogniser = recogniser
        self._outbox = outbox
        self._tasks = tasks
        self._places = asyncio.Semaphore(MAX_TURNS)
        self._heard: dict[Turn, _Heard] = {}
        self._voice: str | None = None

    async def begin(self, turn: Turn, *, shown: bool) -> None:
        """Start to recognise a turn; waits while `MAX_TURNS` are being recognised."""
        if turn not in self._heard:
            await self._places.acquire()
            self._heard[turn] = heard = _Heard(turn, shown)
            self._tasks.create_task(self._recognise(heard))

    def notice(self) -> None:
        """There is new sound, or a turn has ended or was dropped."""
        for heard in self._heard.values():
            heard.news.set()

    def commit(self, turn: Turn, then: Then | None) -> None:
        """The client knows that the turn is complete, and may now be told its words.

        Args:
            then: runs in the turn's task when the words are known; not if that failed.
        """
        if heard := self._heard.get(turn):
            heard.then = then
            heard.committed.set()
            heard.news.set()

    async def settled(self) -> None:
        """Wait until the words of every turn that is complete are known, or cannot be."""
        for heard in list(self._heard.values()):
            if heard.committed.is_set():
                await heard.done.wait()

    async def _recognise(self, heard: _Heard) -> None:
        try:
            recognised = await self._words(heard)
            if not heard.turn.dropped:
                await heard.committed.wait()
                await self._tell(heard, recognised)
        except ProviderUnavailable as error:
            await heard.committed.wait()
            detail = error_detail(error, event_id=None)
            await self._outbox.put(TranscriptFailed(item_id=heard.turn.item_id, error=detail))
        finally:
            heard.done.set()
            del self._heard[heard.turn]
            self._places.release()

    async def _tell(self, heard: _Heard, recognised: Recognised) -> None:
        if heard.shown:
            usage = {"type": "duration", "seconds": round(heard.turn.seconds, 2)}
            await self._outbox.put(
                TranscriptCompleted(
                    item_id=heard.turn.item_id, transcript=recognised.text, usage=usage
                )
            )
        if heard.then is not None:
            await heard.then(recognised.text)

    async def _words(self, heard: _Heard) -> Recognised:
        try:
            recognised = await self._live(heard)
        except ProviderUnavailable:
            # The sound is still here, so another process can have it.
            await _until_ended(heard)
            if heard.turn.dropped:
                return Recognised("")
            return await self._recogniser.transcribe(bytes(heard.turn.heard))
        self._voice = recognised.voice or self._voice
        return recognised

    async def _live(self, heard: _Heard) -> Recognised:
        settled = SettledText()
        async with self._recogniser.utterance(self._voice) as utterance:
            while not heard.turn.ended or heard.turn.new:
                await self._hear_new(heard, utterance, settled)
            return Recognised("") if heard.turn.dropped else await utterance.finish()

    async def _hear_new(self, heard: _Heard, utterance: Utterance, settled: SettledText) -> None:
        if not heard.turn.new:
            await heard.news.wait()
            heard.news.clear()
        if pcm := heard.turn.take(STEP_BYTES):
            delta = settled.feed(await utterance.hear(pcm))
            if delta and heard.shown and not heard.turn.dropped:
                await self._outbox.put(TranscriptDelta(item_id=heard.turn.item_id, delta=delta))


async def _until_ended(heard: _Heard) -> None:
    while not heard.turn.ended or heard.turn.new:
        heard.turn.take()
        if not heard.turn.ended:
            await heard.news.wait()
            heard.news.clear()
