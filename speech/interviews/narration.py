"""Reads the current question of an interview aloud, for browsers without a voice of their own.

Only what was asked is read: who knows the id of an interview cannot have other words spoken.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.errors import ProviderUnavailable, SessionNotFound
from speech.audio.wav import wav_header
from speech.engines.speaker import RATE_HZ, Speaker
from speech.interviews.live_store import Snapshot
from speech.interviews.state import Phase

VOICE = "marin"
"""One of `speech.engines.speaker.VOICES`."""

PACE = 0.95
"""Somewhat slower than a book is read."""

LONGEST_S = 15.0
"""For a whole question to be spoken, waiting included."""


class Kept(Protocol):
    async def by_id(self, session_id: str) -> Snapshot | None:
        """Raises:
        StoreUnavailable: nobody knows.
        """


class Allowance(Protocol):
    async def spend(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrator:
    """Gives questions as sound."""

    live: Kept
    speaker: Speaker
    allowance: Allowance

    async def question(self, session_id: str, number: int, *, account: int | None) -> bytes:
        """The question that stands, as a WAV file.

        Args:
            number: of the question, as it was told; an earlier one is not read any more.
            account: who asks; None for a guest.

        Raises:
            SessionNotFound: no such interview of this reader, or another question stands.
            RateLimited: asked for too often.
            ProviderUnavailable: there is no voice, or it takes too long.
            StoreUnavailable: nobody knows what was asked.
        """
        snapshot = await self.live.by_id(session_id)
        if snapshot is None or snapshot.state.phase is Phase.DONE or not snapshot.is_live:
            raise SessionNotFound("there is no such interview")
        owner, state = snapshot.owner, snapshot.state
        # A guest cannot show who it is; knowing the id has to do, which only its sockets are told.
        if owner.is_account and owner.user_id != account:
            raise SessionNotFound("there is no such interview")
        if state.questions_asked != number:
            raise SessionNotFound("another question is asked now")
        await self.allowance.spend(session_id)
        sound = await self._spoken(state.question.text)
        return wav_header(len(sound), rate_hz=RATE_HZ) + sound

    async def _spoken(self, text: str) -> bytes:
        try:
            async with asyncio.timeout(LONGEST_S):
                sound = self.speaker.speak(text, voice=VOICE, speed=PACE)
                return b"".join([piece async for piece in sound])
        except TimeoutError:
            raise ProviderUnavailable("the voice takes too long") from None
