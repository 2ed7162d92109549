"""Opening live talk: who may, with which instructions, and which provider answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from speech.gateway.events import Start
from speech.gateway.instructions import instructions
from speech.gateway.lanes import Client
from speech.gateway.pump import Patience, Pump, Talk
from speech.gateway.quota import Desk
from speech.realtime.protocol import SessionSpec


class Books(Protocol):
    """What is known of the books that readers talk about."""

    async def describe(self, book_id: int) -> str | None:
        """Title and author in one line; None if they are not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayService:
    """Live talk on one event loop.

    Attributes:
        call: makes a conversation with the provider; it is opened later.
        largest_frame_bytes: what a client may send at once while its session is active; more of it
            ends the connection.
        largest_audio_bytes: sound that one event may carry, decoded; more of it is refused.
    """

    call: Callable[[SessionSpec], Talk]
    desk: Desk
    books: Books
    voice: str = "alloy"
    transcription_model: str = "whisper-1"
    largest_frame_bytes: int = 100_000_000
    largest_audio_bytes: int = 75_000_000
    patience: Patience = field(default_factory=Patience)

    async def prepare(self, start: Start, *, reader: str, client: Client) -> Pump:
        """A session that is about to be opened.

        Args:
            reader: whose quota it counts against.

        Raises:
            InvalidInput: there is nothing left of the client's instructions, or too much.
        """
        book = await self.books.describe(start.book_id) if start.book_id else None
        spec = SessionSpec(
            instructions=instructions(start.system_message, book=book),
            temperature=start.temperature,
            voice=self.voice,
            transcription_model=self.transcription_model,
            book_id=start.book_id,
        )
        return Pump(client, self.call(spec), self.desk.lease(reader), patience=self.patience)
