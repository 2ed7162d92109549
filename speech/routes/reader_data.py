"""What voice sessions keep about a reader, handed out or erased."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from readrealm.kernel.identity import Identity
from readrealm.reader_data import Progress, Reader
from readrealm.stores import mongo
from speech.routes.archive import archive


class VoiceSessionData:
    """A `readrealm.reader_data.ReaderData`. Sessions of guests belong to a socket that is gone, so
    nothing names their reader; they go with their time."""

    name = "voice_sessions"
    sections: Sequence[str] = ("sessions",)

    async def holdings(self, reader: Reader) -> Mapping[str, int]:
        """How many sessions there are; each has its transcript and its recordings."""
        if reader.is_guest:
            return {"voice sessions": 0}
        return {"voice sessions": await mongo.in_store(archive().count, reader.user_id)}

    async def export(self, reader: Reader, section: str) -> AsyncIterator[Mapping[str, Any]]:
        """Sessions with their texts, oldest first; recordings by name and size."""
        if reader.is_guest:
            return
        for session in await mongo.in_store(archive().export, reader.user_id):
            yield session

    async def erase(
        self, reader: Reader, *, by: Identity, closes_account: bool, progress: Progress
    ) -> None:
        """Forget every session with everything that belongs to it."""
        if not reader.is_guest:
            progress("voice sessions", await mongo.in_store(archive().erase, reader.user_id))
