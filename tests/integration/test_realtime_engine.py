"""The local engine as a client meets it: the openai SDK over loopback, and real speech."""

import asyncio
import base64
import contextlib
import json
import stat
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import websockets
from openai import AsyncOpenAI
from websockets.exceptions import InvalidStatus

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import encode_base64, from_samples
from speech.engines.detector import SileroDetector
from speech.engines.recogniser import Deadlines, RecogniserPool, RecogniserSpec
from speech.engines.speaker import EspeakSpeaker
from speech.realtime.connection import Engines
from speech.realtime.server import MAX_FRAME_BYTES, RealtimeServer, read_address
from tests.unit.speech.audio.muxing import cut
from tests.unit.speech.audio.recordings import at_24_khz, needs_recordings, recording, silence

# One event loop for all: what recognises was started on it, and serves one test after the other.
pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

BLOCK = 4_800
PATIENT = Deadlines(start=60, wait=60, answer=60)
PAUSE = at_24_khz(silence(1.0))


class Parrot:
    """Answers with what it heard, in as many sentences as it is told."""

    def __init__(self) -> None:
        self.sentences = 2
        self.questions: list[Any] = []
        self.failure: Exception | None = None

    async def prepare(self, book_id):
        pass

    async def reply(self, question):
        self.questions.append(question)
        if self.failure is not None:
            raise self.failure
        yield f"You said: {question.text}."
        for number in range(1, self.sentences):
            yield f"This is sentence number {number} of my long answer."


@pytest.fixture(scope="module")
def parrot():
    return Parrot()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[RecogniserPool]:
    made = RecogniserPool(RecogniserSpec(), processes=2, deadlines=PATIENT)
    yield made
    await made.close()


@pytest.fixture
def engines(parrot, pool) -> Engines:
    parrot.__init__()
    return Engines(
        detector=SileroDetector, recogniser=pool, speaker=EspeakSpeaker(), replies=parrot
    )


@pytest_asyncio.fixture(loop_scope="module")
async def address(engines) -> AsyncIterator[str]:
    async with RealtimeServer().listening(engines, read_address("127.0.0.1:0")) as at:
        yield at


@contextlib.asynccontextmanager
async def session(address: str, **settings: Any):
    """A connection of the SDK, with its configuration confirmed."""
    client = AsyncOpenAI(api_key="none", websocket_base_url=f"ws://{address}/v1", max_retries=0)
    async with client, client.realtime.connect(model="local") as connection:
        assert (await receive(connection)).type == "session.created"
        audio = {"input": {"transcription": {"model": "local"}, **settings.pop("input", {})}}
        await connection.session.update(session={"type": "realtime", "audio": audio, **settings})
        assert (await receive(connection)).type == "session.updated"
        yield connection


async def receive(connection):
    return await asyncio.wait_for(connection.recv(), 60)


async def until(connection, *types: str) -> list[Any]:
    """Events up to the first of one of these types."""
    events = []
    while True:
        event = await receive(connection)
        events.append(event)
        if event.type in types:
            return events


async def say(connection, *parts: bytes, block: int = BLOCK) -> None:
    for piece in cut(b"".join(parts), block):
        await connection.input_audio_buffer.append(audio=encode_base64(piece))


def spoken(name: str = "new_home.wav") -> bytes:
    return at_24_khz(recording(name))


def types(events) -> list[str]:
    """Names in order, repetitions of deltas once."""
    names = [event.type for event in events]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


@needs_recordings
async def test_a_turn_is_heard_understood_and_answered_in_the_order_of_the_protocol(
    address, parrot
):
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE)
        events = await until(connection, "response.done")

    heard = [name for name in types(events) if "transcription.delta" not in name]
    assert heard[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert heard[6:10] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
    ]
    assert heard[-6:] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    by_type = {event.type: event for event in events}
    text = by_type["conversation.item.input_audio_transcription.completed"].transcript
    assert "find a new home in the stars" in text
    assert parrot.questions[0].text == text
    done = by_type["response.done"].response
    assert done.status == "completed"
    assert done.output[0].content[0].transcript.startswith(f"You said: {text}.")


