"""Which private stores this installation needs."""

from collections.abc import Iterator

from django.conf import settings

from readrealm.stores.embedded import PrivateStore
from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey


def private_stores() -> Iterator[PrivateStore]:
    """One for each store without a URL of its own; none has been started."""
    if settings.MONGODB_IS_PRIVATE:
        yield PrivateMongod(settings.DATA_DIR)
    if settings.REDIS_IS_PRIVATE:
        yield PrivateValkey(settings.DATA_DIR)
