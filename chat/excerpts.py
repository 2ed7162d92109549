"""Short passages of the log for moderators: what is around messages, and what authors wrote.

However many are asked for, MongoDB is asked once. Read-only.
"""

from collections.abc import Sequence

from chat.entries import COLLECTION, Kind
from chat.history import ChatMessage
from readrealm.document_admin import Stages, answered_in_time, short_lists

NEIGHBOURS = 5
"""Messages that are shown before a message, and as many after it."""

MOST_EXAMINED = 10_000
"""Messages under one user id that are looked at: an account and guests may share it."""

IS_MESSAGE = {"kind": str(Kind.MESSAGE)}


def conversations_around(messages: Sequence[ChatMessage]) -> list[list[ChatMessage]]:
    """Each message between its `NEIGHBOURS` in the room, oldest first, whatever their state.

    Raises:
        StoreUnavailable: no answer in time.
    """
    found = _read([part for each in messages for part in (_before(each), _after(each))])
    return [
        [*before[::-1], message, *after]
        for message, before, after in zip(messages, found[::2], found[1::2], strict=True)
    ]


def latest_of_authors(messages: Sequence[ChatMessage], *, limit: int) -> list[list[ChatMessage]]:
    """What the author of each message wrote in any room, newest first.

    Raises:
        StoreUnavailable: no answer in time.
    """
    return _read([_of_author(each, limit=limit) for each in messages])


def _before(message: ChatMessage) -> Stages:
    earlier = {"bookId": message.book_id, "seq": {"$lt": message.seq}} | IS_MESSAGE
    return [{"$match": earlier}, {"$sort": {"seq": -1}}, {"$limit": NEIGHBOURS}]


def _after(message: ChatMessage) -> Stages:
    later = {"bookId": message.book_id, "seq": {"$gt": message.seq}} | IS_MESSAGE
    return [{"$match": later}, {"$sort": {"seq": 1}}, {"$limit": NEIGHBOURS}]


def _of_author(message: ChatMessage, *, limit: int) -> Stages:
    return [
        {"$match": {"userId": message.user_id} | IS_MESSAGE},
        {"$sort": {"createdAt": -1, "_id": -1}},
        {"$limit": MOST_EXAMINED},
        {"$match": {"authenticated": message.authenticated}},
        {"$limit": limit},
    ]


def _read(passages: Sequence[Stages]) -> list[list[ChatMessage]]:
    with answered_in_time():
        found = short_lists(COLLECTION, passages)
    return [[ChatMessage.from_document(document) for document in passage] for passage in found]
