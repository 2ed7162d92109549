"""Sessions, streams and their chunks in MongoDB, on the event loop. The only queries about them.

Four collections: a session is one document; each of its streams is another, with the counters and
the worker's tenure; a chunk is a document until its stream is finished; a final text stays.
"""

import contextlib
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import pymongo
from bson.binary import Binary
from msgspec import UNSET
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from readrealm.kernel.errors import StoreUnavailable
from readrealm.kernel.wire import encode
from speech.routes.audio import Chunk, Kept
from speech.routes.events import Statistics, Transcription
from speech.routes.sessions import GRACE_MS, IDLE_MS, Owner, State, VoiceSession

log = logging.getLogger(__name__)

Document = dict[str, Any]
T = TypeVar("T")

SESSIONS, STREAMS, CHUNKS, TEXTS = (
    "voice_sessions",
    "voice_streams",
    "voice_chunks",
    "voice_texts",
)

MAX_BACKLOG_BYTES = 64 << 20
"""Of one stream, accepted and not processed."""

MAX_STREAM_BYTES = 512 << 20
"""Of one stream. All of it is kept until the stream is finished, so that any worker can take it
over from its first byte: the state of a decoder cannot be kept."""

TRANSCRIPT_SHOWN = 200
LIVE = [str(State.ACTIVE), str(State.PAUSED)]


def stream_id(session_id: str, number: int) -> str:
    """The key of a stream; a session id has no slash."""
    return f"{session_id}/{number}"


async def answered(asked: Awaitable[T]) -> T:
    """The answer of the store.

    Raises:
        StoreUnavailable: there is none.
    """
    try:
        return await asked
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        log.warning("MongoDB does not answer: %r", error)
        raise StoreUnavailable from None


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


