"""The result of an interview: metrics, answers, time line, as ``interview_complete``. Pure."""

from collections.abc import Iterable

from speech.interviews.evaluation import percent
from speech.interviews.events import InterviewComplete
from speech.interviews.fluency import SyllableCounter, count_syllables, words
from speech.interviews.metrics import (
    BENCHMARKS,
    Score,
    measure,
    response_latency_ms,
    speaking_ms,
)
from speech.interviews.outcome import ContradictionFound, QaPair, TimelineTurn
from speech.interviews.state import Answer, InterviewState, Reason
from speech.interviews.timeline import Timeline, Turn

LEAST_WORDS = 5
"""Fewer words than this say nothing about how somebody speaks."""


def report(
    state: InterviewState, *, ended_ms: int, syllables: SyllableCounter = count_syllables
) -> InterviewComplete:
    """The result of an interview that has ended.

    Args:
        ended_ms: Unix time; the end of the last turn, or of the connection.

    Raises:
        ValueError: the interview goes on, or was abandoned.
    """
    if state.ending is None or state.ending is Reason.ABANDONED:
        raise ValueError("there is no result of this interview")
    timeline = Timeline(duration_ms=max(0, ended_ms - state.started_ms), turns=tuple(state.turns))
    metrics = measure(
        timeline,
        [_score(answer) for answer in state.answers],
        questions_asked=state.questions_asked,
        syllables=syllables,
    )
    spoken = [answer.text for answer in state.answers if not answer.silent]
    turns = dict(enumerate(state.turns, start=1))
    return InterviewComplete(
        transcript="\n".join(spoken),
        conversation="\n\n".join(
            f"Q: {answer.question.text}\n\nA: {answer.text}" for answer in state.answers
        ),
        semantic_similarity=metrics.avg_semantic_similarity,
        analysis_valid=bool(spoken) and metrics.total_words >= LEAST_WORDS,
        total_duration=metrics.session_duration,
        speaking_time=metrics.speaking_time,
        total_words=metrics.total_words,
        metrics=metrics,
        qa_pairs=[_pair(answer, turns[answer.turn]) for answer in state.answers],
        session_id=state.session_id,
        reason=state.ending.value,
        stress_test=state.stress,
        benchmarks=BENCHMARKS,
        heard_by=_names(answer.heard_by for answer in state.answers),
        measured_by=_names(answer.assessment.measured_by for answer in state.answers),
        timeline=[_timeline_turn(number, turn) for number, turn in turns.items()],
        started_at=state.started_ms / 1000,
        completed_at=ended_ms / 1000,
    )


def _score(answer: Answer) -> Score:
    return Score(
        similarity=answer.assessment.similarity,
        keyword_coverage=answer.assessment.keyword_coverage,
        silent=answer.silent,
    )


def _pair(answer: Answer, turn: Turn) -> QaPair:
    question, assessment = answer.question, answer.assessment
    latency = response_latency_ms(turn)
    return QaPair(
        question=question.text,
        answer=answer.text,
        expected_answer=question.expected_answer,
        similarity=round(assessment.similarity, 3),
        keyword_coverage=round(assessment.keyword_coverage, 3),
        number=answer.turn,
        grade=assessment.grade,
        score=percent(assessment.similarity),
        found_terms=list(assessment.found_terms),
        missing_terms=list(assessment.missing_terms),
        contradictions=[
            ContradictionFound(said=found.said, expected=found.expected)
            for found in assessment.contradictions
        ],
        topic=question.topic,
        subtopic=question.subtopic,
        difficulty=question.difficulty.value,
        curveball=question.curveball,
        silent=answer.silent,
        heard_by=answer.heard_by,
        heard_how=answer.heard_how and answer.heard_how.value,
        words=len(words(turn.text)),
        speaking_time=round(speaking_ms(turn) / 1000, 1),
        response_latency=None if latency is None else round(latency / 1000, 2),
    )


def _timeline_turn(number: int, turn: Turn) -> TimelineTurn:
    return TimelineTurn(
        number=number,
        started=turn.started_ms / 1000,
        ended=turn.ended_ms / 1000,
        ended_by=turn.ended_by.value,
        speech=[(span.start_ms / 1000, span.end_ms / 1000) for span in turn.voiced],
    )


def _names(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name})
