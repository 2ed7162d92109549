"""Listens to one reader: chunks in order, voice at once, hypotheses while there is voice, and the
careful pass when the turn is over. Nothing here computes on the event loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from readrealm.kernel.errors import AppError, PayloadTooLarge, RateLimited, UnsupportedMedia
from speech.interviews.microphone import Chunk, Heard, Microphone
from speech.interviews.sound_keeping import SoundKeeper, Sounds
from speech.interviews.timeline import Span
from speech.interviews.transcription import BYTES_PER_MS, Failed, Final, Hearing, Transcriber

log = logging.getLogger(__name__)

WAITING = 100
"""Chunks that may wait; more are refused."""

MOST_ORDERS = 2 * WAITING
"""Chunks and whatever else there is to do; the rest is asked for by whoever waits for it."""

STEP_BYTES = 1_000 * BYTES_PER_MS
"""Most sound that a recogniser is given at once."""

LEAST_BYTES = 200 * BYTES_PER_MS
"""Least sound for which a recogniser is asked, for asking has its price."""

FOLLOW_END_S = 2.0
"""For a recogniser to let go of a turn."""

KEEP_S = 2.0
"""For the sound so far to be kept when the turn may go on elsewhere."""

T = TypeVar("T")


class Listener(Protocol):
    """Who wants to know what is heard."""

    async def speech_heard(self, speech: Sequence[Span]) -> None: ...

    async def words_heard(self, hearings: Sequence[Hearing], by: str) -> None: ...

    async def media_refused(self) -> None: ...

    async def chunk_refused(self, error: AppError) -> None: ...


@dataclass(frozen=True, slots=True)
class TurnHeard:
    """What a turn came to once its sound had ended."""

    speech: tuple[Span, ...]
    hearings: Sequence[Hearing]
    by: str
    is_whole: bool
    """Whether all of the turn was heard, also what came on another worker."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A turn whose sound has ended, before it is heard again."""

    speech: tuple[Span, ...]
    pieces: Sequence[bytes]
    is_whole: bool


