"""What this process and its cluster are doing, in figures."""

from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import StoreUnavailable
from speech.routes.events import SystemHealth, SystemStats, SystemStatus
from speech.routes.sessions import Sessions


class Census(Protocol):
    """Counts sockets and processing workers."""

    @property
    def here(self) -> int:
        """Sockets of this process."""

    async def everywhere(self) -> tuple[int, int]:
        """Sockets of the cluster, and processing workers.

        Raises:
            StoreUnavailable: nobody knows.
        """


class Machine(Protocol):
    """This process, as the operating system sees it."""

    @property
    def uptime_s(self) -> float: ...

    @property
    def platform(self) -> str: ...

    @property
    def runtime_version(self) -> str: ...

    def memory(self) -> dict[str, int]:
        """Bytes: ``rss``, ``heapTotal``, ``heapUsed`` and ``external``."""


class Dependencies(Protocol):
    async def __call__(self) -> dict[str, bool]:
        """Whether ``redis`` and ``mongo`` answer, each within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemService:
    """The use cases of ``system:*``. They answer also when a store does not."""

    census: Census
    machine: Machine
    dependencies: Dependencies
    sessions: Sessions
    clock: Clock

    async def status(self) -> SystemStatus:
        connections, workers = await self._counted()
        return SystemStatus(
            uptime=self.machine.uptime_s,
            connections=connections,
            worker_connections=self.census.here,
            processing_workers=workers,
            timestamp=self.clock(),
        )

    async def health(self) -> SystemHealth:
        checks = await self.dependencies()
        connections, _ = await self._counted()
        return SystemHealth(
            health="healthy" if all(checks.values()) else "degraded",
            memory=self.machine.memory(),
            uptime=self.machine.uptime_s,
            connections=connections,
            worker_connections=self.census.here,
            checks=checks,
            timestamp=self.clock(),
        )

    async def stats(self) -> SystemStats:
        connections, workers = await self._counted()
        return SystemStats(
            connections=connections,
            worker_connections=self.census.here,
            uptime=self.machine.uptime_s,
            memory=self.machine.memory(),
            platform=self.machine.platform,
            node_version=f"v{self.machine.runtime_version}",
            processing_workers=workers,
            sessions=await self._sessions(),
            timestamp=self.clock(),
        )

    async def _counted(self) -> tuple[int, int]:
        try:
            return await self.census.everywhere()
        except StoreUnavailable:
            return self.census.here, 0

    async def _sessions(self) -> int:
        try:
            return await self.sessions.live()
        except StoreUnavailable:
            return 0
