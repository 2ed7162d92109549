"""Recognisers over capacity: hypotheses are done without, answers wait and none is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import Recognised
from speech.interviews import recognition
from speech.interviews.recognition import SharedRecogniser
from speech.interviews.transcription import RecogniserTranscriber
from tests.unit.speech.interviews.stage import (
    FakeSeat,
    FakeTime,
    Store,
    Worker,
    loud,
    settle,
    stream,
)

PROCESSES = 2
SENTENCE = "a shared lock is taken to read a row of the table"


class SlowProcesses:
    """Hears an answer when the test lets it; refuses more at once than it has processes for."""

    def __init__(self, *, dies: int = 0) -> None:
        self.gate = asyncio.Semaphore(0)
        self.dies = dies
        self.heard: list[bytes] = []
        self.busy = self.most_busy = self.utterances = 0

    @contextlib.asynccontextmanager
    async def utterance(self) -> AsyncIterator["SlowProcesses"]:
        self.utterances += 1
        yield self

    async def hear(self, pcm: bytes) -> str:
        return SENTENCE

    async def transcribe(self, pcm: bytes) -> Recognised:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            await self.gate.acquire()
        finally:
            self.busy -= 1
        if self.dies:
            self.dies -= 1
            raise ProviderUnavailable("the recogniser has died; try again")
        self.heard.append(pcm)
        return Recognised(f"answer {pcm.decode() if len(pcm) < 9 else 'of a reader'}")

    async def close(self) -> None:
        pass

    def answer(self, count: int) -> None:
        for _ in range(count):
            self.gate.release()


def shared(whole: SlowProcesses, *, longest_wait_s: float = 60) -> SharedRecogniser:
    return SharedRecogniser(
        SlowProcesses(), whole, processes=PROCESSES, longest_wait_s=longest_wait_s
    )


async def test_answers_over_capacity_wait_in_order_and_none_is_lost() -> None:
    whole = SlowProcesses()
    recogniser = shared(whole)
    answers = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(24)]
    await settle()
    assert whole.most_busy == PROCESSES

    whole.answer(24)

    async with asyncio.timeout(10):
        heard = await asyncio.gather(*answers)
    assert [one.text for one in heard] == [f"answer {n}" for n in range(24)]
    assert whole.heard == [b"%d" % n for n in range(24)]
    assert whole.most_busy == PROCESSES


async def test_an_answer_whose_process_dies_is_heard_by_another() -> None:
    whole = SlowProcesses(dies=1)
    whole.answer(2)

    assert (await shared(whole).transcribe(b"1")).text == "answer 1"


async def test_a_recogniser_that_always_fails_is_not_asked_for_ever() -> None:
    whole = SlowProcesses(dies=100)
    whole.answer(100)
    recogniser = shared(whole)

    with pytest.raises(ProviderUnavailable, match="died"):
        await recogniser.transcribe(b"1")

    assert whole.dies == 100 - recognition.ATTEMPTS
    whole.dies = 0
    assert (await recogniser.transcribe(b"2")).text == "answer 2"


async def test_answers_do_not_wait_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "MOST_ANSWERS", 3)
    whole = SlowProcesses()
    recogniser = shared(whole)
    answers = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(3)]
    await settle()

    with pytest.raises(ProviderUnavailable, match="too many"):
        await recogniser.transcribe(b"4")

    whole.answer(4)
    assert len(await asyncio.gather(*answers)) == 3
    assert (await recogniser.transcribe(b"5")).text == "answer 5"


async def test_an_answer_does_not_wait_for_ever() -> None:
    whole = SlowProcesses()
    recogniser = shared(whole, longest_wait_s=0.01)
    held = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(PROCESSES)]
    await settle()

    with pytest.raises(ProviderUnavailable, match="busy"):
        await recogniser.transcribe(b"3")

    whole.answer(PROCESSES)
    await asyncio.gather(*held)


@pytest.mark.parametrize("lack", ["too many wait", "it waits too long"])
async def test_an_answer_that_nobody_can_hear_again_keeps_its_live_words_and_says_so(
    lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, whole = SlowProcesses(), SlowProcesses()
    recogniser = SharedRecogniser(
        live, whole, processes=PROCESSES, longest_wait_s=0.01 if lack == "it waits too long" else 60
    )
    worker = Worker(
        Store(FakeTime()), transcriber=lambda: RecogniserTranscriber(recogniser, name="ears")
    )
    seat = FakeSeat()
    runner = await worker.start(seat, question_count=2)
    await runner.interviewer_done(seat)
    await stream(worker, runner, [loud(2)])
    assert seat.last("live_transcript")["text"] == SENTENCE
    others = 100 if lack == "too many wait" else PROCESSES
    waiting = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(others)]
    await settle()

    await runner.user_done(seat)
    await seat.hears("user_answer_complete")
    whole.answer(others + 1)
    await asyncio.gather(*waiting, return_exceptions=True)
    await runner.interviewer_done(seat)
    await stream(worker, runner, [loud(2)])
    await runner.user_done(seat)
    await seat.hears("interview_complete")

    first, second = seat.last("interview_complete")["qa_pairs"]
    assert (first["answer"], first["heard_by"], first["heard_how"]) == (SENTENCE, "ears", "live")
    assert (second["heard_by"], second["heard_how"]) == ("ears", "whole")
    assert seat.last("interview_error")["error"] == "Transcription service unavailable"
    await worker.die()


async def test_no_hypotheses_are_begun_while_answers_wait() -> None:
    live, whole = SlowProcesses(), SlowProcesses()
    recogniser = SharedRecogniser(live, whole, processes=PROCESSES)
    answers = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(3)]
    await settle()

    async with recogniser.utterance() as utterance:
        assert await utterance.hear(b"") == ""
    whole.answer(3)
    await asyncio.gather(*answers)
    async with recogniser.utterance() as utterance:
        assert await utterance.hear(b"") == SENTENCE

    assert live.utterances == 1


async def test_who_gives_up_leaves_the_queue() -> None:
    whole = SlowProcesses()
    recogniser = shared(whole)
    answers = [asyncio.create_task(recogniser.transcribe(b"%d" % n)) for n in range(5)]
    await settle()
    answers[3].cancel()
    await settle()
    whole.answer(5)

    async with asyncio.timeout(10):
        heard = await asyncio.gather(*answers, return_exceptions=True)

    assert [isinstance(one, Recognised) for one in heard] == [True, True, True, False, True]
