"""Chat as a Django app: holds what its wiring builds, one for each event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

from readrealm.per_loop import Here, PerLoop

if TYPE_CHECKING:
    from chat.broadcast import Frame
    from chat.reader_data import ChatReaderData
    from chat.services import ChatService
    from chat.upkeep import ChatUpkeep
    from chat.wiring import Chat


class ChatConfig(AppConfig):
    """
    Attributes:
        service: the use cases; may be handed out before an event loop runs.
    """

    name = "chat"
    verbose_name = "Book rooms"

    service: "Here[ChatService]"

    def ready(self) -> None:
        """Register the checks, and make the service; no store is asked."""
        from chat import checks  # noqa: F401
        from readrealm import reader_data

        reader_data.register("chat", self._of_reader)
        self._chats: PerLoop[Chat] = PerLoop(_build)
        self.service = Here(lambda: self.here().service)

    def here(self) -> "Chat":
        """Chat on the running event loop, built at the first call."""
        return self._chats.here()

    def _of_reader(self) -> "ChatReaderData":
        from chat.reader_data import ChatReaderData

        return ChatReaderData(self.lent)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator["Chat"]:
        """Chat for one piece of work: the worker's own on its event loop, and elsewhere one whose
        connections end with the work."""
        is_own = self._chats.is_built()
        chat = self.here()
        try:
            yield chat
        finally:
            if not is_own:
                self._chats.forget()
                await _close(chat)

    @property
    def upkeep(self) -> "ChatUpkeep":
        """What the worker on the running event loop has to keep doing."""
        return self.here().upkeep

    async def entries_between(
        self, group: str, after_seq: int, up_to_seq: int | None
    ) -> "list[Frame]":
        """What the members of a Channels group were told with ``after_seq < seq <= up_to_seq``,
        oldest first, as it was published; without ``up_to_seq``, to the end.

        A long range comes in several calls. Groups that are no room have no log.

        Raises:
            ConnectionError: the log cannot be asked now.
        """
        from chat.broadcast import book_of, frame
        from readrealm.kernel.errors import StoreUnavailable

        book_id = book_of(group)
        if book_id is None:
            return []
        try:
            missed = await self.service.missed(book_id, after=after_seq, up_to=up_to_seq)
        except StoreUnavailable as refusal:
            raise ConnectionError(str(refusal)) from None
        return [frame(event) for event in missed]

    def ensure_indexes(self) -> None:
        """Build what is missing of the MongoDB indexes. Blocks; may be called again."""
        from chat import documents, moderation_documents

        documents.ensure_indexes()
        moderation_documents.ensure_indexes()


def _build() -> "Chat":
    """Imported by those who serve: most commands need no rooms."""
    from chat.wiring import build_from_settings

    return build_from_settings()


async def _close(chat: "Chat") -> None:
    """End what a loop holds that did only one piece of work."""
    from channels.layers import get_channel_layer

    from readrealm.stores import mongo, redis

    await chat.logs.close()
    await chat.broadcast.close()
    layer: Any = get_channel_layer()
    await layer.flush()
    await redis.aclose()
    await mongo.aclose()
