"""Voice sessions: who has one, and what state it is in. Knows no socket, no Mongo and no Valkey.

active <-> paused, and both -> ended, for good. A session belongs to an account, or to the one
socket that started it.
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from msgspec import UNSET

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import (
    Forbidden,
    InvalidInput,
    InvalidState,
    RateLimited,
    SessionExists,
    SessionNotFound,
)
from readrealm.kernel.text import is_refused
from speech.routes.events import (
    EndSession,
    PauseSession,
    ResumeSession,
    SessionChanged,
    SessionEnded,
    SessionStarted,
    StartSession,
    Statistics,
)
from speech.routes.work_events import Transcription

GRACE_MS = 60_000
"""A session whose sockets are gone ends after this, unless its owner comes back to it."""

IDLE_MS = 3_600_000
"""A session that nobody addressed for so long ends."""

HEARTBEAT_S = 5.0
"""How often a worker says that the sockets of its sessions are still there."""

MAX_METADATA_KEYS, MAX_METADATA_CHARACTERS = 20, 256
LARGEST_NUMBER = 2**53
"""What a JavaScript client can read back; larger ones, and those that are none, are not kept."""

BASE_36 = string.digits + string.ascii_lowercase
FULL_RETRY_MS = 10_000


class State(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Owner:
    """An account by its id, or one anonymous socket by its sid."""

    is_account: bool
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The socket that asks."""

    sid: str
    owner: Owner
    user_agent: str = ""
    is_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSession:
    """A session as it is kept."""

    id: str
    owner: Owner
    started_at: int
    state: State = State.ACTIVE
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ended_at: int | None = None
    resume_hash: str = ""
    """Of what lets another socket of the same guest in; empty for accounts."""
    stream: int = 0
    """Number of the newest stream; 0 before the first."""
    streaming: bool = False
    stream_sid: str = ""
    """The socket that started the stream."""
    left_stream: bool = False
    """The stream stopped because its socket was lost, so that it may be resumed."""


