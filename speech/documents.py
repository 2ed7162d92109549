"""The indexes of the voice slice in MongoDB. What the documents hold is said in the modules that
write them: `session_store`, `stream_store`, `transcript_store`, `config_store` and `recordings` of
`speech.routes`.
"""

from mongoengine.connection import get_db
from pymongo import ASCENDING, DESCENDING, IndexModel

from speech.routes.database import CHUNKS, SESSIONS, STREAMS, TEXTS

INDEXES: dict[str, list[IndexModel]] = {
    SESSIONS: [
        # Expiry, and how many there are.
        IndexModel([("state", ASCENDING), ("seenAt", ASCENDING)], name="seen"),
        IndexModel([("state", ASCENDING), ("activeAt", ASCENDING)], name="active"),
        IndexModel([("isAccount", ASCENDING), ("ownerId", ASCENDING)], name="owner"),
        IndexModel([("startedAt", DESCENDING)], name="newest"),
        IndexModel([("endedAt", ASCENDING)], name="ended"),
    ],
    STREAMS: [
        IndexModel([("session", ASCENDING), ("number", ASCENDING)], name="session"),
        # What workers look for; finished streams are not in it.
        IndexModel(
            [("openedAt", ASCENDING)],
            name="unfinished",
            partialFilterExpression={"finished": False},
        ),
    ],
    CHUNKS: [
        # What makes a duplicate one.
        IndexModel([("stream", ASCENDING), ("seq", ASCENDING)], name="place", unique=True),
    ],
    TEXTS: [
        IndexModel([("stream", ASCENDING), ("startMs", ASCENDING)], name="start", unique=True),
        IndexModel([("session", ASCENDING), ("startMs", ASCENDING)], name="session"),
    ],
}


def ensure_indexes() -> None:
    """Build what is missing of the indexes; does nothing when all are there. Blocks."""
    database = get_db()
    for collection, indexes in INDEXES.items():
        database[collection].create_indexes(indexes)