class Ear:
    """The ear for one interview. `run` owns everything that waits.

    Args:
        threads: where decoding and voice detection run.
        sounds: where the sound of a turn is kept for other workers, under ``session_id``.
    """

    def __init__(
        self,
        microphone: Microphone,
        transcriber: Transcriber,
        listener: Listener,
        *,
        threads: Executor,
        sounds: Sounds,
        session_id: str,
    ) -> None:
        self._microphone, self._transcriber = microphone, transcriber
        self._listener, self._threads = listener, threads
        self._orders: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(MOST_ORDERS)
        self._chunks = 0
        self._is_listening = False
        self._has_captions = False
        self._follower: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._keeper = SoundKeeper(sounds, session_id, self._sound_from)
        self._is_whole = True
        self.is_deaf = False
        """Whether the stream can never be read."""

    @property
    def container(self) -> str:
        """What the sound is in; empty for raw samples and for none."""
        return self._microphone.container.value if self._microphone.container else ""

    # ------------------------------------------------------------------ orders, in order

    def take(self, chunk: Chunk) -> None:
        """Take the next chunk.

        Raises:
            RateLimited: too many are waiting.
            UnsupportedMedia: this stream was refused.
        """
        if self.is_deaf:
            raise UnsupportedMedia("this audio cannot be decoded; send 16 bit PCM")
        if self._chunks >= WAITING:
            raise RateLimited(retry_after_ms=1_000)
        self._chunks += 1
        self._orders.put_nowait(lambda: self._hear(chunk))

    def begin_turn(self, number: int) -> None:
        """Listen to what comes from now on."""
        self._has_captions = False
        self._orders.put_nowait(lambda: self._begin(number))

    def resume_turn(self, number: int) -> None:
        """Go on with a turn that another worker has heard so far, behind what it kept."""
        self._has_captions = False
        self._orders.put_nowait(lambda: self._resume(number))

    def captions_came(self) -> None:
        """The browser hears this turn itself: no recogniser has to."""
        self._has_captions = True
        self._keeper.end()
        self._news.set()

    def forget_turn(self) -> None:
        """The turn is over, and nothing of it is wanted."""
        self._orders.put_nowait(self._forget)

    async def end_turn(self) -> TurnHeard:
        """Hear all that has come, then the whole turn again with care."""
        done: asyncio.Future[_Sound] = asyncio.get_running_loop().create_future()
        self._orders.put_nowait(lambda: self._end(done))
        sound = await done
        # Not one of the orders: the next turn does not wait for a recogniser that takes its time.
        hearings = await self._hear_again(sound.pieces)
        return TurnHeard(sound.speech, hearings, self._transcriber.name, sound.is_whole)

    async def settle(self) -> None:
        """Come back when what has come so far is heard."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def tell() -> None:
            if not done.cancelled():
                done.set_result(None)

        self._orders.put_nowait(tell)
        await done

    async def keep_sound(self) -> None:
        """Come back when what has come so far can be heard elsewhere, or `KEEP_S` have passed."""
        try:
            async with asyncio.timeout(KEEP_S):
                await self.settle()
                await self._keeper.keep()
        except TimeoutError:
            log.warning("the end of what was said is not kept in time")

    async def forget_sound(self) -> None:
        """Nobody will go on with a turn of this interview."""
        await self._keeper.forget()

    async def run(self) -> None:
        """Do the orders until cancelled."""
        keeping = asyncio.create_task(self._keeper.run(), name="keep the sound of a turn")
        try:
            while True:
                order = await self._orders.get()
                try:
                    await order()
                except Exception:
                    log.exception("something that was heard is lost")
        finally:
            keeping.cancel()
            await self._stop_following()
            await self._transcriber.close()

    # ------------------------------------------------------------------ what is done

    async def _begin(self, number: int) -> None:
        await self._stop_following()
        await self._keeper.begin(number)
        await self._compute(self._microphone.begin_turn)
        self._is_listening = self._is_whole = True
        self._news.clear()

    async def _resume(self, number: int) -> None:
        sound = await self._keeper.resume(number)
        await self._compute(lambda: self._microphone.resume_turn(sound))
        self._is_listening, self._is_whole = True, bool(sound)
        self._news.clear()

    async def _hear(self, chunk: Chunk) -> None:
        self._chunks -= 1
        if self.is_deaf:
            return
        try:
            heard = await self._compute(lambda: self._microphone.feed(chunk))
        except PayloadTooLarge as error:
            await self._listener.chunk_refused(error)
            return
        except UnsupportedMedia:
            self.is_deaf = True
            await self._listener.media_refused()
            return
        if heard.speech:
            await self._listener.speech_heard(heard.speech)
        if self._is_listening:
            self._keeper.more()
            self._follow()

    async def _forget(self) -> None:
        self._is_listening = False
        await self._stop_following()
        await self._keeper.forget()
        await self._compute(self._microphone.take_pieces)

    async def _end(self, done: "asyncio.Future[_Sound]") -> None:
        self._is_listening = False
        await self._stop_following()
        heard: Heard = await self._compute(self._microphone.end_turn)
        await self._keeper.keep()
        self._keeper.end()
        pieces = await self._compute(self._microphone.take_pieces)
        if self._has_captions or self.is_deaf:
            pieces = []
        if not done.cancelled():
            done.set_result(_Sound(heard.speech, pieces, self._is_whole))

    async def _hear_again(self, pieces: Sequence[bytes]) -> Sequence[Hearing]:
        texts: list[str] = []
        for piece in pieces:
            hearings = await self._transcriber.end_turn(piece)
            if any(isinstance(hearing, Failed) for hearing in hearings):
                return hearings
            texts += [hearing.text for hearing in hearings if isinstance(hearing, Final)]
        return (Final(" ".join(texts)),) if texts else ()

    # ------------------------------------------------------------------ hypotheses

    def _follow(self) -> None:
        """Have a recogniser listen from the first voice on, unless the browser does."""
        self._news.set()
        if self._follower is None and not self._has_captions:
            start = self._microphone.voiced_from
            if start is not None:
                # Owned by `run`, which ends it.
                self._follower = asyncio.create_task(self._recognise(start), name="follow a turn")

    async def _recognise(self, at_byte: int) -> None:
        try:
            if not self._tell(await self._transcriber.begin_turn()):
                return
            while not self._has_captions:
                sound = self._microphone.sound_from(at_byte, most_bytes=STEP_BYTES)
                if len(sound) < LEAST_BYTES:
                    self._news.clear()
                    await self._news.wait()
                    continue
                at_byte += len(sound)
                if not self._tell(await self._transcriber.hear(sound)):
                    return
        except Exception:
            log.exception("a recogniser failed")
        finally:
            await self._transcriber.close()

    def _tell(self, hearings: Sequence[Hearing]) -> bool:
        """Have it told what was heard; whether the recogniser goes on.

        Not told from here: this task is cancelled when the turn ends, and telling must not be.
        """
        if hearings and not self._orders.full():
            by = self._transcriber.name
            self._orders.put_nowait(lambda: self._listener.words_heard(hearings, by))
        return not any(isinstance(hearing, Failed) for hearing in hearings)

    async def _stop_following(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.cancel()
            await asyncio.wait({follower}, timeout=FOLLOW_END_S)

    def _sound_from(self, byte: int, most_bytes: int) -> bytes:
        return self._microphone.sound_from(byte, most_bytes=most_bytes)

    async def _compute(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
