"""What a session may ask for: events for the client, commands for the provider. Pure."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from speech.gateway.events import CLEAR, SESSION_START


@dataclass(frozen=True, slots=True)
class Tell:
    """An event for the client."""

    event: str
    payload: Any = None
    """None for an event without an argument."""

    @property
    def is_sound(self) -> bool:
        return self.event == "audio" and self.payload not in (SESSION_START, CLEAR)


@dataclass(frozen=True, slots=True)
class DropSound:
    """Sound that has not left for the client yet must not leave any more."""


@dataclass(frozen=True, slots=True)
class Append:
    """Sound for the provider: one block, or the rest at the end."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """The reader has finished a turn."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Ask for an answer."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop an answer."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Forget what was not heard of an answer."""

    item_id: str
    audio_end_ms: int


Command: TypeAlias = Append | Commit | Respond | Cancel | Truncate
"""For the provider. `Cancel` and `Truncate` are urgent: they overtake sound that waits."""

Step: TypeAlias = Tell | DropSound | Command
