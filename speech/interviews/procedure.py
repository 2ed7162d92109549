"""What follows a turn: hear it again, judge it, choose what comes next, ask it or conclude.

One piece of work is awaited at a time, under a job id of its own. What comes back late or twice
finds its job gone and changes nothing; what does not come back at all is done without.
"""

from collections.abc import Sequence
from dataclasses import replace

from readrealm.kernel.errors import ProviderUnavailable, StoreUnavailable
from readrealm.kernel.wire import plain
from speech.interviews import announcements, course
from speech.interviews.curveballs import challenge
from speech.interviews.effects import Effects, Evaluate, Phrase, Store, Tell, Transcribe
from speech.interviews.evaluation import Assessment, nothing_said, steering_score
from speech.interviews.events import ForceStopSpeaking, InterviewComplete
from speech.interviews.fluency import SyllableCounter
from speech.interviews.questions import QuestionBank
from speech.interviews.report import report
from speech.interviews.state import (
    SILENT_ANSWER,
    Answer,
    AskedQuestion,
    InterviewState,
    Job,
    Phase,
    Reason,
    Step,
)
from speech.interviews.timeline import Span, TurnEnd
from speech.interviews.transcription import Failed, Final, Hearing, Transcript
from speech.interviews.turn import OpenTurn
from speech.interviews.wording import accepts_wording


