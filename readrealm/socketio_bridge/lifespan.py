"""The ASGI lifespan of one application, for a server that has none."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)


class Lifespan:
    """Runs an application's start and end."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._received: asyncio.Queue[dict[str, str]] = asyncio.Queue(2)
        self._sent: asyncio.Queue[dict[str, str]] = asyncio.Queue(2)
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Run the application's start; one that knows no lifespan counts as started.

        Raises:
            RuntimeError: the application said that it could not start.
        """
        self._task = asyncio.ensure_future(self._run())
        self._received.put_nowait({"type": "lifespan.startup"})
        answer = await self._next_answer(self._task)
        if answer == "lifespan.startup.failed":
            raise RuntimeError("the application could not start")

    async def shutdown(self, *, timeout_s: float) -> None:
        """Run the application's end, at most ``timeout_s`` seconds."""
        if self._task is None or self._task.done():
            return
        self._received.put_nowait({"type": "lifespan.shutdown"})
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._next_answer(self._task)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self.application(scope, self._received.get, self._sent.put)
        except Exception as error:
            log.debug("the application knows no lifespan: %r", error)

    async def _next_answer(self, task: "asyncio.Task[None]") -> str | None:
        answer = asyncio.ensure_future(self._sent.get())
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()["type"]
        answer.cancel()
        return None
