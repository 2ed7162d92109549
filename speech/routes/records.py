"""Voice sessions as a Django model, for the admin: read from MongoDB, never from SQL."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import msgspec
from django.db import models

from readrealm.document_admin import Condition, Document, DocumentModel
from readrealm.kernel.clock import utc
from speech.routes.database import SESSIONS
from speech.routes.sessions import State

ACCOUNT = "user:"
"""Before an id in the search box: the sessions of that account."""

LOOKUPS: Mapping[str, Condition] = {
    "pk": lambda value: {"_id": str(value)},
    "pk__in": lambda values: {"_id": {"$in": [str(value) for value in values]}},
    "state": lambda value: {"state": str(value)},
    "account": lambda value: {"isAccount": True, "ownerId": str(value)},
    "prefix": lambda value: {"_id": re.compile("^" + re.escape(str(value)))},
    "started_at__gte": lambda value: {"startedAt": {"$gte": int(value.timestamp() * 1000)}},
}


class VoiceSessionRecord(DocumentModel):
    """A voice session, whether it goes on or is over."""

    collection, order_name, order_field = SESSIONS, "started_at", "startedAt"
    lookups = LOOKUPS

    class States(models.TextChoices):
        """`speech.routes.sessions.State` in words."""

        ACTIVE = str(State.ACTIVE), "active"
        PAUSED = str(State.PAUSED), "paused"
        ENDED = str(State.ENDED), "ended"

    id = models.CharField("session id", primary_key=True, max_length=128)
    is_account = models.BooleanField("signed in")
    owner_id = models.CharField("owner", max_length=128)
    state = models.CharField(max_length=8, choices=States.choices)
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", null=True)
    ended_by = models.CharField("ended by", max_length=16, blank=True)
    stream_count = models.PositiveIntegerField("streams")
    metadata = models.JSONField("what the client said of itself", default=dict)

    class Meta:
        managed = False
        verbose_name = "voice session"
        permissions = (("listen_to_recording", "Can listen to recordings of voice sessions"),)

    def __str__(self) -> str:
        return self.pk

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls(
            id=document["_id"],
            is_account=document["isAccount"],
            owner_id=document["ownerId"],
            state=document["state"],
            started_at=utc(int(document["startedAt"])),
            ended_at=_moment(document["endedAt"]),
            ended_by=document["endedBy"] or "",
            stream_count=document["stream"],
            metadata=msgspec.json.decode(document["metadata"]),
        )


def _moment(unix_ms: Any) -> datetime | None:
    return None if unix_ms is None else utc(int(unix_ms))
