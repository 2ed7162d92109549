"""Voice sessions that are over: listed, exported, and forgotten when their time has come.

Blocks: for the admin, for commands and for threads. Everything of a session goes together: the
session, its streams, sound that still waits, its texts and its recordings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from gridfs import GridFSBucket
from gridfs.errors import NoFile
from gridfs.synchronous.grid_file import GridOut
from mongoengine.connection import get_db
from pymongo.database import Database

from readrealm.kernel.clock import iso_ms, now_ms, utc
from speech.routes.database import CHUNKS, SESSIONS, STREAMS, TEXTS, missing_in
from speech.routes.recording_files import BUCKET
from speech.routes.sessions import State

Document = dict[str, Any]

DAY_MS = 86_400_000
PORTION = 100
"""Sessions that are forgotten at once."""

ENDED = {"state": str(State.ENDED)}


@dataclass(frozen=True, slots=True)
class Archive:
    """The sessions of one database."""

    database: Database[Document]

    def texts(self, session_id: str) -> list[Document]:
        """Final texts, oldest first."""
        return list(self.database[TEXTS].find({"session": session_id}).sort("startMs"))

    def streams(self, session_id: str) -> list[Document]:
        """Streams in order, each with how many of its chunks are ``missing``."""
        found = self.database[STREAMS].find({"session": session_id}).sort("number")
        return [stream | {"missing": missing_in(stream)} for stream in found]

    def recordings(self, session_id: str) -> list[GridOut]:
        """Recordings in the order of their streams; nothing of them is read yet."""
        found = self._bucket.find({"metadata.session": session_id}).sort("metadata.stream")
        return list(found)

    def recording(self, key: str) -> GridOut | None:
        """One recording to read from, by the key of its stream."""
        try:
            return self._bucket.open_download_stream(key)
        except NoFile:
            return None

    def delete_recordings(self, session_id: str) -> int:
        """Forget the sound of a session and keep its texts; how many recordings that were."""
        keys = [recording._id for recording in self.recordings(session_id)]
        for key in keys:
            self._bucket.delete(key)
        return len(keys)

    def forget(self, session_ids: Sequence[str]) -> int:
        """Delete sessions with everything that belongs to them; how many there were.

        The session goes last, so that what was interrupted is found again.
        """
        ids = list(session_ids)
        for session_id in ids:
            self.delete_recordings(session_id)
        keys = [
            stream["_id"]
            for stream in self.database[STREAMS].find({"session": {"$in": ids}}, {"_id": 1})
        ]
        self.database[CHUNKS].delete_many({"stream": {"$in": keys}})
        self.database[TEXTS].delete_many({"session": {"$in": ids}})
        self.database[STREAMS].delete_many({"session": {"$in": ids}})
        return self.database[SESSIONS].delete_many({"_id": {"$in": ids}}).deleted_count

    def purge(self, *, older_than_days: int) -> int:
        """Forget every session that ended so long ago; how many."""
        before = now_ms() - older_than_days * DAY_MS
        return self._forget_all(ENDED | {"endedAt": {"$lt": before}})

    # ------------------------------------------------------------------ one reader

    def count(self, user_id: str) -> int:
        """How many sessions of an account there are."""
        return self.database[SESSIONS].count_documents(_of(user_id))

    def export(self, user_id: str) -> list[Document]:
        """Everything that is kept of an account, as plain values; recordings by name and size."""
        mine = self.database[SESSIONS].find(_of(user_id)).sort("startedAt")
        return [self._exported(session) for session in mine]

    def erase(self, user_id: str) -> int:
        """Forget every session of an account, those that go on as well; how many."""
        self.database[SESSIONS].update_many(
            _of(user_id) | {"state": {"$ne": str(State.ENDED)}},
            {"$set": ENDED | {"endedAt": now_ms(), "endedBy": "erased", "streaming": False}},
        )
        return self._forget_all(_of(user_id))

    def _exported(self, session: Document) -> Document:
        ended_at = session["endedAt"]
        return {
            "sessionId": session["_id"],
            "startedAt": iso_ms(utc(int(session["startedAt"]))),
            "endedAt": None if ended_at is None else iso_ms(utc(int(ended_at))),
            "state": session["state"],
            "metadata": msgspec.json.decode(session["metadata"]),
            "texts": [
                {
                    "startMs": int(text["startMs"]),
                    "endMs": int(text["endMs"]),
                    "text": text["text"],
                    "speaker": text["speaker"],
                }
                for text in self.texts(session["_id"])
            ],
            "recordings": [
                {"name": recording.filename, "bytes": recording.length}
                for recording in self.recordings(session["_id"])
            ],
        }

    def _forget_all(self, condition: Document) -> int:
        count = 0
        while ids := list(self._some(condition)):
            count += self.forget(ids)
        return count

    def _some(self, condition: Document) -> Iterator[str]:
        for session in self.database[SESSIONS].find(condition, {"_id": 1}).limit(PORTION):
            yield session["_id"]

    @property
    def _bucket(self) -> GridFSBucket:
        return GridFSBucket(self.database, bucket_name=BUCKET)


def archive() -> Archive:
    """The archive of the database that Django's settings name."""
    return Archive(get_db())


def _of(user_id: str) -> Document:
    return {"isAccount": True, "ownerId": user_id}
