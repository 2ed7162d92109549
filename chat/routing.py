"""Keeps SQL away from what is in MongoDB: a missed path is an error, not an empty table."""

from typing import Any

IN_MONGODB = frozenset({"chat.ChatMessage", "chat.ImposedSanction", "chat.ModeratorAct"})
"""Labels of the models that no relational store knows."""


class NotInSql(Exception):
    """Somebody asks the relational store for what is in MongoDB."""


class MessageRouter:
    """A database router that refuses every database for the models `IN_MONGODB`."""

    def db_for_read(self, model: Any, **hints: Any) -> None:
        """Refuse, or leave the choice to others."""
        _require_sql(model)

    def db_for_write(self, model: Any, **hints: Any) -> None:
        """Refuse, or leave the choice to others."""
        _require_sql(model)


def _require_sql(model: Any) -> None:
    if model._meta.label in IN_MONGODB:
        raise NotInSql(f"{model._meta.label} is in MongoDB")
