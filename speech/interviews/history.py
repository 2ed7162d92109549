"""What a reader sees of interviews outside of one: what to choose from, what came of earlier ones.

Asks the relational store and blocks. Knows no page and no socket.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from speech.interviews import live_store
from speech.interviews.events import MAX_QUESTIONS
from speech.interviews.owners import Owner
from speech.models import InterviewResult, InterviewTopic, ReaderKnowledge

QUESTION_COUNTS = (3, 5, 10, MAX_QUESTIONS)

MOST_SHOWN = 100

CSV_COLUMNS = (
    "number",
    "topic",
    "subtopic",
    "difficulty",
    "question",
    "answer",
    "expected_answer",
    "similarity",
    "keyword_coverage",
    "grade",
    "words",
    "speaking_time",
    "response_latency",
    "heard_by",
    "heard_how",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOption:
    name: str
    """What ``start_interview`` takes."""
    title: str
    subtopics: tuple[str, ...]
    """Titles."""
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What can be chosen before an interview."""

    topics: tuple[TopicOption, ...]
    question_counts: tuple[int, ...] = QUESTION_COUNTS
    most_questions: int = MAX_QUESTIONS
    duration_s: int
    """Seconds after which an interview ends by itself."""
    silence_s: int
    """Seconds of silence that end an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterviewSummary:
    """One interview in a list; shares and scores are 0 to 1."""

    session_id: str
    started_at: datetime
    completed_at: datetime
    duration_s: float
    reason: str
    stress_test: bool
    analysis_valid: bool
    topics: list[str]
    questions_asked: int
    questions_answered: int
    similarity: float
    keyword_coverage: float
    relevance: float
    fluency: float
    wpm: float
    heard_by: list[str]


def start_options() -> StartOptions:
    """The topics that have questions, and the limits of an interview."""
    asked = Count("subtopics__questions", filter=Q(subtopics__questions__is_active=True))
    topics = (
        InterviewTopic.objects.filter(is_active=True)
        .annotate(questions=asked)
        .filter(questions__gt=0)
        .prefetch_related("subtopics")
    )
    return StartOptions(
        topics=tuple(
            TopicOption(
                name=topic.name,
                title=topic.title,
                subtopics=tuple(part.title for part in topic.subtopics.all()),
                questions=topic.questions,
            )
            for topic in topics
        ),
        duration_s=settings.INTERVIEW_DURATION_S,
        silence_s=settings.INTERVIEW_SILENCE_S,
    )


def topic_titles() -> dict[str, str]:
    """How topics are called on a page, by name."""
    return dict(InterviewTopic.objects.values_list("name", "title"))


def past_interviews(user: Any, *, limit: int = MOST_SHOWN) -> list[InterviewSummary]:
    """The interviews of an account, newest first."""
    results = InterviewResult.objects.filter(user=user).defer("report")
    return [
        InterviewSummary(
            session_id=result.session_id,
            started_at=result.started_at,
            completed_at=result.completed_at,
            duration_s=result.duration_s,
            reason=result.reason,
            stress_test=result.stress_test,
            analysis_valid=result.analysis_valid,
            topics=result.topics,
            questions_asked=result.questions_asked,
            questions_answered=result.questions_answered,
            similarity=result.similarity,
            keyword_coverage=result.keyword_coverage,
            relevance=result.relevance,
            fluency=result.fluency,
            wpm=result.wpm,
            heard_by=result.heard_by,
        )
        for result in results[:limit]
    ]


def report(user: Any, session_id: str) -> dict[str, Any] | None:
    """The ``interview_complete`` event of an interview, if it is one of this account."""
    found = InterviewResult.objects.filter(user=user, session_id=session_id)
    return found.values_list("report", flat=True).first()


def delete(user: Any, session_id: str) -> bool:
    """Forget one interview of an account; whether there was one."""
    count, _ = InterviewResult.objects.filter(user=user, session_id=session_id).delete()
    return count > 0


def export(user: Any) -> list[dict[str, Any]]:
    """Everything that is kept about the interviews of an account: each report, oldest first, and
    behind them what they have shown."""
    results = InterviewResult.objects.filter(user=user).order_by("completed_at", "pk")
    found: list[dict[str, Any]] = list(results.values_list("report", flat=True))
    known = ReaderKnowledge.objects.filter(user=user).values_list("knowledge", flat=True)
    return [*found, *({"knowledge": knowledge} for knowledge in known)]


def erase(user: Any) -> int:
    """Forget everything about the interviews of an account; how many results there were.

    One that goes on is broken off, and leaves no result.

    Raises:
        StoreUnavailable: MongoDB does not answer; nothing is forgotten.
    """
    live_store.forget(Owner(user.pk, is_account=True))
    with transaction.atomic():
        count = InterviewResult.objects.filter(user=user).count()
        InterviewResult.objects.filter(user=user).delete()
        ReaderKnowledge.objects.filter(user=user).delete()
    return count


def as_csv(report: dict[str, Any]) -> str:
    """The answers of a report, a row each, for a spreadsheet (RFC 4180).

    What a spreadsheet would run as a formula is shown as text.
    """
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(CSV_COLUMNS)
    for pair in report["qa_pairs"]:
        writer.writerow([_cell(pair.get(column)) for column in CSV_COLUMNS])
    return rows.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
