"""One worker process as its supervisor sees it: started, ready, ended."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from readrealm.stores import processes

KILL_AFTER_DRAIN_S = 5.0
"""What a worker gets beyond its drain before it is killed."""


class Worker:
    """A worker process; it ends with us, whatever ends us.

    Args:
        slot: which of the places for workers it takes, from 1.
        listener: descriptor of the listening socket that all workers share.
        application: ``module:attribute`` of the ASGI application.
        run_dir: where its own Unix socket goes.
        environment: of the process.
    """

    def __init__(
        self,
        slot: int,
        *,
        listener: int,
        application: str,
        run_dir: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.slot = slot
        # A name is never used twice, so nobody takes a new worker for the one it follows.
        self.worker_id = f"w{slot}x{secrets.token_hex(3)}"
        self.socket = run_dir / f"{self.worker_id}.sock"
        loop = asyncio.get_running_loop()
        self.started_at = loop.time()
        self.is_ready: asyncio.Future[bool] = loop.create_future()
        """True when it serves; False when it ended before that."""
        self.ended: asyncio.Future[int] = loop.create_future()
        """Its exit status, negative for a signal."""
        readiness, announce = os.pipe()
        self._process = processes.spawn(
            [
                *(sys.executable, "manage.py", "worker", "--worker-id", self.worker_id),
                *("--fd", str(listener), "--ready-fd", str(announce)),
                *("--application", application),
            ],
            environment={**environment, "WORKER_ID": self.worker_id},
            descriptors=[listener, announce],
        )
        os.close(announce)
        pidfd = os.pidfd_open(self._process.pid)
        loop.add_reader(readiness, self._announced, readiness)
        loop.add_reader(pidfd, self._exited, pidfd)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self, *, drain_s: float) -> None:
        """Have it drain and end; kill it when that takes too long."""
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self.ended}, timeout=drain_s + KILL_AFTER_DRAIN_S)
        if not done:
            self.kill()
            await self.ended

    def kill(self) -> None:
        """End it at once; its sockets are cut."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            self._process.send_signal(number)

    def _announced(self, readiness: int) -> None:
        has_word = bool(os.read(readiness, 1))
        asyncio.get_running_loop().remove_reader(readiness)
        os.close(readiness)
        if not self.is_ready.done():
            self.is_ready.set_result(has_word)

    def _exited(self, pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        with suppress(OSError):
            self.socket.unlink()
        self.ended.set_result(self._process.wait())


def describe(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"
