"""Ending a child process for good, whatever it is doing."""

import asyncio
import contextlib
import os
import signal


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the process if it still runs, and wait until it is gone.

    Whoever is cancelled meanwhile is held up until then: a child that nobody waits for outlives
    its event loop.
    """
    kill(process)
    ending = asyncio.ensure_future(_gone(process))
    is_cancelled = False
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
    ending.result()


async def _gone(process: asyncio.subprocess.Process) -> None:
    if process.stdout is not None:
        # A pipe that nobody reads does not notice its end, and then the wait has none either.
        await process.stdout.read()
    await process.wait()


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process if it still runs, without waiting.

    Not by its own method: that looks first whether the process has ended, and takes the
    exit code away from the event loop when it just has.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
