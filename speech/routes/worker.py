"""The processing worker: hears commands, holds leases, and has one task for each session it works
on. Commands are only the doorbell; what is to be done stands in the store."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

from readrealm.duties import repeat
from readrealm.kernel.errors import AppError
from readrealm.kernel.wire import plain
from speech.routes.config_store import ConfigStore
from speech.routes.configuration import PipelineConfig, effective
from speech.routes.lease import RENEW_EVERY_S, Leases
from speech.routes.processing import StreamWork, Tools
from speech.routes.socket_client import NotConnected, SocketClient
from speech.routes.work_events import REPORTS, Report
from speech.routes.work_store import LostTenure, WorkStore

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
ASK_AGAIN_S = 0.5
MOST_SESSIONS = 200
"""That one worker works on at once."""

REST_S = 5.0
"""Before a session that has failed is tried again."""

PURGE_EVERY_S = 3_600.0

STEP_S = 10.0

NAMES: dict[type[Report], str] = {report: name for name, report in REPORTS.items()}


class ServerReporter:
    """`speech.routes.work_reports.Reporter` over the worker's socket."""

    def __init__(self, client: SocketClient) -> None:
        self._client = client

    def tell(self, report: Report) -> None:
        self._client.send(NAMES[type(report)], plain(report))

    async def deliver(self, report: Report) -> None:
        while True:
            try:
                answer = await self._client.ask(NAMES[type(report)], plain(report))
            except NotConnected:
                await asyncio.sleep(ASK_AGAIN_S)
                continue
            if isinstance(answer, dict) and answer.get("success"):
                return
            code = answer.get("code") if isinstance(answer, dict) else None
            if code == "FORBIDDEN":
                raise LostTenure
            log.warning("a report was refused (%s) and comes again", code)
            await asyncio.sleep(ASK_AGAIN_S)


class VoiceWorker:
    """Works until it is cancelled; then gives its leases back."""

    def __init__(
        self,
        *,
        store: WorkStore,
        config: ConfigStore,
        leases: Leases,
        purge: Callable[[], Awaitable[None]],
    ) -> None:
        self._store, self._values, self._leases = store, config, leases
        self._purge = purge
        self._config = PipelineConfig.of(effective({}))
        self._works: dict[str, asyncio.Task[None]] = {}
        self._rung: dict[str, asyncio.Event] = {}
        self._bell, self._changed = asyncio.Event(), asyncio.Event()
        self._called: set[str] = set()
        self.tools: Tools | None = None
        """Set before `run`."""

    @property
    def config(self) -> PipelineConfig:
        """The configuration as it was last read."""
        return self._config

    def hear(self, event: str, data: Any) -> None:
        """Take an event of the server."""
        if event != "command:process" or not isinstance(data, dict):
            return
        if data.get("action") == "configure":
            self._changed.set()
            return
        session_id = data.get("sessionId")
        if isinstance(session_id, str):
            self._called.add(session_id)
            if session_id in self._rung:
                self._rung[session_id].set()
            else:
                self._bell.set()

    def connected(self) -> None:
        """What was said while nobody listened is found in the store."""
        self._changed.set()
        self._bell.set()

    async def run(self) -> None:
        """Do all duties until cancelled. A round that fails is logged and comes again."""
        try:
            await self._read_config()
            async with asyncio.TaskGroup() as duties:
                duties.create_task(_repeat(self._look, LOOK_EVERY_S, self._bell))
                duties.create_task(_repeat(self._read_config, LOOK_EVERY_S, self._changed))
                duties.create_task(_repeat(self._renew, RENEW_EVERY_S, None))
                duties.create_task(_repeat(self._purge, PURGE_EVERY_S, None))
        finally:
            works = list(self._works.values())
            for work in works:
                work.cancel()
            if works:
                await asyncio.wait(works, timeout=STEP_S)
            await self._leases.retire()

    # ------------------------------------------------------------------ duties

    async def _look(self) -> None:
        """Begin to work on sessions that nobody works on."""
        called, self._called = self._called, set()
        for session_id in [*called, *await self._store.waiting()]:
            if session_id in self._works or len(self._works) >= MOST_SESSIONS:
                continue
            if await self._leases.acquire(session_id):
                self._rung[session_id] = asyncio.Event()
                self._works[session_id] = asyncio.create_task(
                    self._work(session_id), name=f"session {session_id}"
                )

    async def _read_config(self) -> None:
        self._config = PipelineConfig.of(effective(await self._values.read()))

    async def _renew(self) -> None:
        for session_id in await self._leases.renew(self._works):
            log.warning("another worker has taken session %s over", session_id)
            if (work := self._works.get(session_id)) is not None:
                work.cancel()

    # ------------------------------------------------------------------ one session

    async def _work(self, session_id: str) -> None:
        try:
            while (tenure := await self._store.take(session_id)) is not None:
                if self.tools is None:
                    raise RuntimeError("a worker needs its tools before it runs")
                if tenure.term > 1:
                    log.info("stream %s is taken over, term %d", tenure.key, tenure.term)
                await StreamWork(tenure, self.tools, self._rung[session_id]).run()
        except* LostTenure:
            log.warning("another worker has taken session %s over", session_id)
        except* AppError as refusals:
            log.warning("session %s waits: %s", session_id, refusals.exceptions[0])
        except* Exception:
            log.exception("session %s cannot be worked on", session_id)
            await asyncio.sleep(REST_S)
        finally:
            self._works.pop(session_id, None)
            self._rung.pop(session_id, None)
            await self._leases.release(session_id)


def _repeat(
    duty: Callable[[], Awaitable[None]], every_s: float, bell: asyncio.Event | None
) -> Coroutine[Any, Any, NoReturn]:
    return repeat(duty, every_s=every_s, within_s=STEP_S, bell=bell)