class Sessions(Protocol):
    """Where sessions are kept. Every change counts as a sign of life; all may raise
    `StoreUnavailable`."""

    async def create(self, session: VoiceSession, *, sid: str) -> bool:
        """Keep a new one; False if its id is taken."""

    async def find(self, session_id: str) -> VoiceSession | None: ...

    async def live(self) -> int:
        """How many have not ended."""

    async def change(
        self, session_id: str, *, allowed: Sequence[State], to: State, at_ms: int
    ) -> VoiceSession | None:
        """Change the state in one step; None if it is in none of the allowed ones.

        An ended session has no stream.
        """

    async def adopt(self, session_id: str, owner: Owner) -> None:
        """Give a guest's session to another socket of theirs."""

    async def attach(self, session_id: str, *, sid: str, at_ms: int) -> None:
        """A socket addresses a session: there is somebody again."""

    async def statistics(self, session_id: str) -> Statistics: ...

    async def transcript(self, session_id: str) -> Sequence[Transcription]:
        """The newest final texts, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionService:
    """The use cases of ``session:*``."""

    sessions: Sessions
    clock: Clock
    most_sessions: "Limit"

    async def start(self, command: StartSession, caller: Caller) -> SessionStarted:
        """Begin a session, or give the caller's own live one of that id again.

        Raises:
            SessionExists: the id belongs to somebody else, or to a session that has ended.
            RateLimited: there are as many sessions as the configuration allows.
        """
        now = self.clock()
        wanted = command.session_id or generated_id(now)
        if (known := await self.sessions.find(wanted)) is not None:
            return await self._again(known, command, caller)
        if await self.sessions.live() >= await self.most_sessions():
            raise RateLimited(retry_after_ms=FULL_RETRY_MS)
        key = "" if caller.owner.is_account else secrets.token_urlsafe(24)
        session = VoiceSession(
            id=wanted,
            owner=caller.owner,
            started_at=now,
            metadata=metadata_of(command.metadata or {}, caller),
            resume_hash=_hash(key) if key else "",
        )
        if not await self.sessions.create(session, sid=caller.sid):
            raced = await self.sessions.find(wanted)
            return await self._again(raced or session, command, caller)
        return _started(session, resume_key=key)

    async def end(self, command: EndSession, caller: Caller) -> SessionEnded:
        """End a session, and its stream with it.

        Raises:
            InvalidState: it has ended already. Otherwise as `owned`.
        """
        ended = await self._change(
            command.session_id, caller, allowed=(State.ACTIVE, State.PAUSED), to=State.ENDED
        )
        return SessionEnded(
            session_id=ended.id,
            end_time=ended.ended_at or self.clock(),
            statistics=await self.sessions.statistics(ended.id),
        )

    async def pause(self, command: PauseSession, caller: Caller) -> SessionChanged:
        """Suspend an active session.

        Raises:
            InvalidState: it is not active. Otherwise as `owned`.
        """
        await self._change(command.session_id, caller, allowed=(State.ACTIVE,), to=State.PAUSED)
        return SessionChanged(
            session_id=command.session_id, status="paused", timestamp=self.clock()
        )

    async def resume(self, command: ResumeSession, caller: Caller) -> SessionChanged:
        """Go on with a paused session.

        Raises:
            InvalidState: it is not paused. Otherwise as `owned`.
        """
        await self._change(command.session_id, caller, allowed=(State.PAUSED,), to=State.ACTIVE)
        return SessionChanged(
            session_id=command.session_id, status="active", timestamp=self.clock()
        )

    async def _again(
        self, known: VoiceSession, command: StartSession, caller: Caller
    ) -> SessionStarted:
        key = command.resume_key or ""
        if known.owner != caller.owner and not _is_same_guest(known, caller, key):
            raise SessionExists("this session id is taken")
        if known.state is State.ENDED:
            raise SessionExists("this session id is taken")
        if known.owner != caller.owner:
            await self.sessions.adopt(known.id, caller.owner)
        await self.sessions.attach(known.id, sid=caller.sid, at_ms=self.clock())
        return _started(known, await self.sessions.transcript(known.id), resume_key=key)

    async def _change(
        self, session_id: str, caller: Caller, *, allowed: Sequence[State], to: State
    ) -> VoiceSession:
        session = await owned(self.sessions, session_id, caller)
        changed = await self.sessions.change(session_id, allowed=allowed, to=to, at_ms=self.clock())
        if changed is None:
            raise InvalidState(f"the session is {session.state}")
        return changed


class Limit(Protocol):
    async def __call__(self) -> int:
        """How many there may be now."""


async def owned(sessions: Sessions, session_id: str, caller: Caller) -> VoiceSession:
    """The caller's own session.

    Raises:
        SessionNotFound: there is none of that id.
        Forbidden: it is somebody else's.
    """
    session = await sessions.find(session_id)
    if session is None:
        raise SessionNotFound("there is no session of that id")
    if session.owner != caller.owner:
        raise Forbidden("this session belongs to somebody else")
    return session


def generated_id(now_ms: int) -> str:
    """``session_``, the time, and nine characters that nobody can guess."""
    chance = "".join(secrets.choice(BASE_36) for _ in range(9))
    return f"session_{now_ms}_{chance}"


def metadata_of(given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """What is kept of a request's metadata: scalars, and who asks where it does not say.

    Raises:
        InvalidInput: more than 20 keys, a longer text than 256 characters, or a ``clientId`` or
            ``userAgent`` that is no text.
    """
    kept = {key: value for key, value in given.items() if _is_scalar(value)}
    if len(given) > MAX_METADATA_KEYS:
        raise InvalidInput(f"metadata may have {MAX_METADATA_KEYS} keys")
    for key, value in given.items():
        if len(key) > MAX_METADATA_CHARACTERS or _is_too_long(value):
            raise InvalidInput(f"metadata may have {MAX_METADATA_CHARACTERS} characters a value")
        if any(is_refused(letter) for letter in f"{key}{value}" if _is_scalar(value)):
            raise InvalidInput("metadata must not have control characters")
    for key in ("clientId", "userAgent"):
        if not isinstance(given.get(key, ""), str | None):
            raise InvalidInput(f"metadata.{key} must be text")
    return {
        **kept,
        "clientId": given.get("clientId") or caller.sid,
        "userAgent": given.get("userAgent") or caller.user_agent[:MAX_METADATA_CHARACTERS],
    }


def _is_scalar(value: Any) -> bool:
    if isinstance(value, int | float) and not abs(value) < LARGEST_NUMBER:
        return False
    return isinstance(value, str | int | float)


def _is_too_long(value: Any) -> bool:
    text = value if isinstance(value, str) else str(value) if _is_scalar(value) else ""
    return len(text) > MAX_METADATA_CHARACTERS


def _is_same_guest(known: VoiceSession, caller: Caller, key: str) -> bool:
    is_guest = not (known.owner.is_account or caller.owner.is_account)
    return is_guest and hmac.compare_digest(known.resume_hash, _hash(key))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _started(
    session: VoiceSession,
    transcript: Sequence[Transcription] | None = None,
    *,
    resume_key: str = "",
) -> SessionStarted:
    return SessionStarted(
        session_id=session.id,
        start_time=session.started_at,
        status="paused" if session.state is State.PAUSED else "active",
        metadata=dict(session.metadata),
        transcript=UNSET if transcript is None else list(transcript),
        resume_key=resume_key or UNSET,
    )
