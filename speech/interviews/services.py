"""Use cases of interviews: begin, go on, stop, leave. Runs no task and sets no timer.

A reader has one live interview over all workers, and one socket in it. It runs on the worker of
that socket; who comes back on another worker takes it there.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import InterviewInProgress, SessionNotFound
from speech.interviews.crew import Seat
from speech.interviews.effects import Tell
from speech.interviews.events import StartInterview
from speech.interviews.interview import Interview
from speech.interviews.knowledge import Knowledge
from speech.interviews.live_store import Holding, Snapshot
from speech.interviews.owners import Owner
from speech.interviews.questions import QuestionBank
from speech.interviews.runner import InterviewRunner
from speech.interviews.state import Phase, Rules

LOOK_EVERY_S = 0.4
"""While it is not clear whether the worker of an interview is alive."""

SIGNS_OF_LIFE = 2
"""Renewals of a lease that prove it: one may have been on its way when the worker was killed."""

LOOKS = 20
"""Together longer than a lease."""


class LiveInterviews(Protocol):
    """The interviews of all workers. All raise `StoreUnavailable`."""

    async def create(self, snapshot: Snapshot) -> None:
        """Raises:
        InterviewInProgress: the reader has a live one.
        """

    async def take(self, owner: Owner) -> Snapshot | None: ...

    async def holding(self, owner: Owner) -> Holding | None: ...

    async def latest(self, owner: Owner) -> Snapshot | None: ...


class Banks(Protocol):
    async def bank(self) -> QuestionBank: ...


class Readers(Protocol):
    async def knowledge(self, owner: Owner) -> Knowledge:
        """Raises:
        StoreUnavailable: nobody knows what is known.
        """


class Allowance(Protocol):
    async def spend(self, key: str) -> None:
        """Raises:
        RateLimited: too many interviews.
        """


class Hall(Protocol):
    """The interviews of this worker."""

    def runner_of(self, owner: Owner) -> InterviewRunner | None: ...

    def require_place(self) -> None: ...

    def admit(self, runner: InterviewRunner) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InterviewService:
    """
    Attributes:
        run: makes a runner of an interview, its owner and the container of its sound.
        summon: asks the socket behind a channel to let its interview go.
        pause: waits so many seconds.
        seed: chance, for each interview anew.
    """

    live: LiveInterviews
    banks: Banks
    readers: Readers
    allowance: Allowance
    hall: Hall
    rules: Rules
    clock: Clock
    run: Callable[[Interview, Owner, str], InterviewRunner]
    summon: Callable[[str], Awaitable[None]]
    pause: Callable[[float], Awaitable[None]]
    seed: Callable[[], int] = lambda: secrets.randbits(48)

    async def start(self, owner: Owner, command: StartInterview, seat: Seat) -> InterviewRunner:
        """Begin an interview, or go on with the one that was interrupted.

        Of this socket, an earlier one is abandoned; one that nobody attends is finished first.

        Raises:
            InterviewInProgress: another socket of the reader is in one.
            SessionNotFound: there is none to go on with.
            InvalidInput: there is no such topic.
            RateLimited: too many interviews, of this reader or on this worker.
            StoreUnavailable: nothing was begun.
        """
        if command.resume:
            return await self.attend(owner, seat, insists=True)
        await self.allowance.spend(owner.key)
        self.hall.require_place()
        bank = await self.banks.bank()
        if command.topic is not None:
            bank.topic(command.topic)
        await self._clear(owner, seat)
        return await self._begin(owner, command, seat, bank)

    async def attend(self, owner: Owner, seat: Seat, *, insists: bool = False) -> InterviewRunner:
        """The live interview of a reader, with this socket in it.

        Args:
            insists: take it from another socket of the same account, which may be dead without
                anybody knowing it yet. A guest cannot show that it is the same reader.

        Raises:
            InterviewInProgress: another socket is in it.
            SessionNotFound: there is none.
            StoreUnavailable: nobody knows whether there is one.
        """
        runner = self.hall.runner_of(owner)
        if runner is not None:
            if runner.seat is seat:
                return runner
            if runner.seat is not None and not (insists and owner.is_account):
                raise InterviewInProgress("you are in an interview on another connection")
            await runner.hand_over()
            await runner.attach(seat)
            if not runner.is_over or runner.interview.state.phase is Phase.DONE:
                return runner
        return await self._fetch(owner, seat, insists=insists and owner.is_account)

    async def stop(self, owner: Owner, seat: Seat) -> InterviewRunner | None:
        """Finish; after that, tell the same result again for as long as it is kept at hand.

        Returns: the interview that is now coming to its end; None if it had ended.

        Raises:
            InterviewInProgress: another socket is in it.
            SessionNotFound: there is none, and none has ended lately.
        """
        try:
            runner = await self.attend(owner, seat)
        except SessionNotFound:
            await self._tell_result(owner, seat)
            return None
        await runner.stop(seat)
        return runner

    async def leave(self, owner: Owner, seat: Seat) -> None:
        """Give up a live interview, if there is one and no other socket is in it; silent."""
        runner = self.hall.runner_of(owner)
        if runner is None:
            taken = await self.live.take(owner)
            if taken is None:
                return
            runner = await self.adopt(taken)
        if runner.seat in (None, seat):
            await runner.leave()

    async def adopt(self, snapshot: Snapshot) -> InterviewRunner:
        """Go on with an interview that another worker has left; nobody attends it yet."""
        interview = Interview(snapshot.state, await self.banks.bank())
        runner = self.run(interview, snapshot.owner, snapshot.container)
        self.hall.admit(runner)
        await runner.adopt()
        return runner

    # ------------------------------------------------------------------ step by step

    async def _clear(self, owner: Owner, seat: Seat) -> None:
        """Make room for a new interview."""
        runner = self.hall.runner_of(owner)
        if runner is None:
            taken = await self._take(owner)
            if taken is None:
                return
            runner = await self.adopt(taken)
        if runner.seat is seat:
            await runner.leave()
        elif runner.seat is None:
            await runner.give_up()
        else:
            raise InterviewInProgress("you are in an interview on another connection")

    async def _begin(
        self, owner: Owner, command: StartInterview, seat: Seat, bank: QuestionBank
    ) -> InterviewRunner:
        interview, effects = Interview.begin(
            bank,
            session_id=secrets.token_urlsafe(16),
            user_id=owner.user_id,
            seed=self.seed(),
            now_ms=self.clock(),
            rules=replace(self.rules, max_questions=command.question_count),
            knowledge=await self.readers.knowledge(owner),
            stress=command.stress_test,
            topic=command.topic,
        )
        runner = self.run(interview, owner, "")
        await self.live.create(replace(runner.snapshot, channel=seat.channel))
        self.hall.admit(runner)
        await runner.open(effects, seat)
        return runner

    async def _fetch(self, owner: Owner, seat: Seat, *, insists: bool) -> InterviewRunner:
        """Take the interview from another worker: one that is dead, or that lets it go."""
        snapshot = await self._take(owner, insists=insists)
        if snapshot is None:
            raise SessionNotFound("there is no interview to go on with")
        runner = await self.adopt(snapshot)
        await runner.attach(seat)
        return runner

    async def _take(self, owner: Owner, *, insists: bool = False) -> Snapshot | None:
        """Raises:
        InterviewInProgress: a worker that is alive has it, with a socket.
        """
        newest: Any = None
        renewals = 0
        for _ in range(LOOKS):
            snapshot = await self.live.take(owner)
            if snapshot is not None:
                return snapshot
            holding = await self.live.holding(owner)
            if holding is None:
                return None
            if newest is None and insists and holding.channel:
                await self.summon(holding.channel)
            renewals += newest is not None and holding.lease_until != newest
            newest = holding.lease_until
            if renewals >= SIGNS_OF_LIFE and not insists:
                break
            await self.pause(LOOK_EVERY_S)
        raise InterviewInProgress("you are in an interview on another connection")

    async def _tell_result(self, owner: Owner, seat: Seat) -> None:
        snapshot = await self.live.latest(owner)
        if snapshot is None or not snapshot.is_done:
            raise SessionNotFound("there is no interview")
        interview = Interview(snapshot.state, await self.banks.bank())
        for effect in interview.stop(self.clock()):
            if isinstance(effect, Tell):
                await seat.tell(effect.event)
