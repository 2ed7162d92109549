"""The contract of the live voice gateway: start, sendAudio and stop, and what a client hears.

`COMMANDS` and `EVENTS` are the whole vocabulary by wire name. Sound is PCM, signed 16 bit little
endian, 24,000 Hz, mono, in strict Base64, both ways. Everything is told to one socket only.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

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

    system_message: Annotated[str, Meta(min_length=1, max_length=4 * LONGEST_MESSAGE)]
    """The client's own instructions, 1 to 8000 characters after trimming; ours come first."""
    temperature: Annotated[float, Meta(ge=0, le=2)]
    """A number, or text that is one."""
    book_id: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    """The book that the conversation is about."""


class SendAudio(Contract, frozen=True, kw_only=True):
    """More sound from the microphone, cut anywhere."""

    audio: Annotated[str, Meta(min_length=1)]


class Stop(Contract, frozen=True, kw_only=True):
    """Say the rest, wait for the answer a little, and end. Any payload is ignored."""


class AudioPlayed(Contract, frozen=True, kw_only=True):
    """How much of an answer was heard; without it the clock on the wall decides."""

    coercions: ClassVar[Mapping[str, Coercion]] = {"ms": whole_number}

    ms: Annotated[int, Meta(ge=0, le=86_400_000)]
    item_id: Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    """From `AudioControl`; the newest answer without it."""


COMMANDS: dict[str, type[Contract]] = {
    "start": Start,
    "sendAudio": SendAudio,
    "stop": Stop,
    "audioPlayed": AudioPlayed,
}


# ------------------------------------------------------------------ server to client


class State(IntEnum):
    """What ``state`` carries."""

    WORKING = 0
    READY_TO_START = 1
    READY_TO_STOP = 2


class ConnectionStatus(Contract, frozen=True, kw_only=True):
    connected: Literal[True] = True


class SessionStatus(Contract, frozen=True, kw_only=True):
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


EVENTS: dict[str, Any] = {
    "connectionStatus": ConnectionStatus,
    "sessionStatus": SessionStatus,
    "transcript": str,
    "audio": str,
    "state": State,
    "error": str,
    "done": None,
    "transcriptDelta": TranscriptDelta,
    "audioControl": AudioControl,
}
"""What each carries; ``done`` comes without an argument."""


# ------------------------------------------------------------------ acknowledgements


class Done(Contract, frozen=True, kw_only=True):
    ok: Literal[True] = True


class Refused(Contract, frozen=True, kw_only=True):
    ok: Literal[False] = False
    code: str
    error: str
    """What the ``error`` event said."""
    retry_after_ms: int | UnsetType = UNSET
