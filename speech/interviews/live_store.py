"""Interviews that go on, in MongoDB: what another worker needs to go on with one.

Each has a lease, by the clock of the server: only the worker that holds it runs the interview
and may write. A worker that dies writes nothing more, and its leases end by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from mongoengine.connection import get_db
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from readrealm.kernel.errors import InterviewInProgress, StoreUnavailable
from readrealm.kernel.wire import encode
from speech.interviews.owners import Owner
from speech.interviews.state import InterviewState

Document = dict[str, Any]

COLLECTION = "live_interviews"

LEASE_MS = 6_000
"""How long a worker that does not renew is believed to be alive."""

RETENTION = timedelta(minutes=10)
"""For which a finished interview still tells its result, and is then forgotten."""

LONGEST = timedelta(hours=6)
"""After which whatever is left of an interview is forgotten."""

INDEXES = (
    IndexModel(
        [("owner", ASCENDING)],
        name="one_live_per_reader",
        unique=True,
        partialFilterExpression={"live": True},
    ),
    IndexModel([("owner", ASCENDING), ("started", DESCENDING)], name="of_reader"),
    IndexModel([("done", ASCENDING), ("lease_until", ASCENDING)], name="orphans"),
    IndexModel([("purge_at", ASCENDING)], name="purge", expireAfterSeconds=0),
)


def ensure_indexes() -> None:
    """Make what is missing of the indexes. Blocks."""
    get_db()[COLLECTION].create_indexes(list(INDEXES))


def forget(owner: Owner) -> int:
    """Forget every interview of a reader; how many there were. One that runs ends without a
    result as soon as its worker notices, within seconds. Blocks.

    Raises:
        StoreUnavailable: MongoDB does not answer.
    """
    try:
        return int(get_db()[COLLECTION].delete_many({"owner": owner.key}).deleted_count)
    except PyMongoError:
        raise StoreUnavailable from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An interview as its worker last kept it."""

    owner: Owner
    state: InterviewState
    container: str = ""
    """What its sound is in; empty for raw samples and for none."""
    channel: str = ""
    """Channel name of the socket that is attached."""
    is_free: bool = False
    """Whether another worker may take it, because no socket is attached."""
    is_live: bool = True
    """Whether it stands in the way of a new one."""
    is_done: bool = False
    """Whether nothing is left to be done."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds an interview, and until when, by the clock of the server (opaque)."""

    channel: str
    lease_until: Any
    session_id: str


class LostLease(Exception):
    """Another worker runs this interview now."""


