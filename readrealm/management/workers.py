"""One worker process: a child that says when it serves."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from readrealm.management.children import Child


class Worker(Child):
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
        readiness, announce = os.pipe()
        super().__init__(
            [
                *(sys.executable, "manage.py", "worker", "--worker-id", self.worker_id),
                *("--fd", str(listener), "--ready-fd", str(announce)),
                *("--application", application),
            ],
            environment={**environment, "WORKER_ID": self.worker_id},
            descriptors=[listener, announce],
        )
        os.close(announce)
        loop = asyncio.get_running_loop()
        self.is_ready: asyncio.Future[bool] = loop.create_future()
        """True when it serves; False when it ended before that."""
        loop.add_reader(readiness, self._announced, readiness)

    def _announced(self, readiness: int) -> None:
        has_word = bool(os.read(readiness, 1))
        asyncio.get_running_loop().remove_reader(readiness)
        os.close(readiness)
        if not self.is_ready.done():
            self.is_ready.set_result(has_word)

    def _exited(self, pidfd: int) -> None:
        with suppress(OSError):
            self.socket.unlink()
        super()._exited(pidfd)
