"""Who does what an interview wants done: the ports of `runner`, and a `Crew` behind them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from speech.interviews.contract import InterviewContract
from speech.interviews.ear import Ear, Listener
from speech.interviews.effects import Effects, Evaluate, Phrase, Store
from speech.interviews.evaluation import Assessment
from speech.interviews.events import InterviewComplete
from speech.interviews.knowledge import Knowledge
from speech.interviews.live_store import Snapshot
from speech.interviews.owners import Owner
from speech.interviews.pacing import Timekeeper
from speech.interviews.procedure import Procedure
from speech.interviews.state import AskedQuestion

Done = Callable[[int], Effects]
"""Tells the interview, at a moment, that a piece of work is done."""


class Seat(Protocol):
    """A socket of the reader."""

    @property
    def channel(self) -> str:
        """Where the channel layer reaches it."""

    async def tell(self, event: InterviewContract) -> None: ...


class Snapshots(Protocol):
    """Where a running interview is kept. All raise `StoreUnavailable`."""

    async def save(self, snapshot: Snapshot) -> None:
        """Raises:
        LostLease: another worker runs it.
        """

    async def release(self, session_id: str) -> None: ...

    async def remove(self, session_id: str) -> None: ...


class Results(Protocol):
    async def store(self, owner: Owner, result: InterviewComplete, knowledge: Knowledge) -> None:
        """Raises:
        StoreUnavailable: it may come again.
        """


class Judge(Protocol):
    def prepare(self) -> None:
        """An interview begins here: there will be something to judge."""

    async def assess(self, question: AskedQuestion, answer: str) -> Assessment:
        """Raises:
        ProviderUnavailable: nobody judges.
        """


class Phrasing(Protocol):
    async def phrase(
        self, question: AskedQuestion, *, previous_answer: str, earlier: Sequence[AskedQuestion]
    ) -> str | None:
        """The question in other words; None for those of the bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Everything that an interview has done for it."""

    time: Timekeeper
    snapshots: Snapshots
    results: Results
    judge: Judge
    phrasing: Phrasing
    ear: Callable[[Listener, str, str], Ear]
    """Makes one for a listener, its interview's id and the container that its sound was in."""

    async def work(
        self,
        effect: Evaluate | Phrase | Store,
        procedure: Procedure,
        *,
        owner: Owner,
        earlier: Sequence[AskedQuestion],
    ) -> Done:
        """Do a piece of work.

        Args:
            earlier: questions of this interview that were answered.

        Raises:
            AppError: it cannot be done, for now.
        """
        match effect:
            case Evaluate(job, question, answer):
                assessment = await self.judge.assess(question, answer)
                return lambda now_ms: procedure.evaluated(job, assessment, now_ms)
            case Phrase(job, question, previous_answer):
                text = await self.phrasing.phrase(
                    question, previous_answer=previous_answer, earlier=earlier
                )
                return lambda now_ms: procedure.phrased(job, text, now_ms)
            case Store(job, result, knowledge):
                await self.results.store(owner, result, knowledge)
                return lambda now_ms: procedure.stored(job, now_ms)
