"""What the admin may ask of the messages in MongoDB: a queryset by behaviour, not by descent.

`MessageQuerySet` has the methods that Django's change list calls and no others, so that an
upgrade which calls more fails by name. Every question is one of `LOOKUPS`, is answered from an
index, looks at a bounded number of messages and has a deadline.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Self

import pymongo
from bson import ObjectId
from django.core.exceptions import FieldError
from django.db.models import Q
from pymongo.errors import ConnectionFailure, PyMongoError

from chat.documents import Message
from chat.entries import State
from readrealm.kernel.errors import StoreUnavailable

Document = dict[str, Any]

DEADLINE_S = 2.0
"""For one question."""

MOST_LISTED = 5_000
"""Messages that can be paged through: deeper pages would have MongoDB count off what it skips."""

MOST_EXAMINED = 10_000
"""Messages that are looked at one by one for what no index knows: words, names, guests."""

MOST_FOUND = 500
"""Messages that such a look gives."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that may be asked."""

    condition: Callable[[Any], Document]
    """MongoDB's words for it, given the value."""
    indexes: frozenset[str] = frozenset()
    """Those of `chat.documents` that answer it; without any, each message is looked at."""


def _ids(values: Any) -> Document:
    return {"_id": {"$in": [ObjectId(value) for value in values if ObjectId.is_valid(value)]}}


def _words(text: str) -> Document:
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    return {"$or": [{"content": pattern}, {"username": pattern}, {"userId": text}]}


BY_ID = "_id_"
IN_ORDER_OF_TIME = frozenset({"newest", "history", "state", "author"})

LOOKUPS: dict[str, Lookup] = {
    "pk": Lookup(lambda value: _ids([value]), frozenset({BY_ID})),
    "pk__in": Lookup(_ids, frozenset({BY_ID})),
    "created_at__gte": Lookup(lambda value: {"createdAt": {"$gte": value}}, IN_ORDER_OF_TIME),
    "created_at__lte": Lookup(lambda value: {"createdAt": {"$lte": value}}, IN_ORDER_OF_TIME),
    "book_id": Lookup(lambda value: {"bookId": int(value)}, frozenset({"history"})),
    "state": Lookup(lambda value: {"state": str(value)}, frozenset({"state", "history"})),
    "user_id": Lookup(lambda value: {"userId": str(value)}, frozenset({"author"})),
    "authenticated": Lookup(lambda value: {"authenticated": bool(value)}),
    "is_ai": Lookup(lambda value: {"isAi": bool(value)}),
    "words": Lookup(lambda value: _words(str(value))),
}

ORDERS = ("created_at", "pk", "id")
"""By time and then id, which in a room is the order of its log."""


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


