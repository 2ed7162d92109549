"""A child process as its supervisor sees it: started, asked to end, ended."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence

from readrealm.stores import processes

KILL_AFTER_S = 5.0
"""What a child gets beyond the time it may take to end before it is killed."""


class Child:
    """A process that ends with us, whatever ends us.

    Args:
        command: program and arguments.
        environment: of the process.
        descriptors: open files that it inherits under the same numbers.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        descriptors: Sequence[int] = (),
    ) -> None:
        loop = asyncio.get_running_loop()
        self.started_at = loop.time()
        self.ended: asyncio.Future[int] = loop.create_future()
        """Its exit status, negative for a signal."""
        self._process = processes.spawn(command, environment=environment, descriptors=descriptors)
        pidfd = os.pidfd_open(self._process.pid)
        loop.add_reader(pidfd, self._exited, pidfd)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self, *, within_s: float) -> None:
        """Have it end; kill it when that takes ``KILL_AFTER_S`` longer than it may."""
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self.ended}, timeout=within_s + KILL_AFTER_S)
        if not done:
            self.kill()
            await self.ended

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            self._process.send_signal(number)

    def _exited(self, pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        self.ended.set_result(self._process.wait())


def describe(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"
