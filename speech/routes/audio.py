"""Streams of sound: started, fed with numbered chunks, stopped. A chunk is kept before anybody is
told of it, and stays until a worker has finished with its stream."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, Protocol

from msgspec import UNSET

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import (
    InvalidState,
    PayloadTooLarge,
    ProviderUnavailable,
    RateLimited,
    StreamNotActive,
    UnsupportedMedia,
)
from speech.audio.pcm import decode_base64
from speech.routes.events import AudioChanged, AudioChunk, ChunkProcessed, StartAudio, StopAudio
from speech.routes.sessions import Caller, Sessions, State, VoiceSession, owned
from speech.routes.work_events import ProcessCommand

MAX_CHUNK_BYTES = 10 << 20
BACKLOG_RETRY_MS = 2_000

RAW_TYPES = frozenset({"audio/pcm", "audio/l16", "audio/raw", "audio/x-raw", "audio/wav"})
"""Media types that go to ``process_pcm``; every other sound goes to ``process_webm``."""

Action = Literal["process_webm", "process_pcm"]


class Kept(Enum):
    """What became of a chunk."""

    NEW = auto()
    DUPLICATE = auto()
    CLOSED = auto()
    """The stream was stopped meanwhile; nothing was kept."""
    FULL = auto()
    """The workers are too far behind; nothing was kept."""
    TOO_LONG = auto()
    """The stream has as many bytes as one may have; nothing was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a stream as it is kept."""

    session_id: str
    stream: int
    seq: int
    mime_type: str
    sound: bytes
    at_ms: int
    """When it came."""


class Streams(Protocol):
    """Where streams and their chunks are kept; all may raise `StoreUnavailable`."""

    async def open(self, session: VoiceSession, *, sid: str, at_ms: int, recorded: bool) -> None:
        """Begin the session's next stream."""

    async def reopen(self, session: VoiceSession, *, sid: str, at_ms: int) -> bool:
        """Go on with the newest stream; False if the workers have finished with it."""

    async def close(self, session: VoiceSession, *, at_ms: int) -> None:
        """No more chunks will come."""

    async def keep(self, chunk: Chunk) -> Kept:
        """Keep a chunk, durably, once for each number."""


class Commands(Protocol):
    """The way to the processing workers."""

    async def tell(self, command: ProcessCommand) -> None:
        """Have every worker hear a command. A worker that does not hear it finds the chunk, or
        the value, in the store; so this never fails."""


class Switches(Protocol):
    """The part of the configuration that decides about accepting sound."""

    async def pipeline(self) -> tuple[bool, bool]:
        """Whether sound is processed at all, and whether it is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioService:
    """The use cases of ``audio:*``."""

    sessions: Sessions
    streams: Streams
    commands: Commands
    switches: Switches
    clock: Clock

    async def start(self, command: StartAudio, caller: Caller) -> AudioChanged:
        """Begin a stream; one that this socket has begun goes on.

        Raises:
            InvalidState: the session is not active. Otherwise as `owned`.
            ProviderUnavailable: the configuration has switched processing off.
        """
        session = await owned(self.sessions, command.session_id, caller)
        if session.state is not State.ACTIVE:
            raise InvalidState(f"the session is {session.state}")
        enabled, recorded = await self.switches.pipeline()
        if not enabled:
            raise ProviderUnavailable("the processing of sound is switched off")
        now = self.clock()
        if not (session.streaming and session.stream_sid == caller.sid):
            await self._open(session, command, caller, now=now, recorded=recorded)
        return AudioChanged(session_id=session.id, status="streaming", timestamp=now)

    async def stop(self, command: StopAudio, caller: Caller) -> AudioChanged:
        """End the stream; without one, nothing changes. Raises as `owned`."""
        session = await owned(self.sessions, command.session_id, caller)
        if session.streaming or session.left_stream:
            await self.streams.close(session, at_ms=self.clock())
        return AudioChanged(session_id=session.id, status="stopped", timestamp=self.clock())

    async def chunk(self, command: AudioChunk, caller: Caller) -> ChunkProcessed:
        """Keep a chunk and hand it over.

        Raises:
            InvalidBase64, PayloadTooLarge, UnsupportedMedia: the chunk itself is wrong.
            InvalidState: the session is paused or has ended. Otherwise as `owned`.
            StreamNotActive: there is no stream.
            RateLimited: the workers are too far behind.
        """
        session = await owned(self.sessions, command.session_id, caller)
        if session.state is not State.ACTIVE:
            raise InvalidState(f"the session is {session.state}")
        if not session.streaming:
            raise StreamNotActive("start the stream first")
        action = action_for(command.mime_type)
        chunk = Chunk(
            session_id=session.id,
            stream=session.stream,
            seq=command.seq,
            mime_type=command.mime_type,
            sound=_decoded(command.base64),
            at_ms=self.clock(),
        )
        is_new = _require_kept(await self.streams.keep(chunk))
        if is_new:
            await self.commands.tell(_command(command, action, at_ms=chunk.at_ms))
        return ChunkProcessed(
            session_id=session.id,
            seq=command.seq,
            processed_at=self.clock(),
            duplicate=UNSET if is_new else True,
        )

    async def _open(
        self,
        session: VoiceSession,
        command: StartAudio,
        caller: Caller,
        *,
        now: int,
        recorded: bool,
    ) -> None:
        may_resume = command.resume and (session.left_stream or session.streaming)
        if may_resume and await self.streams.reopen(session, sid=caller.sid, at_ms=now):
            return
        if session.streaming or session.left_stream:
            # Begun by a socket that is gone: what comes now begins with a header of its own.
            await self.streams.close(session, at_ms=now)
        await self.streams.open(session, sid=caller.sid, at_ms=now, recorded=recorded)


def action_for(mime_type: str) -> Action:
    """Which command a media type leads to; parameters do not matter.

    Raises:
        UnsupportedMedia: not sound.
    """
    essence = mime_type.partition(";")[0].strip().lower()
    if not essence.startswith("audio/") or essence == "audio/":
        raise UnsupportedMedia("the media type must be audio/*")
    return "process_pcm" if essence in RAW_TYPES else "process_webm"


def _decoded(text: str) -> bytes:
    # Four characters carry three bytes: what is too large is not decoded first.
    if len(text) > (MAX_CHUNK_BYTES + 2) // 3 * 4:
        raise PayloadTooLarge(f"a chunk may have {MAX_CHUNK_BYTES} bytes")
    sound = decode_base64(text)
    if len(sound) > MAX_CHUNK_BYTES:
        raise PayloadTooLarge(f"a chunk may have {MAX_CHUNK_BYTES} bytes")
    return sound


def _require_kept(kept: Kept) -> bool:
    match kept:
        case Kept.NEW:
            return True
        case Kept.DUPLICATE:
            return False
        case Kept.CLOSED:
            raise StreamNotActive("the stream was stopped")
        case Kept.FULL:
            raise RateLimited(retry_after_ms=BACKLOG_RETRY_MS)
        case Kept.TOO_LONG:
            raise PayloadTooLarge("the stream is too long; stop it and start another")


def _command(command: AudioChunk, action: Action, *, at_ms: int) -> ProcessCommand:
    return ProcessCommand(
        session_id=command.session_id,
        action=action,
        data={"mimeType": command.mime_type, "seq": command.seq, "base64": command.base64},
        timestamp=at_ms,
    )
