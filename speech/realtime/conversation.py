"""What has been said in one session, as items of the Realtime protocol. Pure."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from speech.companion.dialogue import Line
from speech.realtime.refusals import ProtocolRefusal
from speech.realtime.shapes import Item, JsonObject

MAX_ITEMS = 200
"""The oldest ones are forgotten beyond that."""


def new_id(prefix: str) -> str:
    """An identifier as the protocol has them, such as ``item_5f0c…``."""
    return f"{prefix}_{secrets.token_hex(10)}"


@dataclass(slots=True)
class Message:
    """One item. An answer knows when each of its sentences is spoken."""

    id: str
    role: str
    kind: str
    """Type of its only content part, such as ``output_audio``."""
    text: str = ""
    status: str = "completed"
    audio_ms: int = 0
    sentences: list[tuple[int, str]] = field(default_factory=list)
    """Beginning in milliseconds, and text."""

    def to_wire(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "role": self.role,
            "status": self.status,
            "content": [self.part()] if self.text or self.status != "in_progress" else [],
        }

    def part(self) -> JsonObject:
        is_audio = self.kind.endswith("audio")
        return {"type": self.kind, "transcript" if is_audio else "text": self.text}


class Conversation:
    """The items in the order of the conversation."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, Message] = OrderedDict()

    @property
    def last_id(self) -> str | None:
        return next(reversed(self._items), None)

    def add(self, message: Message) -> str | None:
        """Put it behind all others; returns the id of the one before it."""
        previous = self.last_id
        self._items[message.id] = message
        while len(self._items) > MAX_ITEMS:
            self._items.popitem(last=False)
        return previous

    def add_item(self, item: Item) -> tuple[Message, str | None]:
        """Take an item that a client made.

        Raises:
            ProtocolRefusal: its id is taken, or it holds sound, of which nothing is kept here.
        """
        identifier = item.id or new_id("item")
        if identifier in self._items:
            raise ProtocolRefusal(
                "there is an item with this id", reason="item_create_duplicate_item_id"
            )
        texts = [part.text or part.transcript or "" for part in item.content]
        if not any(texts):
            raise ProtocolRefusal(
                "an item needs text; sound goes through input_audio_buffer",
                reason="invalid_value",
                param="item.content",
            )
        kind = "output_text" if item.role == "assistant" else "input_text"
        message = Message(identifier, item.role, kind, "\n".join(filter(None, texts)))
        return message, self.add(message)

    def find(self, item_id: str, *, reason: str) -> Message:
        """The item; `ProtocolRefusal` with ``reason`` if there is none."""
        message = self._items.get(item_id)
        if message is None:
            raise ProtocolRefusal("there is no such item", reason=reason, param="item_id")
        return message

    def delete(self, item_id: str) -> None:
        self.find(item_id, reason="item_delete_invalid_item_id")
        del self._items[item_id]

    def truncate(self, item_id: str, *, content_index: int, audio_end_ms: int) -> Message:
        """Keep only the sentences of an answer that had begun to be heard.

        Raises:
            ProtocolRefusal: not an answer that was spoken, or it is shorter than that.
        """
        reason = "item_truncate_invalid_item_id"
        message = self.find(item_id, reason=reason)
        if message.kind != "output_audio" or content_index != 0:
            raise ProtocolRefusal(
                "only the sound of an answer can be truncated", reason=reason, param="item_id"
            )
        if audio_end_ms > message.audio_ms:
            raise ProtocolRefusal(
                f"audio content of {message.audio_ms} ms is already shorter than {audio_end_ms} ms",
                reason="invalid_value",
                param="audio_end_ms",
            )
        message.audio_ms = audio_end_ms
        message.sentences = [one for one in message.sentences if one[0] < audio_end_ms]
        message.text = " ".join(text for _, text in message.sentences)
        return message

    def question(self) -> tuple[str, tuple[Line, ...]]:
        """What the user said last, and the lines before it; empty if the user has said nothing."""
        spoken = [message for message in self._items.values() if message.role != "system"]
        at = max((at for at, one in enumerate(spoken) if one.role == "user"), default=None)
        if at is None:
            return "", ()
        before = (one for one in spoken[:at] if one.text)
        return spoken[at].text, tuple(Line(one.role == "user", one.text) for one in before)