@needs_recordings
async def test_the_words_of_the_user_arrive_while_they_are_spoken(address):
    async with session(address) as connection:
        await say(connection, spoken("arctic_a0024.wav"))
        (*_, first) = await until(connection, "conversation.item.input_audio_transcription.delta")
        assert first.delta.strip()
        await say(connection, PAUSE)
        events = await until(connection, "response.done")
    stopped = next(event for event in events if event.type.endswith("speech_stopped"))
    assert stopped.item_id == first.item_id


@needs_recordings
async def test_the_answer_is_sound_that_lasts_as_long_as_its_words(address):
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE)
        events = await until(connection, "response.done")
    deltas = [event for event in events if event.type == "response.output_audio.delta"]
    pcm = b"".join(base64.b64decode(event.delta, validate=True) for event in deltas)
    assert 4 < len(pcm) / 48_000 < 20
    assert all(len(base64.b64decode(event.delta)) == BLOCK for event in deltas[:-1])
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 3_000


@needs_recordings
async def test_speaking_into_an_answer_ends_it_at_once(address, parrot):
    parrot.sentences = 400
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE)
        await until(connection, "response.output_audio.delta")
        await say(connection, spoken("goforward.wav"), PAUSE)
        events = await until(connection, "response.done")
        parrot.sentences = 1
        names = types(events)
        assert "input_audio_buffer.speech_started" in names
        started = max(
            at for at, event in enumerate(events) if event.type.endswith("speech_started")
        )
        done = events[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "turn_detected")
        after = [event.type for event in events[started:]]
        assert "response.output_audio.delta" not in after
        again = await until(connection, "response.done")
    assert again[-1].response.status == "completed"


@needs_recordings
async def test_a_client_may_cancel_and_then_say_how_much_was_heard(address, parrot):
    parrot.sentences = 400
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE)
        events = await until(connection, "response.output_audio.delta")
        item_id = events[-1].item_id
        await connection.response.cancel()
        done = (await until(connection, "response.done"))[-1].response
        assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")

        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=50
        )
        truncated = (await until(connection, "conversation.item.truncated"))[-1]
        assert truncated.audio_end_ms == 50
        await connection.conversation.item.retrieve(item_id=item_id)
        item = (await until(connection, "conversation.item.retrieved"))[-1].item
        assert "sentence number" not in item.content[0].transcript

        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=10_000_000
        )
        refused = (await until(connection, "error"))[-1].error
        assert "already shorter" in refused.message
        await connection.response.cancel()
        assert (await until(connection, "error"))[-1].error.code == "response_cancel_not_active"


@needs_recordings
async def test_with_push_to_talk_the_client_ends_the_turn_and_asks_for_the_answer(address):
    async with session(address, input={"turn_detection": None}) as connection:
        await say(connection, spoken())
        await connection.input_audio_buffer.commit()
        events = await until(connection, "conversation.item.input_audio_transcription.completed")
        assert "input_audio_buffer.speech_started" not in types(events)
        assert "home in the stars" in events[-1].transcript
        await connection.response.create()
        events = await until(connection, "response.done")
        assert "home in the stars" in events[-1].response.output[0].content[0].transcript


@needs_recordings
async def test_a_turn_longer_than_one_event_may_come_in_any_pieces(address):
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE, block=100_001)
        events = await until(connection, "response.done")
    assert events[-1].response.status == "completed"


async def test_text_is_answered_as_well_and_in_text_if_that_is_wanted(address, parrot):
    async with session(address, output_modalities=["text"]) as connection:
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Who is Ahab"}],
            }
        )
        await until(connection, "conversation.item.done")
        await connection.response.create(response={"metadata": {"topic": "ahab"}})
        events = await until(connection, "response.done")
    assert "response.output_audio.delta" not in types(events)
    response = events[-1].response
    assert response.output[0].content[0].text.startswith("You said: Who is Ahab.")
    assert response.metadata == {"topic": "ahab"}


