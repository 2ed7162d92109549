"""The tasks of one interview on one worker: its standing duties, and the work that it waits for.

Decides nothing; what work comes to is told to the interview.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from readrealm.kernel.errors import AppError, SessionNotFound
from speech.interviews.crew import Crew, Done
from speech.interviews.effects import Effects, Evaluate, Phrase, Store, Transcribe
from speech.interviews.hearing import Act, InterviewHearing
from speech.interviews.interview import Interview
from speech.interviews.owners import Owner

log = logging.getLogger(__name__)

Work = Evaluate | Phrase | Store | Transcribe


class Errands:
    """Every task that an interview needs; all end with `cancel`.

    Args:
        act: does something to the interview, and what it then wants done.
    """

    def __init__(
        self,
        interview: Interview,
        owner: Owner,
        *,
        crew: Crew,
        hearing: InterviewHearing,
        act: Act,
    ) -> None:
        self._interview, self._owner = interview, owner
        self._crew, self._hearing, self._act = crew, hearing, act
        self._tasks: set[asyncio.Task[None]] = set()

    def own(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have something done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def stand(self, duty: Callable[[], Awaitable[None]], *, broken: Callable[[], None]) -> None:
        """Have something done as long as the interview goes on here.

        Args:
            broken: called if it breaks off, so that others go on.
        """
        self.own(self._stand(duty, broken))

    def begin(self, work: Work) -> None:
        """Have a piece of work done, and the interview told what came of it."""
        self.own(self._do(work))

    async def cancel(self) -> None:
        """End every task."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stand(self, duty: Callable[[], Awaitable[None]], broken: Callable[[], None]) -> None:
        try:
            await duty()
        except SessionNotFound:
            return
        except Exception:
            log.exception("interview %s cannot go on here", self._interview.state.session_id)
            broken()

    async def _do(self, work: Work) -> None:
        try:
            done = await self._answer(work)
        except Exception as error:
            if not isinstance(error, AppError):
                session_id = self._interview.state.session_id
                log.exception("interview %s: %s failed", session_id, type(work).__name__)
            procedure = self._interview.procedure

            def done(now_ms: int) -> Effects:
                return procedure.failed(work.job, now_ms)

        with contextlib.suppress(SessionNotFound):
            await self._act(done)

    async def _answer(self, work: Work) -> Done:
        """Do the work; what then to tell the interview."""
        if isinstance(work, Transcribe):
            return await self._hearing.hear_again(work)
        procedure, state = self._interview.procedure, self._interview.state
        earlier = [answer.question for answer in state.answers]
        return await self._crew.work(work, procedure, owner=self._owner, earlier=earlier)
