"""Every MongoDB query of moderation, on the event loop."""

from datetime import datetime

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from chat.acts import LogRecord, Verdict
from chat.casework import Claim, Decision
from chat.entries import COLLECTION, Document, Kind, State
from chat.events import ReportMessage
from chat.moderation_documents import ACTS, CLAIMS, REPORTS, SANCTIONS
from chat.sanctions import Measure, ReaderKey, Sanction
from readrealm.kernel.clock import utc
from readrealm.kernel.identity import Identity
from readrealm.stores.mongo import answered_within, durable

DEADLINE_S = 5.0
"""For one question or one act."""

MOST_SANCTIONS = 50_000
"""Holding ones that a worker knows; of more, those that end first."""


class ModerationRecords:
    """What `chat.moderation.Records` asks for, in MongoDB, durably.

    Every method raises `StoreUnavailable` when MongoDB gives no answer in time.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._entries, self._sanctions = durable(database, COLLECTION), durable(database, SANCTIONS)
        self._reports, self._acts = durable(database, REPORTS), durable(database, ACTS)
        self._claims = durable(database, CLAIMS)

    async def write(self, record: LogRecord) -> None:
        """Put an act on record."""
        user_id, authenticated = record.reader
        document: Document = {
            "at": utc(record.at_ms),
            "act": str(record.act),
            "moderatorId": record.moderator.user_id,
            "moderatorName": record.moderator.username,
            "reason": record.reason,
            "userId": user_id,
            "authenticated": authenticated,
            "username": record.username,
            "bookId": record.book_id,
            "messageId": None if record.message_id is None else ObjectId(record.message_id),
            "until": None if record.until_ms is None else utc(record.until_ms),
        }
        with answered_within(DEADLINE_S):
            await self._acts.insert_one(document)

    async def impose(self, sanction: Sanction, *, at_ms: int, by: Identity) -> None:
        """Keep a sanction; it holds from now on."""
        user_id, authenticated = sanction.reader
        document: Document = {
            "userId": user_id,
            "authenticated": authenticated,
            "username": sanction.username,
            "measure": str(sanction.measure),
            "bookId": sanction.book_id,
            "until": None if sanction.until_ms is None else utc(sanction.until_ms),
            "reason": sanction.reason,
            "createdAt": utc(at_ms),
            "moderatorId": by.user_id,
            "isLifted": False,
        }
        with answered_within(DEADLINE_S):
            await self._sanctions.insert_one(document)

    async def lift(self, reader: ReaderKey, *, at_ms: int) -> int:
        """End every sanction of a reader; how many held."""
        user_id, authenticated = reader
        now = utc(at_ms)
        wanted = {"userId": user_id, "authenticated": authenticated} | _holding(at_ms)
        with answered_within(DEADLINE_S):
            result = await self._sanctions.update_many(
                wanted, {"$set": {"isLifted": True, "liftedAt": now}}
            )
        return result.modified_count

    async def lift_one(self, sanction_id: str, *, at_ms: int) -> bool:
        """End one sanction; whether it held."""
        wanted = {"_id": ObjectId(sanction_id)} | _holding(at_ms)
        with answered_within(DEADLINE_S):
            result = await self._sanctions.update_one(
                wanted, {"$set": {"isLifted": True, "liftedAt": utc(at_ms)}}
            )
        return result.modified_count == 1

    async def holding(self, *, at_ms: int) -> list[Sanction]:
        """Every sanction that holds."""
        with answered_within(DEADLINE_S):
            found = self._sanctions.find(_holding(at_ms), sort=[("until", 1)], limit=MOST_SANCTIONS)
            return [_sanction_of(document) async for document in found]

    async def report(self, command: ReportMessage, *, by: Identity, at_ms: int) -> bool:
        """Keep a report; False when this reader has reported this message before."""
        document: Document = {
            "messageId": ObjectId(command.message_id),
            "bookId": command.book_id,
            "userId": by.user_id,
            "authenticated": by.authenticated,
            "username": by.username,
            "reason": command.reason,
            "note": command.note,
            "createdAt": utc(at_ms),
            "isOpen": True,
        }
        with answered_within(DEADLINE_S):
            try:
                await self._reports.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def close_reports(self, message_id: str, verdict: Verdict, *, at_ms: int) -> int:
        """End the open reports of a message; how many there were."""
        closed = {"isOpen": False, "verdict": str(verdict), "closedAt": utc(at_ms)}
        with answered_within(DEADLINE_S):
            result = await self._reports.update_many(
                {"messageId": ObjectId(message_id), "isOpen": True}, {"$set": closed}
            )
        return result.modified_count

    async def scrub(self, book_id: int, message_id: str, *, at_ms: int) -> None:
        """Forget every text of a message that nobody sees, for good."""
        wanted = ObjectId(message_id)
        with answered_within(DEADLINE_S):
            # Former texts first: a message that says it was purged has none left.
            await self._entries.update_many(
                {"messageId": wanted, "kind": str(Kind.EDIT)}, {"$set": {"previous": ""}}
            )
            await self._entries.update_one(
                {"_id": wanted, "bookId": book_id, "state": {"$ne": str(State.VISIBLE)}},
                {"$set": {"content": "", "purgedAt": utc(at_ms)}, "$unset": {"reactions": ""}},
            )

    async def is_purged(self, book_id: int, message_id: str) -> bool:
        """Whether the text of a message was forgotten."""
        wanted = {"_id": ObjectId(message_id), "bookId": book_id, "purgedAt": {"$exists": True}}
        with answered_within(DEADLINE_S):
            return await self._entries.find_one(wanted, {"_id": 1}) is not None

    # ------------------------------------------------------------------ cases

    async def claim(
        self, message_id: str, *, by: Identity, at_ms: int, until_ms: int, take_over: bool
    ) -> Claim:
        """Give a case to a moderator unless another has it; who has it now."""
        case = {"_id": ObjectId(message_id)}
        is_free = {} if take_over else {"$or": [{"moderatorId": by.user_id}, _over(at_ms)]}
        fields = {
            "moderatorId": by.user_id,
            "moderatorName": by.username,
            "since": utc(at_ms),
            "until": utc(until_ms),
        }
        with answered_within(DEADLINE_S):
            try:
                found = await self._claims.find_one_and_update(
                    case | is_free,
                    {"$set": fields},
                    upsert=True,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:
                found = await self._claims.find_one(case)
        # None: it ended between the two questions, and is free.
        return _claim_of(found or fields)

    async def release(self, message_id: str, *, by: Identity) -> None:
        """Give a case back, if this moderator has it."""
        with answered_within(DEADLINE_S):
            await self._claims.delete_one({"_id": ObjectId(message_id), "moderatorId": by.user_id})

    async def is_open(self, message_id: str) -> bool:
        """Whether a report or a flag of a message waits to be judged."""
        wanted = {"messageId": ObjectId(message_id), "isOpen": True}
        with answered_within(DEADLINE_S):
            return await self._reports.find_one(wanted, {"_id": 1}) is not None

    async def last_decision(self, message_id: str) -> Decision | None:
        """The newest act about a message."""
        with answered_within(DEADLINE_S):
            found = await self._acts.find_one(
                {"messageId": ObjectId(message_id)}, sort=[("at", -1)], hint="message"
            )
        if found is None:
            return None
        return Decision(moderator=found["moderatorName"], act=found["act"], at_ms=_ms(found["at"]))


def _over(at_ms: int) -> Document:
    return {"until": {"$lte": utc(at_ms)}}


def _claim_of(document: Document) -> Claim:
    return Claim(
        moderator_id=document["moderatorId"],
        moderator=document["moderatorName"],
        until_ms=_ms(document["until"]),
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _holding(at_ms: int) -> Document:
    return {"isLifted": False, "$or": [{"until": None}, {"until": {"$gt": utc(at_ms)}}]}


def _sanction_of(document: Document) -> Sanction:
    until = document["until"]
    return Sanction(
        reader=(document["userId"], document["authenticated"]),
        username=document["username"],
        measure=Measure(document["measure"]),
        book_id=document["bookId"],
        until_ms=None if until is None else _ms(until),
        reason=document["reason"],
    )
