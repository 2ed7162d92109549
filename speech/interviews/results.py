"""Results and knowledge in the relational store. The only writer of both; decides nothing."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction
from django.utils import timezone

from readrealm.kernel.errors import StoreUnavailable
from readrealm.kernel.wire import plain
from speech.interviews.events import InterviewComplete
from speech.interviews.knowledge import Knowledge
from speech.interviews.owners import Owner
from speech.models import InterviewResult, ReaderKnowledge

log = logging.getLogger(__name__)

ANSWER_S = 10.0

T = TypeVar("T")


class StoredResults:
    """Keeps what interviews come to."""

    async def store(self, owner: Owner, result: InterviewComplete, knowledge: Knowledge) -> None:
        """Keep a result once, however often it comes, and what is now known of its reader.

        Raises:
            StoreUnavailable: perhaps it was kept, perhaps not; store it again.
        """
        await _ask(lambda: keep(owner, result, knowledge))

    async def knowledge(self, owner: Owner) -> Knowledge:
        """What earlier interviews have shown; nothing about a reader without an account.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if not owner.is_account:
            return Knowledge()
        return await _ask(lambda: _knowledge(owner.user_id))


async def _ask(question: Callable[[], T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_S):
            answer: T = await database_sync_to_async(question)()
            return answer
    except (DatabaseError, TimeoutError) as error:
        log.warning("the relational store does not answer: %s", type(error).__name__)
        raise StoreUnavailable from None


@transaction.atomic
def keep(owner: Owner, result: InterviewComplete, knowledge: Knowledge) -> None:
    """Keep a result once, however often it comes, and what is now known of its reader. Blocks."""
    account = owner.user_id if owner.is_account else None
    if account is not None and not get_user_model().objects.filter(pk=account).exists():
        # Erased while the interview went on: nobody is left to whom it could belong.
        return
    _, is_new = InterviewResult.objects.get_or_create(
        session_id=result.session_id,
        defaults={
            "user_id": account,
            "claimed_id": None if owner.is_account else owner.user_id,
            **_columns(result),
        },
    )
    if is_new and account is not None:
        ReaderKnowledge.objects.update_or_create(
            user_id=account, defaults={"knowledge": msgspec.to_builtins(knowledge)}
        )


def _columns(result: InterviewComplete) -> dict[str, Any]:
    metrics = result.metrics
    return {
        "started_at": datetime.fromtimestamp(result.started_at, UTC),
        "completed_at": datetime.fromtimestamp(result.completed_at, UTC),
        "duration_s": result.total_duration,
        "reason": result.reason,
        "stress_test": result.stress_test,
        "analysis_valid": result.analysis_valid,
        "questions_asked": metrics.questions_asked,
        "questions_answered": metrics.questions_answered,
        "similarity": result.semantic_similarity,
        "keyword_coverage": metrics.avg_keyword_coverage,
        "relevance": metrics.overall_relevance,
        "fluency": metrics.fluency_score,
        "wpm": metrics.wpm,
        "topics": sorted({pair.topic for pair in result.qa_pairs}),
        "heard_by": result.heard_by,
        "measured_by": result.measured_by,
        "report": plain(result),
    }


def _knowledge(user_id: int) -> Knowledge:
    found = ReaderKnowledge.objects.filter(user_id=user_id).values_list("knowledge", flat=True)
    try:
        return msgspec.convert(found.first() or {}, Knowledge)
    except msgspec.ValidationError:
        log.warning("the knowledge of reader %d cannot be read; it begins anew", user_id)
        return Knowledge()


def forget_before(age: timedelta) -> int:
    """Delete results that are older; how many they were. Blocks."""
    old = InterviewResult.objects.filter(completed_at__lt=timezone.now() - age)
    count = old.count()
    old.delete()
    return count
