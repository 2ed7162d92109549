"""One interview without its sockets, timers and models.

INTERVIEWER -> USER -> PROCESSING -> INTERVIEWER ... -> DONE. It is told what happened and when,
and answers with what to do, in that order. It never waits: `Interview.deadline_ms` says when it
wants `Interview.tick`, and work that takes a while comes back to `Interview.procedure`.
"""

from collections.abc import Sequence

from readrealm.kernel.errors import InvalidState, SessionNotFound, UnsupportedMedia
from readrealm.kernel.wire import parse
from speech.interviews import announcements, course
from speech.interviews.effects import Effects, Receiver, Tell
from speech.interviews.events import InterviewComplete, LiveTranscript
from speech.interviews.fluency import SyllableCounter, count_syllables
from speech.interviews.knowledge import Knowledge
from speech.interviews.procedure import Procedure, tell_outage
from speech.interviews.questions import QuestionBank
from speech.interviews.state import AskedQuestion, InterviewState, Phase, Reason, Rules, Step
from speech.interviews.timeline import Span, TurnEnd
from speech.interviews.timers import Timers
from speech.interviews.transcription import Failed, Final, Hearing, Partial
from speech.interviews.turn import OpenTurn


class Interview:
    """The rules of one interview; its whole memory is `state`.

    Every method takes the moment as Unix time in milliseconds; time never runs backwards, even
    if the clock does. What was due before that moment happens first.

    Args:
        bank: where the next questions come from. It may differ from the one the interview began
            with: questions that were asked are kept in the state.
        syllables: how syllables of a word are counted for the result.
    """

    def __init__(
        self,
        state: InterviewState,
        bank: QuestionBank,
        *,
        syllables: SyllableCounter = count_syllables,
    ) -> None:
        self.state = state
        self.procedure = Procedure(state, bank, syllables=syllables)
        self._timers = Timers(state, self.procedure)

    @classmethod
    def begin(
        cls,
        bank: QuestionBank,
        *,
        session_id: str,
        user_id: int,
        seed: int,
        now_ms: int,
        rules: Rules | None = None,
        knowledge: Knowledge | None = None,
        stress: bool = False,
        topic: str | None = None,
        syllables: SyllableCounter = count_syllables,
    ) -> tuple["Interview", Effects]:
        """A new interview and how it opens: the first question, then that all is ready.

        Args:
            seed: decides whatever is left to chance.
            knowledge: what earlier interviews of this reader have shown.
            topic: ask about this topic only.

        Raises:
            InvalidInput: the bank has no such topic.
        """
        rules, knowledge = rules or Rules(), knowledge or Knowledge()
        first_course, first = course.begin(
            bank, knowledge, seed=seed, stress=stress, topic=topic, now_ms=now_ms
        )
        state = InterviewState(
            session_id=session_id,
            user_id=user_id,
            rules=rules,
            stress=stress,
            started_ms=now_ms,
            touched_ms=now_ms,
            next_second_ms=now_ms + rules.second_ms,
            course=first_course,
            knowledge=knowledge,
            question=AskedQuestion.of(first.question),
        )
        interview = cls(state, bank, syllables=syllables)
        return interview, interview._opening(Receiver.ROOM, resumed=False)

    # -------------------------------------------------------------------- connection

    def attach(self, now_ms: int) -> Effects:
        """A socket of the reader is there again: it gets the current question.

        If nobody said that the former one was gone, as when its worker died, it is taken to have
        gone when the interview was last told of anything.

        Raises:
            SessionNotFound: the interview was left, or replaced.
        """
        state = self.state
        if state.phase is Phase.DONE:
            return self._result_again()
        since_ms = self._gone_since()
        effects = self.tick(now_ms)
        if state.ending is not None:
            return effects
        self._come_back(since_ms)
        return [*effects, *self._opening(Receiver.CALLER, resumed=True)]

    def detach(self, now_ms: int) -> Effects:
        """The last socket of the reader is gone: the turn stands still, the session goes on."""
        effects = self.tick(now_ms)
        self._gone_since()
        return effects

    def adopt(self, now_ms: int) -> Effects:
        """Go on with an interview whose worker is gone, and with it the work that was awaited.

        The reader is taken to have gone when the interview was last told of anything. Of a turn's
        sound, what its worker kept can still be heard; where it kept none, the words stand.
        """
        self._gone_since()
        self.state.touch(now_ms)
        return self.procedure.begin_again()

    def give_up(self, now_ms: int) -> Effects:
        """The reader is away and will not come back: finish now, not after the grace time."""
        effects = self.tick(now_ms)
        since_ms = self.state.away_since_ms
        if since_ms is None or self.state.ending is not None or self.state.phase is Phase.DONE:
            return effects
        return [*effects, *self.procedure.disconnect(since_ms)]

    # -------------------------------------------------------------------- commands

    def interviewer_done(self, now_ms: int) -> Effects:
        """The question has been read out.

        Raises:
            InvalidState: the next question has not been asked yet.
            SessionNotFound: the interview is over.
        """
        effects = self.tick(now_ms)
        state = self._live()
        if state.phase is Phase.PROCESSING:
            raise InvalidState("the next question has not been asked yet")
        if state.phase is Phase.USER:
            return effects
        now_ms, number = state.touched_ms, len(state.turns) + 1
        state.phase = Phase.USER
        state.turn = OpenTurn(number=number, started_ms=now_ms, last_voice_ms=now_ms)
        return [*effects, *map(Tell, announcements.turn_opening(state))]

    def user_done(self, now_ms: int) -> Effects:
        """The reader ends the answer by hand; ending it twice is not an error.

        Raises:
            InvalidState: it is not the reader's turn.
            SessionNotFound: the interview is over.
        """
        effects = self.tick(now_ms)
        state = self._live()
        if state.phase is Phase.INTERVIEWER:
            raise InvalidState("it is not your turn yet")
        if state.open_turn is not None:
            at_ms = state.touched_ms
            effects += self.procedure.close_turn(state.open_turn, TurnEnd.HAND, at_ms=at_ms)
        return effects

    def stop(self, now_ms: int) -> Effects:
        """Finish: the answer that is going on still counts. Again, it gets the same result.

        Raises:
            SessionNotFound: the interview was left, or replaced.
        """
        effects = self.tick(now_ms)
        if self.state.phase is Phase.DONE:
            return effects or self._result_again()
        if self.state.ending is None:
            at_ms = self.state.touched_ms
            effects += self.procedure.end(Reason.STOPPED, TurnEnd.STOP, at_ms=at_ms)
        return effects

    def leave(self, now_ms: int) -> Effects:
        """Give up, silently. A result that is being stored is stored, but not told."""
        state = self.state
        state.touch(now_ms)
        state.left = True
        if state.ending is None and state.phase is not Phase.DONE:
            state.ending, state.ended_ms = Reason.ABANDONED, state.touched_ms
            state.phase, state.job, state.turn = Phase.DONE, None, None
        return []

    # -------------------------------------------------------------------- voice and text

    def hear(self, speech: Sequence[Span], now_ms: int) -> Effects:
        """Voice was noticed (Unix milliseconds); outside the reader's turn it is ignored.

        A stretch that goes on is told again, with the same start and a later end.
        """
        turn = self.state.open_turn
        for span in speech:
            if turn is not None:
                turn.hear(span, now_ms=max(now_ms, self.state.touched_ms))
        return self.tick(now_ms)

    def caption(self, text: str, now_ms: int, *, is_final: bool) -> Effects:
        """The browser heard something; outside the reader's turn it is ignored.

        A final caption is still taken while the turn is being transcribed, for browsers deliver
        it after the reader has pressed the button.

        Raises:
            PayloadTooLarge: the turn has too much text.
        """
        state, effects = self.state, Effects()
        turn = state.turn if state.awaits(Step.TRANSCRIBE) else state.open_turn
        moment_ms = max(now_ms, state.touched_ms)
        if turn is not None and turn.caption(text, is_final=is_final, now_ms=moment_ms):
            effects.append(Tell(LiveTranscript(text=turn.heard.text)))
        return [*effects, *self.tick(now_ms)]

    def recognise(self, hearings: Sequence[Hearing], now_ms: int, *, by: str) -> Effects:
        """The transcriber ``by`` heard something; outside the reader's turn it is ignored."""
        turn, effects = self.state.open_turn, Effects()
        moment_ms = max(now_ms, self.state.touched_ms)
        for hearing in hearings:
            if turn is not None:
                effects += _recognise(turn, hearing, now_ms=moment_ms, by=by)
        return [*effects, *self.tick(now_ms)]

    def refuse_media(self, now_ms: int) -> Effects:
        """The audio is in a container that nothing here decodes; said once an interview."""
        effects = self.tick(now_ms)
        if not self.state.media_refused and self.state.phase is not Phase.DONE:
            self.state.media_refused = True
            refusal = UnsupportedMedia("this audio cannot be decoded; send 16 bit PCM")
            effects.append(Tell(announcements.refusal(refusal, event="audio_chunk")))
        return effects

    # -------------------------------------------------------------------- time

    @property
    def deadline_ms(self) -> int | None:
        """When `tick` is wanted next; None once nothing will ever be due."""
        return self._timers.deadline_ms

    def tick(self, now_ms: int) -> Effects:
        """Whatever has become due, in the order in which it did."""
        return self._timers.tick(now_ms)

    def tell_time(self, now_ms: int) -> Effects:
        """The timer update, if it is due and nothing else is: it may be told out of turn."""
        return self._timers.tell_time(now_ms)

    # -------------------------------------------------------------------- small parts

    def _live(self) -> InterviewState:
        if self.state.phase is Phase.DONE:
            raise SessionNotFound("this interview is over")
        return self.state

    def _result_again(self) -> Effects:
        if self.state.result is None or self.state.left:
            raise SessionNotFound("this interview is over")
        return [Tell(parse(InterviewComplete, self.state.result), Receiver.CALLER)]

    def _gone_since(self) -> int:
        state = self.state
        if state.away_since_ms is None:
            state.away_since_ms = state.touched_ms
        return state.away_since_ms

    def _come_back(self, since_ms: int) -> None:
        state = self.state
        if state.open_turn is not None:
            state.open_turn.absences.append(Span(since_ms, state.touched_ms))
        state.away_since_ms = None
        state.next_second_ms = state.touched_ms + state.rules.second_ms

    def _opening(self, to: Receiver, *, resumed: bool) -> Effects:
        """The current question and what a client must know to go on from it."""
        return [Tell(event, to) for event in announcements.opening(self.state, resumed=resumed)]


def _recognise(turn: OpenTurn, hearing: Hearing, *, now_ms: int, by: str) -> Effects:
    match hearing:
        case Partial(text) | Final(text):
            is_final = isinstance(hearing, Final)
            if turn.recognise(text, is_final=is_final, by=by, now_ms=now_ms):
                return [Tell(LiveTranscript(text=turn.heard.text))]
        case Failed():
            return tell_outage(turn)
    return []
