"""What Django's change list may ask of a collection in MongoDB: a queryset by behaviour, not by
descent.

`DocumentQuerySet` has the methods that Django's change list calls and no others, so that an
upgrade which calls more fails by name. Every question is one of the model's own lookups, has a
deadline, and looks at a bounded number of documents.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pymongo
from django.core.exceptions import FieldError
from django.db.models import Q
from mongoengine.connection import get_db

from readrealm.stores.mongo import answered_within

if TYPE_CHECKING:
    from readrealm.document_admin.models import DocumentModel

Document = dict[str, Any]
Condition = Callable[[Any], Document]
"""MongoDB's words for a question, given the value."""
Stages = Sequence[Document]
"""An aggregation pipeline."""

DEADLINE_S = 2.0
"""For one question."""

MOST_LISTED = 5_000
"""Documents that can be paged through: deeper pages would count off what they skip."""


def answered_in_time() -> AbstractContextManager[None]:
    """End what MongoDB does not answer within `DEADLINE_S`, and refuse instead.

    Raises:
        StoreUnavailable: MongoDB is away, or too slow.
    """
    return answered_within(DEADLINE_S)


def short_lists(collection: str, wanted: Sequence[Stages]) -> list[list[Document]]:
    """Several lists of one collection with a single question, which is what takes the time.

    Args:
        wanted: a pipeline for each list; each should end with a limit.

    Raises:
        PyMongoError: as the driver has it; see `answered_in_time`.
    """
    if not wanted:
        return []
    first, *others = [[*stages, {"$set": {_LIST: place}}] for place, stages in enumerate(wanted)]
    united = [{"$unionWith": {"coll": collection, "pipeline": stages}} for stages in others]
    found: list[list[Document]] = [[] for _ in wanted]
    for document in get_db()[collection].aggregate([*first, *united]):
        found[document.pop(_LIST)].append(document)
    return found


_LIST = "shortList"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that narrows a queryset."""

    lookup: str
    """Its name among the model's lookups."""
    value: Any
    condition: Document


class DocumentQuerySet:
    """Documents of one collection in the order of one field, the greatest first unless ordered
    otherwise; asked when it is iterated, measured or counted. Every method that asks raises
    `StoreUnavailable` when there is no answer in time.

    Args:
        model: made from each document by its ``from_document``.
    """

    ordered = True

    def __init__(self, model: "type[DocumentModel]") -> None:
        self.model = model
        self.is_newest_first = True
        self._asked: tuple[Asked, ...] = ()
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
            ValueError: not a value of it.
        """
        lookups = self.model.lookups
        unknown = [name for name in asked if name not in lookups]
        if unknown or any(args):
            raise FieldError(f"documents cannot be looked up by {unknown or args}")
        new = tuple(Asked(name, value, lookups[name](value)) for name, value in asked.items())
        return self._but(_asked=self._asked + new)

    def order_by(self, *names: str) -> Self:
        """By the model's order field and then the id, in the same direction.

        Raises:
            FieldError: any other order; no index has it.
        """
        allowed = {self.model.order_name, "pk", self.model._meta.pk.name}
        if any(name.removeprefix("-") not in allowed for name in names):
            raise FieldError(f"documents cannot be ordered by {names}")
        return self._but(is_newest_first=names[0].startswith("-") if names else True)

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
        """The same question with some changes; without any, what was found for it as well."""
        other = copy.copy(self)
        if changes:
            other._found = None
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def _fetched(self) -> list[Any]:
        if self._found is None:
            start, stop = self._part.start, self._part.stop
            documents = self._fetch(start, stop) if stop > start else ()
            self._found = [self.model.from_document(document) for document in documents]
        return self._found

    def _fetch(self, start: int, stop: int) -> Sequence[Any]:
        """Some of the documents, in order; at least one is wanted."""
        direction = pymongo.DESCENDING if self.is_newest_first else pymongo.ASCENDING
        with answered_in_time():
            cursor = self._collection.find(self._condition)
            cursor = cursor.sort([(self.model.order_field, direction), ("_id", direction)])
            return list(cursor.skip(start).limit(stop - start))

    @property
    def _collection(self) -> Any:
        return get_db()[self.model.collection]

    @property
    def _condition(self) -> Document:
        return {"$and": [each.condition for each in self._asked]} if self._asked else {}
