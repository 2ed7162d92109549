"""The Realtime protocol (GA) as types: what is said to an engine, and what an engine says.

Source: the OpenAI API reference, "Realtime client events" and
"Realtime server events"; fields as in the models of openai-python 3.52.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from speech.realtime.shapes import (
    ErrorDetail,
    Identifier,
    Item,
    JsonObject,
    Milliseconds,
    Response,
    ResponsePatch,
    SessionPatch,
    Wire,
)

# ---- client to engine


class Command(Wire, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    event_id: Annotated[str, Meta(max_length=512)] | None = None


class UpdateSession(Command, frozen=True, kw_only=True, tag="session.update"):
    session: SessionPatch


class AppendAudio(Command, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    audio: str
    """Strict Base64 of 24 kHz s16le."""


class CommitAudio(Command, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    pass


class ClearAudio(Command, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    pass


class CreateItem(Command, frozen=True, kw_only=True, tag="conversation.item.create"):
    item: Item
    previous_item_id: str | None = None


class DeleteItem(Command, frozen=True, kw_only=True, tag="conversation.item.delete"):
    item_id: Identifier


class RetrieveItem(Command, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    item_id: Identifier


class TruncateItem(Command, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    """Forget what the listener did not hear of an answer."""

    item_id: Identifier
    content_index: Annotated[int, Meta(ge=0)]
    audio_end_ms: Milliseconds


class CreateResponse(Command, frozen=True, kw_only=True, tag="response.create"):
    response: ResponsePatch | None = None


class CancelResponse(Command, frozen=True, kw_only=True, tag="response.cancel"):
    response_id: Identifier | None = None


COMMANDS: dict[str, type[Command]] = {
    str(command.__struct_config__.tag): command
    for command in (
        UpdateSession,
        AppendAudio,
        CommitAudio,
        ClearAudio,
        CreateItem,
        DeleteItem,
        RetrieveItem,
        TruncateItem,
        CreateResponse,
        CancelResponse,
    )
}


# ---- engine to client


class Event(Wire, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    event_id: str = ""


class SessionCreated(Event, frozen=True, kw_only=True, tag="session.created"):
    session: JsonObject = msgspec.field(default_factory=dict)


class SessionUpdated(Event, frozen=True, kw_only=True, tag="session.updated"):
    session: JsonObject = msgspec.field(default_factory=dict)


class SpeechStarted(Event, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    item_id: str = ""
    audio_start_ms: int = 0


class SpeechStopped(Event, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    item_id: str = ""
    audio_end_ms: int = 0


class AudioCommitted(Event, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    item_id: str = ""
    previous_item_id: str | None = None


class AudioCleared(Event, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    pass


class ItemAdded(Event, frozen=True, kw_only=True, tag="conversation.item.added"):
    item: JsonObject = msgspec.field(default_factory=dict)
    previous_item_id: str | None = None


class ItemDone(Event, frozen=True, kw_only=True, tag="conversation.item.done"):
    item: JsonObject = msgspec.field(default_factory=dict)
    previous_item_id: str | None = None


class ItemDeleted(Event, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    item_id: str = ""


class ItemRetrieved(Event, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    item: JsonObject = msgspec.field(default_factory=dict)


class ItemTruncated(Event, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    item_id: str = ""
    content_index: int = 0
    audio_end_ms: int = 0


_TRANSCRIPTION = "conversation.item.input_audio_transcription"


class TranscriptDelta(Event, frozen=True, kw_only=True, tag=f"{_TRANSCRIPTION}.delta"):
    """More of what the user said; never revised, but `TranscriptCompleted` has the last word."""

    item_id: str = ""
    content_index: int = 0
    delta: str = ""


class TranscriptCompleted(Event, frozen=True, kw_only=True, tag=f"{_TRANSCRIPTION}.completed"):
    item_id: str = ""
    content_index: int = 0
    transcript: str = ""
    usage: Any = None


class TranscriptFailed(Event, frozen=True, kw_only=True, tag=f"{_TRANSCRIPTION}.failed"):
    item_id: str = ""
    content_index: int = 0
    error: ErrorDetail = ErrorDetail()


class ResponseCreated(Event, frozen=True, kw_only=True, tag="response.created"):
    response: Response = Response()


class ResponseDone(Event, frozen=True, kw_only=True, tag="response.done"):
    response: Response = Response()


class _OfResponse(Event, frozen=True, kw_only=True):
    response_id: str = ""
    output_index: int = 0


class OutputItemAdded(_OfResponse, frozen=True, kw_only=True, tag="response.output_item.added"):
    item: JsonObject = msgspec.field(default_factory=dict)


class OutputItemDone(_OfResponse, frozen=True, kw_only=True, tag="response.output_item.done"):
    item: JsonObject = msgspec.field(default_factory=dict)


class _OfPart(_OfResponse, frozen=True, kw_only=True):
    item_id: str = ""
    content_index: int = 0


class ContentPartAdded(_OfPart, frozen=True, kw_only=True, tag="response.content_part.added"):
    part: JsonObject = msgspec.field(default_factory=dict)


class ContentPartDone(_OfPart, frozen=True, kw_only=True, tag="response.content_part.done"):
    part: JsonObject = msgspec.field(default_factory=dict)


class AudioDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_audio.delta"):
    delta: str = ""
    """Base64 of 24 kHz s16le."""


class AudioDone(_OfPart, frozen=True, kw_only=True, tag="response.output_audio.done"):
    pass


class AnswerDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_audio_transcript.delta"):
    """More of the words that the answer speaks."""

    delta: str = ""


class AnswerDone(_OfPart, frozen=True, kw_only=True, tag="response.output_audio_transcript.done"):
    transcript: str = ""


class TextDelta(_OfPart, frozen=True, kw_only=True, tag="response.output_text.delta"):
    delta: str = ""


class TextDone(_OfPart, frozen=True, kw_only=True, tag="response.output_text.done"):
    text: str = ""


class Failure(Event, frozen=True, kw_only=True, tag="error"):
    """Something was refused, or went wrong; the session lives on unless it says otherwise."""

    error: ErrorDetail = ErrorDetail()


EVENTS: dict[str, type[Event]] = {
    str(event.__struct_config__.tag): event
    for event in (
        SessionCreated,
        SessionUpdated,
        SpeechStarted,
        SpeechStopped,
        AudioCommitted,
        AudioCleared,
        ItemAdded,
        ItemDone,
        ItemDeleted,
        ItemRetrieved,
        ItemTruncated,
        TranscriptDelta,
        TranscriptCompleted,
        TranscriptFailed,
        ResponseCreated,
        ResponseDone,
        OutputItemAdded,
        OutputItemDone,
        ContentPartAdded,
        ContentPartDone,
        AudioDelta,
        AudioDone,
        AnswerDelta,
        AnswerDone,
        TextDelta,
        TextDone,
        Failure,
    )
}
