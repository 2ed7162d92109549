"""Voice sessions over sockets: requests in, calls of the use cases out, every answer in the
envelope. Translates, and decides nothing but which sessions its own socket has addressed."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, TypeVar

from readrealm.kernel.clock import now_ms
from readrealm.kernel.errors import (
    AppError,
    Forbidden,
    InvalidInput,
    RateLimited,
    StoreUnavailable,
)
from readrealm.kernel.wire import Contract, parse
from readrealm.socketio_bridge import EventConsumer
from speech.routes.broadcast import EVERYBODY, audience_of
from speech.routes.envelope import Envelope, failure, success
from speech.routes.events import (
    REQUESTS,
    AskSystem,
    AudioChunk,
    EndSession,
    GetConfig,
    PauseSession,
    ResetConfig,
    ResumeSession,
    SessionEnded,
    StartAudio,
    StartSession,
    StopAudio,
    UpdateConfig,
)
from speech.routes.fields import MAX_SEQ
from speech.routes.services import Routes
from speech.routes.sessions import Caller, Owner
from speech.routes.work_events import REPORTS, WORKERS

log = logging.getLogger(__name__)

MOST_SESSIONS = 32
"""Sessions that one socket may be attached to."""

MOST_ENDED = 8
"""Ended sessions of one socket whose last results it still hears."""

LONGEST_ID = 128

AnyAnswer = TypeVar("AnyAnswer", bound=Contract)


class Acknowledged(Contract, frozen=True, kw_only=True):
    """A report has been taken."""


class RoutesConsumer(EventConsumer):
    """One socket, with any of its owner's sessions; or a processing worker.

    It begins when its client connects, for that is when a worker enters its room.

    Args:
        routes: gives the use cases of the running event loop.
    """

    events = frozenset(REQUESTS) | frozenset(REPORTS)
    refusals = (AppError,)
    eager = True

    routes: Routes
    caller: Caller

    def __init__(self, routes: Callable[[], Routes]) -> None:
        self._routes_here = routes
        self._attached: set[str] = set()
        self._ended: list[str] = []
        self._asked: Any = None
        self._is_worker = False

    async def connected(self) -> None:
        self.routes = self._routes_here()
        self.caller = caller_of(self.scope, self.sid)
        self.routes.census.enter(self.sid)
        self._is_worker = bool(self.scope.get("is_processing_worker"))
        if self._is_worker:
            await self.join(WORKERS)
        if self.routes.tells_all:
            await self.join(EVERYBODY)

    async def answer(self, event: str, data: Any) -> Envelope:
        self._asked = data
        if event in REPORTS:
            return await self._take_report(event, data)
        answer = await self._answer(event, data)
        envelope = success(answer, at_ms=now_ms())
        await self.emit(REQUESTS[event].response, envelope)
        return envelope

    async def refused(self, event: str, error: Exception) -> Envelope:
        about = _chunk_of(self._asked) if event == "audio:chunk" else None
        envelope = failure(error, at_ms=now_ms(), about=about)
        if event in REQUESTS:
            await self.emit(REQUESTS[event].response, envelope)
        return envelope

    async def unreadable(self, event: str, why: str) -> NoReturn:
        self._asked = None
        raise InvalidInput(why)

    async def flooded(self, event: str, retry_after_ms: int) -> Envelope:
        return failure(RateLimited(retry_after_ms=retry_after_ms), at_ms=now_ms())

    async def disconnected(self) -> None:
        self.routes.census.leave(self.sid)
        for session_id in sorted(self._attached):
            self.routes.upkeep.leave(session_id)
            try:
                await self.routes.store.left(session_id, sid=self.sid, at_ms=now_ms())
            except AppError as refusal:
                log.warning("a stream of a lost socket stays open: %s", refusal)

    # ------------------------------------------------------------------ requests

    async def _answer(self, event: str, data: Any) -> Contract:
        routes, caller = self.routes, self.caller
        match parse(REQUESTS[event].payload, data):
            case StartSession() as command:
                return await self._start_session(command)
            case EndSession() as command:
                return await self._addressed(
                    command.session_id, routes.sessions.end(command, caller)
                )
            case PauseSession() as command:
                return await self._addressed(
                    command.session_id, routes.sessions.pause(command, caller)
                )
            case ResumeSession() as command:
                return await self._addressed(
                    command.session_id, routes.sessions.resume(command, caller)
                )
            case StartAudio() as command:
                return await self._addressed(
                    command.session_id, routes.audio.start(command, caller)
                )
            case StopAudio() as command:
                return await self._addressed(command.session_id, routes.audio.stop(command, caller))
            case AudioChunk() as command:
                return await self._addressed(
                    command.session_id, routes.audio.chunk(command, caller)
                )
            case UpdateConfig() as command:
                return await routes.config.update(command, caller)
            case GetConfig() as command:
                return await routes.config.get(command)
            case ResetConfig() as command:
                return await routes.config.reset(command, caller)
            case AskSystem():
                return await self._ask_system(event)
            case _:
                raise NotImplementedError(event)

    async def _ask_system(self, event: str) -> Contract:
        match event:
            case "system:status":
                return await self.routes.system.status()
            case "system:health":
                return await self.routes.system.health()
            case _:
                return await self.routes.system.stats()

    async def _start_session(self, command: StartSession) -> Contract:
        if len(self._attached) >= MOST_SESSIONS and command.session_id not in self._attached:
            raise RateLimited(retry_after_ms=60_000)
        started = await self.routes.sessions.start(command, self.caller)
        await self._attach(started.session_id)
        return started

    async def _addressed(self, session_id: str, work: Awaitable[AnyAnswer]) -> AnyAnswer:
        """Do something with a session; who may do so hears from then on what becomes of it."""
        answer = await work
        if isinstance(answer, SessionEnded):
            await self._detach(session_id)
        else:
            await self._attach(session_id)
        return answer

    async def _attach(self, session_id: str) -> None:
        if session_id in self._attached:
            return
        try:
            await self.join(audience_of(session_id))
        except (OSError, TimeoutError):
            raise StoreUnavailable from None
        await self.routes.store.attach(session_id, sid=self.sid, at_ms=now_ms())
        self._attached.add(session_id)
        self.routes.upkeep.attend(session_id)

    async def _detach(self, session_id: str) -> None:
        """No longer keep an ended session alive, but hear the last that workers have to say."""
        if session_id in self._attached:
            self._attached.discard(session_id)
            self.routes.upkeep.leave(session_id)
            self._ended.append(session_id)
        if len(self._ended) > MOST_ENDED:
            await self.leave(audience_of(self._ended.pop(0)))

    # ------------------------------------------------------------------ workers

    async def _take_report(self, event: str, data: Any) -> Envelope:
        if not self._is_worker:
            raise Forbidden("only processing workers may report")
        await self.routes.reports.receive(parse(REPORTS[event], data))
        return success(Acknowledged(), at_ms=now_ms())


def caller_of(scope: Mapping[str, Any], sid: str) -> Caller:
    """Who asks, as the handshake has settled it."""
    account = scope["identity"].account
    agent = next((value for name, value in scope.get("headers", ()) if name == b"user-agent"), b"")
    return Caller(
        sid=sid,
        owner=Owner(is_account=True, id=account.user_id) if account else Owner(False, sid),
        user_agent=agent.decode("latin-1"),
        is_staff=bool(account and account.is_staff),
    )


def _chunk_of(asked: Any) -> dict[str, Any] | None:
    """What names a chunk, as far as it can be said again."""
    if not isinstance(asked, Mapping):
        return None
    session_id, seq = asked.get("sessionId"), asked.get("seq")
    about: dict[str, Any] = {}
    if isinstance(session_id, str) and len(session_id) <= LONGEST_ID:
        about["sessionId"] = session_id
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= MAX_SEQ:
        about["seq"] = seq
    return about or None
