"""The base of Django models whose rows are documents in MongoDB. No relational store knows them."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models

from readrealm.document_admin.queryset import Condition, DocumentQuerySet


class DocumentManager(models.Manager):
    """Gives `DocumentQuerySet` in the place of SQL."""

    use_in_migrations = False

    def get_queryset(self) -> DocumentQuerySet:
        return DocumentQuerySet(self.model)


class DocumentModel(models.Model):
    """What a collection's documents are in the admin: the base of models without a table.

    Attributes:
        collection: name in MongoDB.
        order_name, order_field: what lists are ordered by, here and in MongoDB.
        lookups: every question that may be asked; ``pk`` and ``pk__in`` are among them.
    """

    collection: str
    order_name: str
    order_field: str
    lookups: Mapping[str, Condition]

    objects = DocumentManager()

    class Meta:
        abstract = True
        managed = False

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """What a queryset found as an instance; `DocumentQuerySet` finds documents as MongoDB
        has them."""
        raise NotImplementedError

    @classmethod
    def from_attributes(cls, source: Any) -> Self:
        """An instance with the values that a MongoEngine document has under the same names."""
        values = {
            field.attname: getattr(source, field.attname)
            for field in cls._meta.concrete_fields
            if not field.primary_key
        }
        found = cls(pk=str(source.id), **values)
        found._state.adding = False
        return found
