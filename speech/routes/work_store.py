"""What processing workers ask of MongoDB: streams that are not finished, their chunks in order,
and their own tenure. Every change names the tenure, so that a worker that has lost a stream, and
does not know it yet, changes nothing."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from speech.routes.database import CHUNKS, STREAMS, TEXTS, Document, answered, stream_id
from speech.routes.sessions import GRACE_MS

MOST_WAITING = 500
BATCH_BYTES = 4 << 20
BATCH = 16
"""Chunks that are read at once."""


class LostTenure(Exception):
    """Another worker has taken the stream over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """A stream in this worker's hands, and what is known of it from earlier tenures."""

    session_id: str
    number: int
    term: int
    recorded: bool
    offset_ms: int
    """Where the stream begins in the session's sound."""
    text_ms: int
    """Up to here, final texts have been told."""

    @property
    def key(self) -> str:
        return stream_id(self.session_id, self.number)


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk that waits, or has been processed in an earlier tenure."""

    seq: int
    mime_type: str
    sound: bytes
    at_ms: int
    is_done: bool


class WorkStore:
    """One worker's view of the streams."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._streams: AsyncCollection[Document] = database[STREAMS]
        self._chunks: AsyncCollection[Document] = database[CHUNKS]
        self._texts: AsyncCollection[Document] = database[TEXTS]

    async def waiting(self) -> list[str]:
        """Sessions that have unfinished streams, those that wait longest first."""
        query = self._streams.find({"finished": False}, {"session": 1})
        found = await answered(query.sort("openedAt").limit(MOST_WAITING).to_list())
        return list(dict.fromkeys(stream["session"] for stream in found))

    async def take(self, session_id: str) -> Tenure | None:
        """Begin a tenure of the session's oldest unfinished stream; None if there is none."""
        stream = await answered(
            self._streams.find_one_and_update(
                {"session": session_id, "finished": False},
                {"$inc": {"term": 1}},
                sort=[("number", pymongo.ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        )
        if stream is None:
            return None
        return Tenure(
            session_id=session_id,
            number=int(stream["number"]),
            term=int(stream["term"]),
            recorded=stream["recorded"],
            offset_ms=await self._offset(session_id, stream["number"]),
            text_ms=int(stream["textMs"]),
        )

    async def _offset(self, session_id: str, number: int) -> int:
        before = {"session": session_id, "number": {"$lt": number}}
        earlier = await answered(self._streams.find(before, {"soundMs": 1}).to_list())
        return sum(int(stream["soundMs"]) for stream in earlier)

    async def next_chunks(self, tenure: Tenure, *, after: int | None) -> list[Stored]:
        """The next chunks by number, at most `BATCH` and about `BATCH_BYTES`."""
        condition: Document = {"stream": tenure.key}
        if after is not None:
            condition["seq"] = {"$gt": after}
        found: list[Stored] = []
        size = 0
        cursor = self._chunks.find(condition).sort("seq").limit(BATCH).batch_size(BATCH)
        async for document in cursor:
            found.append(_stored(document))
            size += len(found[-1].sound)
            if size >= BATCH_BYTES:
                break
        await cursor.close()
        return found

    async def every_chunk(self, tenure: Tenure) -> AsyncIterator[Stored]:
        """All chunks of a stream by number."""
        after: int | None = None
        while chunks := await self.next_chunks(tenure, after=after):
            for chunk in chunks:
                yield chunk
            after = chunks[-1].seq

    async def is_over(self, tenure: Tenure, *, now_ms: int) -> bool:
        """Whether no more chunks can come. A stream whose socket was lost may be resumed for as
        long as its session may be found again.

        Raises:
            LostTenure: another worker has it.
        """
        stream = await answered(self._streams.find_one({"_id": tenure.key, "term": tenure.term}))
        if stream is None:
            raise LostTenure
        if stream["open"]:
            return False
        return not stream["left"] or now_ms - stream["closedAt"] >= GRACE_MS

    async def done(self, tenure: Tenure, chunks: Sequence[Stored], *, sound_ms: int) -> None:
        """These chunks have been processed.

        Raises:
            LostTenure: another worker has the stream.
        """
        new = [chunk for chunk in chunks if not chunk.is_done]
        if new:
            numbers = [chunk.seq for chunk in new]
            await answered(
                self._chunks.update_many(
                    {"stream": tenure.key, "seq": {"$in": numbers}}, {"$set": {"done": True}}
                )
            )
        changed = await answered(
            self._streams.update_one(
                {"_id": tenure.key, "term": tenure.term},
                {
                    "$inc": {"doneBytes": sum(len(chunk.sound) for chunk in new)},
                    "$max": {"soundMs": sound_ms},
                },
            )
        )
        if not changed.matched_count:
            raise LostTenure

    async def seal(self, tenure: Tenure) -> bool:
        """Make sure that the stream is not resumed any more; False when it has just been."""
        sealed = await answered(
            self._streams.update_one(
                {"_id": tenure.key, "term": tenure.term, "open": False},
                {"$set": {"sealed": True}},
            )
        )
        return bool(sealed.matched_count)

    async def finish(self, tenure: Tenure, *, late: int, sound_ms: int) -> None:
        """Everything has been told; forget the sound.

        Raises:
            LostTenure: another worker has the stream.
        """
        finished = await answered(
            self._streams.update_one(
                {"_id": tenure.key, "term": tenure.term},
                {"$set": {"finished": True, "late": late, "soundMs": sound_ms}},
            )
        )
        if not finished.matched_count:
            raise LostTenure
        await answered(self._chunks.delete_many({"stream": tenure.key}))

    async def late(self, tenure: Tenure, *, after: int | None) -> int:
        """How many chunks came too late to be processed in their place."""
        if after is None:
            return 0
        condition = {"stream": tenure.key, "seq": {"$lte": after}, "done": False}
        return await answered(self._chunks.count_documents(condition))

    async def texts(self, tenure: Tenure) -> list[Document]:
        """The final texts of a stream, oldest first."""
        return await answered(self._texts.find({"stream": tenure.key}).sort("startMs").to_list())


def _stored(document: Document) -> Stored:
    return Stored(
        seq=int(document["seq"]),
        mime_type=document["mimeType"],
        sound=bytes(document["sound"]),
        at_ms=int(document["at"]),
        is_done=document["done"],
    )
