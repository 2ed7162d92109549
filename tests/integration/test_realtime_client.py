"""The one client path, against our engine's server and against a provider that we script."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.detector import SileroDetector
from speech.engines.recogniser import Deadlines as Patience
from speech.engines.recogniser import RecogniserPool, RecogniserSpec
from speech.engines.speaker import EspeakSpeaker
from speech.realtime import providers
from speech.realtime.client import Deadlines, RealtimeClient, Reconnected, Reconnecting
from speech.realtime.connection import Engines
from speech.realtime.events import (
    AnswerDelta,
    AudioDelta,
    Failure,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    TranscriptCompleted,
)
from speech.realtime.protocol import Dialect, ReconnectPlan, SessionSpec
from speech.realtime.renewal import RenewalPlan
from speech.realtime.server import RealtimeServer, read_address
from tests.unit.speech.audio.muxing import cut
from tests.unit.speech.audio.recordings import at_24_khz, needs_recordings, recording, silence

pytestmark = pytest.mark.timeout(120)

SPEC = SessionSpec(instructions="Be kind.", temperature=0.9, book_id=11)
QUICK = ReconnectPlan(attempts=2, first_delay_s=0.01)
AGEING = RenewalPlan(limit=0.3, look=0.02, pause=0.05)
"""A session is old after a quarter of a second."""

Script = Callable[["Provider", ServerConnection], Awaitable[None]]


@dataclass
class Provider:
    """A provider that does what a test tells it to, and keeps what it was told."""

    script: Script
    requests: list[Any] = field(default_factory=list)
    heard: list[list[dict]] = field(default_factory=list)
    heard_on: dict[ServerConnection, list[dict]] = field(default_factory=dict)
    address: str = ""
    refuse: int = 0
    """Connections that are refused with 503 before one is taken."""

    async def serve_one(self, connection: ServerConnection) -> None:
        self.requests.append(connection.request)
        self.heard.append([])
        self.heard_on[connection] = self.heard[-1]
        await self.script(self, connection)

    async def hear(self, connection: ServerConnection) -> dict:
        event = json.loads(await connection.recv())
        self.heard_on[connection].append(event)
        return event

    def admit(self, connection, request):
        if self.refuse:
            self.refuse -= 1
            return connection.respond(503, "busy\n")
        return None

    @property
    def url(self) -> str:
        return f"ws://{self.address}/v1"


@contextlib.asynccontextmanager
async def provider(script: Script) -> AsyncIterator[Provider]:
    made = Provider(script)
    async with serve(made.serve_one, "127.0.0.1", 0, process_request=made.admit) as server:
        made.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


def local(made: Provider) -> providers.Provider:
    return providers.local(made.address)


async def say(connection: ServerConnection, kind: str, **fields: Any) -> None:
    await connection.send(json.dumps({"type": kind, "event_id": "e", **fields}))


async def confirm(made: Provider, connection: ServerConnection) -> dict:
    await say(connection, "session.created", session={"id": "s"})
    update = await made.hear(connection)
    await say(connection, "session.updated", session=update["session"])
    return update


async def listen(made: Provider, connection: ServerConnection) -> None:
    await confirm(made, connection)
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await made.hear(connection)


async def next_of(events, kind):
    async with asyncio.timeout(20):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError("it ended")


async def test_a_session_is_configured_before_anything_else_is_said():
    async with provider(listen) as made, RealtimeClient(local(made), SPEC) as client:
        events = aiter(client)
        assert isinstance(await anext(events), SessionCreated)
        assert isinstance(await anext(events), SessionUpdated)
    (update, *_) = made.heard[0]
    assert update["type"] == "session.update"
    assert update["session"]["instructions"] == "Be kind."
    assert "temperature" not in json.dumps(update)
    assert made.requests[0].path == "/v1/realtime?model=local"


async def test_everything_the_gateway_says_goes_out_in_the_words_of_the_protocol():
    async with provider(listen) as made, RealtimeClient(local(made), SPEC) as client:
        await client.append(b"\0\0" * 2_400)
        await client.commit()
        await client.respond()
        await client.cancel()
        await client.cancel("resp_1")
        await client.truncate("item_1", audio_end_ms=1_500)
        async with asyncio.timeout(10):
            while len(made.heard[0]) < 7:  # noqa: ASYNC110 - the other end tells nobody
                await asyncio.sleep(0.01)
    _, append, commit, respond, cancel, cancel_one, truncate = made.heard[0]
    assert append["type"] == "input_audio_buffer.append"
    assert len(append["audio"]) == 6_400
    assert commit == {"type": "input_audio_buffer.commit"}
    assert respond == {"type": "response.create"}
    assert cancel == {"type": "response.cancel"}
    assert cancel_one == {"type": "response.cancel", "response_id": "resp_1"}
    assert truncate == {
        "type": "conversation.item.truncate",
        "item_id": "item_1",
        "content_index": 0,
        "audio_end_ms": 1_500,
    }


@pytest.mark.parametrize(
    ("made_provider", "path", "headers", "absent"),
    [
        (
            lambda url: replaced(providers.azure("https://r.test", "dep", key="K"), url),
            "/v1/realtime?model=dep",
            {"api-key": "K"},
            "Authorization",
        ),
        (
            lambda url: replaced(
                providers.azure("https://r.test", "dep", key="K", dialect=Dialect.PREVIEW), url
            ),
            "/v1/realtime?model=dep&api-version=2025-04-01-preview&deployment=dep",
            {"api-key": "K"},
            "Authorization",
        ),
        (
            lambda url: providers.openai("gpt", key="K", base_url=url),
            "/v1/realtime?model=gpt",
            {"Authorization": "Bearer K"},
            "OpenAI-Beta",
        ),
        (
            lambda url: providers.openai("gpt", key="K", base_url=url, dialect=Dialect.PREVIEW),
            "/v1/realtime?model=gpt",
            {"Authorization": "Bearer K", "OpenAI-Beta": "realtime=v1"},
            "api-key",
        ),
    ],
    ids=["azure", "azure preview", "openai", "openai preview"],
)
async def test_every_provider_is_called_as_it_wants(made_provider, path, headers, absent):
    async with (
        provider(listen) as made,
        RealtimeClient(made_provider(made.url), SPEC),
    ):
        request = made.requests[0]
    assert request.path == path
    assert {name: request.headers[name] for name in headers} == headers
    assert absent not in request.headers


def replaced(chosen: providers.Provider, url: str) -> providers.Provider:
    return dataclasses.replace(chosen, base_url=url)


async def test_a_token_is_asked_for_anew_for_every_connection():
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    async def script(made, connection):
        await confirm(made, connection)
        if len(made.heard) == 1:
            await connection.close(1011)
        else:
            await connection.wait_closed()

    async with provider(script) as made:
        chosen = replaced(providers.azure("https://r.test", "dep", token=token), made.url)
        async with RealtimeClient(chosen, SPEC, plan=QUICK) as client:
            await next_of(client, Reconnected)
    shown = [request.headers["Authorization"] for request in made.requests]
    assert shown == ["Bearer first", "Bearer second"]


async def test_events_of_the_preview_arrive_under_their_present_names():
    async def script(made, connection):
        await confirm(made, connection)
        await say(connection, "response.audio.delta", item_id="i", delta="AAAA")
        await say(connection, "response.audio_transcript.delta", item_id="i", delta="Hi")
        await connection.wait_closed()

    async with provider(script) as made:
        chosen = providers.openai("m", key="", base_url=made.url, dialect=Dialect.PREVIEW)
        async with RealtimeClient(chosen, SPEC) as client:
            events = aiter(client)
            assert (await next_of(events, AudioDelta)).delta == "AAAA"
            assert (await next_of(events, AnswerDelta)).delta == "Hi"
    assert made.heard[0][0]["session"]["temperature"] == 0.9


async def test_what_nobody_here_knows_or_can_read_is_passed_over():
    async def script(made, connection):
        await confirm(made, connection)
        await say(connection, "rate_limits.updated", rate_limits=[])
        await say(connection, "response.output_audio.delta", delta=7)
        await connection.send("not json")
        await connection.send(b"\xff\xfe")
        await say(connection, "input_audio_buffer.speech_started", item_id="i", audio_start_ms=5)
        await connection.wait_closed()

    async with provider(script) as made, RealtimeClient(local(made), SPEC) as client:
        assert (await next_of(client, SpeechStarted)).audio_start_ms == 5


async def test_an_error_of_the_provider_is_an_event_and_not_the_end():
    async def script(made, connection):
        await confirm(made, connection)
        await say(connection, "error", error={"type": "x", "message": "no", "code": "c"})
        await say(connection, "response.done", response={"id": "r", "status": "completed"})
        await connection.wait_closed()

    async with provider(script) as made, RealtimeClient(local(made), SPEC) as client:
        events = aiter(client)
        assert (await next_of(events, Failure)).error.message == "no"
        assert (await next_of(events, ResponseDone)).response.status == "completed"


async def test_after_a_lost_connection_the_session_and_what_was_said_are_told_again():
    async def script(made, connection):
        await confirm(made, connection)
        if len(made.heard) == 1:
            kind = "conversation.item.input_audio_transcription.completed"
            await say(connection, kind, item_id="i", transcript="Who is Ahab?")
            kind = "response.output_audio_transcript.done"
            await say(connection, kind, item_id="j", transcript="A captain.")
            await connection.close(1011)
            return
        await made.hear(connection)
        await made.hear(connection)
        await say(connection, "input_audio_buffer.speech_started", item_id="k")
        await connection.wait_closed()

    async with (
        provider(script) as made,
        RealtimeClient(local(made), SPEC, plan=QUICK) as client,
    ):
        events = aiter(client)
        await next_of(events, TranscriptCompleted)
        assert (await next_of(events, Reconnecting)).attempt == 1
        assert isinstance(await anext(events), Reconnected)
        assert isinstance(await anext(events), SessionCreated)
        await next_of(events, SpeechStarted)
    update, question, answer = made.heard[1]
    assert update == made.heard[0][0]
    assert question["item"]["content"] == [{"type": "input_text", "text": "Who is Ahab?"}]
    assert answer["item"]["role"] == "assistant"


async def test_sound_is_dropped_and_commands_are_refused_while_reconnecting():
    async def script(made, connection):
        await confirm(made, connection)
        await connection.close(1011)

    plan = ReconnectPlan(attempts=1, first_delay_s=30)
    async with provider(script) as made, RealtimeClient(local(made), SPEC, plan=plan) as client:
        await next_of(client, Reconnecting)
        await client.append(b"\0\0" * 100)
        with pytest.raises(ProviderUnavailable, match="reconnected"):
            await client.commit()


async def test_a_provider_that_stays_away_is_given_up():
    async def script(made, connection):
        await confirm(made, connection)
        made.refuse = 100
        await connection.close(1011)

    async with provider(script) as made, RealtimeClient(local(made), SPEC, plan=QUICK) as client:
        seen: list[Any] = []
        with pytest.raises(ProviderUnavailable, match="has ended the connection"):
            await collect(client, seen)
        assert [e.attempt for e in seen if isinstance(e, Reconnecting)] == [1, 2]


async def collect(client: RealtimeClient, seen: list[Any]) -> None:
    async for event in client:
        seen.append(event)  # noqa: PERF401 - what was seen counts when it ends with an error


@pytest.mark.parametrize("code", [1000, 1008, 4000])
async def test_a_close_that_is_meant_is_the_end(code):
    async def script(made, connection):
        await confirm(made, connection)
        await connection.close(code, "beta_api_shape_disabled")

    async with provider(script) as made, RealtimeClient(local(made), SPEC, plan=QUICK) as client:
        with pytest.raises(ProviderUnavailable):
            await next_of(client, Reconnected)
    assert len(made.heard) == 1


async def test_a_provider_that_is_not_there_is_unavailable():
    async with provider(listen) as made:
        gone = local(made)
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        async with RealtimeClient(gone, SPEC):
            pass


async def test_a_provider_that_refuses_us_is_unavailable_and_says_why():
    async with provider(listen) as made:
        made.refuse = 1
        with pytest.raises(ProviderUnavailable, match="503"):
            async with RealtimeClient(local(made), SPEC):
                pass


async def test_a_refused_session_is_a_clear_refusal():
    async def script(made, connection):
        await say(connection, "session.created", session={})
        update = await made.hear(connection)
        error = {"type": "invalid_request_error", "message": "no such voice"}
        await say(connection, "error", error={**error, "event_id": update["event_id"]})
        await connection.wait_closed()

    async with provider(script) as made:
        with pytest.raises(ProviderUnavailable, match="no such voice"):
            async with RealtimeClient(local(made), SPEC):
                pass


@pytest.mark.parametrize("silent_from", ["greeting", "confirmation"])
async def test_a_provider_that_says_nothing_is_given_up_in_time(silent_from):
    async def script(made, connection):
        if silent_from == "confirmation":
            await say(connection, "session.created", session={})
        await connection.wait_closed()

    deadlines = Deadlines(configure=0.2)
    async with provider(script) as made:
        with pytest.raises(ProviderUnavailable, match="does not confirm"):
            async with RealtimeClient(local(made), SPEC, deadlines=deadlines):
                pass


async def test_a_provider_that_takes_nothing_is_given_up_in_time():
    over = asyncio.Event()

    async def script(made, connection):
        await confirm(made, connection)
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    deadlines = Deadlines(send=0.2, close=0.2)
    async with (
        provider(script) as made,
        RealtimeClient(local(made), SPEC, deadlines=deadlines) as client,
    ):
        with pytest.raises(ProviderUnavailable, match="takes nothing"):
            await flood(client)
        over.set()


async def flood(client: RealtimeClient) -> None:
    for _ in range(200):
        await client.append(bytes(200_000))


async def test_leaving_closes_the_connection():
    closed = asyncio.Event()

    async def script(made, connection):
        await confirm(made, connection)
        await connection.wait_closed()
        closed.set()

    async with provider(script) as made:
        async with RealtimeClient(local(made), SPEC):
            pass
        await asyncio.wait_for(closed.wait(), 10)


HEARD = "conversation.item.input_audio_transcription.completed"
SAID = "response.output_audio_transcript.done"


async def converse(connection: ServerConnection) -> None:
    """A turn and its answer, both to their end."""
    await say(connection, "input_audio_buffer.speech_started", item_id="i")
    await say(connection, "input_audio_buffer.speech_stopped", item_id="i")
    await say(connection, "input_audio_buffer.committed", item_id="i")
    await say(connection, HEARD, item_id="i", transcript="Who is Ahab?")
    await say(connection, "response.created", response={"id": "r"})
    await say(connection, SAID, response_id="r", item_id="j", transcript="A captain.")
    await say(connection, "response.done", response={"id": "r", "status": "completed"})


def ageing(made: Provider, **options: Any) -> RealtimeClient:
    return RealtimeClient(local(made), SPEC, plan=QUICK, renewal=AGEING, **options)


async def test_an_old_session_is_replaced_by_one_that_knows_what_was_said():
    ended = asyncio.Event()

    async def script(made, connection):
        await confirm(made, connection)
        if len(made.heard) == 1:
            await made.hear(connection)
            await converse(connection)
            await connection.wait_closed()
            ended.set()
            return
        for _ in range(3):
            await made.hear(connection)
        await say(connection, "input_audio_buffer.speech_started", item_id="k")
        await connection.wait_closed()

    async with provider(script) as made, ageing(made) as client:
        events = aiter(client)
        await client.append(b"\1\0" * 24_000)
        await next_of(events, ResponseDone)
        seen: list[Any] = [await next_of(events, SessionCreated)]
        seen += [await anext(events), await next_of(events, SpeechStarted)]
        await asyncio.wait_for(ended.wait(), 10)

    first, (update, question, answer, missed) = made.heard[0], made.heard[1]
    assert update == first[0]
    assert question["item"]["content"] == [{"type": "input_text", "text": "Who is Ahab?"}]
    assert answer["item"]["content"] == [{"type": "output_text", "text": "A captain."}]
    assert missed["type"] == "input_audio_buffer.append"
    assert len(base64.b64decode(missed["audio"])) == 24_000, "half a second"
    assert seen[-1].item_id == "k"
    assert not [event for event in seen if isinstance(event, Failure | Reconnecting)]


async def test_no_sound_is_lost_or_reordered_when_sessions_change():
    number = 0
    async with provider(listen) as made, ageing(made) as client:
        collecting = asyncio.create_task(collect(client, []))
        async with asyncio.timeout(20):
            while len(made.heard) < 2 or len(sound_of(made.heard[1])) < 60_000:
                await client.append(number.to_bytes(2, "little") * 2_400)
                number += 1
                await asyncio.sleep(0.005)  # as a microphone does, which is never all at once
    await asyncio.wait({collecting})

    said = b"".join(n.to_bytes(2, "little") * 2_400 for n in range(number))
    first, second = sound_of(made.heard[0]), sound_of(made.heard[1])
    assert first == said[: len(first)]
    repeated = len(first) - 24_000
    assert second == said[repeated : repeated + len(second)]


def sound_of(heard: list[dict]) -> bytes:
    appended = (event for event in heard if event["type"] == "input_audio_buffer.append")
    return b"".join(base64.b64decode(event["audio"]) for event in appended)


@pytest.mark.parametrize("under_way", ["a turn", "an answer", "sound"])
async def test_what_is_under_way_is_not_interrupted_by_a_renewal(under_way):
    go_on = asyncio.Event()

    async def script(made, connection):
        await confirm(made, connection)
        if len(made.heard) > 1:
            await connection.wait_closed()
            return
        if under_way == "a turn":
            await say(connection, "input_audio_buffer.speech_started", item_id="i")
        else:
            await say(connection, "response.created", response={"id": "r"})
        if under_way == "sound":
            part = {"response_id": "r", "item_id": "j"}
            sound = "A" * 64_000 * 3
            await say(connection, "response.output_audio.delta", delta=sound, **part)
            await say(connection, "response.done", response={"id": "r"})
        await go_on.wait()
        await converse(connection)
        await connection.wait_closed()

    async with provider(script) as made, ageing(made) as client:
        seen: list[Any] = []
        collecting = asyncio.create_task(collect(client, seen))
        # Time itself is the matter: so old a session would be replaced if nothing were under way.
        await asyncio.sleep(4 * AGEING.limit)
        assert len(made.heard) == 1
        go_on.set()
        async with asyncio.timeout(20):
            while len(made.heard) == 1:  # noqa: ASYNC110 - the other end tells nobody
                await asyncio.sleep(0.01)
    await asyncio.wait({collecting})
    assert any(isinstance(event, ResponseDone) for event in seen)


async def test_a_new_session_is_given_up_if_somebody_speaks_while_it_opens():
    async def script(made, connection):
        number = len(made.heard)
        if number == 2:
            # The first one hears a voice while the second one is being opened.
            await say(first[0], "input_audio_buffer.speech_started", item_id="i")
            await spoken.wait()
        else:
            first.append(connection)
        await confirm(made, connection)
        if number == 2:
            await connection.wait_closed()
            given_up.set()
        await connection.wait_closed()

    first: list[ServerConnection] = []
    spoken, given_up = asyncio.Event(), asyncio.Event()
    async with provider(script) as made, ageing(made) as client:
        events = aiter(client)
        await next_of(events, SpeechStarted)
        spoken.set()
        await asyncio.wait_for(given_up.wait(), 10)
        await converse(first[0])
        assert (await next_of(events, ResponseDone)).response.id == "r"
    assert len(made.heard) >= 2


async def test_a_session_lives_on_if_there_is_no_new_one_yet():
    async def script(made, connection):
        if not made.heard[1:]:
            made.refuse = 2
        await listen(made, connection)

    async with provider(script) as made, ageing(made) as client:
        events = aiter(client)
        await next_of(events, SessionUpdated)
        await next_of(events, SessionUpdated)
        assert made.refuse == 0
    assert len(made.heard) == 2


@pytest.mark.parametrize("close_code", [1000, 1001])
async def test_a_session_that_has_expired_begins_anew_without_an_error(close_code):
    async def script(made, connection):
        await confirm(made, connection)
        if len(made.heard) == 1:
            error = {"type": "invalid_request_error", "code": "session_expired", "message": "old"}
            await say(connection, "error", error=error)
            await connection.close(close_code, "old")
        await connection.wait_closed()

    async with (
        provider(script) as made,
        RealtimeClient(local(made), SPEC, plan=QUICK) as client,
    ):
        seen = []
        async with asyncio.timeout(20):
            async for event in client:
                seen.append(event)
                if isinstance(event, Reconnected):
                    break
    assert not [event for event in seen if isinstance(event, Failure)]
    assert [event.attempt for event in seen if isinstance(event, Reconnecting)] == [1]


class Echo:
    async def prepare(self, book_id):
        pass

    async def reply(self, question):
        yield f"Book {question.book_id}. You said: {question.text}."


@needs_recordings
@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_our_own_engine_is_one_provider_among_others(kind, tmp_path):
    pool = RecogniserPool(
        RecogniserSpec(), processes=1, deadlines=Patience(start=60, wait=60, answer=60)
    )
    engines = Engines(
        detector=SileroDetector, recogniser=pool, speaker=EspeakSpeaker(), replies=Echo()
    )
    address = "127.0.0.1:0" if kind == "tcp" else f"unix:{tmp_path / 'engine.sock'}"
    async with (
        RealtimeServer(token="t").listening(engines, read_address(address)) as at,
        RealtimeClient(providers.local(at, token="t"), SPEC) as client,
    ):
        sound = at_24_khz(recording("new_home.wav")) + at_24_khz(silence(1))
        for block in cut(sound, 4_800):
            await client.append(block)
        async with asyncio.timeout(60):
            events = [event async for event in _until_done(client)]
    await pool.close()
    text = next(e.transcript for e in events if isinstance(e, TranscriptCompleted))
    words = "".join(e.delta for e in events if isinstance(e, AnswerDelta))
    assert "home in the stars" in text
    assert words == f"Book 11. You said: {text}."
    assert any(isinstance(event, AudioDelta) for event in events)


@needs_recordings
async def test_a_conversation_with_our_own_engine_outlives_its_sessions():
    pool = RecogniserPool(
        RecogniserSpec(), processes=1, deadlines=Patience(start=60, wait=60, answer=60)
    )
    engines = Engines(
        detector=SileroDetector, recogniser=pool, speaker=EspeakSpeaker(), replies=Echo()
    )
    await pool.start()
    server, began = RealtimeServer(session_s=16), time.monotonic()
    renewal = RenewalPlan(shortest=0, look=0.05)
    seen: list[Any] = []
    async with (
        server.listening(engines, read_address("127.0.0.1:0")) as at,
        RealtimeClient(providers.local(at), SPEC, renewal=renewal) as client,
    ):
        collecting = asyncio.create_task(collect(client, seen))
        sound = at_24_khz(recording("new_home.wav")) + at_24_khz(silence(1))
        for _ in range(2):
            for block in cut(sound, 4_800):
                await client.append(block)
                await asyncio.sleep(0.1)  # sound comes as fast as it is spoken
            async with asyncio.timeout(40):
                sessions = sessions_of(seen)
                while sessions_of(seen) == sessions:  # noqa: ASYNC110 - events come to the list
                    await asyncio.sleep(0.05)
        collecting.cancel()
        await asyncio.wait({collecting})
    await pool.close()

    assert time.monotonic() - began > 16
    assert sessions_of(seen) >= 3
    heard = [event.transcript for event in seen if isinstance(event, TranscriptCompleted)]
    assert len(heard) == 2
    assert all("home in the stars" in text for text in heard)
    assert sum(isinstance(event, ResponseDone) for event in seen) == 2
    assert not [event for event in seen if isinstance(event, Failure | Reconnecting)]


def sessions_of(seen: list[Any]) -> int:
    return sum(isinstance(event, SessionCreated) for event in seen)


async def _until_done(client):
    async for event in client:
        yield event
        if isinstance(event, ResponseDone):
            return
