"""The collections of voice sessions in MongoDB: their names, their keys, and how they are asked.

A session is one document; each of its streams is another, with the counters and the worker's
tenure; a chunk is a document until its stream is finished; a final text stays.
"""

import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from pymongo.errors import DuplicateKeyError, PyMongoError

from readrealm.kernel.errors import StoreUnavailable

log = logging.getLogger(__name__)

Document = dict[str, Any]
T = TypeVar("T")

SESSIONS, STREAMS, CHUNKS, TEXTS = (
    "voice_sessions",
    "voice_streams",
    "voice_chunks",
    "voice_texts",
)


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


def missing_in(stream: Document) -> int:
    """Numbers of a stream that never came."""
    if "first" not in stream:
        return 0
    return int(stream["last"] - stream["first"] + 1 - stream["chunks"])
