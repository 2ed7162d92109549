"""What the events of the Realtime protocol carry: sessions, items, responses, errors.

Names on the wire are ``snake_case``. Keys that nothing here reads are dropped, so newer
providers may say more. Source: as in `speech.realtime.events`.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from readrealm.kernel.wire import Contract

JsonObject = dict[str, Any]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]
Identifier = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=32_000)]


class Wire(Contract, frozen=True, kw_only=True, rename="lower", omit_defaults=False):
    """Base of everything below; ``lower`` keeps the names as they are."""


class AudioFormat(Wire, frozen=True, kw_only=True):
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24_000] = 24_000


class Transcription(Wire, frozen=True, kw_only=True):
    model: str | None = None
    language: str | None = None
    prompt: str | None = None


class ServerVad(Wire, frozen=True, kw_only=True):
    """Turn detection; the engine decides when the speaker has finished."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.5
    prefix_padding_ms: Annotated[int, Meta(ge=0, le=5_000)] = 300
    silence_duration_ms: Annotated[int, Meta(ge=100, le=10_000)] = 500
    create_response: bool = True
    interrupt_response: bool = True


class ContentPart(Wire, frozen=True, kw_only=True):
    type: Literal["input_text", "input_audio", "output_text", "output_audio", "text", "audio"]
    text: Text | None = None
    transcript: Text | None = None


class Item(Wire, frozen=True, kw_only=True):
    """A message of the conversation; calls of functions are not spoken here."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system"]
    content: Annotated[tuple[ContentPart, ...], Meta(max_length=16)]
    id: Identifier | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: Literal["completed", "incomplete", "in_progress"] = "completed"


class ErrorDetail(Wire, frozen=True, kw_only=True):
    type: str = "invalid_request_error"
    message: str = ""
    code: str | None = None
    param: str | None = None
    event_id: str | None = None
    """The event of the client that caused it, if it told its id."""


class StatusDetails(Wire, frozen=True, kw_only=True):
    type: str | None = None
    reason: str | None = None
    error: ErrorDetail | None = None


class Response(Wire, frozen=True, kw_only=True):
    id: str = ""
    object: str = "realtime.response"
    status: str = "in_progress"
    status_details: StatusDetails | None = None
    output: tuple[Any, ...] = ()
    output_modalities: tuple[str, ...] = ("audio",)
    metadata: dict[str, str] | None = None
    usage: Any = None


# ---- a change of the session; what is absent stays as it is


class InputPatch(Wire, frozen=True, kw_only=True):
    format: AudioFormat | UnsetType = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: JsonObject | UnsetType | None = UNSET
    """As it came; fields that are absent keep their value."""


class OutputPatch(Wire, frozen=True, kw_only=True):
    format: AudioFormat | UnsetType = UNSET
    voice: Identifier | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] | UnsetType = UNSET


class AudioPatch(Wire, frozen=True, kw_only=True):
    input: InputPatch | UnsetType = UNSET
    output: OutputPatch | UnsetType = UNSET


class Prompt(Wire, frozen=True, kw_only=True):
    """A prompt with variables; the local engine reads ``book_id`` from those."""

    id: Identifier
    variables: dict[str, Any] | None = None


class SessionPatch(Wire, frozen=True, kw_only=True):
    type: Literal["realtime", "transcription"]
    instructions: Text | UnsetType = UNSET
    output_modalities: tuple[Literal["audio", "text"]] | UnsetType = UNSET
    audio: AudioPatch | UnsetType = UNSET
    prompt: Prompt | UnsetType | None = UNSET


class ResponsePatch(Wire, frozen=True, kw_only=True):
    instructions: Text | None = None
    output_modalities: tuple[Literal["audio", "text"]] | None = None
    metadata: dict[str, str] | None = None
