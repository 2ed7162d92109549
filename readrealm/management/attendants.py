"""What runs beside the workers on this host: the local voice engine and the processing worker."""

import asyncio
import sys
from collections.abc import Callable, Mapping

from django.conf import settings

from readrealm.management.children import Child, describe

STOP_S = 5.0
"""What an attendant may take to finish what it has begun."""

RETRY_S = (1.0, 5.0, 15.0, 60.0)
"""Waits before one is started again that never lived long; the last one repeats."""

LONG_LIFE_S = 30.0
"""An attendant that lived this long failed for a new reason, so its waits start over."""


class Attendant:
    """A command of manage.py that is kept running. Workers serve without it, only less.

    Args:
        title: for the lines it is told about with.
        command: name and arguments of the command.
        environment: of the process.
    """

    def __init__(self, title: str, *command: str, environment: Mapping[str, str]) -> None:
        self.title = title
        self._command = [sys.executable, "manage.py", *command]
        self._environment = environment
        self._child: Child | None = None
        self._is_renewed = False

    async def keep(self, *, say: Callable[[str], None]) -> None:
        """Start it, and again whenever it has ended, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            child = self._child = Child(self._command, environment=self._environment)
            status = await asyncio.shield(child.ended)
            if self._is_renewed:
                self._is_renewed = False
                continue
            if loop.time() - child.started_at > LONG_LIFE_S:
                failures = 0
            wait_s = RETRY_S[min(failures, len(RETRY_S) - 1)]
            say(f"{self.title} ended ({describe(status)}); it starts again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            failures += 1

    async def renew(self) -> None:
        """Have `keep` start another one, with the code that is there now."""
        if self._child is not None and not self._child.ended.done():
            self._is_renewed = True
            await self._child.stop(within_s=STOP_S)

    async def stop(self) -> None:
        """Have it end; `keep` has to be cancelled before."""
        if self._child is not None:
            await self._child.stop(within_s=STOP_S)

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()


def attendants(environment: Mapping[str, str]) -> list[Attendant]:
    """Those that this installation wants, none of them started."""
    if not settings.VOICE:
        return []
    wanted = []
    if settings.REALTIME_ENGINE_IS_PRIVATE:
        wanted.append(
            Attendant("the local voice engine", "realtime_engine", environment=environment)
        )
    wanted.append(Attendant("the voice worker", "voice_worker", environment=environment))
    return wanted
