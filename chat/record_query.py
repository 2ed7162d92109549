"""What the admin may ask of sanctions and of the moderation log in MongoDB: the same surface as
`chat.history_query`, over collections that only moderators fill."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

from bson import ObjectId
from django.core.exceptions import FieldError
from django.db.models import Q

from chat.history_query import MOST_LISTED, answered_in_time

Condition = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection, and what may be asked of it."""

    document: Any
    """MongoEngine's."""
    time: str
    """The field by which it is in order; an index has it, and then the id."""
    lookups: Mapping[str, Condition]


def ids(values: Any) -> dict[str, Any]:
    """The condition of having one of some ids; what is no id is nobody's."""
    return {"_id": {"$in": [ObjectId(value) for value in values if ObjectId.is_valid(value)]}}


def words(text: Any) -> dict[str, Any]:
    """The condition of having a text in the reader's name or the reason, or of a reader's id."""
    pattern = re.compile(re.escape(str(text)), re.IGNORECASE)
    return {"$or": [{"username": pattern}, {"reason": pattern}, {"userId": str(text)}]}


class RecordQuerySet:
    """Records, newest first; asked when it is iterated, measured or counted.

    Every method that asks raises `StoreUnavailable` when there is no answer in time.

    Args:
        model: made from each document by its ``from_document``.
    """

    ordered = True

    def __init__(self, model: Any, shelf: Shelf) -> None:
        self.model, self._shelf = model, shelf
        self._asked: tuple[dict[str, Any], ...] = ()
        self._is_newest_first = True
        self._part = slice(0, MOST_LISTED)
        self._found: list[Any] | None = None

    @property
    def query(self) -> SimpleNamespace:
        """What a change list reads of a query: no order of its own, and nothing to join."""
        return SimpleNamespace(order_by=(), select_related=True)

    def filter(self, *args: Q, **conditions: Any) -> Self:
        """Narrow by the lookups of the shelf; a `Q` may come, and must be empty.

        Raises:
            FieldError: not one of the lookups.
        """
        unknown = [name for name in conditions if name not in self._shelf.lookups]
        if unknown or any(args):
            raise FieldError(f"records cannot be looked up by {unknown or args}")
        asked = [self._shelf.lookups[name](value) for name, value in conditions.items()]
        return self._but(_asked=(*self._asked, *asked))

    def order_by(self, *names: str) -> Self:
        """By time, and what is of the same millisecond by id, in the same direction.

        Raises:
            FieldError: any other order; no index has it.
        """
        first = names[0] if names else f"-{self._shelf.time}"
        if any(name.removeprefix("-") not in (self._shelf.time, "pk", "id") for name in names):
            raise FieldError(f"records cannot be ordered by {names}")
        return self._but(_is_newest_first=first.startswith("-"))

    def count(self) -> int:
        """How many there are, up to `MOST_LISTED`."""
        with answered_in_time():
            return int(self._wanted().limit(MOST_LISTED).count(with_limit_and_skip=True))

    def get(self, **conditions: Any) -> Any:
        """The only one.

        Raises:
            DoesNotExist: there is none.
        """
        wanted = {"pk" if name == "id" else name: value for name, value in conditions.items()}
        for record in self.filter(**wanted):
            return record
        raise self.model.DoesNotExist("there is no such record")

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
        other = type(self)(self.model, self._shelf)
        other._asked, other._part = self._asked, self._part
        other._is_newest_first = self._is_newest_first
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def _wanted(self) -> Any:
        return self._shelf.document.objects(
            __raw__={"$and": list(self._asked)} if self._asked else {}
        )

    def _fetched(self) -> list[Any]:
        if self._found is None:
            start, stop = self._part.start, self._part.stop
            sign = "-" if self._is_newest_first else "+"
            with answered_in_time():
                found = self._wanted().order_by(f"{sign}{self._shelf.time}", f"{sign}id")
                rows = list(found.skip(start).limit(stop - start)) if stop > start else []
            self._found = [self.model.from_document(row) for row in rows]
        return self._found
