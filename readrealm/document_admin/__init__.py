"""MongoDB collections in Django's admin: models without a table, and querysets by behaviour.

What the pages of the admin are built on is in `model_admin` and `filters`.
"""

from readrealm.document_admin.models import DocumentManager, DocumentModel
from readrealm.document_admin.queryset import (
    MOST_LISTED,
    Asked,
    Condition,
    Document,
    DocumentQuerySet,
    Stages,
    answered_in_time,
    short_lists,
)
from readrealm.document_admin.routing import DocumentRouter, NotInSql

__all__ = [
    "MOST_LISTED",
    "Asked",
    "Condition",
    "Document",
    "DocumentManager",
    "DocumentModel",
    "DocumentQuerySet",
    "DocumentRouter",
    "NotInSql",
    "Stages",
    "answered_in_time",
    "short_lists",
]
