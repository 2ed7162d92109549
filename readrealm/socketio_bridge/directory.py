"""Which workers there are, and where each is reached."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a worker is reached: a unix socket of this host, or another host and port."""

    unix: Path | None = None
    host: str = ""
    port: int = 0


Locate = Callable[[str], Awaitable[Address | None]]
"""Where the worker with this id is; None when nobody knows it."""


class Directory:
    """The workers of a cluster; kept in Redis or Valkey with a lease for each.

    Args:
        redis: an asynchronous client.
        run_dir: where workers of this host have their sockets, ``<worker id>.sock``.
        public: host and port under which the workers of this host are reached from others.
    """

    KEY = "bridge:worker:{}"
    LEASE_S = 15
    RENEW_S = 5

    def __init__(self, redis: Any, *, run_dir: Path, public: tuple[str, int]) -> None:
        self._redis, self._run_dir, self._public = redis, run_dir, public

    async def locate(self, worker_id: str) -> Address | None:
        """Where a worker is; None when it is not known or its lease has ended."""
        unix = self._run_dir / f"{worker_id}.sock"
        if unix.exists():
            return Address(unix=unix)
        found = await self._redis.get(self.KEY.format(worker_id))
        if found is None:
            return None
        about = json.loads(found)
        if (about["host"], about["port"]) == self._public:
            return None
        return Address(host=about["host"], port=about["port"])

    async def enter(self, worker_id: str) -> None:
        """Make a worker known, for as long as a lease lasts."""
        about = json.dumps({"host": self._public[0], "port": self._public[1]})
        await self._redis.set(self.KEY.format(worker_id), about, ex=self.LEASE_S)

    async def keep(self, worker_id: str) -> None:
        """Renew a worker's lease until cancelled; then give it back."""
        try:
            while True:
                await asyncio.sleep(self.RENEW_S)
                try:
                    await self.enter(worker_id)
                except Exception as error:
                    log.warning("the lease of this worker was not renewed: %r", error)
        finally:
            async with asyncio.timeout(1):
                await self._redis.delete(self.KEY.format(worker_id))
