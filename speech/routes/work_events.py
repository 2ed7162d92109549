"""The contract with processing workers: what they hear, what they report, and what the owner of a
session hears of that.

`REPORTS` and `EVENTS` are by wire name. Times that end in ``Ms`` are milliseconds of sound since
the first stream of the session began.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from readrealm.kernel.wire import Contract
from speech.routes.fields import MAX_SEQ, Milliseconds, Seq, SessionId, Text

WORKERS = "workers"
"""The room of processing workers: sockets that connected with ``auth.role = "worker"``."""

GLOBAL = "global"
"""The ``sessionId`` of commands that are about no session."""


class ProcessCommand(Contract, frozen=True, kw_only=True):
    """``command:process``, to the room of workers and without an envelope."""

    session_id: str
    action: Literal["process_webm", "process_pcm", "configure"]
    data: dict[str, Any]
    timestamp: int


class Transcription(Contract, frozen=True, kw_only=True):
    """What was understood of one utterance. Interim texts of an utterance share its ``startMs``
    and replace each other, until the final one."""

    session_id: SessionId
    seq: Seq
    """Of the chunk that completed the words."""
    text: Text
    is_final: bool
    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: Annotated[str, Meta(min_length=1, max_length=32)] | UnsetType = UNSET
    """Who spoke, if speakers are told apart; a final text may come again to be given one."""


class VoiceActivity(Contract, frozen=True, kw_only=True):
    """Speech has begun or ended."""

    session_id: SessionId
    speaking: bool
    at_ms: Milliseconds
    silence_ms: Milliseconds | UnsetType = UNSET
    """Only when nobody has spoken for ``vad.silenceTimeoutMs``."""


class ProcessingFailed(Contract, frozen=True, kw_only=True):
    """Sound that was accepted could not be processed; the session goes on."""

    session_id: SessionId
    seq: Seq
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    error: Annotated[str, Meta(min_length=1, max_length=300)]


class Report(Contract, frozen=True, kw_only=True):
    """What every report of a worker begins with."""

    stream: Annotated[int, Meta(ge=1, le=2**31)]
    term: Annotated[int, Meta(ge=1, le=MAX_SEQ)]
    """Of the worker's tenure of the stream; a report of an earlier tenure is refused."""


class ReportTranscription(Report, frozen=True, kw_only=True):
    """A worker has understood something."""

    result: Transcription


class ReportActivity(Report, frozen=True, kw_only=True):
    """A worker hears somebody begin or stop."""

    result: VoiceActivity


class ReportFailure(Report, frozen=True, kw_only=True):
    """A worker could not process what was accepted."""

    result: ProcessingFailed


REPORTS: Mapping[str, type[Report]] = {
    "worker:transcription": ReportTranscription,
    "worker:vad": ReportActivity,
    "worker:failed": ReportFailure,
}
"""From processing workers only; acknowledged with the envelope, answered by no event."""

EVENTS: Mapping[str, type[Contract]] = {
    "command:process": ProcessCommand,
    "audio:transcription": Transcription,
    "audio:vad": VoiceActivity,
    "audio:error": ProcessingFailed,
}
"""What is told without an envelope: the first to workers, the others to the session's owner."""
