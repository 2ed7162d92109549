"""The MongoDB and the Valkey of a test session: real ones, started once, emptied between tests."""

from pathlib import Path
from typing import Any

import redis
from pymongo import MongoClient

from readrealm.stores.addresses import DATABASE, mongod_url, valkey_url
from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey


class SessionStores:
    """Both stores in ``folder``, each started when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.mongod, self.valkey = PrivateMongod(folder), PrivateValkey(folder)
        self.mongo_url, self.redis_url = mongod_url(folder), valkey_url(folder)
        self._mongo: MongoClient[dict[str, Any]] | None = None
        self._redis: redis.Redis | None = None

    @property
    def mongo(self) -> MongoClient[dict[str, Any]]:
        if self._mongo is None:
            self.mongod.start()
            self._mongo = MongoClient(self.mongo_url, serverSelectionTimeoutMS=5_000)
        return self._mongo

    @property
    def redis(self) -> redis.Redis:
        if self._redis is None:
            self.valkey.start()
            self._redis = redis.Redis.from_url(self.redis_url)
        return self._redis

    def url_of(self, database: str) -> str:
        """The URL of another database on the same mongod."""
        return self.mongo_url.replace(f"/{DATABASE}?", f"/{database}?")

    def empty(self) -> None:
        """Delete every document and every key; indexes stay, for making them takes longer."""
        database = self.mongo[DATABASE]
        for name in database.list_collection_names():
            database[name].delete_many({})
        self.redis.flushall()

    def stop(self) -> None:
        if self._mongo is not None:
            self._mongo.close()
        if self._redis is not None:
            self._redis.close()
        self.valkey.stop()
        self.mongod.stop()
