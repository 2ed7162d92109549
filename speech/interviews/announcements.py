"""The events of an interview, made from its state. Decides nothing."""

from readrealm.kernel.errors import AppError, public_face
from speech.interviews.contract import InterviewContract
from speech.interviews.events import (
    AgentIntroQuestion,
    AgentNextQuestion,
    BackendReady,
    InterviewError,
    InterviewStarted,
    LiveTranscript,
    TimerUpdate,
    UserAnswerComplete,
    UserTurnStarted,
)
from speech.interviews.state import Answer, InterviewState, Phase


def opening(state: InterviewState, *, resumed: bool) -> list[InterviewContract]:
    """The current question and what a client must know to go on from it, in order."""
    now_ms = state.touched_ms
    events: list[InterviewContract] = [
        question(state),
        ready(now_ms=now_ms),
        started(state, resumed=resumed),
    ]
    if (turn := state.open_turn) is None:
        return events
    heard = [LiveTranscript(text=turn.heard.text)] if turn.heard.text else []
    return [*events, *turn_opening(state), *heard]


def turn_opening(state: InterviewState) -> list[InterviewContract]:
    """The reader's turn has begun, or goes on."""
    now_ms = state.touched_ms
    return [turn_started(state, now_ms=now_ms), timer(state, now_ms=now_ms)]


def question(state: InterviewState) -> AgentNextQuestion:
    asked = state.question
    is_first = state.rules.introduces and state.questions_asked == 1
    kind = AgentIntroQuestion if is_first else AgentNextQuestion
    return kind(
        question=asked.text,
        number=state.questions_asked,
        topic=asked.topic,
        subtopic=asked.subtopic,
        difficulty=asked.difficulty.value,
        curveball=asked.curveball,
    )


def ready(*, now_ms: int) -> BackendReady:
    return BackendReady(timestamp=now_ms / 1000)


def started(state: InterviewState, *, resumed: bool) -> InterviewStarted:
    phase = Phase.PROCESSING if state.phase is Phase.DONE else state.phase
    return InterviewStarted(
        session_id=state.session_id,
        topic=state.question.topic,
        difficulty=state.question.difficulty.value,
        duration_limit=state.rules.duration_limit_ms // 1000,
        max_questions=state.rules.max_questions,
        stress_test=state.stress,
        resumed=resumed,
        state=phase.value,
    )


def turn_started(state: InterviewState, *, now_ms: int) -> UserTurnStarted:
    return UserTurnStarted(question=state.question.text, timestamp=now_ms / 1000)


def timer(state: InterviewState, *, now_ms: int) -> TimerUpdate:
    """What the clocks show; those of the turn only while it is the reader's turn."""
    turn = state.turn if state.phase is Phase.USER else None
    left_ms = state.rules.duration_limit_ms - (now_ms - state.started_ms) // 1000 * 1000
    return TimerUpdate(
        time_remaining=max(0, left_ms // 1000),
        turn_time_elapsed=_tenths(turn.present_ms(turn.started_ms, now_ms) if turn else 0),
        silence_elapsed=_tenths(turn.present_ms(turn.last_voice_ms, now_ms) if turn else 0),
    )


def answered(answer: Answer, *, next_question: str | None) -> UserAnswerComplete:
    return UserAnswerComplete(
        answer=answer.text,
        question=answer.question.text,
        next_question=next_question,
        number=answer.turn,
        similarity=round(answer.assessment.similarity, 3),
        keyword_coverage=round(answer.assessment.keyword_coverage, 3),
    )


def refusal(error: AppError, *, event: str) -> InterviewError:
    code, text = public_face(error)
    return InterviewError(error=text, code=code, event=event)


def _tenths(milliseconds: int) -> float:
    return round(milliseconds / 1000, 1)