class MessageQuerySet:
    """Messages of all rooms, newest first; asked when it is iterated, measured or counted.

    Every method that asks raises `StoreUnavailable` when there is no answer in time.

    Args:
        model: made from each message by its ``from_document``.
    """

    ordered = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self._asked: tuple[tuple[str, Any], ...] = ()
        self.is_newest_first = True
        self._part = slice(0, MOST_LISTED)
        self._found: list[Any] | None = None
        self._examined: list[Document] | None = None

    # ------------------------------------------------------------------ asked for by Django

    @property
    def query(self) -> SimpleNamespace:
        """What a change list reads of a query: no order of its own, and nothing to join."""
        return SimpleNamespace(order_by=(), select_related=True)

    def filter(self, *args: Q, **conditions: Any) -> Self:
        """Narrow by `LOOKUPS`; a `Q` may come, and must be empty.

        Raises:
            FieldError: not one of the lookups.
            ValueError: not a value of it.
        """
        unknown = [name for name in conditions if name not in LOOKUPS]
        if unknown or any(args):
            raise FieldError(f"messages cannot be looked up by {unknown or args}")
        for name, value in conditions.items():
            LOOKUPS[name].condition(value)
        return self._but(_asked=(*self._asked, *conditions.items()))

    def order_by(self, *names: str) -> Self:
        """By time, and what was written in the same millisecond by id, in the same direction.

        Raises:
            FieldError: any other order; no index has it.
        """
        first = names[0] if names else "-created_at"
        if any(name.removeprefix("-") not in ORDERS for name in names):
            raise FieldError(f"messages cannot be ordered by {names}")
        return self._but(is_newest_first=first.startswith("-"))

    def count(self) -> int:
        """How many there are, up to `MOST_LISTED`; with a look at each, up to `MOST_FOUND`."""
        if self._residual():
            return len(self._looked_at())
        with answered_in_time():
            query = self._indexed().limit(MOST_LISTED)
            return int(query.count(with_limit_and_skip=True))

    def get(self, **conditions: Any) -> Any:
        """The only one.

        Raises:
            DoesNotExist: there is none.
        """
        wanted = {"pk" if name == "id" else name: value for name, value in conditions.items()}
        for message in self.filter(**wanted):
            return message
        raise self.model.DoesNotExist("there is no such message")

    def _clone(self) -> Self:
        return self._but()

    def __getitem__(self, part: slice) -> Self:
        start, stop, _ = part.indices(MOST_LISTED)
        sliced = self._but(_part=slice(start, stop))
        sliced._examined = self._examined
        return sliced

    def __iter__(self) -> Iterator[Any]:
        return iter(self._fetched())

    def __len__(self) -> int:
        return len(self._fetched())

    # ------------------------------------------------------------------ asked for by us

    def horizon(self) -> datetime | None:
        """The time beyond which nothing is listed although there may be more; None when
        everything is listed."""
        if not self._residual():
            last = MOST_LISTED
        elif len(self._looked_at()) == MOST_FOUND:
            moment: datetime = self._looked_at()[-1]["createdAt"]
            return moment
        else:
            last = MOST_EXAMINED
        with answered_in_time():
            beyond = self._indexed().only("created_at").skip(last - 1).limit(2)
            found = [message.created_at for message in beyond]
        return found[0] if len(found) == 2 else None

    # ------------------------------------------------------------------ asking

    def _but(self, **changes: Any) -> Self:
        other = type(self)(self.model)
        other._asked, other._part = self._asked, self._part
        other.is_newest_first = self.is_newest_first
        if not changes:
            other._found, other._examined = self._found, self._examined
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def _fetched(self) -> list[Any]:
        if self._found is None:
            start, stop = self._part.start, self._part.stop
            if self._residual():
                rows = [Message._from_son(row) for row in self._looked_at()[start:stop]]
            elif stop <= start:
                rows = []
            else:
                with answered_in_time():
                    rows = list(self._indexed().skip(start).limit(stop - start))
            self._found = [self.model.from_document(row) for row in rows]
        return self._found

    def _looked_at(self) -> list[Document]:
        """What is found by looking at each of the first `MOST_EXAMINED`."""
        if self._examined is None:
            pipeline = [{"$match": {"$and": self._residual()}}, {"$limit": MOST_FOUND}]
            with answered_in_time():
                rows = self._indexed().limit(MOST_EXAMINED).aggregate(pipeline, hint=self._index())
                self._examined = list(rows)
        return self._examined

    def _indexed(self) -> Any:
        """The messages in order, as far as the index alone narrows them."""
        index = self._index()
        conditions = [LOOKUPS[name].condition(value) for name, value in self._asked_of(index)]
        sign = "-" if self.is_newest_first else "+"
        query = Message.objects(__raw__={"$and": conditions} if conditions else {})
        return query.order_by(f"{sign}created_at", f"{sign}id").hint(index)

    def _residual(self) -> list[Document]:
        """The conditions that the index does not know."""
        known = self._asked_of(self._index())
        return [
            LOOKUPS[name].condition(value)
            for name, value in self._asked
            if (name, value) not in known
        ]

    def _asked_of(self, index: str) -> list[tuple[str, Any]]:
        return [each for each in self._asked if index in LOOKUPS[each[0]].indexes]

    def _index(self) -> str:
        """The index that leaves the least to look at: removed messages are few, and so are
        those of one reader."""
        asked = dict(self._asked)
        if "pk" in asked or "pk__in" in asked:
            return BY_ID
        if "user_id" in asked:
            return "author"
        if asked.get("state", State.VISIBLE) != State.VISIBLE:
            return "state"
        if "book_id" in asked:
            return "history"
        return "state" if "state" in asked else "newest"
