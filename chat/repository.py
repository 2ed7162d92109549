"""Appending to the log of each room, in MongoDB, on the event loop; `chat.log_reader` reads it.

The log has no counter document. An entry takes the number after the newest one, and the unique
index on (bookId, seq) lets exactly one writer have it; the others look again. So number n + 1
is only ever kept after n can be read, and whoever reads on from n misses nothing.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from chat.batches import Batches, Overfull
from chat.entries import (
    COLLECTION,
    Document,
    change_document,
    event_of,
    message_document,
    message_of,
    plan,
)
from chat.log_reader import DEADLINE_S, IS_MESSAGE, newest_place
from chat.rules import Change, Draft, Kept
from readrealm.kernel.clock import Clock, now_ms
from readrealm.kernel.errors import NotFound, RateLimited, StoreUnavailable
from readrealm.stores.mongo import DURABLE, answered_within, durable

WAIT_S = 8.0
"""For a message to be kept, the wait for its batch included."""

LARGEST_BATCH, MOST_WAITING = 128, 2_000
"""Messages that are committed together, and messages of all rooms that may wait for it."""

ATTEMPTS = 30
"""Numbers lost to other writers in a row before a batch is given up."""

DUPLICATE = 11_000


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What stopped a batch: its first document that was not inserted."""

    index: int
    """As long as the batch when nothing was refused."""
    code: int
    is_resent: bool


