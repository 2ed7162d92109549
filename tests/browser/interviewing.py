"""Interviews that took place before a test began, and readers who had them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password

from readrealm.kernel.wire import plain
from speech.interviews.events import InterviewComplete
from tests.support.worker import Server

PASSWORD = "call me ishmael"

_accounts = count(7_001)


def keep(site: Server, name: str, results: Sequence[InterviewComplete]) -> None:
    """Have a reader with these interviews, the first a day after the one before it."""
    user = next(_accounts)
    account = {
        "username": name,
        "password": make_password(PASSWORD, hasher="scrypt"),
        "is_active": True,
    }
    rows: list[dict[str, Any]] = [{"model": "auth.user", "pk": user, "fields": account}]
    first = datetime.now(UTC) - timedelta(days=3 * len(results))
    for number, result in enumerate(results):
        rows.append(_row(result, user=user, started_at=first + timedelta(days=3 * number)))
    fixture = site.folder / f"{name}.json"
    fixture.write_text(json.dumps(rows))
    site.manage("loaddata", str(fixture))


def _row(result: InterviewComplete, *, user: int, started_at: datetime) -> dict[str, Any]:
    metrics = result.metrics
    report = {**plain(result), "started_at": started_at.timestamp()}
    fields = {
        "session_id": result.session_id,
        "user": user,
        "started_at": started_at.isoformat(),
        "completed_at": (started_at + timedelta(seconds=metrics.session_duration)).isoformat(),
        "duration_s": metrics.session_duration,
        "reason": result.reason,
        "stress_test": result.stress_test,
        "analysis_valid": result.analysis_valid,
        "questions_asked": metrics.questions_asked,
        "questions_answered": metrics.questions_answered,
        "similarity": metrics.avg_semantic_similarity,
        "keyword_coverage": metrics.avg_keyword_coverage,
        "relevance": metrics.overall_relevance,
        "fluency": metrics.fluency_score,
        "wpm": metrics.wpm,
        "topics": list(dict.fromkeys(pair.topic for pair in result.qa_pairs)),
        "heard_by": result.heard_by,
        "measured_by": result.measured_by,
        "report": report,
    }
    return {"model": "speech.interviewresult", "fields": fields}
