"""The contract of the live voice gateway: start, sendAudio and stop, and what a client hears.

`VOCABULARY` is all of it by wire name. Sound is PCM, signed 16 bit little
endian, 24,000 Hz, mono, in strict Base64, both ways. Everything is told to one socket only.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from readrealm.kernel.vocabulary import Command, Event, Receivers, Vocabulary
from readrealm.kernel.wire import Coercion, Contract, whole_number

LONGEST_MESSAGE = 8_000
"""Characters of the client's own instructions, after trimming."""

SESSION_STARTED = "<< Session Started >>\n"
SPEECH_STARTED = "<< Speech Started >>\n"
RESPONSE_ENDED = "---\n"
USER_PREFIX = "User: "
"""Lines of ``transcript`` that are no deltas of an answer."""

SESSION_START = "Session start"
CLEAR = "clear"
"""Words on the ``audio`` event that are no sound; neither can be Base64."""

INVALID_PARAMETERS = "Invalid session parameters"
CANNOT_CONNECT = "Connection error: Unable to send config."
NO_SESSION = "No active session"
INVALID_AUDIO = "Invalid audio data"
NOTHING_TO_STOP = "No active session to stop"
"""Texts of ``error`` that clients may compare with."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def number(value: Any) -> Any:
    """A float for ``"0.8"``; anything that is no plain number stays as it is."""
    if isinstance(value, str) and len(value) <= 32 and _NUMBER.fullmatch(value):
        return float(value)
    return value


# ------------------------------------------------------------------ client to server


class Start(Contract, frozen=True, kw_only=True):
    """Open a session; one that is active is ended first, and not spoken of any more."""

    coercions: ClassVar[Mapping[str, Coercion]] = {"temperature": number, "bookId": whole_number}

    system_message: Annotated[str, Meta(extra_json_schema={"minLength": 1})]
    """The client's own instructions, 1 to 8000 characters after trimming; ours come first."""
    temperature: Annotated[float, Meta(ge=0, le=2)]
    """A number, or text that is one."""
    book_id: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    """The book that the conversation is about."""


class SendAudio(Contract, frozen=True, kw_only=True):
    """More sound from the microphone, cut anywhere."""

    audio: Annotated[str, Meta(min_length=1)]


class AudioPlayed(Contract, frozen=True, kw_only=True):
    """How much of an answer was heard; without it the clock on the wall decides."""

    coercions: ClassVar[Mapping[str, Coercion]] = {"ms": whole_number}

    ms: Annotated[int, Meta(ge=0, le=86_400_000)]
    item_id: Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    """From `AudioControl`; the newest answer without it."""


# ------------------------------------------------------------------ server to client


class State(IntEnum):
    """What ``state`` carries."""

    WORKING = 0
    READY_TO_START = 1
    READY_TO_STOP = 2


class ConnectionStatus(Contract, frozen=True, kw_only=True):
    """The server is there; every socket hears it first."""

    connected: Literal[True] = True


class SessionStatus(Contract, frozen=True, kw_only=True):
    """Whether sound is being listened to."""

    active: bool


class TranscriptDelta(Contract, frozen=True, kw_only=True):
    """The transcript with speakers and turns; says what ``transcript`` says, without markers."""

    role: Literal["user", "assistant"]
    text: str
    """To be appended to the turn; the whole text of the turn where ``final``."""
    turn_id: str
    final: bool


class AudioControl(Contract, frozen=True, kw_only=True):
    """What the sound means, beside the words that ``audio`` carries for it."""

    type: Literal["sessionStart", "answerStart", "answerEnd", "clear", "reconnecting"]
    """``answerStart``: the sound that follows belongs to ``itemId``. ``answerEnd``: that was all of
    it. ``clear``: drop what has not been played. ``reconnecting``: the provider was lost and is
    being called again; ``state`` 2 follows when it is back."""
    item_id: str | UnsetType = UNSET


# ------------------------------------------------------------------ acknowledgements


class Done(Contract, frozen=True, kw_only=True):
    """What was asked has been done."""

    ok: Literal[True] = True


class Refused(Contract, frozen=True, kw_only=True):
    """It has not; the ``error`` event said so as well."""

    ok: Literal[False] = False
    code: str
    error: str
    """What the ``error`` event said."""
    retry_after_ms: int | UnsetType = UNSET


# ------------------------------------------------------------------ the vocabulary

COMMANDS: dict[str, Command] = {
    "start": Command(
        payload=Start,
        ack=Done,
        causes=("state", "audio", "audioControl", "sessionStatus", "transcript"),
        example={"systemMessage": "Talk with me about Ahab.", "temperature": 0.8, "bookId": 2701},
    ),
    "sendAudio": Command(
        payload=SendAudio,
        ack=Done,
        causes=("transcript", "transcriptDelta", "audio", "audioControl"),
        example={"audio": "AAABAAIAAwA="},
    ),
    "stop": Command(payload=None, ack=Done, causes=("state", "sessionStatus", "done")),
    "audioPlayed": Command(payload=AudioPlayed, ack=Done, example={"itemId": "item_1", "ms": 740}),
}

_CALLER = Receivers.CALLER

EVENTS: dict[str, Event] = {
    "connectionStatus": Event(payload=ConnectionStatus, receivers=_CALLER),
    "sessionStatus": Event(payload=SessionStatus, receivers=_CALLER),
    "transcript": Event(
        payload=str,
        receivers=_CALLER,
        summary="A delta of an answer, a line of the reader (User: and the words), or a marker "
        "(<< Session Started >>, << Speech Started >>, ---), each of the latter with a line end.",
    ),
    "audio": Event(
        payload=str,
        receivers=_CALLER,
        summary="Sound of an answer in Base64, or a word: Session start; clear, after which what "
        "has not been played must be dropped.",
    ),
    "state": Event(
        payload=Literal[0, 1, 2],
        receivers=_CALLER,
        summary="0 working, 1 ready to start, 2 ready to stop.",
    ),
    "error": Event(payload=str, receivers=_CALLER, summary="Why something was not done."),
    "done": Event(payload=None, receivers=_CALLER, summary="The session that was stopped is over."),
    "transcriptDelta": Event(payload=TranscriptDelta, receivers=_CALLER),
    "audioControl": Event(payload=AudioControl, receivers=_CALLER),
}

CODES: dict[str, str] = {
    "VALIDATION_ERROR": "parameters that are missing, mistyped or outside their limits",
    "INVALID_BASE64": "sound that is no strict Base64",
    "PAYLOAD_TOO_LARGE": "more sound in one event than the server takes",
    "STREAM_NOT_ACTIVE": "sound without a session",
    "INVALID_STATE": "nothing to stop",
    "RATE_LIMITED": "the reader has had enough for today, or talks in too many places",
    "PROVIDER_UNAVAILABLE": "the speech service or a store is away; try again",
    "INTERNAL_ERROR": "a fault of the server",
}

VOCABULARY = Vocabulary(
    key="voice",
    title="Live talk",
    summary="Speaking with a book: sound in, transcript and voice out.",
    commands=COMMANDS,
    events=EVENTS,
    refusal=Refused,
    codes=CODES,
)
