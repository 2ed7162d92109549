"""Live talk over Socket.IO: events in, steps of a session out. One socket, one session at most."""

from collections.abc import Callable
from typing import Any, NoReturn, cast

from msgspec import UNSET

from readrealm.kernel.errors import (
    AppError,
    InvalidInput,
    InvalidState,
    PayloadTooLarge,
    ProviderUnavailable,
    StreamNotActive,
    public_face,
)
from readrealm.kernel.wire import parse
from readrealm.socketio_bridge import EventConsumer
from readrealm.socketio_bridge.session import Session as EngineSession
from speech.audio.pcm import decode_base64
from speech.gateway.events import (
    CANNOT_CONNECT,
    COMMANDS,
    INVALID_AUDIO,
    INVALID_PARAMETERS,
    NO_SESSION,
    NOTHING_TO_STOP,
    AudioPlayed,
    Done,
    Refused,
    SendAudio,
    SessionStatus,
    Start,
)
from speech.gateway.pump import Pump
from speech.gateway.services import GatewayService
from speech.gateway.steps import Tell

INVALID_BY_EVENT = {"start": INVALID_PARAMETERS, "sendAudio": INVALID_AUDIO}


class GatewayConsumer(EventConsumer):
    """The voice of one socket.

    Args:
        service: gives the service of the running event loop.
        address_of: the client's address in a scope; anonymous readers are told apart by it.
    """

    events = frozenset(COMMANDS)
    refusals = (AppError,)

    service: GatewayService

    def __init__(
        self,
        service: Callable[[], GatewayService],
        address_of: Callable[[dict[str, Any]], str],
    ) -> None:
        self._service_here, self._address_of = service, address_of
        self.pump: Pump | None = None

    async def connected(self) -> None:
        self.service = self._service_here()

    async def answer(self, event: str, data: Any) -> Done | Refused:
        pump = self._active_pump
        if event == "sendAudio" and pump is None:
            raise StreamNotActive(NO_SESSION)
        if event == "stop":
            return await self._stop(pump)
        match parse(COMMANDS[event].payload, data):
            case Start() as command:
                return await self._start(command)
            case SendAudio(audio=audio) if pump is not None:
                await pump.hear(self._sound(audio))
            case AudioPlayed(ms=ms, item_id=item_id):
                if pump is not None:
                    await pump.played(ms, None if item_id is UNSET else item_id)
            case _:
                raise NotImplementedError(event)
        return Done()

    async def refused(self, event: str, error: Exception) -> Refused:
        code, text = public_face(error)
        if isinstance(error, InvalidInput) and event in INVALID_BY_EVENT:
            text = INVALID_BY_EVENT[event]
        details = error.details if isinstance(error, AppError) else {}
        await self.emit("error", text)
        retry_after_ms = details.get("retry_after_ms", UNSET)
        return Refused(code=code, error=text, retry_after_ms=retry_after_ms)

    async def unreadable(self, event: str, why: str) -> NoReturn:
        raise InvalidInput(why)

    async def disconnected(self) -> None:
        if self.pump is not None:
            await self.pump.abandon()

    @property
    def _active_pump(self) -> Pump | None:
        return None if self.pump is None or self.pump.is_over else self.pump

    async def _start(self, command: Start) -> Done | Refused:
        client = SocketClient(self, largest_frame_bytes=self.service.largest_frame_bytes)
        reader = self._reader()
        following = await self.service.prepare(command, reader=reader, client=client)
        previous = self._active_pump
        if previous is not None:
            # Gone before the new one begins: nothing of it may come after.
            await previous.abandon()
        self.pump = None
        try:
            await following.open()
        except AppError as error:
            refusal = await self._not_opened(error)
            if previous is not None:
                await self.emit("sessionStatus", SessionStatus(active=False))
            return refusal
        self.pump = following
        return Done()

    async def _not_opened(self, error: AppError) -> Refused:
        if isinstance(error, ProviderUnavailable):
            return Refused(code=error.code, error=CANNOT_CONNECT)
        return await self.refused("start", error)

    async def _stop(self, pump: Pump | None) -> Done:
        if pump is None:
            raise InvalidState(NOTHING_TO_STOP)
        await pump.stop()
        return Done()

    def _sound(self, audio: str) -> bytes:
        most = self.service.largest_audio_bytes
        # Known from its length, before memory is spent on it.
        if len(audio) > -(-most // 3) * 4:
            raise PayloadTooLarge(f"more than {most} bytes of sound in one event")
        return decode_base64(audio)

    def _reader(self) -> str:
        account = self.scope["identity"].account
        if account is not None:
            return f"account:{account.user_id}"
        return f"address:{self._address_of(self.scope)}"


class SocketClient:
    """See `Client`."""

    def __init__(self, consumer: GatewayConsumer, *, largest_frame_bytes: int) -> None:
        self._consumer = consumer
        self._outlet = cast(EngineSession, consumer.inbox.outlet)
        self._usual_bytes: int = self._outlet.engine.max_http_buffer_size
        self._largest_bytes = max(largest_frame_bytes, self._usual_bytes)

    @property
    def is_gone(self) -> bool:
        return bool(self._outlet.closed)

    @property
    def backlog_bytes(self) -> int:
        return int(self._outlet.queued_bytes)

    def allow_large_frames(self, allowed: bool) -> None:
        self._outlet.accept_frames_up_to(self._largest_bytes if allowed else self._usual_bytes)

    async def tell(self, event: Tell) -> None:
        if event.payload is None:
            await self._consumer.emit(event.event)
        else:
            await self._consumer.emit(event.event, event.payload)
