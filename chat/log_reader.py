"""Reading the log of each room, in MongoDB, on the event loop; what could vanish is not seen."""

from collections.abc import Sequence

from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from chat.entries import (
    COLLECTION,
    Document,
    Kind,
    State,
    event_of,
    message_of,
    place_of,
    wordings_of,
)
from chat.events import Message, RoomLogEvent, Wording
from chat.rules import MOST_WORDINGS, Place
from readrealm.kernel.errors import NotFound
from readrealm.stores.mongo import answered_within, durable

DEADLINE_S = 5.0
"""For one question, or one batch of what is appended, retries included."""

IS_MESSAGE = {"kind": str(Kind.MESSAGE)}


class LogReader:
    """What `chat.ports.Log` asks for.

    Every method raises `StoreUnavailable` when MongoDB gives no answer in time.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._agreed = durable(database, COLLECTION)

    async def find(self, book_id: int, message_id: str) -> Message:
        """One message of a room in its present state.

        Raises:
            NotFound: there is none.
        """
        wanted = {"_id": ObjectId(message_id), "bookId": book_id}
        with answered_within(DEADLINE_S):
            document = await self._agreed.find_one(wanted | IS_MESSAGE)
        if document is None:
            raise NotFound("there is no such message in this room")
        return message_of(document)

    async def wordings(self, book_id: int, message_id: str) -> list[Wording]:
        """What a message said, oldest first.

        Raises:
            NotFound: there is none, or it is removed.
        """
        wanted = {"_id": ObjectId(message_id), "bookId": book_id}
        edits = {"messageId": wanted["_id"], "bookId": book_id, "kind": str(Kind.EDIT)}
        with answered_within(DEADLINE_S):
            newest = self._agreed.find(edits, sort=[("seq", -1)], limit=MOST_WORDINGS + 1)
            found = await newest.to_list()
            # Last: of a message that is removed meanwhile nothing is told.
            document = await self._agreed.find_one(wanted | IS_MESSAGE)
        if document is None:
            raise NotFound("there is no such message in this room")
        return wordings_of(document, found[::-1])

    async def latest(self, book_id: int, *, limit: int) -> list[Message]:
        """The newest visible messages, by time and then id, newest first."""
        visible = {"bookId": book_id, "state": str(State.VISIBLE)} | IS_MESSAGE
        newest_first = [("createdAt", -1), ("_id", -1)]
        with answered_within(DEADLINE_S):
            found = self._agreed.find(visible, sort=newest_first, limit=limit)
            return [message_of(document) for document in await found.to_list()]

    async def head(self, book_id: int) -> int:
        """The number of the newest entry; 0 in a room without any."""
        with answered_within(DEADLINE_S):
            return (await newest_place(self._agreed, book_id)).seq

    async def heads(self, book_ids: Sequence[int]) -> dict[int, int]:
        """`head` of many rooms in one query; rooms without entries are left out."""
        pipeline: list[Document] = [
            {"$match": {"bookId": {"$in": list(book_ids)}}},
            {"$sort": {"bookId": -1, "seq": -1}},
            {"$group": {"_id": "$bookId", "seq": {"$first": "$seq"}}},
        ]
        with answered_within(DEADLINE_S):
            found = await self._agreed.aggregate(pipeline)
            return {row["_id"]: row["seq"] async for row in found}

    async def between(self, book_id: int, *, after: int, up_to: int) -> list[RoomLogEvent]:
        """The entries with ``after < seq <= up_to``, oldest first, as the room hears them;
        messages in their present state."""
        if up_to <= after:
            return []
        wanted = {"bookId": book_id, "seq": {"$gt": after, "$lte": up_to}}
        with answered_within(DEADLINE_S):
            entries = await self._agreed.find(wanted, sort=[("seq", 1)]).to_list()
            messages = await self._messages_of(entries)
        return [
            event_of(entry, messages[entry["messageId"] if "messageId" in entry else entry["_id"]])
            for entry in entries
        ]

    async def _messages_of(self, entries: list[Document]) -> dict[ObjectId, Document]:
        """The messages that entries are, or are about, by id."""
        messages = {entry["_id"]: entry for entry in entries if entry["kind"] == Kind.MESSAGE}
        mentioned = {entry["messageId"] for entry in entries if "messageId" in entry}
        if missing := list(mentioned - messages.keys()):
            found = self._agreed.find({"_id": {"$in": missing}})
            messages |= {document["_id"]: document async for document in found}
        return messages


async def newest_place(
    entries: AsyncCollection[Document],
    book_id: int,
    *,
    session: AsyncClientSession | None = None,
) -> Place:
    """Where the newest entry of a room stands, as ``entries`` are read."""
    return place_of(
        await entries.find_one(
            {"bookId": book_id},
            {"_id": 0, "seq": 1, "createdAt": 1},
            sort=[("seq", -1)],
            session=session,
        )
    )
