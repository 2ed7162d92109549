"""Streams and their chunks in MongoDB: what clients may do to them. Workers have `work_store`."""

import contextlib

from bson.binary import Binary
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from speech.routes.audio import Chunk, Kept
from speech.routes.database import CHUNKS, SESSIONS, STREAMS, Document, answered, stream_id
from speech.routes.sessions import State, VoiceSession

MAX_BACKLOG_BYTES = 64 << 20
"""Of one stream, accepted and not processed."""

MAX_STREAM_BYTES = 512 << 20
"""Of one stream. All of it is kept until the stream is finished, so that any worker can take it
over from its first byte: the state of a decoder cannot be kept."""


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
