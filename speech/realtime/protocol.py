"""What a client of the Realtime protocol says and understands, in either dialect. Pure.

The protocol that providers speak today is called GA. Its predecessor, the preview, is spoken
to deployments that still want it; what they say is turned into GA names, so that nobody
behind this file knows the difference.
"""

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from speech.audio.turns import TurnRule
from speech.companion.dialogue import Line
from speech.realtime.shapes import JsonObject

PREVIEW_TEMPERATURE = (0.6, 1.2)
"""What preview models accept; others are moved to the nearest."""

PREVIEW_NAMES = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "conversation.item.created": "conversation.item.added",
}

RETRIED_CLOSES = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015})
"""Close codes after which the same session may be had again. Not 1000, which is meant, nor 4000,
by which a provider refuses a dialect it does not speak any more."""

SESSION_EVENT_ID = "event_readrealm_session"
"""Marks the configuration, so that its refusal can be told from other errors."""

MAX_LINES = 20
MAX_LINE_CHARACTERS = 2_000


class Dialect(enum.Enum):
    GA = "ga"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """The session a reader wants.

    ``temperature`` is part of the wire contract of the gateway; GA has no place for it, so
    it is kept and sent to preview deployments only.
    """

    instructions: str
    temperature: float = 0.8
    """0 to 2."""
    voice: str = "alloy"
    transcription_model: str = "whisper-1"
    """On Azure, the name of a deployment."""
    turns: TurnRule | None = field(default_factory=TurnRule)
    """None: the client says where a turn ends."""
    book_id: int | None = None
    """Told to the local engine only; others know it from the instructions."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise ValueError("the temperature must be 0 to 2")


def session_update(spec: SessionSpec, dialect: Dialect, *, is_local: bool = False) -> JsonObject:
    """The one configuration event of a session."""
    session = _preview(spec) if dialect is Dialect.PREVIEW else _ga(spec, is_local=is_local)
    return {"type": "session.update", "event_id": SESSION_EVENT_ID, "session": session}


def _ga(spec: SessionSpec, *, is_local: bool) -> JsonObject:
    form = {"type": "audio/pcm", "rate": 24_000}
    session: JsonObject = {
        "type": "realtime",
        "instructions": spec.instructions,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": form,
                "transcription": {"model": spec.transcription_model},
                "turn_detection": _turns(spec.turns),
            },
            "output": {"format": form, "voice": spec.voice},
        },
    }
    if is_local and spec.book_id is not None:
        session["prompt"] = {"id": "book", "variables": {"book_id": str(spec.book_id)}}
    return session


def _preview(spec: SessionSpec) -> JsonObject:
    lowest, highest = PREVIEW_TEMPERATURE
    return {
        "modalities": ["text", "audio"],
        "instructions": spec.instructions,
        "voice": spec.voice,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": spec.transcription_model},
        "turn_detection": _turns(spec.turns),
        "temperature": min(max(spec.temperature, lowest), highest),
    }


def _turns(rule: TurnRule | None) -> JsonObject | None:
    if rule is None:
        return None
    return {
        "type": "server_vad",
        "threshold": rule.threshold,
        "prefix_padding_ms": rule.prefix_padding_ms,
        "silence_duration_ms": rule.silence_duration_ms,
        "create_response": True,
        "interrupt_response": True,
    }


def in_ga_names(event: dict[str, Any]) -> dict[str, Any]:
    """An event under the name that GA has for it."""
    name = event.get("type")
    renamed = PREVIEW_NAMES.get(name) if isinstance(name, str) else None
    return {**event, "type": renamed} if renamed else event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPlan:
    """When a lost connection is tried again: soon, then ever later, then not any more."""

    attempts: int = 5
    first_delay_s: float = 0.5
    longest_delay_s: float = 8.0

    def delay_s(self, attempt: int, *, close_code: int | None) -> float | None:
        """How long to wait before an attempt; None to give up.

        Args:
            attempt: 1 for the first after a connection that worked.
            close_code: how the connection ended; None if it could not be opened.
        """
        if attempt > self.attempts:
            return None
        if close_code is not None and close_code not in RETRIED_CLOSES:
            return None
        delay_s: float = self.first_delay_s * 2.0 ** (attempt - 1)
        return min(delay_s, self.longest_delay_s)


class Memory:
    """What was said, for a new connection: a provider forgets a session with its connection."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=MAX_LINES)

    def add(self, text: str, *, by_reader: bool) -> None:
        """Keep a line; the oldest are forgotten."""
        if text.strip():
            self._lines.append(Line(by_reader, text.strip()[:MAX_LINE_CHARACTERS]))

    def replay(self, dialect: Dialect) -> list[JsonObject]:
        """The events that tell it to a new session, in order."""
        answered = "text" if dialect is Dialect.PREVIEW else "output_text"
        return [
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user" if line.by_reader else "assistant",
                    "content": [
                        {"type": "input_text" if line.by_reader else answered, "text": line.text}
                    ],
                },
            }
            for line in self._lines
        ]
