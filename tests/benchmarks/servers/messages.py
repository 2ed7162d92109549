"""What the Python servers have in common: the chat message, and how it is kept."""

import datetime
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

ROOM = "book_{}"
PING_INTERVAL_S, PING_TIMEOUT_S = 25, 20
MAX_FRAME_BYTES = 1_000_000


class Messages:
    """Keeps messages, durably when there is a database.

    Args:
        mongodb: URL with a database name; None keeps nothing.
    """

    def __init__(self, mongodb: str | None) -> None:
        self._url = mongodb
        self._collection: Any = None
        self._made = 0

    async def keep(self, command: dict[str, Any]) -> dict[str, Any]:
        """The message as the room hears it, once it is journaled."""
        now = datetime.datetime.now(datetime.UTC)
        message = {key: command[key] for key in ("bookId", "userId", "username", "content")}
        stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "_id": await self._insert({**message, "createdAt": now, "updatedAt": now}),
            **message,
            "createdAt": stamp,
            "updatedAt": stamp,
        }

    async def _insert(self, document: dict[str, Any]) -> str:
        if self._url is None:
            self._made += 1
            return f"{self._made:024x}"
        if self._collection is None:
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self._url)
            self._collection = client.get_default_database().get_collection(
                "messages", write_concern=WriteConcern(w="majority", j=True)
            )
        kept: ObjectId = (await self._collection.insert_one(document)).inserted_id
        return str(kept)
