"""Drives an interview with a clock of its own and does its work at once, or not at all."""

from collections.abc import Callable
from typing import Any

from readrealm.kernel.wire import plain
from speech.interviews.effects import Effect, Evaluate, Phrase, Receiver, Store, Tell, Transcribe
from speech.interviews.evaluation import Assessment, nothing_said
from speech.interviews.interview import Interview
from speech.interviews.questions import QuestionBank, load_bank
from speech.interviews.state import AskedQuestion, InterviewState, Phase
from speech.interviews.timeline import Span

BANK = load_bank()
START_MS = 1_700_000_000_000


def assessed(question: AskedQuestion, *, similarity: float = 0.5) -> Assessment:
    """As if the answer had named the first key term and no concept."""
    named, *missing = [term.name for term in question.key_terms]
    return Assessment(
        similarity=similarity,
        measured_similarity=similarity,
        keyword_coverage=1 / len(question.key_terms),
        found_terms=(named,),
        missing_terms=tuple(missing),
        mentioned_concepts=(),
        missing_concepts=nothing_said(question).missing_concepts,
        measured_by="fake",
    )


class Rehearsal:
    """One reader and one interview; seconds count from its start.

    Attributes:
        told: (name, payload) of every event for the room or the caller, in order.
        works: types of work that are done at once; others wait in ``pending``.
    """

    def __init__(self, bank: QuestionBank = BANK, *, seed: int = 1, **options: Any) -> None:
        self.now_ms = START_MS
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.receivers: list[Receiver] = []
        self.pending: list[Effect] = []
        self.stored: list[Store] = []
        self.works: set[type] = {Transcribe, Evaluate, Phrase, Store}
        self.similarity = 0.5
        self.hears: tuple[Any, ...] = ()
        self.interview, effects = Interview.begin(
            bank, session_id="s1", user_id=7, seed=seed, now_ms=self.now_ms, **options
        )
        self._do(effects)

    # what happens

    def at(self, second: float) -> "Rehearsal":
        """Let time pass, every timer on its dot."""
        until_ms = START_MS + round(second * 1000)
        while (due_ms := self.interview.deadline_ms) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self._do(self.interview.tick(self.now_ms))
        self.now_ms = until_ms
        return self

    def say(self, act: Callable[..., list[Effect]], *args: Any, **options: Any) -> "Rehearsal":
        """Tell the interview something, now."""
        self._do(act(*args, self.now_ms, **options))
        return self

    def turn(self) -> "Rehearsal":
        return self.say(self.interview.interviewer_done)

    def voice(self, start: float, end: float) -> "Rehearsal":
        span = Span(START_MS + round(start * 1000), START_MS + round(end * 1000))
        return self.at(end).say(self.interview.hear, [span])

    def caption(self, text: str, *, is_final: bool = True) -> "Rehearsal":
        return self.say(self.interview.caption, text, is_final=is_final)

    def done(self) -> "Rehearsal":
        return self.say(self.interview.user_done)

    def stop(self) -> "Rehearsal":
        return self.say(self.interview.stop)

    def answer(
        self, text: str = "a shared lock is taken to read a row of the table"
    ) -> "Rehearsal":
        """A whole turn of two seconds."""
        second = (self.now_ms - START_MS) / 1000
        return self.turn().at(second + 2).caption(text).done()

    def move_to_another_worker(self) -> "Rehearsal":
        state = InterviewState.from_dict(self.interview.state.as_dict())
        self.interview = Interview(state, BANK)
        return self

    def finish(self, effect: Effect) -> None:
        """Do one piece of work."""
        procedure, now_ms = self.interview.procedure, self.now_ms
        match effect:
            case Transcribe(job):
                self._do(procedure.transcribed(job, self.hears, now_ms, by="fake ears"))
            case Evaluate(job, question):
                judged = assessed(question, similarity=self.similarity)
                self._do(procedure.evaluated(job, judged, now_ms))
            case Phrase(job):
                self._do(procedure.phrased(job, None, now_ms))
            case Store(job):
                self.stored.append(effect)
                self._do(procedure.stored(job, now_ms))

    def fail(self, effect: Effect) -> None:
        assert not isinstance(effect, Tell)
        self._do(self.interview.procedure.failed(effect.job, self.now_ms))

    # what came of it

    @property
    def phase(self) -> Phase:
        return self.interview.state.phase

    def names(self, *, timers: bool = False) -> list[str]:
        return [name for name, _ in self.told if timers or name != "timer_update"]

    def all(self, name: str) -> list[dict[str, Any]]:
        return [payload for told, payload in self.told if told == name]

    def last(self, name: str) -> dict[str, Any]:
        return self.all(name)[-1]

    def forget(self) -> "Rehearsal":
        """Look only at what comes from here on."""
        self.told.clear()
        self.receivers.clear()
        return self

    @property
    def result(self) -> dict[str, Any]:
        return self.last("interview_complete")

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Tell):
                self.told.append((effect.name, plain(effect.event)))
                self.receivers.append(effect.to)
            elif type(effect) in self.works:
                self.finish(effect)
            else:
                self.pending.append(effect)
