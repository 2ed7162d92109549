"""One socket: what it is answered, and what it may hold."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from readrealm.kernel.errors import StoreUnavailable
from readrealm.kernel.identity import Identity, SocketIdentity
from speech.audio.pcm import encode_base64
from speech.gateway.consumer import GatewayConsumer
from speech.gateway.events import Done, Refused, SessionStatus, State
from speech.gateway.pump import Patience
from speech.gateway.quota import TooManySessions
from speech.gateway.services import GatewayService
from speech.realtime.protocol import SessionSpec
from tests.unit.speech.gateway.fakes import FakeDesk, FakeTalk

START = {"systemMessage": "Be brief.", "temperature": 0.8, "bookId": "2701"}
BLOCK = {"audio": "A" * 6_400}


class Outlet:
    """The socket underneath."""

    def __init__(self) -> None:
        self.closed = False
        self.queued_bytes = 0
        self.engine = SimpleNamespace(max_http_buffer_size=1_000)
        self.limit = 1_000

    def accept_frames_up_to(self, max_bytes: int) -> None:
        self.limit = max_bytes


class Shelf:
    async def describe(self, book_id: int) -> str | None:
        return "Moby Dick by Herman Melville" if book_id == 2701 else None


class Socket(GatewayConsumer):
    """The consumer as the bridge drives it, over lists instead of a connection."""

    def __init__(self, account: Identity | None = None) -> None:
        self.talks: list[FakeTalk] = []
        self.specs: list[SessionSpec] = []
        self.desk = FakeDesk()
        self.refuses = False
        service = GatewayService(
            call=self._call,
            desk=self.desk,
            books=Shelf(),
            largest_frame_bytes=100_000,
            largest_audio_bytes=4_802,
            patience=Patience(drain=0.05),
        )
        super().__init__(lambda: service, lambda scope: scope["client"][0])
        self.scope = {"identity": SocketIdentity(account), "client": ("10.0.0.1", 5)}
        self.outlet = Outlet()
        self.inbox = SimpleNamespace(outlet=self.outlet)  # type: ignore[assignment]
        self.heard: list[tuple[Any, ...]] = []

    def _call(self, spec: SessionSpec) -> FakeTalk:
        self.specs.append(spec)
        self.talks.append(FakeTalk(refuses=self.refuses))
        return self.talks[-1]

    async def emit(self, event: str, *args: Any) -> None:
        self.heard.append((event, *args))

    async def send_event(self, event: str, data: Any = None) -> Any:
        """Answer as the bridge does: a refusal goes through `refused`."""
        try:
            return await self.answer(event, data)
        except Exception as error:
            return await self.refused(event, error)


async def opened(account: Identity | None = None) -> Socket:
    socket = Socket(account)
    await socket.connected()
    return socket


async def test_without_a_session_there_is_nothing_to_hear_or_stop() -> None:
    socket = await opened()

    heard = await socket.send_event("sendAudio", {"audio": "no base 64"})
    stopped = await socket.send_event("stop", {"any": "payload"})
    played = await socket.send_event("audioPlayed", {"ms": 5})

    assert heard == Refused(code="STREAM_NOT_ACTIVE", error="No active session")
    assert stopped == Refused(code="INVALID_STATE", error="No active session to stop")
    assert played == Done()
    assert [text for _, text in socket.heard] == [heard.error, stopped.error]


async def test_a_session_knows_the_book_and_counts_for_its_reader() -> None:
    account = Identity(user_id="7", username="Ada", authenticated=True)
    anonymous, ada = await opened(), await opened(account)

    assert await anonymous.send_event("start", START) == Done()
    assert await ada.send_event("start", START) == Done()

    assert anonymous.desk.open == ["address:10.0.0.1"]
    assert ada.desk.open == ["account:7"]
    assert ada.specs[0].book_id == 2701
    assert "The book is Moby Dick by Herman Melville." in ada.specs[0].instructions
    for socket in (anonymous, ada):
        await socket.disconnected()
        assert socket.desk.open == []
        assert not socket.talks[0].is_open


async def test_large_frames_only_while_a_session_is_active() -> None:
    socket = await opened()
    limits = [socket.outlet.limit]
    await socket.send_event("start", START)
    limits.append(socket.outlet.limit)
    assert await socket.send_event("stop") == Done()
    limits.append(socket.outlet.limit)

    assert limits == [1_000, 100_000, 1_000]


async def test_a_wrong_start_leaves_the_session_alone() -> None:
    socket = await opened()
    await socket.send_event("start", START)

    refused = await socket.send_event("start", {**START, "temperature": 3})

    assert refused == Refused(code="VALIDATION_ERROR", error="Invalid session parameters")
    assert await socket.send_event("sendAudio", BLOCK) == Done()
    assert len(socket.talks) == 1
    await socket.disconnected()


async def test_more_sound_than_one_event_may_carry_is_refused_and_the_session_goes_on() -> None:
    socket = await opened()
    await socket.send_event("start", START)

    longest = await socket.send_event("sendAudio", {"audio": encode_base64(bytes(4_802))})
    refused = await socket.send_event("sendAudio", {"audio": encode_base64(bytes(4_806))})
    afterwards = await socket.send_event("sendAudio", BLOCK)

    assert longest == afterwards == Done()
    assert refused == Refused(code="PAYLOAD_TOO_LARGE", error="Invalid audio data")
    assert socket.heard[-1] == ("error", "Invalid audio data")
    await socket.disconnected()


async def test_a_restart_ends_the_old_session_first_and_without_a_word() -> None:
    socket = await opened()
    await socket.send_event("start", START)
    told = len(socket.heard)

    assert await socket.send_event("start", START) == Done()

    first, second = socket.talks
    assert (first.is_open, second.is_open) == (False, True)
    assert socket.desk.open == ["address:10.0.0.1"]
    assert socket.heard[told] == ("state", State.WORKING)
    assert ("sessionStatus", SessionStatus(active=False)) not in socket.heard
    await socket.disconnected()


async def test_a_restart_that_fails_says_that_nothing_is_active() -> None:
    socket = await opened()
    await socket.send_event("start", START)
    told = len(socket.heard)
    socket.refuses = True

    answer = await socket.send_event("start", START)

    text = "Connection error: Unable to send config."
    assert answer == Refused(code="PROVIDER_UNAVAILABLE", error=text)
    assert socket.heard[told:] == [
        ("state", State.WORKING),
        ("error", text),
        ("state", State.READY_TO_START),
        ("sessionStatus", SessionStatus(active=False)),
    ]
    assert (await socket.send_event("sendAudio", BLOCK)).ok is False


async def test_who_leaves_while_the_last_answer_is_waited_for_leaves_nothing_behind() -> None:
    socket = await opened()
    object.__setattr__(socket.service, "patience", Patience(drain=30.0))
    await socket.send_event("start", START)
    await socket.send_event("sendAudio", BLOCK)
    stopping = asyncio.create_task(socket.answer("stop", None))
    await socket.talks[0].until("commit")

    stopping.cancel()
    await asyncio.wait([stopping])
    await socket.disconnected()

    assert not socket.talks[0].is_open
    assert socket.desk.open == []


@pytest.mark.parametrize(
    "refusal", [TooManySessions(2, retry_after_ms=60_000), StoreUnavailable()], ids=repr
)
async def test_a_reader_who_may_not_is_told_why_and_nothing_else(refusal: Exception) -> None:
    socket = await opened()
    socket.desk.refusal = refusal

    answer = await socket.send_event("start", START)

    assert answer.error == str(refusal)
    assert socket.heard == [("error", str(refusal))]


async def test_a_failure_that_nobody_meant_is_told_without_its_text() -> None:
    socket = await opened()

    answer = await socket.refused("start", KeyError("secret"))

    assert (answer.code, answer.error) == ("INTERNAL_ERROR", "something went wrong on our side")
