"""What the admin may ask of the messages in MongoDB. Every question is one of `LOOKUPS`, is
answered from an index, looks at a bounded number of messages and has a deadline."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from bson import ObjectId

from chat.documents import Message
from chat.entries import State
from readrealm.document_admin import (
    MOST_LISTED,
    Asked,
    Condition,
    Document,
    DocumentQuerySet,
    answered_in_time,
)

MOST_EXAMINED = 10_000
"""Messages that are looked at one by one for what no index knows: words, names, guests."""

MOST_FOUND = 500
"""Messages that such a look gives."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that may be asked."""

    condition: Condition
    indexes: frozenset[str] = frozenset()
    """Those of `chat.documents` that answer it; without any, each message is looked at."""


def ids(values: Any) -> Document:
    """The condition of having one of some ids; what is no id is nobody's."""
    return {"_id": {"$in": [ObjectId(value) for value in values if ObjectId.is_valid(value)]}}


def _words(text: str) -> Document:
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    return {"$or": [{"content": pattern}, {"username": pattern}, {"userId": text}]}


BY_ID = "_id_"
REMOVED = frozenset({"removed", "removed_in_room"})
"""Have the messages that are not visible, and no other entries."""
IN_ORDER_OF_TIME = frozenset({"newest", "history", "state", "author"}) | REMOVED

LOOKUPS: dict[str, Lookup] = {
    "pk": Lookup(lambda value: ids([value]), frozenset({BY_ID})),
    "pk__in": Lookup(ids, frozenset({BY_ID})),
    "created_at__gte": Lookup(lambda value: {"createdAt": {"$gte": value}}, IN_ORDER_OF_TIME),
    "created_at__lte": Lookup(lambda value: {"createdAt": {"$lte": value}}, IN_ORDER_OF_TIME),
    "book_id": Lookup(
        lambda value: {"bookId": int(value)}, frozenset({"history", "removed_in_room"})
    ),
    "state": Lookup(lambda value: {"state": str(value)}, frozenset({"state", "history"}) | REMOVED),
    "user_id": Lookup(lambda value: {"userId": str(value)}, frozenset({"author"})),
    "authenticated": Lookup(lambda value: {"authenticated": bool(value)}),
    "is_ai": Lookup(lambda value: {"isAi": bool(value)}),
    "words": Lookup(lambda value: _words(str(value))),
}

CONDITIONS: Mapping[str, Condition] = {name: each.condition for name, each in LOOKUPS.items()}


class MessageQuerySet(DocumentQuerySet):
    """Messages of all rooms by time and then id, which in a room is the order of its log. What
    no index knows is looked for among the first `MOST_EXAMINED` alone."""

    _examined: list[Document] | None = None

    def count(self) -> int:
        """How many there are, up to `MOST_LISTED`; with a look at each, up to `MOST_FOUND`."""
        if self._residual():
            return len(self._looked_at())
        with answered_in_time():
            query = self._indexed().limit(MOST_LISTED)
            return int(query.count(with_limit_and_skip=True))

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

    def _but(self, **changes: Any) -> Self:
        other = super()._but(**changes)
        if changes.keys() - {"_part"}:
            other._examined = None
        return other

    def _fetch(self, start: int, stop: int) -> Sequence[Any]:
        if self._residual():
            return self._looked_at()[start:stop]
        with answered_in_time():
            return list(self._indexed().skip(start).limit(stop - start).as_pymongo())

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
        conditions = [each.condition for each in self._asked if _is_known(each, index)]
        sign = "-" if self.is_newest_first else "+"
        messages = Message.stated if index in REMOVED else Message.objects
        query = messages(__raw__={"$and": conditions} if conditions else {})
        return query.order_by(f"{sign}created_at", f"{sign}id").hint(index)

    def _residual(self) -> list[Document]:
        """The conditions that the index does not know."""
        index = self._index()
        return [each.condition for each in self._asked if not _is_known(each, index)]

    def _index(self) -> str:
        """The index that leaves the least to look at: removed messages are few, and so are
        those of one reader."""
        asked = {each.lookup: each.value for each in self._asked}
        if "pk" in asked or "pk__in" in asked:
            return BY_ID
        if "user_id" in asked:
            return "author"
        if asked.get("state", State.VISIBLE) != State.VISIBLE:
            return "removed_in_room" if "book_id" in asked else "removed"
        if "book_id" in asked:
            return "history"
        return "state" if "state" in asked else "newest"


def _is_known(asked: Asked, index: str) -> bool:
    return index in LOOKUPS[asked.lookup].indexes
