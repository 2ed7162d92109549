"""Every MongoDB query about all that one reader left in book rooms, on the event loop."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from chat.entries import COLLECTION, Document, Kind
from chat.moderation_documents import ACTS, REPORTS, SANCTIONS
from chat.moderation_store import DEADLINE_S
from chat.rules import FORMER_READER
from chat.sanctions import ReaderKey
from readrealm.kernel.clock import utc
from readrealm.stores.mongo import answered_within, durable

PORTION = 200
"""Documents that are read or changed at once."""

OWN_MESSAGES = {"kind": str(Kind.MESSAGE)}
OTHER_ENTRIES = {"messageId": {"$exists": True}}
"""Changes and reactions; in the words of the index ``actor``."""

Pseudonyms = Callable[[], str]


class ReaderRecords:
    """What one reader wrote, did, reported and was told, and its anonymous remains.

    Every method raises `StoreUnavailable` when MongoDB gives no answer in time.
    """

    def __init__(self, database: AsyncDatabase[Document], reader: ReaderKey) -> None:
        self._entries = durable(database, COLLECTION)
        kept = {"reports": REPORTS, "sanctions": SANCTIONS, "moderationLog": ACTS}
        self._kept = {title: durable(database, name) for title, name in kept.items()}
        user_id, authenticated = reader
        self._own = {"userId": user_id, "authenticated": authenticated}
        self._user_id = user_id

    # ------------------------------------------------------------------ reading

    async def counts(self) -> dict[str, int]:
        """How many of each there are."""
        with answered_within(DEADLINE_S):
            return {
                "messages": await self._entries.count_documents(self._own | OWN_MESSAGES),
                "entries": await self._entries.count_documents(self._own | OTHER_ENTRIES),
                **{
                    name: await kept.count_documents(self._own) for name, kept in self._kept.items()
                },
            }

    def messages(self) -> AsyncIterator[Document]:
        """Every message, oldest first."""
        return self._in_order(self._entries, self._own | OWN_MESSAGES, "createdAt")

    def entries(self) -> AsyncIterator[Document]:
        """Every change and reaction, in the order of the messages they are about."""
        return self._in_order(self._entries, self._own | OTHER_ENTRIES, "messageId")

    def kept(self, name: str) -> AsyncIterator[Document]:
        """``reports``, ``sanctions`` or ``moderationLog`` about the reader, oldest first."""
        return self._in_order(self._kept[name], self._own, "_id")

    def acts_as_moderator(self) -> AsyncIterator[Document]:
        """What the reader did as a moderator; only accounts do."""
        wanted = {"moderatorId": self._user_id if self._own["authenticated"] else None}
        return self._in_order(self._kept["moderationLog"], wanted, "at")

    async def former_texts(self, message_id: ObjectId) -> list[Document]:
        """The edits of a message, oldest first."""
        wanted = {"messageId": message_id, "kind": str(Kind.EDIT)}
        with answered_within(DEADLINE_S):
            return await self._entries.find(wanted, sort=[("seq", 1)], hint="changes").to_list()

    async def some_messages(self) -> list[Document]:
        """Some of the messages that are left, ids and rooms only."""
        only = {"bookId": 1}
        with answered_within(DEADLINE_S):
            return await self._entries.find(self._own | OWN_MESSAGES, only, limit=PORTION).to_list()

    async def some_touched(self) -> list[Document]:
        """Some of the messages about which entries of the reader are left, with their rooms."""
        pipeline: list[Document] = [
            {"$match": self._own | OTHER_ENTRIES},
            {"$limit": 10 * PORTION},
            {"$group": {"_id": "$messageId", "bookId": {"$first": "$bookId"}}},
            {"$limit": PORTION},
        ]
        with answered_within(DEADLINE_S):
            found = await self._entries.aggregate(pipeline, hint="actor")
            return await found.to_list()

    # ------------------------------------------------------------------ anonymous remains

    async def forget_entries(self, message_id: ObjectId, pseudonym: str) -> int:
        """Take the reader and every former text out of the entries about a message; how many."""
        forgotten: Any = {"userId": pseudonym, "authenticated": True}
        keep_kind = {"$cond": [{"$eq": ["$kind", str(Kind.EDIT)]}, "", "$previous"]}
        with answered_within(DEADLINE_S):
            result = await self._entries.update_many(
                self._own | {"messageId": message_id},
                [{"$set": forgotten | {"previous": keep_kind}}],
            )
        return result.modified_count

    async def forget_reports(self, pseudonyms: Pseudonyms) -> int:
        """Take the reader and what the reader wrote out of some reports; how many."""
        return await self._forget("reports", self._own, pseudonyms, {"note": None})

    async def forget_sanctions(
        self, pseudonyms: Pseudonyms, *, at_ms: int, also_holding: bool
    ) -> int:
        """Take the reader out of some sanctions that are over, or of any; how many."""
        over = {"$or": [{"isLifted": True}, {"until": {"$lte": utc(at_ms)}}]}
        wanted = self._own if also_holding else self._own | over
        return await self._forget("sanctions", wanted, pseudonyms, {"reason": ""})

    async def forget_log(self, pseudonyms: Pseudonyms) -> int:
        """Take the reader out of some entries of the moderation log, which stay; how many."""
        return await self._forget("moderationLog", self._own, pseudonyms, {"reason": ""})

    async def _forget(
        self, name: str, wanted: Document, pseudonyms: Pseudonyms, fields: Document
    ) -> int:
        kept = self._kept[name]
        nobody = {"authenticated": True, "username": FORMER_READER, **fields}
        with answered_within(DEADLINE_S):
            found = await kept.find(wanted, {"_id": 1}, limit=PORTION).to_list()
            if found:
                await kept.bulk_write(
                    [
                        UpdateOne({"_id": each["_id"]}, {"$set": nobody | {"userId": pseudonyms()}})
                        for each in found
                    ]
                )
        return len(found)

    async def _in_order(
        self, kept: AsyncCollection[Document], wanted: Document, field: str
    ) -> AsyncIterator[Document]:
        """Everything wanted by ``field`` and then id, a portion at a time: however much there is,
        no question takes long."""
        after: Document = {}
        while True:
            with answered_within(DEADLINE_S):
                found = await kept.find(
                    wanted | after, sort=[(field, 1), ("_id", 1)], limit=PORTION
                ).to_list()
            for document in found:
                yield document
            if len(found) < PORTION:
                return
            last = found[-1]
            later = {field: {"$gt": last[field]}}
            same = {field: last[field], "_id": {"$gt": last["_id"]}}
            after = {"$or": [later, same]}
