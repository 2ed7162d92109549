"""A duty comes again, whatever happens to it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from readrealm.duties import repeat
from readrealm.kernel.errors import StoreUnavailable
from tests.support.bridge import until
from tests.unit.readrealm.socketio_bridge.fakes import run_warped


class Duty:
    """Does what it is told, once each time."""

    def __init__(self, *does: Callable[[], None]) -> None:
        self.does, self.times = list(does), 0
        self.began_at: list[float] = []

    async def __call__(self) -> None:
        self.began_at.append(asyncio.get_running_loop().time())
        self.times += 1
        if self.does:
            self.does.pop(0)()


def refuse() -> None:
    raise StoreUnavailable


def fail() -> None:
    raise RuntimeError("a bug")


async def test_a_duty_that_fails_is_logged_and_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    duty = Duty(refuse, fail)
    task = asyncio.create_task(repeat(duty, every_s=0.001, within_s=1))

    await until(lambda: duty.times >= 3)
    task.cancel()

    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


async def test_a_duty_that_takes_too_long_is_ended_and_comes_again() -> None:
    began: list[int] = []

    async def hang() -> None:
        began.append(1)
        await asyncio.sleep(60)

    task = asyncio.create_task(repeat(hang, every_s=0.001, within_s=0.01))

    await until(lambda: len(began) >= 2)
    task.cancel()


def test_waits_differ_by_their_jitter_and_no_more() -> None:
    duty = Duty()

    async def play() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1_000):
                await repeat(duty, every_s=10, within_s=1, jitter=0.2)

    run_warped(play)
    waits = [after - before for before, after in pairwise(duty.began_at)]

    assert 80 < len(waits) < 126
    assert 7.9 < min(waits) < max(waits) < 12.1
    assert max(waits) - min(waits) > 1


async def test_who_rings_does_not_wait() -> None:
    duty, bell = Duty(), asyncio.Event()
    task = asyncio.create_task(repeat(duty, every_s=60, within_s=1, bell=bell))
    await until(lambda: duty.times == 1)

    bell.set()

    await until(lambda: duty.times == 2)
    task.cancel()


async def test_a_cancellation_that_a_duty_swallows_ends_it_all_the_same() -> None:
    has_begun = asyncio.Event()

    async def swallow() -> None:
        has_begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    task = asyncio.create_task(repeat(swallow, every_s=60, within_s=60))
    await has_begun.wait()
    task.cancel()

    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
    assert task.cancelled()
