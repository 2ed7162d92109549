"""What is due when in an interview: seconds, silence, the grace time, its end, and late work."""

from collections.abc import Callable

from speech.interviews import announcements
from speech.interviews.effects import Effects, Tell
from speech.interviews.procedure import Procedure
from speech.interviews.state import InterviewState, Phase, Reason
from speech.interviews.timeline import TurnEnd
from speech.interviews.turn import OpenTurn

_Timer = tuple[int, Callable[[int], Effects]]


class Timers:
    """The timers of one interview. They are read off its state, so none has to be set or stopped.

    Moments are Unix time in milliseconds.
    """

    def __init__(self, state: InterviewState, procedure: Procedure) -> None:
        self._state, self._procedure = state, procedure

    @property
    def deadline_ms(self) -> int | None:
        """When the next one is due; None once nothing will ever be."""
        return min((due_ms for due_ms, _ in self._timers()), default=None)

    def tick(self, now_ms: int) -> Effects:
        """Whatever has become due, in the order in which it did."""
        state, effects = self._state, Effects()
        state.touch(now_ms)
        while due := [timer for timer in self._timers() if timer[0] <= state.touched_ms]:
            due_ms, act = min(due, key=lambda timer: timer[0])
            effects += act(due_ms)
        return effects

    def tell_time(self, now_ms: int) -> Effects:
        """The timer update, if it is due and nothing else is."""
        self._state.touch(now_ms)
        due = [timer for timer in self._timers() if timer[0] <= self._state.touched_ms]
        if len(due) != 1 or due[0][1] != self._tell_time:
            return []
        return self._tell_time(due[0][0])

    def _timers(self) -> list[_Timer]:
        """Each timer, once it has acted, is due later or not at all."""
        state, rules = self._state, self._state.rules
        timers: list[_Timer] = []
        if (job := state.job) is not None:
            timers.append((job.due_ms, lambda _: self._procedure.overdue(job)))
        if state.ending is not None or state.phase is Phase.DONE:
            return timers
        timers.append((state.started_ms + rules.duration_limit_ms, self._run_out))
        if state.away_since_ms is not None:
            return [*timers, (state.away_since_ms + rules.grace_ms, self._give_up)]
        timers.append((state.next_second_ms, self._tell_time))
        if (turn := state.open_turn) is not None:
            silent_until_ms = turn.silent_until_ms(rules.silence_timeout_ms)
            timers.append((silent_until_ms, lambda _: self._time_out(turn)))
        return timers

    def _tell_time(self, due_ms: int) -> Effects:
        state = self._state
        late = (state.touched_ms - due_ms) // state.rules.second_ms
        state.next_second_ms = due_ms + (late + 1) * state.rules.second_ms
        return [Tell(announcements.timer(state, now_ms=state.touched_ms))]

    def _time_out(self, turn: OpenTurn) -> Effects:
        return self._procedure.close_turn(turn, TurnEnd.SILENCE, at_ms=self._state.touched_ms)

    def _run_out(self, due_ms: int) -> Effects:
        """The time is over, for an absent reader when the connection was lost."""
        away_ms = self._state.away_since_ms
        at_ms = due_ms if away_ms is None else away_ms
        return self._procedure.end(Reason.TIME_LIMIT, TurnEnd.TIME_LIMIT, at_ms=at_ms)

    def _give_up(self, due_ms: int) -> Effects:
        return self._procedure.disconnect(due_ms - self._state.rules.grace_ms)
