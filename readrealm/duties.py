"""What a worker does again and again beside its sockets."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

from readrealm.kernel.errors import AppError

log = logging.getLogger(__name__)


async def repeat(
    duty: Callable[[], Awaitable[None]],
    *,
    every_s: float,
    within_s: float,
    jitter: float = 0.0,
    bell: asyncio.Event | None = None,
) -> NoReturn:
    """Do a duty until cancelled; one that fails is logged, and comes again like any other.

    Args:
        every_s: between the end of one and the beginning of the next.
        within_s: what one may take; then it is cancelled, which counts as a failure.
        jitter: share of ``every_s``, 0..1, by which waits differ, so that workers do not keep step.
        bell: set by who wants the next one at once; cleared when it begins.
    """
    while True:
        if bell is not None:
            bell.clear()
        try:
            async with asyncio.timeout(within_s):
                await duty()
        except (AppError, TimeoutError) as error:
            log.warning("%s failed and comes again: %s", _name(duty), error)
        except Exception:
            log.exception("%s failed and comes again", _name(duty))
        if _is_cancelled():
            raise asyncio.CancelledError
        wait_s = every_s * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311  not a secret
        await _rest(wait_s, bell)


def _is_cancelled() -> bool:
    """Also when a duty swallowed it, as drivers do that were connecting."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _rest(wait_s: float, bell: asyncio.Event | None) -> None:
    if bell is None:
        await asyncio.sleep(wait_s)
        return
    try:
        async with asyncio.timeout(wait_s):
            await bell.wait()
    except TimeoutError:
        return


def _name(duty: Callable[[], Awaitable[None]]) -> str:
    return getattr(duty, "__name__", repr(duty))