async def test_a_provider_that_fails_is_a_failed_answer_and_the_session_goes_on(address, parrot):
    parrot.failure = ProviderUnavailable("the language model does not answer")
    async with session(address) as connection:
        await connection.response.create()
        done = (await until(connection, "response.done"))[-1].response
        assert done.status == "failed"
        assert done.status_details.error.code == "provider_unavailable"
        parrot.failure = None
        await connection.response.create()
        assert (await until(connection, "response.done"))[-1].response.status == "completed"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "invalid_json"),
        ("[]", "invalid_json"),
        ('{"type":"no.such.event"}', "invalid_value"),
        ('{"type":["x"]}', "invalid_value"),
        ("{}", "invalid_value"),
        ('{"type":"input_audio_buffer.append","audio":"%%%"}', "invalid_value"),
        ('{"type":"input_audio_buffer.append","audio":""}', "invalid_value"),
        ('{"type":"input_audio_buffer.append"}', "invalid_value"),
        ('{"type":"input_audio_buffer.commit"}', "input_audio_buffer_commit_empty"),
        ('{"type":"response.cancel"}', "response_cancel_not_active"),
        ('{"type":"conversation.item.delete","item_id":"x"}', "item_delete_invalid_item_id"),
        ('{"type":"conversation.item.retrieve","item_id":"x"}', "item_retrieve_invalid_item_id"),
        (
            '{"type":"conversation.item.truncate","item_id":"x","content_index":0,"audio_end_ms":0}',
            "item_truncate_invalid_item_id",
        ),
        ('{"type":"session.update","session":{"type":"realtime","audio":7}}', "invalid_value"),
        (
            '{"type":"session.update","session":{"type":"realtime",'
            '"audio":{"output":{"voice":"nobody"}}}}',
            "invalid_value",
        ),
    ],
)
async def test_a_wrong_event_is_an_error_event_and_kills_nothing(address, frame, code):
    async with websockets.connect(f"ws://{address}/v1/realtime", proxy=None) as connection:
        assert json.loads(await connection.recv())["type"] == "session.created"
        await connection.send(frame)
        error = json.loads(await asyncio.wait_for(connection.recv(), 10))
        assert error["type"] == "error"
        assert error["error"]["code"] == code
        await connection.send('{"type":"session.update","session":{"type":"realtime"}}')
        assert json.loads(await connection.recv())["type"] == "session.updated"


async def test_an_error_names_the_event_that_caused_it(address):
    async with websockets.connect(f"ws://{address}/v1/realtime", proxy=None) as connection:
        await connection.recv()
        await connection.send('{"type":"response.cancel","event_id":"mine"}')
        assert json.loads(await connection.recv())["error"]["event_id"] == "mine"


async def test_an_answer_while_one_is_given_is_refused(address, parrot):
    parrot.sentences = 400
    async with session(address) as connection:
        await connection.response.create()
        await connection.response.create()
        error = (await until(connection, "error"))[-1].error
        assert error.code == "conversation_already_has_active_response"


async def test_a_frame_that_is_too_large_closes_only_its_own_connection(address):
    url = f"ws://{address}/v1/realtime"
    async with websockets.connect(url, proxy=None) as other:
        connection = await websockets.connect(url, proxy=None)
        await connection.recv()
        await connection.send("x" * (MAX_FRAME_BYTES + 1))
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await asyncio.wait_for(connection.recv(), 10)
        assert closed.value.rcvd.code == 1009
        await other.recv()
        await other.send('{"type":"input_audio_buffer.clear"}')
        assert json.loads(await other.recv())["type"] == "input_audio_buffer.cleared"


async def test_what_is_cleared_is_not_answered(address, parrot):
    async with session(address, input={"turn_detection": None}) as connection:
        await say(connection, from_samples(np.full(24_000, 0.1, np.float32)))
        await connection.input_audio_buffer.clear()
        await until(connection, "input_audio_buffer.cleared")
        await connection.input_audio_buffer.commit()
        error = (await until(connection, "error"))[-1].error
        assert error.code == "input_audio_buffer_commit_empty"
    assert parrot.questions == []