class LiveInterviews:
    """The interviews of all workers, as one of them holds them.

    Args:
        holder: names this worker and this life of it.
    """

    def __init__(self, database: AsyncDatabase[Document], *, holder: str) -> None:
        self._documents = database[COLLECTION]
        self._holder = holder

    async def create(self, snapshot: Snapshot) -> None:
        """Keep a new interview, and hold it.

        Raises:
            InterviewInProgress: the reader has a live one.
            StoreUnavailable: MongoDB does not answer.
        """
        state = snapshot.state
        fields = {
            **_fields(snapshot),
            "owner": snapshot.owner.key,
            "started": state.started_ms,
            "holder": self._holder,
        }
        try:
            # An update, for only that can ask for the time of the server.
            await self._documents.update_one(
                {"_id": state.session_id},
                [{"$set": {**_literal(fields), **_lease(), **_purge(LONGEST)}}],
                upsert=True,
            )
        except DuplicateKeyError:
            raise InterviewInProgress("you are in an interview already") from None
        except PyMongoError:
            raise StoreUnavailable from None

    async def save(self, snapshot: Snapshot) -> None:
        """Keep how an interview stands, and hold it on.

        Raises:
            LostLease: somebody else holds it, or it is gone.
            StoreUnavailable: MongoDB does not answer.
        """
        purge = _purge(RETENTION) if snapshot.is_done else {}
        try:
            found = await self._documents.update_one(
                {"_id": snapshot.state.session_id, "holder": self._holder},
                [{"$set": {**_literal(_fields(snapshot)), **_lease(), **purge}}],
            )
        except PyMongoError:
            raise StoreUnavailable from None
        if not found.matched_count:
            raise LostLease

    async def release(self, session_id: str) -> None:
        """Hold an interview no longer; whoever comes first takes it.

        Raises:
            StoreUnavailable: the lease ends by itself.
        """
        await self._change(session_id, [{"$set": {"lease_until": "$$NOW"}}])

    async def remove(self, session_id: str) -> None:
        """Forget an interview that was left."""
        try:
            await self._documents.delete_one({"_id": session_id, "holder": self._holder})
        except PyMongoError:
            raise StoreUnavailable from None

    async def take(self, owner: Owner) -> Snapshot | None:
        """The live interview of a reader, held from now on; None if there is none that is free
        or whose worker is dead."""
        free = {"$or": [{"free": True}, _EXPIRED]}
        return await self._take({"owner": owner.key, "live": True, **free})

    async def take_orphan(self) -> Snapshot | None:
        """Any interview whose worker is dead or has released it, held from now on."""
        return await self._take({"done": False, **_EXPIRED})

    async def holding(self, owner: Owner) -> Holding | None:
        """Who holds the live interview of a reader; None if there is none."""
        found = await self._find({"owner": owner.key, "live": True})
        if found is None:
            return None
        return Holding(found["channel"], found["lease_until"], found["_id"])

    async def latest(self, owner: Owner) -> Snapshot | None:
        """The newest interview of a reader, for reading only."""
        found = await self._find({"owner": owner.key}, sort=[("started", DESCENDING)])
        return _snapshot(found) if found else None

    async def by_id(self, session_id: str) -> Snapshot | None:
        """An interview, for reading only."""
        found = await self._find({"_id": session_id})
        return _snapshot(found) if found else None

    async def _take(self, wanted: Document) -> Snapshot | None:
        try:
            found = await self._documents.find_one_and_update(
                wanted,
                [{"$set": {"holder": self._holder, "free": False, **_lease()}}],
                return_document=ReturnDocument.AFTER,
            )
        except PyMongoError:
            raise StoreUnavailable from None
        return _snapshot(found) if found else None

    async def _find(self, wanted: Document, **options: Any) -> Document | None:
        try:
            return await self._documents.find_one(wanted, **options)
        except PyMongoError:
            raise StoreUnavailable from None

    async def _change(self, session_id: str, change: Sequence[Document]) -> None:
        try:
            await self._documents.update_one({"_id": session_id, "holder": self._holder}, change)
        except PyMongoError:
            raise StoreUnavailable from None


_EXPIRED: Document = {"$expr": {"$lte": ["$lease_until", "$$NOW"]}}


def _lease() -> Document:
    return {"lease_until": {"$add": ["$$NOW", LEASE_MS]}}


def _purge(after: timedelta) -> Document:
    return {"purge_at": {"$add": ["$$NOW", round(after.total_seconds() * 1000)]}}


def _literal(fields: Document) -> Document:
    """Values that an update takes as they are, whatever they look like."""
    return {name: {"$literal": value} for name, value in fields.items()}


def _fields(snapshot: Snapshot) -> Document:
    return {
        "state": encode(snapshot.state.as_dict()),
        "container": snapshot.container,
        "channel": snapshot.channel,
        "free": snapshot.is_free,
        "live": snapshot.is_live,
        "done": snapshot.is_done,
    }


def _snapshot(document: Document) -> Snapshot:
    return Snapshot(
        owner=Owner.of_key(document["owner"]),
        state=InterviewState.from_dict(msgspec.json.decode(document["state"])),
        container=document["container"],
        channel=document["channel"],
        is_free=document["free"],
        is_live=document["live"],
        is_done=document["done"],
    )
