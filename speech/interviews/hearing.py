"""What is heard in an interview, from its ear to its rules: voice, words, and the end of a turn.

Runs no task of its own; `runner` owns the ear's.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from readrealm.kernel.errors import AppError
from speech.interviews import announcements
from speech.interviews.contract import InterviewContract
from speech.interviews.crew import Crew, Done
from speech.interviews.effects import Effects, Transcribe
from speech.interviews.interview import Interview
from speech.interviews.microphone import Chunk
from speech.interviews.state import Step
from speech.interviews.timeline import Span
from speech.interviews.transcription import Final, Hearing, Partial

log = logging.getLogger(__name__)

SETTLE_S = 8.0
"""How long a command that ends a turn waits for the sound that came before it."""

Act = Callable[[Callable[[int], Effects]], Coroutine[Any, Any, None]]
"""Does something to the interview, at a moment, and what it then wants done."""


class InterviewHearing:
    """The listener of one interview's ear.

    Args:
        container: what the sound was in on another worker; empty for raw samples and for none.
        tell: tells the reader, if somebody is there.
    """

    def __init__(
        self,
        interview: Interview,
        *,
        crew: Crew,
        container: str,
        act: Act,
        tell: Callable[[InterviewContract], Coroutine[Any, Any, None]],
    ) -> None:
        self._interview, self._time = interview, crew.time
        self._act, self._tell = act, tell
        self.ear = crew.ear(self, interview.state.session_id, container)
        self._listening_to: int | None = None
        turn = interview.state.turn
        self._heard_elsewhere = (turn.number, turn.recogniser.text) if turn else (0, "")

    # ------------------------------------------------------------------ told by the runner

    def listen(self, payload: bytes, rate_hz: int) -> None:
        """Microphone audio, at any time.

        Raises:
            RateLimited: it comes faster than it can be heard.
            UnsupportedMedia: this stream was refused.
        """
        self.ear.take(Chunk(payload, rate_hz, self._time.now_ms()))

    def resume(self) -> None:
        """Another worker has heard the turn so far."""
        state = self._interview.state
        turn = state.turn if state.awaits(Step.TRANSCRIBE) else state.open_turn
        if turn is not None:
            self._listening_to = turn.number
            self.ear.resume_turn(turn.number)

    def follow(self, effects: Effects) -> None:
        """Listen to the turn of the reader, and to nothing else.

        Args:
            effects: what the interview wants done now.
        """
        turn = self._interview.state.open_turn
        number = turn.number if turn else None
        if number == self._listening_to:
            return
        self._listening_to = number
        if number is not None:
            self.ear.begin_turn(number)
        elif not any(isinstance(effect, Transcribe) for effect in effects):
            self.ear.forget_turn()

    async def settle(self) -> None:
        """Come back when the sound of the turn so far is heard, or `SETTLE_S` have passed."""
        if self._interview.state.open_turn is None:
            return
        try:
            async with asyncio.timeout(SETTLE_S):
                await self.ear.settle()
        except TimeoutError:
            session_id = self._interview.state.session_id
            log.warning("interview %s: the end of a turn was not heard in time", session_id)

    async def hear_again(self, effect: Transcribe) -> Done:
        """The turn as a whole; what then to tell the interview."""
        heard = await self.ear.end_turn()
        said = list(heard.hearings)
        if not heard.is_whole:
            said = [self._with_what_was_heard(hearing) for hearing in said]
        procedure = self._interview.procedure
        return lambda now_ms: procedure.transcribed(
            effect.job,
            said,
            now_ms,
            by=heard.by,
            speech=heard.speech,
            is_whole=heard.is_whole,
        )

    # ------------------------------------------------------------------ told by the ear

    async def speech_heard(self, speech: Sequence[Span]) -> None:
        await self._act(lambda now_ms: self._interview.hear(speech, now_ms))

    async def words_heard(self, hearings: Sequence[Hearing], by: str) -> None:
        said = [self._with_what_was_heard(hearing) for hearing in hearings]
        await self._act(lambda now_ms: self._interview.recognise(said, now_ms, by=by))

    async def media_refused(self) -> None:
        await self._act(self._interview.refuse_media)

    async def chunk_refused(self, error: AppError) -> None:
        await self._tell(announcements.refusal(error, event="audio_chunk"))

    def _with_what_was_heard(self, hearing: Hearing) -> Hearing:
        """Behind the words that were heard on another worker, whose sound is not here."""
        turn = self._interview.state.turn
        number, text = self._heard_elsewhere
        if turn is None or turn.number != number or not text:
            return hearing
        if isinstance(hearing, Partial | Final):
            return type(hearing)(f"{text} {hearing.text}".strip())
        return hearing