@needs_recordings
async def test_two_sessions_never_hear_each_other(address):
    async def talk(name: str) -> str:
        async with session(address) as connection:
            await say(connection, spoken(name), PAUSE)
            events = await until(connection, "response.done")
            return next(e.transcript for e in events if e.type.endswith("transcription.completed"))

    home, forward = await asyncio.gather(talk("new_home.wav"), talk("goforward.wav"))
    assert "home" in home
    assert "home" not in forward
    assert "forward" in forward


@needs_recordings
async def test_who_leaves_in_the_middle_leaves_nothing_running(address, engines, parrot):
    parrot.sentences = 400
    before = len(asyncio.all_tasks())
    async with session(address) as connection:
        await say(connection, spoken(), PAUSE)
        await until(connection, "response.output_audio.delta")
        await say(connection, spoken())
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - nobody tells when a task is gone
            await asyncio.sleep(0.02)
    assert engines.recogniser._busy == set()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/realtime", {"Origin": "https://evil.test"}, 403),
        ("/v1/realtime", {"Origin": "null"}, 403),
        ("/v1/elsewhere", {}, 404),
    ],
)
async def test_browsers_and_strangers_are_not_served(address, path, headers, status):
    with pytest.raises(InvalidStatus) as refused:
        await websockets.connect(f"ws://{address}{path}", additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == status


async def test_with_a_token_only_who_shows_it_is_served(engines):
    server = RealtimeServer(token="right")
    async with server.listening(engines, read_address("127.0.0.1:0")) as address:
        url = f"ws://{address}/v1/realtime"
        for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
            with pytest.raises(InvalidStatus) as refused:
                await websockets.connect(url, additional_headers=shown, proxy=None)
            assert refused.value.response.status_code == 401
        shown = {"Authorization": "Bearer right"}
        async with websockets.connect(url, additional_headers=shown, proxy=None) as connection:
            assert json.loads(await connection.recv())["type"] == "session.created"


async def test_there_are_only_so_many_sessions(engines):
    server = RealtimeServer(max_sessions=1)
    async with server.listening(engines, read_address("127.0.0.1:0")) as address:
        url = f"ws://{address}/v1/realtime"
        async with websockets.connect(url, proxy=None) as first:
            await first.recv()
            with pytest.raises(InvalidStatus) as refused:
                await websockets.connect(url, proxy=None)
            assert refused.value.response.status_code == 503
        async with asyncio.timeout(10):
            while server._sessions:  # noqa: ASYNC110 - nobody tells when a session is gone
                await asyncio.sleep(0.01)
        async with websockets.connect(url, proxy=None) as second:
            await second.recv()


async def test_a_socket_file_serves_its_owner_only(engines, tmp_path):
    path = tmp_path / "engine.sock"
    async with RealtimeServer().listening(engines, read_address(f"unix:{path}")) as at:
        assert at == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with websockets.unix_connect(str(path), "ws://localhost/v1/realtime") as connection:
            assert json.loads(await connection.recv())["type"] == "session.created"
    assert not path.exists()


async def test_a_stopping_engine_tells_its_sessions(engines):
    async with RealtimeServer().listening(engines, read_address("127.0.0.1:0")) as address:
        connection = await websockets.connect(f"ws://{address}/v1/realtime", proxy=None)
        await connection.recv()
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await connection.recv()
    assert closed.value.rcvd.code == 1001


async def test_a_session_of_a_certain_age_is_told_so_and_ended(engines):
    server = RealtimeServer(session_s=1.5)
    async with (
        server.listening(engines, read_address("127.0.0.1:0")) as at,
        websockets.connect(f"ws://{at}/v1/realtime") as connection,
    ):
        created = json.loads(await connection.recv())
        assert -1 <= created["session"]["expires_at"] - time.time() <= 1.5
        async with asyncio.timeout(20):
            told = json.loads(await connection.recv())
            await connection.wait_closed()
    assert (told["type"], told["error"]["code"]) == ("error", "session_expired")
    assert connection.close_code == 1001