class Procedure:
    """Carries an interview from the end of a turn to the next question, or to its result."""

    def __init__(
        self, state: InterviewState, bank: QuestionBank, *, syllables: SyllableCounter
    ) -> None:
        self._state = state
        self._bank = bank
        self._syllables = syllables

    # -------------------------------------------------------------------- what begins it

    def end(self, reason: Reason, by: TurnEnd, *, at_ms: int) -> Effects:
        """No further question: finish what is going on, then conclude."""
        state = self._state
        state.ending, state.ended_ms = reason, at_ms
        if state.open_turn is not None:
            return self.close_turn(state.open_turn, by, at_ms=at_ms)
        if state.awaits(Step.TRANSCRIBE) or state.awaits(Step.EVALUATE):
            return []
        return self._conclude()

    def disconnect(self, since_ms: int) -> Effects:
        """The reader has gone then, and did not come back."""
        return self.end(Reason.DISCONNECTED, TurnEnd.DISCONNECTED, at_ms=since_ms)

    def close_turn(self, turn: OpenTurn, by: TurnEnd, *, at_ms: int) -> Effects:
        state = self._state
        turn.ended_ms, turn.ended_by = at_ms, by
        state.phase = Phase.PROCESSING
        effects: Effects = [Tell(ForceStopSpeaking())]
        if turn.has_nothing:
            return [*effects, *self._judge(turn)]
        return [*effects, *self._hear_again(turn)]

    def begin_again(self) -> Effects:
        """Whoever did the work that is awaited is gone: have it done by somebody else."""
        state, job = self._state, self._state.job
        if job is None:
            return []
        if job.step is Step.STORE:
            return self._store(attempt=1)
        if job.step is Step.PHRASE:
            return self._phrase()
        if state.turn is None:
            raise RuntimeError("there is no turn to go on with")
        if job.step is Step.TRANSCRIBE and not state.turn.captions.text:
            return self._hear_again(state.turn)
        return self._judge(state.turn)

    # -------------------------------------------------------------------- work that is done

    def transcribed(
        self,
        job: int,
        hearings: Sequence[Hearing],
        now_ms: int,
        *,
        by: str,
        speech: Sequence[Span] = (),
        is_whole: bool = True,
    ) -> Effects:
        """The turn was heard again.

        Args:
            hearings: a `Final` replaces what the transcriber heard before; without one, or with
                an empty one, that stands.
            speech: stretches of voice that the end of the audio made certain.
            is_whole: whether all of the turn was heard, also what came on another worker.
        """
        turn = self._state.turn
        if not self._state.finish_job(job, Step.TRANSCRIBE, now_ms) or turn is None:
            return []
        effects: Effects = []
        for span in speech:
            turn.hear(span, now_ms=turn.ended_ms or now_ms)
        for hearing in hearings:
            match hearing:
                case Final(text):
                    turn.hear_again(text, by=by, is_whole=is_whole)
                case Failed():
                    effects += tell_outage(turn)
        return [*effects, *self._judge(turn)]

    def evaluated(self, job: int, assessment: Assessment, now_ms: int) -> Effects:
        """The answer was judged."""
        turn = self._state.turn
        if not self._state.finish_job(job, Step.EVALUATE, now_ms) or turn is None:
            return []
        return self._answered(turn, assessment)

    def phrased(self, job: int, text: str | None, now_ms: int) -> Effects:
        """The next question was worded; unless that will do, the bank's words stand."""
        upcoming = self._state.upcoming
        if not self._state.finish_job(job, Step.PHRASE, now_ms) or upcoming is None:
            return []
        earlier = [answer.question.text for answer in self._state.answers]
        concepts = () if upcoming.curveball else upcoming.concepts
        if text is not None and accepts_wording(text, concepts, earlier=earlier):
            self._state.upcoming = replace(upcoming, text=" ".join(text.split()))
        return self._go_on()

    def stored(self, job: int, now_ms: int) -> Effects:
        """The result is kept, so it may be told. Any attempt will do, also an earlier one."""
        state, current = self._state, self._state.job
        if current is not None and current.step is Step.STORE:
            # Attempts follow each other, and so do their ids.
            job = current.id if 0 <= current.id - job < current.attempt else job
        if not state.finish_job(job, Step.STORE, now_ms):
            return []
        result = self._report()
        state.phase, state.turn, state.result = Phase.DONE, None, plain(result)
        return [] if state.left else [Tell(result)]

    def failed(self, job: int, now_ms: int) -> Effects:
        """A job could not be done. The interview goes on without it; storing is tried again."""
        current = self._state.job
        if current is None or current.id != job:
            return []
        self._state.touch(now_ms)
        if current.step is not Step.STORE:
            return self._do_without(current)
        # It stays until it is due, and is then tried again.
        if current.attempt > 1:
            return []
        return [Tell(announcements.refusal(StoreUnavailable(), event="interview_complete"))]

    def overdue(self, job: Job) -> Effects:
        """A job was not answered in time."""
        if job.step is Step.STORE:
            return self._store(attempt=job.attempt + 1)
        return self._do_without(job)

    # -------------------------------------------------------------------- step by step

    def _hear_again(self, turn: OpenTurn) -> Effects:
        ended_ms = turn.started_ms if turn.ended_ms is None else turn.ended_ms
        wait_ms = self._state.rules.transcribe_ms + 2 * (ended_ms - turn.started_ms)
        job = self._state.start_job(Step.TRANSCRIBE, wait_ms)
        return [Transcribe(job.id, turn.number)]

    def _judge(self, turn: OpenTurn) -> Effects:
        """Have the answer judged; silence needs no judge, and is no answer to a last question."""
        # A recogniser that hears no more has said its last word.
        turn.recogniser = Transcript(turn.recogniser.text)
        if not turn.is_silent:
            job = self._state.start_job(Step.EVALUATE, self._state.rules.evaluate_ms)
            return [Evaluate(job.id, self._state.question, turn.heard.text)]
        if self._state.ending is not None:
            self._state.turns.append(turn.closed(self._state.started_ms))
            return self._conclude()
        return self._answered(turn, nothing_said(self._state.question))

    def _answered(
        self, turn: OpenTurn, assessment: Assessment, *, is_judged: bool = True
    ) -> Effects:
        """Keep an answer, learn from it, and choose the next question or conclude."""
        state, answer = self._state, _answer(self._state, turn, assessment)
        state.answers.append(answer)
        state.turns.append(turn.closed(state.started_ms))
        score = steering_score(assessment, answer.text)
        if is_judged:
            state.knowledge = state.knowledge.after(
                state.question, assessment, score=score, now_ms=state.touched_ms
            )
        if state.ending is None and len(state.answers) >= state.rules.max_questions:
            state.ending, state.ended_ms = Reason.COMPLETED, turn.ended_ms
        if state.ending is not None:
            return self._conclude()
        state.upcoming = self._choose(answer, score)
        if not state.rules.words_questions:
            return self._go_on()
        return self._phrase()

    def _phrase(self) -> Effects:
        state, answer = self._state, self._state.answers[-1]
        if state.upcoming is None:
            raise RuntimeError("there is no question to word")
        job = state.start_job(Step.PHRASE, state.rules.phrase_ms)
        return [Phrase(job.id, state.upcoming, "" if answer.silent else answer.text)]

    def _choose(self, answer: Answer, score: float) -> AskedQuestion:
        state = self._state
        state.course, move = course.proceed(
            state.course, self._bank, state.knowledge, score=score, now_ms=state.touched_ms
        )
        if isinstance(move, course.Ask):
            return AskedQuestion.of(move.question)
        asked = answer.question
        text = "" if answer.silent else answer.text
        return replace(
            asked,
            id=f"{asked.id}/curveball",
            text=challenge(text, asked.key_terms, state.course.dice),
            difficulty=move.difficulty,
            curveball=True,
        )

    def _go_on(self) -> Effects:
        """Tell about the answer and ask the next question."""
        state = self._state
        if state.upcoming is None:
            raise RuntimeError("there is no question to ask")
        state.question, state.upcoming = state.upcoming, None
        state.questions_asked += 1
        state.phase, state.turn = Phase.INTERVIEWER, None
        answer, state.answers_told = state.answers[-1], len(state.answers)
        return [
            Tell(announcements.answered(answer, next_question=state.question.text)),
            Tell(announcements.question(state)),
        ]

    def _conclude(self) -> Effects:
        """Tell about the last answer and have the result stored: it is told once it is kept."""
        state = self._state
        effects: Effects = []
        state.phase, state.upcoming = Phase.PROCESSING, None
        if state.answers_told < len(state.answers):
            state.answers_told = len(state.answers)
            effects.append(Tell(announcements.answered(state.answers[-1], next_question=None)))
        return [*effects, *self._store(attempt=1)]

    def _store(self, *, attempt: int) -> Effects:
        rules = self._state.rules
        wait_ms = min(rules.longest_store_ms, rules.store_ms * 2 ** (attempt - 1))
        job = self._state.start_job(Step.STORE, wait_ms, attempt=attempt)
        return [Store(job.id, self._report(), self._state.knowledge)]

    def _report(self) -> InterviewComplete:
        ended_ms = self._state.ended_ms
        if ended_ms is None:
            raise RuntimeError("the interview has not ended")
        return report(self._state, ended_ms=ended_ms, syllables=self._syllables)

    def _do_without(self, job: Job) -> Effects:
        state, turn = self._state, self._state.turn
        state.job = None
        if job.step is Step.PHRASE:
            return self._go_on()
        if turn is None:
            raise RuntimeError("there is no turn to go on with")
        if job.step is Step.TRANSCRIBE:
            return [*tell_outage(turn), *self._judge(turn)]
        error = ProviderUnavailable("this answer could not be evaluated; it counts as 0")
        return [
            Tell(announcements.refusal(error, event="user_answer_complete")),
            *self._answered(turn, nothing_said(state.question), is_judged=False),
        ]


def tell_outage(turn: OpenTurn) -> Effects:
    """That nobody transcribes; said once a turn."""
    if turn.outage_told:
        return []
    turn.outage_told = True
    error = ProviderUnavailable("Transcription service unavailable")
    return [Tell(announcements.refusal(error, event="live_transcript"))]


def _answer(state: InterviewState, turn: OpenTurn, assessment: Assessment) -> Answer:
    return Answer(
        question=state.question,
        turn=turn.number,
        text=SILENT_ANSWER if turn.is_silent else turn.heard.text,
        silent=turn.is_silent,
        heard_by="" if turn.is_silent else turn.heard_by,
        heard_how=turn.heard_how,
        assessment=assessment,
    )