class StreamStore:
    """`speech.routes.audio.Streams`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._sessions: AsyncCollection[Document] = database[SESSIONS]
        self._streams: AsyncCollection[Document] = database[STREAMS]
        self._chunks: AsyncCollection[Document] = database[CHUNKS]

    async def open(self, session: VoiceSession, *, sid: str, at_ms: int, recorded: bool) -> None:
        number = session.stream + 1
        document = {
            "_id": stream_id(session.id, number),
            "session": session.id,
            "number": number,
            "open": True,
            "left": False,
            "sealed": False,
            "finished": False,
            "recorded": recorded,
            "openedAt": at_ms,
            "closedAt": None,
            **dict.fromkeys(("chunks", "duplicates", "bytes", "doneBytes", "late"), 0),
            **dict.fromkeys(("term", "textMs", "soundMs"), 0),
        }
        # There already: made by a request that ended between this line and the next one.
        with contextlib.suppress(DuplicateKeyError):
            await answered(self._streams.insert_one(document))
        await self._join(session, number, sid=sid, at_ms=at_ms)

    async def reopen(self, session: VoiceSession, *, sid: str, at_ms: int) -> bool:
        again = await answered(
            self._streams.update_one(
                {"_id": stream_id(session.id, session.stream), "sealed": False, "finished": False},
                {"$set": {"open": True, "left": False, "closedAt": None}},
            )
        )
        if again.matched_count:
            await self._join(session, session.stream, sid=sid, at_ms=at_ms)
        return bool(again.matched_count)

    async def close(self, session: VoiceSession, *, at_ms: int) -> None:
        await answered(
            self._sessions.update_one(
                {"_id": session.id, "stream": session.stream},
                {"$set": {"streaming": False, "leftStream": False, "activeAt": at_ms}},
            )
        )
        await answered(
            self._streams.update_one(
                {"_id": stream_id(session.id, session.stream)},
                {"$set": {"open": False, "left": False, "closedAt": at_ms}},
            )
        )

    async def keep(self, chunk: Chunk) -> Kept:
        stream = stream_id(chunk.session_id, chunk.stream)
        document = {
            "stream": stream,
            "seq": chunk.seq,
            "mimeType": chunk.mime_type,
            "sound": Binary(chunk.sound),
            "at": chunk.at_ms,
            "done": False,
        }
        try:
            kept = await answered(self._chunks.insert_one(document))
        except DuplicateKeyError:
            await answered(self._streams.update_one({"_id": stream}, {"$inc": {"duplicates": 1}}))
            return Kept.DUPLICATE
        outcome = await self._count(stream, chunk)
        if outcome is not Kept.NEW:
            await answered(self._chunks.delete_one({"_id": kept.inserted_id}))
        return outcome

    async def _count(self, stream: str, chunk: Chunk) -> Kept:
        """Count a chunk that is kept, if the stream still takes it.

        Counted afterwards: a worker ends a stream only when it is closed and nothing is left of
        it, so a chunk that was counted while the stream was open cannot be overlooked.
        """
        size = len(chunk.sound)
        backlog = {"$subtract": ["$bytes", "$doneBytes"]}
        counted = await answered(
            self._streams.update_one(
                {
                    "_id": stream,
                    "open": True,
                    "bytes": {"$lte": MAX_STREAM_BYTES - size},
                    "$expr": {"$lte": [backlog, MAX_BACKLOG_BYTES]},
                },
                {
                    "$inc": {"chunks": 1, "bytes": size},
                    "$min": {"first": chunk.seq},
                    "$max": {"last": chunk.seq},
                },
            )
        )
        if counted.matched_count:
            await self._touch(chunk)
            return Kept.NEW
        found = await answered(self._streams.find_one({"_id": stream}))
        if found is None or not found["open"]:
            return Kept.CLOSED
        return Kept.TOO_LONG if found["bytes"] + size > MAX_STREAM_BYTES else Kept.FULL

    async def _touch(self, chunk: Chunk) -> None:
        """A sign of life once in a while: to the minute is enough for an hour of idleness."""
        await answered(
            self._sessions.update_one(
                {"_id": chunk.session_id, "activeAt": {"$lt": chunk.at_ms - 60_000}},
                {"$max": {"activeAt": chunk.at_ms}},
            )
        )

    async def _join(self, session: VoiceSession, number: int, *, sid: str, at_ms: int) -> None:
        await answered(
            self._sessions.update_one(
                {"_id": session.id, "state": str(State.ACTIVE)},
                {
                    "$set": {
                        "stream": number,
                        "streaming": True,
                        "streamSid": sid,
                        "leftStream": False,
                        "activeAt": at_ms,
                        "seenAt": at_ms,
                    }
                },
            )
        )


@dataclass(frozen=True, slots=True)
class TranscriptStore:
    """`speech.routes.reports.Transcripts`."""

    database: AsyncDatabase[Document]

    async def holds(self, session_id: str, stream: int, *, term: int) -> bool:
        key = {"_id": stream_id(session_id, stream), "term": term}
        return await answered(self.database[STREAMS].find_one(key, {"_id": 1})) is not None

    async def keep(self, stream: int, text: Transcription) -> bool:
        key = {"stream": stream_id(text.session_id, stream), "startMs": text.start_ms}
        speaker = None if text.speaker is UNSET else text.speaker
        fields = {"endMs": text.end_ms, "text": text.text, "seq": text.seq, "speaker": speaker}
        before = await answered(
            self.database[TEXTS].find_one_and_update(
                key, {"$set": fields, "$setOnInsert": {"session": text.session_id}}, upsert=True
            )
        )
        await answered(
            self.database[STREAMS].update_one(
                {"_id": key["stream"]}, {"$max": {"textMs": text.end_ms}}
            )
        )
        return before is None or any(before[name] != value for name, value in fields.items())


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


def text_of(document: Document) -> Transcription:
    """A kept final text as the wire knows it."""
    return Transcription(
        session_id=document["session"],
        seq=int(document["seq"]),
        text=document["text"],
        is_final=True,
        start_ms=int(document["startMs"]),
        end_ms=int(document["endMs"]),
        speaker=document["speaker"] or UNSET,
    )


def missing_in(stream: Document) -> int:
    """Numbers of a stream that never came."""
    if "first" not in stream:
        return 0
    return int(stream["last"] - stream["first"] + 1 - stream["chunks"])
