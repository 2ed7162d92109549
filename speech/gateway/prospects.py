"""What a reader is told before talking with a book, by the settings and the books on disk."""

import asyncio

from django.conf import settings

from speech.companion import shelf
from speech.gateway.knowledge import COMPANION, ELSEWHERE, MODEL, PROVIDER, Prospect


class Prospects:
    """What talks can be expected to be like, book by book."""

    async def of(self, book_id: int) -> Prospect:
        """What can be expected of a talk about a book, listed or not.

        Args:
            book_id: 1 to 2^53 - 1.
        """
        if settings.LIVE_TALK.name != "local":
            return PROVIDER
        if not settings.REALTIME_ENGINE_IS_PRIVATE:
            return ELSEWHERE
        folder = settings.DATA_DIR / shelf.FOLDER
        holding = await asyncio.to_thread(shelf.holding, folder, book_id)
        return (MODEL if settings.LLM_BASE_URL else COMPANION)[holding]

    async def mark(self, book_id: int) -> str:
        """What is good to know before, in a few words; empty where nothing is."""
        return (await self.of(book_id)).mark
