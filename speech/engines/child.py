"""Ending a child process for good, whatever it is doing."""

import asyncio
import contextlib
import os
import signal


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the process if it still runs, and wait until it is gone."""
    kill(process)
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
