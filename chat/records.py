"""Sanctions and the moderation log as Django models, for the admin: read from MongoDB, never from
SQL. Nothing here changes them; `chat.moderation` does."""

from typing import Any, Self

from django.db import models
from django.utils import timezone

from chat import moderation_documents as documents
from chat.moderation import Act
from chat.record_query import RecordQuerySet, Shelf, ids, words
from chat.routing import NotInSql
from chat.sanctions import Measure


def _state(wanted: str) -> dict[str, Any]:
    now = timezone.now()
    states: dict[str, dict[str, Any]] = {
        "holds": {"isLifted": False, "$or": [{"until": None}, {"until": {"$gt": now}}]},
        "over": {"isLifted": False, "until": {"$lte": now}},
        "lifted": {"isLifted": True},
    }
    return states[wanted]


SANCTIONS = Shelf(
    document=documents.Sanction,
    time="created_at",
    lookups={
        "pk": lambda value: ids([value]),
        "pk__in": ids,
        "state": _state,
        "measure": lambda value: {"measure": str(value)},
        "user_id": lambda value: {"userId": str(value)},
        "words": words,
    },
)

LOG = Shelf(
    document=documents.ModerationLog,
    time="at",
    lookups={
        "pk": lambda value: ids([value]),
        "pk__in": ids,
        "act": lambda value: {"act": str(value)},
        "moderator_id": lambda value: {"moderatorId": str(value)},
        "at__gte": lambda value: {"at": {"$gte": value}},
        "user_id": lambda value: {"userId": str(value)},
        "words": words,
    },
)


class RecordManager(models.Manager):
    """Gives `RecordQuerySet` in the place of SQL."""

    use_in_migrations = False

    def get_queryset(self) -> RecordQuerySet:
        return RecordQuerySet(self.model, self.model.shelf)


class Record(models.Model):
    """What moderators did, as the admin shows it."""

    id = models.CharField(primary_key=True, max_length=24)
    user_id = models.CharField("user id", max_length=128)
    authenticated = models.BooleanField("signed in")
    username = models.CharField("reader", max_length=64)
    book_id = models.PositiveBigIntegerField("Gutenberg number of the book", null=True)
    reason = models.CharField(max_length=200, blank=True)
    until = models.DateTimeField(null=True)

    objects = RecordManager()

    shelf: Shelf
    room_title = ""
    """Set by `chat.history.name_rooms`."""

    class Meta:
        abstract = True

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """The record that a document is."""
        values = {
            field.attname: getattr(document, field.attname)
            for field in cls._meta.concrete_fields
            if not field.primary_key
        }
        record = cls(id=str(document.id), **values)
        record._state.adding = False
        return record

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

    shelf = SANCTIONS

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

    shelf = LOG

    class Meta:
        managed = False
        verbose_name = "moderation log entry"
        verbose_name_plural = "moderation log entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.act} by {self.moderator_name}"
