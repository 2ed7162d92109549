"""Work is done beside the interview, told to it whatever came of it, and ends with it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from readrealm.kernel.errors import SessionNotFound
from tests.unit.speech.interviews.stage import FakeSeat, FakeTime, Store, Worker, settle


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    worker = Worker(Store(FakeTime()))
    yield worker
    await worker.die()


async def test_a_duty_that_breaks_off_is_reported_and_the_others_go_on(worker: Worker) -> None:
    runner = await worker.start(FakeSeat())
    broken, steps = asyncio.Event(), []

    async def breaks() -> None:
        raise ZeroDivisionError

    async def ends() -> None:
        raise SessionNotFound("somebody else runs it")

    async def goes_on() -> None:
        await asyncio.sleep(0)
        steps.append("went on")

    for duty in (ends, breaks, goes_on):
        runner._errands.stand(duty, broken=broken.set)
    await settle()

    assert broken.is_set()
    assert steps == ["went on"]
    assert not runner.is_over


async def test_who_is_told_that_it_goes_on_elsewhere_is_not_broken(worker: Worker) -> None:
    runner = await worker.start(FakeSeat())
    broken = asyncio.Event()

    async def ends() -> None:
        raise SessionNotFound("somebody else runs it")

    runner._errands.stand(ends, broken=broken.set)
    await settle()

    assert not broken.is_set()


async def test_every_task_ends_with_the_interview(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat, question_count=1)
    worker.judge.is_slow = True
    await runner.interviewer_done(seat)
    await runner.caption("some words of an answer", is_final=True)
    await runner.user_done(seat)
    await settle()
    assert worker.judge.judged

    await runner.leave()
    await settle()

    assert runner.is_over
    assert runner._errands._tasks == set()
