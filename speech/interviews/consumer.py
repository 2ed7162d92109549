"""Interviews over sockets: commands in, calls of the service out. Translates, and decides nothing
but which interview its own socket is in."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from readrealm.kernel.errors import (
    AppError,
    InvalidInput,
    PayloadTooLarge,
    SessionNotFound,
    UnsupportedMedia,
    public_face,
)
from readrealm.kernel.identity import SocketIdentity
from readrealm.kernel.wire import parse
from readrealm.socketio_bridge import EventConsumer
from speech.audio.containers import SNIFF_BYTES, sniff
from speech.interviews.contract import InterviewContract
from speech.interviews.events import (
    COMMANDS,
    MAX_CHUNK_S,
    Accepted,
    AudioChunk,
    ClientTranscript,
    InterviewerAudioChunk,
    InterviewerDone,
    InterviewError,
    LeaveInterview,
    Refused,
    StartInterview,
    StopInterview,
    UserDoneSpeaking,
    event_name,
)
from speech.interviews.owners import Owner
from speech.interviews.runner import InterviewRunner
from speech.interviews.services import InterviewService

HIGHEST_RATE_HZ = 48_000
SAMPLE_BYTES = 2

HEADER_BYTES = 4_096
"""Room in a chunk for what a container says besides its sound."""

ABSENT_S = 2.0
"""For which it is remembered that a reader has no interview."""

HANDOVER = "interview.handover"
"""Type of the channel message that asks a socket to let its interview go."""

Reply = Accepted | Refused


class InterviewConsumer(EventConsumer):
    """One socket, in at most one interview.

    Args:
        service: gives the use cases of the running event loop.
    """

    events = frozenset(COMMANDS)
    refusals = (AppError,)

    service: InterviewService
    identity: SocketIdentity

    def __init__(self, service: Callable[[], InterviewService]) -> None:
        self._service_here = service
        self._runner: InterviewRunner | None = None
        self._had_one = False
        self._absent_until = 0.0

    # ------------------------------------------------------------------ a seat

    @property
    def channel(self) -> str:
        return self.channel_name

    async def tell(self, event: InterviewContract) -> None:
        await self.emit(event_name(event), event)

    # ------------------------------------------------------------------ a consumer

    async def connected(self) -> None:
        self.service = self._service_here()
        self.identity = self.scope["identity"]

    async def answer(self, event: str, data: Any) -> Reply:
        command = parse(COMMANDS[event], data)
        owner = self._claim(command.user_id)
        match command:
            case StartInterview():
                self._runner = await self.service.start(owner, command, self)
                self._had_one, self._absent_until = True, 0.0
            case AudioChunk():
                return await self._hear(owner, command)
            case ClientTranscript():
                return await self._caption(owner, command)
            case InterviewerDone():
                await (await self._attend(owner)).interviewer_done(self)
            case UserDoneSpeaking():
                await (await self._attend(owner)).user_done(self)
            case StopInterview():
                self._runner = await self.service.stop(owner, self)
            case LeaveInterview():
                await self.service.leave(owner, self)
            case InterviewerAudioChunk():
                pass
            case _:
                raise NotImplementedError(event)
        return Accepted()

    async def refused(self, event: str, error: Exception) -> Refused:
        code, text = public_face(error)
        await self.tell(InterviewError(error=text, code=code, event=event))
        return Refused(code=code, error=text)

    async def unreadable(self, event: str, why: str) -> NoReturn:
        raise InvalidInput(why)

    async def disconnected(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.detach(self)

    async def interview_handover(self, _: Mapping[str, Any]) -> None:
        """The reader goes on on another worker."""
        if self._runner is not None and self._runner.seat is self:
            await self._runner.hand_over()

    # ------------------------------------------------------------------ what is streamed

    async def _hear(self, owner: Owner, command: AudioChunk) -> Reply:
        _require_length(command)
        if self._is_after_the_end():
            return Accepted()
        runner = await self._attend_stream(owner)
        try:
            runner.listen(command.payload, command.sample_rate)
        except UnsupportedMedia as error:
            # It was told once for the interview; each further chunk is only acknowledged so.
            code, text = public_face(error)
            return Refused(code=code, error=text)
        return Accepted()

    async def _caption(self, owner: Owner, command: ClientTranscript) -> Reply:
        if not self._is_after_the_end():
            runner = await self._attend_stream(owner)
            await runner.caption(command.text, is_final=command.is_final)
        return Accepted()

    def _is_after_the_end(self) -> bool:
        """Whether a stream runs on after its interview, which tells this socket nothing more."""
        runner = self._runner
        return self._had_one and (runner is None or runner.is_over or runner.seat is not self)

    async def _attend_stream(self, owner: Owner) -> InterviewRunner:
        """As `_attend`, without asking the store for every piece of a stream that is for nobody."""
        now = asyncio.get_running_loop().time()
        if now < self._absent_until:
            raise SessionNotFound("there is no interview to go on with")
        try:
            return await self._attend(owner)
        except SessionNotFound:
            self._absent_until = now + ABSENT_S
            raise

    # ------------------------------------------------------------------ who

    async def _attend(self, owner: Owner) -> InterviewRunner:
        """The interview of this socket's reader, with this socket in it."""
        runner = self._runner
        if runner is None or runner.is_over or runner.seat is not self:
            self._runner = runner = await self.service.attend(owner, self)
            self._had_one = True
        return runner

    def _claim(self, user_id: int) -> Owner:
        """Hold the socket to one identity: the credential's, else the first it claims."""
        self.identity.claim(str(user_id))
        return Owner(user_id, is_account=self.identity.account is not None)


def _require_length(command: AudioChunk) -> None:
    """What is in a container is counted again when it is decoded.

    Raises:
        PayloadTooLarge: more sound than one chunk may hold.
    """
    is_contained = sniff(command.payload[:SNIFF_BYTES]) is not None
    rate_hz = HIGHEST_RATE_HZ if is_contained else command.sample_rate
    most = MAX_CHUNK_S * rate_hz * SAMPLE_BYTES + (HEADER_BYTES if is_contained else 0)
    if len(command.payload) > most:
        raise PayloadTooLarge(f"an audio chunk holds at most {MAX_CHUNK_S} s")
