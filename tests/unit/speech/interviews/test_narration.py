"""Questions read aloud by the server: only the one that stands, only to who may know it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import pytest

from readrealm.kernel.errors import ProviderUnavailable, RateLimited, SessionNotFound
from speech.audio.containers import StreamDecoder
from speech.engines.speaker import RATE_HZ
from speech.interviews import narration
from speech.interviews.live_store import Snapshot
from speech.interviews.narration import Narrator
from speech.interviews.owners import Owner
from tests.unit.speech.interviews.rehearsal import Rehearsal

READER, GUEST = Owner(7, is_account=True), Owner(7, is_account=False)
SOUND = (np.sin(np.arange(RATE_HZ)) * 9_000).astype("<i2").tobytes()


class Kept:
    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot

    async def by_id(self, session_id: str) -> Snapshot | None:
        return self.snapshot


class FakeSpeaker:
    voices = frozenset({narration.VOICE})

    def __init__(self) -> None:
        self.said: list[str] = []
        self.is_slow = False

    def check(self) -> None:
        pass

    async def speak(self, text: str, **_: Any) -> AsyncGenerator[bytes, None]:
        self.said.append(text)
        if self.is_slow:
            await asyncio.Event().wait()
        yield SOUND[:1_000]
        yield SOUND[1_000:]


class Limited:
    def __init__(self) -> None:
        self.spent: list[str] = []
        self.is_over = False

    async def spend(self, key: str) -> None:
        self.spent.append(key)
        if self.is_over:
            raise RateLimited(retry_after_ms=3_000)


def narrator(owner: Owner = READER, rehearsal: Rehearsal | None = None) -> Narrator:
    state = (rehearsal or Rehearsal()).interview.state
    return Narrator(
        live=Kept(Snapshot(owner=owner, state=state)), speaker=FakeSpeaker(), allowance=Limited()
    )


async def test_the_question_that_stands_is_a_wav_file_of_its_words() -> None:
    rehearsal = Rehearsal()
    one = narrator(rehearsal=rehearsal)

    wav = await one.question("s1", 1, account=7)

    assert one.speaker.said == [rehearsal.interview.state.question.text]
    assert wav[:4] == b"RIFF"
    decoded = StreamDecoder().feed(wav)
    assert len(decoded) == pytest.approx(16_000, rel=0.03)


async def test_another_reader_does_not_hear_it() -> None:
    for account in (8, None):
        with pytest.raises(SessionNotFound):
            await narrator().question("s1", 1, account=account)


async def test_a_guest_is_known_by_the_id_of_the_interview() -> None:
    assert await narrator(GUEST).question("s1", 1, account=None)


async def test_a_question_that_does_not_stand_is_not_read() -> None:
    one = narrator()
    for number in (0, 2):
        with pytest.raises(SessionNotFound):
            await one.question("s1", number, account=7)
    nobody = Narrator(live=Kept(None), speaker=one.speaker, allowance=Limited())
    with pytest.raises(SessionNotFound):
        await nobody.question("s1", 1, account=7)

    assert one.speaker.said == []


async def test_an_interview_that_is_over_is_not_read() -> None:
    left = Rehearsal()
    left.say(left.interview.leave)

    with pytest.raises(SessionNotFound):
        await narrator(rehearsal=left).question("s1", 1, account=7)


async def test_it_is_not_read_for_ever() -> None:
    one = narrator()
    one.allowance.is_over = True

    with pytest.raises(RateLimited):
        await one.question("s1", 1, account=7)

    assert (one.allowance.spent, one.speaker.said) == (["s1"], [])


async def test_a_voice_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narration, "LONGEST_S", 0.01)
    one = narrator()
    one.speaker.is_slow = True

    with pytest.raises(ProviderUnavailable):
        await one.question("s1", 1, account=7)
