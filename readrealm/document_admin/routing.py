"""Keeps SQL away from what is in MongoDB: a missed path is an error, not an empty table."""

from typing import Any

from readrealm.document_admin.models import DocumentModel


class NotInSql(Exception):
    """Somebody asks the relational store for what is in MongoDB."""


class DocumentRouter:
    """A database router that refuses every database for models of `DocumentModel`."""

    def db_for_read(self, model: Any, **hints: Any) -> None:
        """Refuse, or leave the choice to others."""
        _require_sql(model)

    def db_for_write(self, model: Any, **hints: Any) -> None:
        """Refuse, or leave the choice to others."""
        _require_sql(model)


def _require_sql(model: Any) -> None:
    if isinstance(model, type) and issubclass(model, DocumentModel):
        raise NotInSql(f"{model._meta.label} is in MongoDB")
