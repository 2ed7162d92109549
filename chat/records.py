"""Sanctions and the moderation log as Django models, for the admin: read from MongoDB, never from
SQL. Nothing here changes them; `chat.moderation` does."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from chat import moderation_documents as documents
from chat.acts import Act
from chat.history_query import ids
from chat.sanctions import Measure
from readrealm.document_admin import Condition, Document, DocumentModel, NotInSql


def _words(text: Any) -> Document:
    pattern = re.compile(re.escape(str(text)), re.IGNORECASE)
    return {"$or": [{"username": pattern}, {"reason": pattern}, {"userId": str(text)}]}


def _state(wanted: str) -> Document:
    now = timezone.now()
    states: dict[str, Document] = {
        "holds": {"isLifted": False, "$or": [{"until": None}, {"until": {"$gt": now}}]},
        "over": {"isLifted": False, "until": {"$lte": now}},
        "lifted": {"isLifted": True},
    }
    return states[wanted]


OF_EVERY_RECORD: Mapping[str, Condition] = {
    "pk": lambda value: ids([value]),
    "pk__in": ids,
    "user_id": lambda value: {"userId": str(value)},
    "words": _words,
}

OF_SANCTIONS: Mapping[str, Condition] = {
    **OF_EVERY_RECORD,
    "state": _state,
    "measure": lambda value: {"measure": str(value)},
}

OF_ACTS: Mapping[str, Condition] = {
    **OF_EVERY_RECORD,
    "act": lambda value: {"act": str(value)},
    "moderator_id": lambda value: {"moderatorId": str(value)},
    "at__gte": lambda value: {"at": {"$gte": value}},
}


class Record(DocumentModel):
    """What moderators did, as the admin shows it."""

    id = models.CharField(primary_key=True, max_length=24)
    user_id = models.CharField("user id", max_length=128)
    authenticated = models.BooleanField("signed in")
    username = models.CharField("reader", max_length=64)
    book_id = models.PositiveBigIntegerField("Gutenberg number of the book", null=True)
    reason = models.CharField(max_length=200, blank=True)
    until = models.DateTimeField(null=True)

    kept: ClassVar[Any]
    """The document of MongoEngine that it is in MongoDB."""
    room_title = ""
    """Set by `chat.history.name_rooms`."""

    class Meta:
        abstract = True

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls.from_attributes(cls.kept._from_son(document))

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise NotInSql("moderation is recorded by chat.moderation")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NotInSql("moderation is recorded by chat.moderation")


class ImposedSanction(Record):
    """A reader kept out of a room, or of all."""

    measure = models.CharField(
        max_length=12, choices=[(str(measure), str(measure)) for measure in Measure]
    )
    created_at = models.DateTimeField("imposed")
    moderator_id = models.CharField(max_length=128)
    is_lifted = models.BooleanField("lifted")
    lifted_at = models.DateTimeField("lifted at", null=True)

    kept = documents.Sanction
    collection, order_name, order_field = documents.SANCTIONS, "created_at", "createdAt"
    lookups = OF_SANCTIONS

    class Meta:
        managed = False
        verbose_name = "sanction"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.measure} of {self.username}"

    @property
    def state(self) -> str:
        """``holds``, ``over`` or ``lifted``."""
        if self.is_lifted:
            return "lifted"
        return "over" if self.until is not None and self.until <= timezone.now() else "holds"


class ModeratorAct(Record):
    """One entry of the moderation log, which is only ever added to."""

    at = models.DateTimeField("time")
    act = models.CharField(max_length=12, choices=[(str(act), str(act)) for act in Act])
    moderator_id = models.CharField(max_length=128)
    moderator_name = models.CharField("moderator", max_length=64)
    message_id = models.CharField(max_length=24, null=True)

    kept = documents.ModerationLog
    collection, order_name, order_field = documents.ACTS, "at", "at"
    lookups = OF_ACTS

    class Meta:
        managed = False
        verbose_name = "moderation log entry"
        verbose_name_plural = "moderation log entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.act} by {self.moderator_name}"
