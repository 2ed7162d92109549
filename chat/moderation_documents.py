"""Sanctions, reports and the record of moderators' acts as MongoEngine documents.

For reading in threads, and for their indexes: `chat.moderation_store` writes them.
"""

from typing import Any, ClassVar

from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    ListField,
    LongField,
    ObjectIdField,
    StringField,
)

from chat.acts import Act, Verdict
from chat.sanctions import Measure

SANCTIONS, REPORTS, ACTS = "sanctions", "reports", "moderation_log"
CLAIMS = "case_claims"


class Sanction(Document):
    """A reader kept out of a room, or of all."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": SANCTIONS,
        "auto_create_index": False,
        "strict": False,
        "index_cls": False,
        "indexes": [
            # What holds: asked every second, by every worker.
            {
                "name": "holding",
                "fields": ["until"],
                "partialFilterExpression": {"isLifted": False},
            },
            {"name": "reader", "fields": ["user_id", "authenticated", "-created_at"]},
            {"name": "time", "fields": ["-created_at", "-id"]},
        ],
    }

    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)
    username = StringField(required=True)
    measure = StringField(choices=[str(measure) for measure in Measure], required=True)
    book_id = LongField(db_field="bookId")
    """None: every room."""
    until = DateTimeField()
    """None: until it is lifted."""
    reason = StringField()
    created_at = DateTimeField(db_field="createdAt", required=True)
    moderator_id = StringField(db_field="moderatorId", required=True)
    is_lifted = BooleanField(db_field="isLifted", required=True)
    lifted_at = DateTimeField(db_field="liftedAt")


class Report(Document):
    """What one reader, or the watch list, says about one message."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": REPORTS,
        "auto_create_index": False,
        "strict": False,
        "index_cls": False,
        "indexes": [
            # Once per reader and message.
            {
                "name": "once",
                "fields": ["message_id", "user_id", "authenticated"],
                "unique": True,
            },
            {
                "name": "open",
                "fields": ["created_at"],
                "partialFilterExpression": {"isOpen": True},
            },
            {
                "name": "flags",
                "fields": ["-created_at"],
                "partialFilterExpression": {"isFlag": True},
            },
            {"name": "reporter", "fields": ["user_id", "authenticated"]},
        ],
    }

    message_id = ObjectIdField(db_field="messageId", required=True)
    book_id = LongField(db_field="bookId", required=True)
    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)
    username = StringField(required=True)
    reason = StringField(required=True)
    note = StringField()
    is_flag = BooleanField(db_field="isFlag", default=False)
    """Made by the watch list, and not by a reader."""
    words = ListField(StringField())
    """Of a flag: what was found, as the list writes it."""
    rev = LongField()
    """Of a flag: the state of the message that was looked at."""
    created_at = DateTimeField(db_field="createdAt", required=True)
    is_open = BooleanField(db_field="isOpen", required=True)
    verdict = StringField(choices=[str(verdict) for verdict in Verdict])
    closed_at = DateTimeField(db_field="closedAt")


class ModerationLog(Document):
    """One act of a moderator. Only ever inserted."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": ACTS,
        "auto_create_index": False,
        "strict": False,
        "index_cls": False,
        "indexes": [
            {"name": "message", "fields": ["message_id", "at"]},
            {"name": "reader", "fields": ["user_id", "authenticated", "-at"]},
            {"name": "moderator", "fields": ["moderator_id", "-at"]},
            {"name": "time", "fields": ["-at", "-id"]},
            {"name": "act", "fields": ["act", "-at", "-id"]},
        ],
    }

    at = DateTimeField(required=True)
    act = StringField(choices=[str(act) for act in Act], required=True)
    moderator_id = StringField(db_field="moderatorId", required=True)
    moderator_name = StringField(db_field="moderatorName", required=True)
    reason = StringField()
    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)
    username = StringField(required=True)
    book_id = LongField(db_field="bookId")
    message_id = ObjectIdField(db_field="messageId")
    until = DateTimeField()


class CaseClaim(Document):
    """A moderator is working on the case of a message; MongoDB forgets it some time after it
    has ended."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": CLAIMS,
        "auto_create_index": False,
        "strict": False,
        "index_cls": False,
        "indexes": [{"name": "ended", "fields": ["until"], "expireAfterSeconds": 0}],
    }

    id = ObjectIdField(primary_key=True)
    """Of the message."""
    moderator_id = StringField(db_field="moderatorId", required=True)
    moderator_name = StringField(db_field="moderatorName", required=True)
    since = DateTimeField(required=True)
    until = DateTimeField(required=True)


def ensure_indexes() -> None:
    """Build what is missing of the indexes; does nothing when all are there. Blocks."""
    for document in (Sanction, Report, ModerationLog, CaseClaim):
        document.ensure_indexes()
