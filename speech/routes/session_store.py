"""Voice sessions in MongoDB, on the event loop: those of clients, and what upkeep asks of them."""

from collections.abc import Sequence

import msgspec
import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from readrealm.kernel.wire import encode
from speech.routes.database import (
    SESSIONS,
    STREAMS,
    TEXTS,
    Document,
    answered,
    missing_in,
    stream_id,
)
from speech.routes.events import Statistics
from speech.routes.sessions import GRACE_MS, IDLE_MS, Owner, State, VoiceSession
from speech.routes.transcript_store import text_of
from speech.routes.work_events import Transcription

TRANSCRIPT_SHOWN = 200
LIVE = [str(State.ACTIVE), str(State.PAUSED)]


class SessionStore:
    """`speech.routes.sessions.Sessions`, and what upkeep asks of sessions."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._sessions: AsyncCollection[Document] = database[SESSIONS]
        self._streams: AsyncCollection[Document] = database[STREAMS]
        self._texts: AsyncCollection[Document] = database[TEXTS]

    async def create(self, session: VoiceSession, *, sid: str) -> bool:
        document = {
            "_id": session.id,
            "isAccount": session.owner.is_account,
            "ownerId": session.owner.id,
            "state": str(session.state),
            "startedAt": session.started_at,
            "endedAt": None,
            "endedBy": None,
            "resumeHash": session.resume_hash,
            # As JSON: whatever keys a client invents, they are no field names.
            "metadata": encode(session.metadata).decode(),
            "activeAt": session.started_at,
            "seenAt": session.started_at,
            "stream": 0,
            "streaming": False,
            "streamSid": "",
            "leftStream": False,
        }
        try:
            await answered(self._sessions.insert_one(document))
        except DuplicateKeyError:
            return False
        return True

    async def find(self, session_id: str) -> VoiceSession | None:
        found = await answered(self._sessions.find_one({"_id": session_id}))
        return session_of(found) if found else None

    async def live(self) -> int:
        return await answered(self._sessions.count_documents({"state": {"$in": LIVE}}))

    async def change(
        self, session_id: str, *, allowed: Sequence[State], to: State, at_ms: int
    ) -> VoiceSession | None:
        return await self._change(
            {"_id": session_id, "state": {"$in": [str(state) for state in allowed]}},
            to=to,
            at_ms=at_ms,
        )

    async def adopt(self, session_id: str, owner: Owner) -> None:
        await answered(
            self._sessions.update_one(
                {"_id": session_id, "isAccount": False}, {"$set": {"ownerId": owner.id}}
            )
        )

    async def attach(self, session_id: str, *, sid: str, at_ms: int) -> None:
        await answered(
            self._sessions.update_one(
                {"_id": session_id}, {"$max": {"activeAt": at_ms, "seenAt": at_ms}}
            )
        )

    async def statistics(self, session_id: str) -> Statistics:
        streams = await answered(self._streams.find({"session": session_id}).to_list())
        return Statistics(
            chunks=sum(int(stream["chunks"]) for stream in streams),
            duplicates=sum(int(stream["duplicates"]) for stream in streams),
            missing=sum(missing_in(stream) for stream in streams),
        )

    async def transcript(self, session_id: str) -> list[Transcription]:
        newest = self._texts.find({"session": session_id}).sort("startMs", pymongo.DESCENDING)
        found = await answered(newest.limit(TRANSCRIPT_SHOWN).to_list())
        return [text_of(each) for each in reversed(found)]

    # ------------------------------------------------------------------ upkeep

    async def seen(self, session_ids: Sequence[str], *, at_ms: int) -> None:
        """The sockets of these sessions are still there."""
        if session_ids:
            await answered(
                self._sessions.update_many(
                    {"_id": {"$in": list(session_ids)}}, {"$max": {"seenAt": at_ms}}
                )
            )

    async def left(self, session_id: str, *, sid: str, at_ms: int) -> None:
        """A socket is gone; the stream that it had begun stops, and may be resumed."""
        await self.seen([session_id], at_ms=at_ms)
        session = await answered(
            self._sessions.find_one_and_update(
                {"_id": session_id, "streaming": True, "streamSid": sid},
                {"$set": {"streaming": False, "leftStream": True}},
            )
        )
        if session is not None:
            await self._close_stream(session_id, session["stream"], at_ms=at_ms, left=True)

    async def end_expired(self, *, now_ms: int) -> tuple[VoiceSession, str] | None:
        """End one session that was left or idle for too long; with it why, or None."""
        for reason, field, allowed_ms in (
            ("left", "seenAt", GRACE_MS),
            ("idle", "activeAt", IDLE_MS),
        ):
            expired = {"state": {"$in": LIVE}, field: {"$lt": now_ms - allowed_ms}}
            ended = await self._change(expired, to=State.ENDED, at_ms=now_ms, reason=reason)
            if ended is not None:
                return ended, reason
        return None

    async def _change(
        self, condition: Document, *, to: State, at_ms: int, reason: str = "request"
    ) -> VoiceSession | None:
        fields: Document = {"state": str(to)}
        if to is State.ENDED:
            fields |= {"endedAt": at_ms, "endedBy": reason, "streaming": False}
        else:
            fields |= {"activeAt": at_ms, "seenAt": at_ms}
        changed = await answered(
            self._sessions.find_one_and_update(
                condition, {"$set": fields}, return_document=ReturnDocument.AFTER
            )
        )
        if changed is None:
            return None
        if to is State.ENDED and changed["stream"]:
            await self._close_stream(changed["_id"], changed["stream"], at_ms=at_ms)
        return session_of(changed)

    async def _close_stream(
        self, session_id: str, number: int, *, at_ms: int, left: bool = False
    ) -> None:
        await answered(
            self._streams.update_one(
                {"_id": stream_id(session_id, number)},
                {"$set": {"open": False, "left": left, "closedAt": at_ms}},
            )
        )


def session_of(document: Document) -> VoiceSession:
    """A session as the use cases know it."""
    return VoiceSession(
        id=document["_id"],
        owner=Owner(document["isAccount"], document["ownerId"]),
        started_at=int(document["startedAt"]),
        state=State(document["state"]),
        metadata=msgspec.json.decode(document["metadata"]),
        ended_at=None if document["endedAt"] is None else int(document["endedAt"]),
        resume_hash=document["resumeHash"],
        stream=document["stream"],
        streaming=document["streaming"],
        stream_sid=document["streamSid"],
        left_stream=document["leftStream"],
    )
