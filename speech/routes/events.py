"""The contract of voice sessions: fifteen ``category:action`` requests and what answers them.

`REQUESTS` is the vocabulary by wire name; what workers hear and report stands in
`speech.routes.work_events`. Every answer travels in the envelope of `speech.routes.envelope`. Times
that end in ``At``, ``Time`` or are called ``timestamp`` are Unix milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from readrealm.kernel.wire import Contract
from speech.routes.fields import CategoryName, ConfigKey, MimeType, Seq, SessionId
from speech.routes.work_events import Transcription

Memory = dict[str, int]


# ------------------------------------------------------------------ requests


class StartSession(Contract, frozen=True, kw_only=True):
    """Begin a session, or find one's own again under the same id."""

    session_id: SessionId | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET
    """``clientId``, ``userAgent`` and at most 18 further scalars of 256 characters."""
    resume_key: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType | None = UNSET
    """Of a guest whose connection was lost: makes this socket the owner of the session."""


class EndSession(Contract, frozen=True, kw_only=True):
    """End a session for good; its stream stops."""

    session_id: SessionId


class PauseSession(Contract, frozen=True, kw_only=True):
    """Suspend an active session; its stream waits with it."""

    session_id: SessionId


class ResumeSession(Contract, frozen=True, kw_only=True):
    """Go on with a paused session; a stream that waited goes on as well."""

    session_id: SessionId


class StartAudio(Contract, frozen=True, kw_only=True):
    """Begin a stream of sound. A stream has one container and its own sequence numbers."""

    session_id: SessionId
    resume: bool = False
    """After a reconnect: go on with the stream that the lost socket left, numbers included."""


class StopAudio(Contract, frozen=True, kw_only=True):
    """End the stream, if there is one."""

    session_id: SessionId


class AudioChunk(Contract, frozen=True, kw_only=True):
    """A piece of the stream, cut anywhere; at most 10 MiB once decoded."""

    session_id: SessionId
    seq: Seq
    base64: str
    mime_type: MimeType = "audio/webm"
    """``rate`` and ``channels`` after a semicolon describe raw samples."""


class UpdateConfig(Contract, frozen=True, kw_only=True):
    """Change one value of the configuration that all sessions share."""

    category: CategoryName
    key: ConfigKey
    value: Any
    """At most 8 KiB as JSON."""


class GetConfig(Contract, frozen=True, kw_only=True):
    """Read one category, or all of them."""

    category: CategoryName | UnsetType | None = UNSET


class ResetConfig(Contract, frozen=True, kw_only=True):
    """Restore the defaults of one category, or of all; keys that have none are removed."""

    category: CategoryName | UnsetType | None = UNSET


class AskSystem(Contract, frozen=True, kw_only=True):
    """The three ``system:*`` requests; they say nothing."""


# ------------------------------------------------------------------ answers


class SessionStarted(Contract, frozen=True, kw_only=True):
    """The session as it is now."""

    session_id: SessionId
    start_time: int
    status: Literal["active", "paused"]
    metadata: dict[str, Any]
    transcript: list[Transcription] | UnsetType = UNSET
    """Only for a session that was found again: the last final texts, oldest first."""
    resume_key: str | UnsetType = UNSET
    """Only for guests: with it another socket of theirs may find the session again."""


class Statistics(Contract, frozen=True, kw_only=True):
    """What became of the chunks of a session."""

    chunks: int
    """Accepted, duplicates not counted."""
    duplicates: int
    missing: int
    """Numbers between the first and the last of each stream that never came."""


class SessionEnded(Contract, frozen=True, kw_only=True):
    """Answers `EndSession`; unasked, a session that was idle for too long has ended."""

    session_id: SessionId
    end_time: int
    status: Literal["ended"] = "ended"
    statistics: Statistics | UnsetType = UNSET
    reason: Literal["idle", "left"] | UnsetType = UNSET
    """Only unasked."""


class SessionChanged(Contract, frozen=True, kw_only=True):
    """The state that the session is in now."""

    session_id: SessionId
    status: Literal["active", "paused"]
    timestamp: int


class AudioChanged(Contract, frozen=True, kw_only=True):
    """Whether sound is taken."""

    session_id: SessionId
    status: Literal["streaming", "stopped"]
    timestamp: int


class ChunkProcessed(Contract, frozen=True, kw_only=True):
    """The chunk is kept and handed over; a worker may still be busy with it."""

    session_id: SessionId
    seq: Seq
    processed_at: int
    duplicate: bool | UnsetType = UNSET


class ConfigUpdated(Contract, frozen=True, kw_only=True):
    """The value that holds from now on, everywhere."""

    category: CategoryName
    key: ConfigKey
    value: Any
    timestamp: int


class ConfigData(Contract, frozen=True, kw_only=True):
    """Values that hold at present."""

    category: str
    """``all`` when none was asked for; then ``config`` has one object for each category."""
    config: dict[str, Any]
    timestamp: int


class ConfigReset(Contract, frozen=True, kw_only=True):
    """Defaults hold again."""

    category: str
    action: Literal["reset"] = "reset"
    timestamp: int


class SystemStatus(Contract, frozen=True, kw_only=True):
    """That the server is there, and for how many."""

    status: Literal["online"] = "online"
    uptime: float
    """Seconds of the worker that answers."""
    connections: int
    """Sockets of the whole cluster."""
    worker_connections: int
    processing_workers: int
    timestamp: int


class SystemHealth(Contract, frozen=True, kw_only=True):
    """How the worker that answers is doing."""

    health: Literal["healthy", "degraded"]
    memory: Memory
    uptime: float
    connections: int
    worker_connections: int
    checks: dict[str, bool]
    """``redis`` and ``mongo``: whether each answers."""
    timestamp: int


class SystemStats(Contract, frozen=True, kw_only=True):
    """Figures of the worker that answers and of the cluster."""

    connections: int
    worker_connections: int
    uptime: float
    memory: Memory
    platform: str
    node_version: str
    """Of the runtime, which is Python; the key is the documented one."""
    runtime: Literal["python"] = "python"
    processing_workers: int
    sessions: int
    """Sessions of the cluster that have not ended."""
    timestamp: int


# ------------------------------------------------------------------ the vocabulary


@dataclass(frozen=True, slots=True)
class Request:
    """One of the fifteen routes."""

    payload: type[Contract]
    response: str
    """Name of the one event that answers it, whether it succeeds or fails."""
    data: type[Contract]
    """What is in the envelope of a success."""


REQUESTS: Mapping[str, Request] = {
    "session:start": Request(StartSession, "session:started", SessionStarted),
    "session:end": Request(EndSession, "session:ended", SessionEnded),
    "session:pause": Request(PauseSession, "session:paused", SessionChanged),
    "session:resume": Request(ResumeSession, "session:resumed", SessionChanged),
    "audio:start": Request(StartAudio, "audio:started", AudioChanged),
    "audio:stop": Request(StopAudio, "audio:stopped", AudioChanged),
    "audio:chunk": Request(AudioChunk, "audio:chunk:processed", ChunkProcessed),
    "config:update": Request(UpdateConfig, "config:updated", ConfigUpdated),
    "config:get": Request(GetConfig, "config:data", ConfigData),
    "config:reset": Request(ResetConfig, "config:reset", ConfigReset),
    "system:status": Request(AskSystem, "system:status", SystemStatus),
    "system:health": Request(AskSystem, "system:health", SystemHealth),
    "system:stats": Request(AskSystem, "system:stats", SystemStats),
}
"""By wire name. (The document counts fifteen with ``connection:welcome`` and
``command:process``, which nobody asks for.)"""