class RoomLogs:
    """The logs of all rooms, as one event loop appends to them.

    What arrives for a room while its last batch is being committed is committed together: one
    insert, one wait for the journal. `close` commits what waits.

    Args:
        database: what MongoDB keeps everything in.
        clock: dates entries; a room's time never runs backwards, whatever it says.
        waited: told how many seconds each entry took to be kept, or to be given up.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        *,
        clock: Clock = now_ms,
        waited: Callable[[float], object] | None = None,
    ) -> None:
        self._waited = waited
        # Readers are shown what can no longer vanish; numbers are taken after what is newest.
        self._agreed = durable(database, COLLECTION)
        self._entries = self._agreed.with_options(read_concern=ReadConcern("local"))
        self._clock = clock
        self.unsettled: set[int] = set()
        """Rooms in which something may have been kept that nobody was told of."""
        self._batches: Batches[Draft | Change, Kept] = Batches(
            self._keep, largest=LARGEST_BATCH, waiting=MOST_WAITING, deadline_s=WAIT_S
        )

    async def append(self, draft: Draft) -> Kept:
        """Keep a message durably, or find the one that is kept under its client id already.

        Raises:
            RateLimited: too much waits to be kept.
            StoreUnavailable: not kept within `WAIT_S`; unless the same client id is used
                again, it is unknown whether it will be.
        """
        return await self._put(draft)

    async def change(self, change: Change) -> Kept:
        """Append a change to the log and apply it to its message, both or neither.

        Raises:
            NotFound: no such message in this room, or it is not visible.
            InvalidState: the message has all the reactions it can have.
            RateLimited, StoreUnavailable: as `append`.
        """
        return await self._put(change)

    async def close(self) -> None:
        """Keep what waits, and take nothing more."""
        await self._batches.close()

    async def _put(self, item: Draft | Change) -> Kept:
        began = time.monotonic()
        try:
            return await self._batches.put(item.book_id, item)
        except Overfull:
            raise RateLimited(retry_after_ms=1_000) from None
        except TimeoutError:
            raise StoreUnavailable from None
        finally:
            if self._waited is not None:
                self._waited(time.monotonic() - began)

    # ------------------------------------------------------------------ keeping

    async def _keep(self, book_id: int, items: Sequence[Draft | Change]) -> list[Kept | Exception]:
        """Keep one batch of a room: neighbouring messages together, each change by itself."""
        outcomes: list[Kept | Exception] = []
        drafts: list[Draft] = []
        for item in items:
            if isinstance(item, Draft):
                drafts.append(item)
                continue
            outcomes += await self._append_all(book_id, drafts)
            outcomes.append(await self._apply(item))
            drafts = []
        return outcomes + await self._append_all(book_id, drafts)

    async def _append_all(self, book_id: int, drafts: list[Draft]) -> list[Kept | Exception]:
        repeats = _repeats(drafts)
        waiting = {place: draft for place, draft in enumerate(drafts) if place not in repeats}
        outcomes: dict[int, Kept | Exception] = {}
        try:
            with answered_within(DEADLINE_S):
                await self._append_waiting(book_id, waiting, outcomes)
        except StoreUnavailable as error:
            self.unsettled.add(book_id)
            outcomes |= dict.fromkeys(waiting, error)
        for place, first in repeats.items():
            outcomes[place] = _told_already(outcomes[first])
        return [outcomes[place] for place in range(len(drafts))]

    async def _append_waiting(
        self, book_id: int, waiting: dict[int, Draft], outcomes: dict[int, Kept | Exception]
    ) -> None:
        """Move every draft from ``waiting`` to an outcome, in order."""
        lost = 0
        while waiting:
            places = list(waiting)
            documents = await self._numbered(book_id, waiting.values())
            refusal = await self._insert(documents)
            for place, document in zip(places[: refusal.index], documents, strict=False):
                message = message_of(document)
                outcomes[place] = Kept(message, event=message)
                del waiting[place]
            if not waiting:
                return
            outcome = await self._outcome_of_refused(waiting[places[refusal.index]], refusal)
            if outcome is not None:
                outcomes[places[refusal.index]] = outcome
                del waiting[places[refusal.index]]
            lost = 0 if outcome or refusal.index else lost + 1
            await _step_aside(lost)

    async def _numbered(self, book_id: int, drafts: Iterable[Draft]) -> list[Document]:
        place = await newest_place(self._entries, book_id)
        documents = []
        for draft in drafts:
            place = place.after(now_ms=self._clock())
            documents.append(message_document(draft, place))
        return documents

    async def _insert(self, documents: list[Document]) -> _Refusal:
        """Insert in order until one is refused; those before it are durable then."""
        try:
            await self._entries.insert_many(documents, ordered=True)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise StoreUnavailable from None
            first = error.details["writeErrors"][0]
            is_resent = "clientMsgId" in first.get("keyPattern", {})
            return _Refusal(first["index"], first["code"], is_resent)
        return _Refusal(len(documents), 0, False)

    async def _outcome_of_refused(self, draft: Draft, refusal: _Refusal) -> Kept | Exception | None:
        """What became of the document that stopped a batch; None when it is to be tried again."""
        if refusal.code != DUPLICATE:
            # Without the driver's error, whose text has the message in it.
            return RuntimeError(f"MongoDB refuses a message with code {refusal.code}")
        if not refusal.is_resent:
            return None
        kept = await self._agreed.find_one(
            {
                "bookId": draft.book_id,
                "userId": draft.author.user_id,
                "authenticated": draft.author.authenticated,
                "clientMsgId": draft.client_msg_id,
            }
        )
        # None while another worker's insert waits for the journal: it is not durable yet.
        return Kept(message_of(kept), event=None) if kept else None

    async def _apply(self, change: Change) -> Kept | Exception:
        """Carry out one change; an exception is for its caller, its neighbours go on."""
        try:
            with answered_within(DEADLINE_S):
                return await self._change(change)
        except StoreUnavailable as error:
            self.unsettled.add(change.book_id)
            return error
        except Exception as error:
            return error

    async def _change(self, change: Change) -> Kept:
        # A number that somebody else takes meanwhile is a write conflict here, which the driver
        # answers with another try.
        transact = partial(self._change_in, change=change)
        async with self._entries.database.client.start_session() as session:
            return await session.with_transaction(transact, write_concern=DURABLE)

    async def _change_in(self, session: AsyncClientSession, *, change: Change) -> Kept:
        """Log entry and new state, in the transaction of ``session``."""
        wanted = {"_id": ObjectId(change.message_id), "bookId": change.book_id}
        stored = await self._entries.find_one(wanted | IS_MESSAGE, session=session)
        if stored is None:
            raise NotFound("there is no such message in this room")
        newest = await newest_place(self._entries, change.book_id, session=session)
        place = newest.after(now_ms=self._clock())
        step = plan(change, stored, place)
        if step is None:
            return Kept(message_of(stored), event=None)
        entry = change_document(change, step, place)
        await self._entries.insert_one(entry, session=session)
        changed = await self._entries.find_one_and_update(
            {"_id": stored["_id"]},
            step.update,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if changed is None:
            raise NotFound("there is no such message in this room")
        return Kept(message_of(changed), event=event_of(entry, changed))


def _repeats(drafts: list[Draft]) -> dict[int, int]:
    """Repetitions within one batch: place to place of the first."""
    firsts: dict[tuple[str, bool, str], int] = {}
    repeats = {}
    for place, draft in enumerate(drafts):
        if (key := draft.resend_key) is not None and firsts.setdefault(key, place) != place:
            repeats[place] = firsts[key]
    return repeats


def _told_already(first: Kept | Exception) -> Kept | Exception:
    return first if isinstance(first, Exception) else replace(first, event=None)


async def _step_aside(lost: int) -> None:
    """Let other writers go first after numbers were lost to them, a random time each.

    Raises:
        StoreUnavailable: `ATTEMPTS` numbers were lost in a row.
    """
    if lost >= ATTEMPTS:
        raise StoreUnavailable
    if lost:
        longest_s = min(0.001 * 2**lost, 0.05)
        await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311  not a secret
