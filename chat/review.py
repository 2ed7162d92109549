"""What readers reported and nobody has judged yet, with all that a judgement needs. Read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from django.utils import timezone

from chat.documents import Message
from chat.excerpts import conversations_around, latest_of_authors
from chat.history import ChatMessage, name_rooms
from chat.moderation_documents import REPORTS, SANCTIONS, CaseClaim, ModerationLog, Report, Sanction
from readrealm.document_admin import Stages, answered_in_time, short_lists

CASES_PER_PAGE = 10

MOST_REPORTS = 5_000
"""Open reports that are ordered; of more, the oldest."""

RECENT_MESSAGES, EARLIER_SANCTIONS, SHOWN_REPORTS, SHOWN_ACTS = 20, 10, 20, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message that was reported."""

    message: ChatMessage
    count: int
    """Open reports of readers."""
    reports: Sequence[Report]
    """Of the open ones of readers, the oldest `SHOWN_REPORTS`."""
    words: Sequence[str]
    """Watch words for which the message was flagged."""
    conversation: Sequence[ChatMessage]
    """The message between its neighbours, oldest first."""
    recent: Sequence[ChatMessage]
    """What its author wrote, newest first."""
    sanctions: Sequence[Sanction]
    """Of its author, newest first."""
    claim: CaseClaim | None
    """Who works on it at present."""


def flagged_ids() -> list[str]:
    """Ids of the messages that the watch list flagged, judged ones included; the newest flags
    first, at most `MOST_REPORTS`.

    Raises:
        StoreUnavailable: no answer in time.
    """
    flags = Report.objects(is_flag=True).hint("flags").order_by("-created_at").limit(MOST_REPORTS)
    with answered_in_time():
        return [str(each) for each in flags.scalar("message_id")]


def reports_of(message: ChatMessage) -> list[Report]:
    """What readers and the watch list said about a message, newest first, at most
    `SHOWN_REPORTS`.

    Raises:
        StoreUnavailable: no answer in time.
    """
    found = Report.objects(message_id=message.pk).hint("once")
    with answered_in_time():
        return list(found.order_by("-created_at").limit(SHOWN_REPORTS))


def reported_ids() -> list[str]:
    """Ids of the messages with open reports or flags, most reported first, at most
    `MOST_REPORTS`.

    Raises:
        StoreUnavailable: no answer in time.
    """
    return [str(row["_id"]) for row in _grouped(limit=MOST_REPORTS)]


def open_cases() -> list[Case]:
    """The first `CASES_PER_PAGE` cases: most reported first, then the one that waits longest.
    Ten are as many questions as one.

    Raises:
        StoreUnavailable: no answer in time.
    """
    rows = _grouped(limit=CASES_PER_PAGE)
    with answered_in_time():
        found = Message.objects(id__in=[row["_id"] for row in rows]).as_pymongo()
        known = {document["_id"]: ChatMessage.from_document(document) for document in found}
        working = CaseClaim.objects(id__in=list(known), until__gt=timezone.now())
        claims = {claim.id: claim for claim in working}
    name_rooms(known.values())
    counts = {row["_id"]: row["count"] for row in rows if row["_id"] in known}
    messages = [known[message_id] for message_id in counts]
    material = zip(
        counts.items(),
        messages,
        _open_reports(list(counts)),
        conversations_around(messages),
        latest_of_authors(messages, limit=RECENT_MESSAGES),
        _sanctions_of_authors(messages),
        strict=True,
    )
    return [
        Case(
            message=message,
            count=count,
            reports=[report for report in reports if not report.is_flag],
            words=[word for report in reports for word in report.words],
            conversation=conversation,
            recent=recent,
            sanctions=sanctions,
            claim=claims.get(message_id),
        )
        for (message_id, count), message, reports, conversation, recent, sanctions in material
    ]


def acts_about(message: ChatMessage) -> list[ModerationLog]:
    """The newest `SHOWN_ACTS` acts of moderators about the author of a message, newest first.

    Raises:
        StoreUnavailable: no answer in time.
    """
    acts = ModerationLog.objects(user_id=message.user_id, authenticated=message.authenticated)
    with answered_in_time():
        return list(acts.hint("reader").order_by("-at").limit(SHOWN_ACTS))


def _grouped(*, limit: int) -> list[dict[str, Any]]:
    pipeline = [
        {
            "$group": {
                "_id": "$messageId",
                "count": {"$sum": {"$cond": ["$isFlag", 0, 1]}},
                "first": {"$min": "$createdAt"},
            }
        },
        {"$sort": {"count": -1, "first": 1, "_id": 1}},
        {"$limit": limit},
    ]
    oldest_first = Report.objects(is_open=True).order_by("created_at").limit(MOST_REPORTS)
    with answered_in_time():
        return list(oldest_first.aggregate(pipeline, hint="open"))


def _open_reports(message_ids: Sequence[ObjectId]) -> list[list[Report]]:
    """Of each message, the oldest `SHOWN_REPORTS`."""
    wanted: list[Stages] = [
        [
            {"$match": {"messageId": message_id, "isOpen": True}},
            {"$sort": {"createdAt": 1}},
            {"$limit": SHOWN_REPORTS},
        ]
        for message_id in message_ids
    ]
    with answered_in_time():
        found = short_lists(REPORTS, wanted)
    return [[Report._from_son(document) for document in each] for each in found]


def _sanctions_of_authors(messages: Sequence[ChatMessage]) -> list[list[Sanction]]:
    """Of the author of each message, the newest `EARLIER_SANCTIONS`."""
    wanted: list[Stages] = [
        [
            {"$match": {"userId": each.user_id, "authenticated": each.authenticated}},
            {"$sort": {"createdAt": -1}},
            {"$limit": EARLIER_SANCTIONS},
        ]
        for each in messages
    ]
    with answered_in_time():
        found = short_lists(SANCTIONS, wanted)
    return [[Sanction._from_son(document) for document in each] for each in found]
