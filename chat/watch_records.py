"""What the watch list found, and how far it has looked for good, in MongoDB, on the event loop."""

import contextlib
from collections.abc import Sequence

import msgspec
from bson import ObjectId
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from chat.entries import COLLECTION, Document, Kind, State, message_of
from chat.events import Message
from chat.moderation_documents import REPORTS
from chat.moderation_store import DEADLINE_S
from chat.watching import Stretch
from readrealm.kernel.clock import utc
from readrealm.stores.mongo import answered_within, durable

MARKS = "watch_marks"

WATCH_LIST_ID, WATCH_LIST_NAME, WATCH_REASON = "", "Watch list", "watch word"
"""Who flags: an id that no reader can have, for those are not empty."""

PORTION = 500
"""Entries of the log that are read at once."""

WORDINGS = (str(Kind.MESSAGE), str(Kind.EDIT))
ALL_ROOMS = {"_id": "all rooms"}


class WatchRecords:
    """What `chat.watching.Flags` and `chat.watching.Past` ask for.

    Every method raises `StoreUnavailable` when MongoDB gives no answer in time.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._entries, self._reports = durable(database, COLLECTION), durable(database, REPORTS)
        self._marks = durable(database, MARKS)

    async def flag(self, message: Message, words: Sequence[str], *, at_ms: int) -> None:
        """Have the watch list report a message; a state that was flagged before changes nothing,
        and a later one opens the case again."""
        message_id = ObjectId(message.id)
        now = {
            "bookId": message.book_id,
            "username": WATCH_LIST_NAME,
            "reason": WATCH_REASON,
            "isFlag": True,
            "words": list(words),
            "rev": message.rev,
            "createdAt": utc(at_ms),
            "isOpen": True,
        }
        own = {"messageId": message_id, "userId": WATCH_LIST_ID, "authenticated": True}
        with answered_within(DEADLINE_S), contextlib.suppress(DuplicateKeyError):
            await self._reports.update_one(
                own | {"rev": {"$lt": message.rev}},
                {"$set": now, "$unset": {"verdict": "", "closedAt": ""}},
                upsert=True,
            )

    async def mark(self) -> str | None:
        """Up to which id the logs of all rooms were looked at; None when they never were."""
        with answered_within(DEADLINE_S):
            found = await self._marks.find_one(ALL_ROOMS)
        return None if found is None else str(found["upTo"])

    async def advance(self, mark: str) -> None:
        """Set the mark, which never goes back."""
        with answered_within(DEADLINE_S):
            await self._marks.update_one(ALL_ROOMS, {"$max": {"upTo": ObjectId(mark)}}, upsert=True)

    async def stretch(self, *, after: str, before: str) -> Stretch | None:
        """The first `PORTION` entries of all rooms between two ids; None without any."""
        between = {"_id": {"$gt": ObjectId(after), "$lt": ObjectId(before)}}
        with answered_within(DEADLINE_S):
            entries = await self._entries.find(
                between, {"kind": 1, "seq": 1, "messageId": 1}, sort=[("_id", 1)], limit=PORTION
            ).to_list()
            # In the order of the log: of a message that was worded twice, the later one counts.
            worded = {
                entry.get("messageId", entry["_id"]): entry["seq"]
                for entry in entries
                if entry["kind"] in WORDINGS
            }
            seen = {"_id": {"$in": list(worded)}, "state": str(State.VISIBLE)}
            found = await self._entries.find(seen, sort=[("_id", 1)]).to_list() if worded else []
        if not entries:
            return None
        # Of the wording, not of the message: a reaction is no reason to open a case again.
        messages = [
            msgspec.structs.replace(message_of(document), rev=worded[document["_id"]])
            for document in found
        ]
        return Stretch(messages=messages, end=str(entries[-1]["_id"]))
