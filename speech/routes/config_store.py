"""The configuration's values in MongoDB, each as JSON: any value of the wire fits, unchanged."""

import time
from typing import Any

import msgspec
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from speech.routes.configuration import Stored, effective, encoded
from speech.routes.database import Document, answered

VALUES = "voice_config"

FRESH_S = 0.5
"""How old a value may be where it is asked for again and again."""


class ConfigStore:
    """`speech.routes.config.Values`, and the switches that accepting sound depends on."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._values: AsyncCollection[Document] = database[VALUES]
        self._recent: dict[str, dict[str, Any]] = {}
        self._read_at = -FRESH_S

    async def read(self) -> Stored:
        documents = await answered(self._values.find().to_list())
        return {
            (document["category"], document["key"]): msgspec.json.decode(document["json"])
            for document in documents
        }

    async def put(self, category: str, key: str, value: Any) -> None:
        fields = {"category": category, "key": key, "json": encoded(value).decode()}
        await answered(
            self._values.update_one({"_id": f"{category}.{key}"}, {"$set": fields}, upsert=True)
        )
        self._read_at = -FRESH_S

    async def remove(self, category: str | None) -> None:
        await answered(self._values.delete_many({"category": category} if category else {}))
        self._read_at = -FRESH_S

    async def current(self) -> dict[str, dict[str, Any]]:
        """Every value of every category, at most `FRESH_S` old."""
        if time.monotonic() - self._read_at > FRESH_S:
            self._recent = effective(await self.read())
            self._read_at = time.monotonic()
        return self._recent

    async def pipeline(self) -> tuple[bool, bool]:
        """Whether sound is processed, and whether it is recorded."""
        pipeline = (await self.current())["pipeline"]
        return pipeline["enabled"], pipeline["recordAudio"]

    async def most_sessions(self) -> int:
        """How many sessions there may be at once."""
        most: int = (await self.current())["pipeline"]["maxConcurrentSessions"]
        return most
