"""The watch words of the relational store, for the event loop."""

from channels.db import database_sync_to_async
from django.db import DatabaseError

from chat.models import WatchWord
from readrealm.kernel.errors import StoreUnavailable


async def watched_words() -> list[str]:
    """Every word of the list, as it is now.

    Raises:
        StoreUnavailable: the relational store does not answer.
    """
    try:
        return await _load()
    except DatabaseError:
        raise StoreUnavailable from None


@database_sync_to_async
def _load() -> list[str]:
    return list(WatchWord.objects.values_list("word", flat=True))
