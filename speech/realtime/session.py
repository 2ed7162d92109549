"""The settings of one session of the local engine, and how an update changes them. Pure."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import parse, whole_number
from speech.audio.turns import TurnRule
from speech.realtime.refusals import ProtocolRefusal
from speech.realtime.shapes import (
    AudioPatch,
    InputPatch,
    OutputPatch,
    Prompt,
    ServerVad,
    SessionPatch,
    Transcription,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What is in force; the defaults are those of the protocol."""

    type: str = "realtime"
    instructions: str = ""
    modality: str = "audio"
    voice: str = "alloy"
    speed: float = 1.0
    transcription: Transcription | None = None
    """None: the client does not want to see what the user said."""
    turn_detection: ServerVad | None = dataclasses.field(default_factory=ServerVad)
    """None: the client says itself where a turn ends."""
    prompt: Prompt | None = None

    @property
    def book_id(self) -> int | None:
        """The book that the conversation is about, from the variables of the prompt."""
        variables = (self.prompt.variables if self.prompt else None) or {}
        book_id = whole_number(variables.get("book_id"))
        is_id = isinstance(book_id, int) and not isinstance(book_id, bool)
        return book_id if is_id and book_id > 0 else None

    @property
    def turn_rule(self) -> TurnRule | None:
        vad = self.turn_detection
        if vad is None:
            return None
        return TurnRule(
            threshold=vad.threshold,
            prefix_padding_ms=vad.prefix_padding_ms,
            silence_duration_ms=vad.silence_duration_ms,
        )

    def merged(self, patch: SessionPatch, *, voices: frozenset[str]) -> "SessionConfig":
        """These settings with what the patch names.

        Raises:
            ProtocolRefusal: a value that the engine does not have.
        """
        changes: dict[str, Any] = {"type": patch.type}
        if patch.instructions is not UNSET:
            changes["instructions"] = patch.instructions
        if patch.output_modalities is not UNSET:
            changes["modality"] = patch.output_modalities[0]
        if patch.prompt is not UNSET:
            changes["prompt"] = patch.prompt
        audio = AudioPatch() if patch.audio is UNSET else patch.audio
        if audio.input is not UNSET:
            changes |= self._input(audio.input)
        if audio.output is not UNSET:
            changes |= _output(audio.output, voices)
        return dataclasses.replace(self, **changes)

    def to_wire(self, *, identifier: str, model: str) -> dict[str, Any]:
        """The session object of ``session.created`` and ``session.updated``."""
        form = {"type": "audio/pcm", "rate": 24_000}
        vad = self.turn_detection
        return {
            "object": "realtime.session",
            "type": self.type,
            "id": identifier,
            "model": model,
            "instructions": self.instructions,
            "output_modalities": [self.modality],
            "prompt": msgspec.to_builtins(self.prompt),
            "audio": {
                "input": {
                    "format": form,
                    "transcription": msgspec.to_builtins(self.transcription),
                    "turn_detection": None if vad is None else msgspec.to_builtins(vad),
                    "noise_reduction": None,
                },
                "output": {"format": form, "voice": self.voice, "speed": self.speed},
            },
        }

    def _input(self, patch: InputPatch) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if patch.transcription is not UNSET:
            changes["transcription"] = patch.transcription
        if patch.turn_detection is None:
            changes["turn_detection"] = None
        elif patch.turn_detection is not UNSET:
            changes["turn_detection"] = self._vad(patch.turn_detection)
        return changes

    def _vad(self, fields: dict[str, Any]) -> ServerVad:
        path = "session.audio.input.turn_detection"
        if fields.get("type", "server_vad") != "server_vad":
            raise ProtocolRefusal(
                "this engine has server_vad only", reason="invalid_value", param=f"{path}.type"
            )
        known = msgspec.to_builtins(self.turn_detection or ServerVad())
        try:
            return parse(ServerVad, {**known, **fields})
        except InvalidInput as error:
            raise ProtocolRefusal(str(error), reason="invalid_value", param=path) from None


def _output(patch: OutputPatch, voices: frozenset[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if patch.voice is not UNSET:
        if patch.voice not in voices:
            raise ProtocolRefusal(
                f"the voices of this engine are {', '.join(sorted(voices))}",
                reason="invalid_value",
                param="session.audio.output.voice",
            )
        changes["voice"] = patch.voice
    if patch.speed is not UNSET:
        changes["speed"] = patch.speed
    return changes
