"""MongoDB collections in Django's admin: a model without a table, and a queryset by behaviour.

`DocumentQuerySet` has the methods that Django's change list calls and no others, so that an
upgrade which calls more fails by name. Every question is one of the model's own lookups, has a
deadline, and looks at a bounded number of documents.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Self

import pymongo
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Q
from mongoengine.connection import get_db
from pymongo.errors import ConnectionFailure, PyMongoError

from readrealm.kernel.errors import StoreUnavailable

Document = dict[str, Any]
Condition = Callable[[Any], Document]
"""MongoDB's words for a question, given the value."""

DEADLINE_S = 2.0
MOST_LISTED = 5_000
"""Documents that can be paged through: deeper pages would count off what they skip."""


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


@contextmanager
def answered_in_time() -> Iterator[None]:
    """End what MongoDB does not answer within `DEADLINE_S`, and refuse instead.

    Raises:
        StoreUnavailable: MongoDB is away, or too slow.
    """
    try:
        with pymongo.timeout(DEADLINE_S):
            yield
    except PyMongoError as error:
        if isinstance(error, ConnectionFailure) or error.timeout:
            raise StoreUnavailable from None
        raise


class DocumentQuerySet:
    """Documents of one collection in the order of one field; asked when it is iterated, measured
    or counted. Every method that asks raises `StoreUnavailable` when there is no answer in time.
    """

    ordered = True

    def __init__(self, model: "type[DocumentModel]") -> None:
        self.model = model
        self._conditions: tuple[Document, ...] = ()
        self._is_descending = True
        self._part = slice(0, MOST_LISTED)
        self._found: list[Any] | None = None

    @property
    def query(self) -> SimpleNamespace:
        """What a change list reads of a query: no order of its own, and nothing to join."""
        return SimpleNamespace(order_by=(), select_related=True)

    def filter(self, *args: Q, **asked: Any) -> Self:
        """Narrow by the model's lookups; a `Q` may come, and must be empty.

        Raises:
            FieldError: not one of the lookups.
        """
        unknown = [name for name in asked if name not in self.model.lookups]
        if unknown or any(args):
            raise FieldError(f"documents cannot be looked up by {unknown or args}")
        new = tuple(self.model.lookups[name](value) for name, value in asked.items())
        return self._but(_conditions=self._conditions + new)

    def order_by(self, *names: str) -> Self:
        """By the model's order field and then the id, in the same direction.

        Raises:
            FieldError: any other order; no index has it.
        """
        allowed = {self.model.order_name, "pk", self.model._meta.pk.name}
        if any(name.removeprefix("-") not in allowed for name in names):
            raise FieldError(f"documents cannot be ordered by {names}")
        return self._but(_is_descending=names[0].startswith("-") if names else True)

    def count(self) -> int:
        """How many there are, up to `MOST_LISTED`."""
        with answered_in_time():
            return self._collection.count_documents(self._condition, limit=MOST_LISTED)

    def get(self, **asked: Any) -> Any:
        """The only one.

        Raises:
            DoesNotExist: there is none.
        """
        key = self.model._meta.pk.name
        wanted = {"pk" if name == key else name: value for name, value in asked.items()}
        for found in self.filter(**wanted):
            return found
        raise self.model.DoesNotExist("there is no such document")

    def _clone(self) -> Self:
        return self._but()

    def __getitem__(self, part: slice) -> Self:
        start, stop, _ = part.indices(MOST_LISTED)
        return self._but(_part=slice(start, stop))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fetched())

    def __len__(self) -> int:
        return len(self._fetched())

    def _but(self, **changes: Any) -> Self:
        other = type(self)(self.model)
        other._conditions, other._part = self._conditions, self._part
        other._is_descending = self._is_descending
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def _fetched(self) -> list[Any]:
        if self._found is None:
            start, stop = self._part.start, self._part.stop
            direction = pymongo.DESCENDING if self._is_descending else pymongo.ASCENDING
            rows: list[Document] = []
            if stop > start:
                with answered_in_time():
                    cursor = self._collection.find(self._condition)
                    cursor = cursor.sort([(self.model.order_field, direction), ("_id", direction)])
                    rows = list(cursor.skip(start).limit(stop - start))
            self._found = [self.model.from_document(row) for row in rows]
        return self._found

    @property
    def _collection(self) -> Any:
        return get_db()[self.model.collection]

    @property
    def _condition(self) -> Document:
        return {"$and": list(self._conditions)} if self._conditions else {}


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
    def from_document(cls, document: Document) -> Self:
        """One document as an instance."""
        raise NotImplementedError
