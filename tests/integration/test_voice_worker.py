"""Processing workers at work: real sound, real processes, and deaths in the middle."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest
from gridfs.asynchronous import AsyncGridFSBucket
from pymongo import AsyncMongoClient

from speech.audio.pcm import from_samples
from speech.audio.resample import Resampler
from tests.conftest import StartServer
from tests.integration.test_routes import Clients, new_id
from tests.support.processes import PYTHON, Program
from tests.support.routes import RoutesClient
from tests.support.worker import Server
from tests.unit.speech.audio import muxing
from tests.unit.speech.audio.recordings import needs_recordings, recording, silence

pytestmark = [pytest.mark.timeout(120), needs_recordings]

WORDS = {"reports", "from", "the", "north", "which", "chiefly", "people", "buy"}
SENTENCE = "arctic_a0024.wav"


SETTLED_S = 1.0
"""So old may a value of the configuration be wherever it is used, and nobody says when it is not:
what a change does is looked for when this time is over."""


@pytest.fixture(scope="module")
def site(shared_server: StartServer) -> Server:
    return shared_server(workers=2, STT_PROCESSES="2")


@pytest.fixture
async def clients(site: Server) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(site.url, stack)


class Workers:
    """Processing workers beside a server. Who is left running by one test works for the next."""

    def __init__(self, site: Server) -> None:
        self._site = site
        self._started: list[Program] = []

    def one(self) -> Program:
        """The only worker that runs: one that was left, or a new one."""
        running = [worker for worker in self._started if worker.process.poll() is None]
        for worker in running[1:]:
            worker.end()
        return running[0] if running else self.another()

    def another(self) -> Program:
        """A new worker, beside those that run."""
        environment = {
            **self._site.environment,
            "HOST": "127.0.0.1",
            "PORT": str(self._site.port),
            "REDIS_URL": self._site.redis_url,
        }
        worker = Program([PYTHON, "manage.py", "voice_worker"], environment=environment)
        self._started.append(worker)
        worker.wait_for_line("the voice worker listens", timeout_s=90)
        return worker

    def none(self) -> None:
        """End every worker."""
        while self._started:
            self._started.pop().end()


@pytest.fixture(scope="module")
def workers(site: Server) -> Iterator[Workers]:
    made = Workers(site)
    yield made
    made.none()


def sentence() -> Any:
    return np.concatenate([silence(0.5), recording(SENTENCE), silence(1.0)])


def seconds_of(stream: bytes, count: int) -> list[bytes]:
    return muxing.cut(stream, -(-len(stream) // count))


async def stream(
    client: RoutesClient,
    chunks: list[bytes],
    mime: str,
    *,
    stop: bool = True,
    leave_out: int | None = None,
) -> str:
    session = new_id()
    await client.ask("session:start", {"sessionId": session})
    await client.ask("audio:start", {"sessionId": session})
    for seq, chunk in enumerate(chunks, 1):
        if seq == leave_out:
            continue
        answer = await client.chunk(session, seq, chunk, mime)
        assert answer["success"], answer
    if stop:
        await client.ask("audio:stop", {"sessionId": session})
    return session


def finals(client: RoutesClient, session: str) -> list[dict[str, Any]]:
    return [
        text
        for text in client.named("audio:transcription")
        if text["isFinal"] and text["sessionId"] == session
    ]


async def final_words(client: RoutesClient, session: str, *, timeout_s: float = 75) -> set[str]:
    """The words of all final texts once they are those of the sentence."""

    def words() -> set[str]:
        return {word for text in finals(client, session) for word in text["text"].split()}

    await client.until(lambda: len(words() & WORDS) >= 6, timeout_s=timeout_s)
    return words()


async def until_finished(site: Server, session: str) -> None:
    """Come back when the workers are done with a session's streams."""
    # Recognition comes after everything else that runs on a busy machine.
    async with asyncio.timeout(75), AsyncMongoClient(site.environment["MONGODB_URL"]) as mongo:
        streams = mongo.get_default_database()["voice_streams"]
        while await streams.find_one({"session": session, "finished": False}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def big_endian(samples: Any) -> bytes:
    return np.frombuffer(from_samples(samples), "<i2").astype(">i2").tobytes()


def at_48_khz(samples: Any) -> bytes:
    resampler = Resampler(16_000, 48_000)
    return from_samples(np.concatenate([resampler.feed(samples), resampler.finish()]))


MAKERS = {
    "audio/webm;codecs=opus": muxing.webm,
    "audio/ogg": muxing.ogg,
    "audio/mp4": muxing.mp4_aac,
    "audio/pcm": from_samples,
    "audio/l16;rate=16000": big_endian,
    "audio/x-raw; rate=48000": at_48_khz,
}


async def test_every_kind_of_stream_comes_back_as_words(clients: Clients, workers: Workers) -> None:
    workers.one()
    client = await clients.open()
    for mime, make in MAKERS.items():
        session = await stream(client, seconds_of(make(sentence()), 6), mime)

        assert len(await final_words(client, session) & WORDS) >= 6, mime
        (text, *_) = finals(client, session)
        assert 0 <= text["startMs"] < 1_500
        assert 2_000 < text["endMs"] <= 5_600
        activity = [each for each in client.named("audio:vad") if each["sessionId"] == session]
        assert [each["speaking"] for each in activity][:2] == [True, False]
        assert 300 <= activity[0]["atMs"] <= 1_200


async def test_a_stranger_hears_nothing_and_the_owner_sees_interim_texts(
    clients: Clients, workers: Workers
) -> None:
    workers.one()
    owner, stranger = await clients.on_both_workers()
    chunks = seconds_of(from_samples(sentence()), 6)
    session = await stream(owner, chunks[:4], "audio/pcm", stop=False)
    interim = await owner.wait_for("audio:transcription", timeout_s=30)
    for seq, chunk in enumerate(chunks[4:], 5):
        await owner.chunk(session, seq, chunk, "audio/pcm")
    await owner.ask("audio:stop", {"sessionId": session})
    await final_words(owner, session)

    assert interim["isFinal"] is False
    assert interim["text"]
    assert finals(owner, session)[0]["startMs"] == interim["startMs"]
    assert stranger.named("audio:transcription") == stranger.named("audio:vad") == []


async def test_a_worker_that_is_killed_loses_no_chunk(clients: Clients, workers: Workers) -> None:
    first = workers.one()
    client = await clients.open()
    chunks = seconds_of(muxing.webm(sentence()), 6)
    session = await stream(client, chunks[:3], "audio/webm", stop=False)
    await client.wait_for("audio:vad")

    second = workers.another()
    first.send_signal(signal.SIGKILL)
    for seq, chunk in enumerate(chunks[3:], 4):
        assert (await client.chunk(session, seq, chunk))["success"]
    await client.ask("audio:stop", {"sessionId": session})

    assert len(await final_words(client, session) & WORDS) >= 6
    (text,) = [text for text in finals(client, session) if text["text"]]
    assert 0 <= text["startMs"] < 1_500
    assert second.process.poll() is None


async def test_chunks_that_nobody_works_on_wait_for_a_worker(
    clients: Clients, workers: Workers
) -> None:
    workers.none()
    client = await clients.open()
    session = await stream(client, seconds_of(muxing.ogg(sentence()), 4), "audio/ogg")

    workers.one()

    assert len(await final_words(client, session) & WORDS) >= 6


async def test_the_configuration_steers_what_the_next_chunk_gets(
    clients: Clients, workers: Workers, site: Server
) -> None:
    workers.one()
    client = await clients.open()
    sound = seconds_of(from_samples(sentence()), 6)
    try:
        await client.ask("config:update", {"category": "stt", "key": "enabled", "value": False})
        await client.ask("config:update", {"category": "vad", "key": "threshold", "value": 1.0})
        await asyncio.sleep(SETTLED_S)
        deaf = await stream(client, sound, "audio/pcm")
        await until_finished(site, deaf)
        await client.ask("config:reset", {"category": "vad"})
        await asyncio.sleep(SETTLED_S)
        heard = await stream(client, sound, "audio/pcm")
        await client.until(
            lambda: [v for v in client.named("audio:vad") if v["sessionId"] == heard]
        )

        assert [v for v in client.named("audio:vad") if v["sessionId"] == deaf] == []
        assert client.named("audio:transcription") == []

        await client.ask("config:reset", {})
        update = {"category": "stt", "key": "language", "value": "fr"}
        assert (await client.ask("config:update", update))["success"]
        await asyncio.sleep(SETTLED_S)
        await stream(client, sound, "audio/pcm")
        error = await client.wait_for("audio:error", timeout_s=30)
        assert error["code"] == "PROVIDER_UNAVAILABLE"
        assert "English" in error["error"]
    finally:
        await client.ask("config:reset", {})
        await asyncio.sleep(SETTLED_S)


async def test_speakers_are_not_told_apart_without_a_model(clients: Clients) -> None:
    client = await clients.open()
    update = {"category": "diarization", "key": "enabled", "value": True}

    refused = await client.ask("config:update", update)

    assert refused["code"] == "PROVIDER_UNAVAILABLE"
    read = await client.ask("config:get", {"category": "diarization"})
    assert read["data"]["config"]["enabled"] is False


async def test_sound_is_recorded_only_if_that_was_said_before_the_stream_began(
    clients: Clients, workers: Workers, site: Server
) -> None:
    workers.one()
    client = await clients.open()
    switch = {"category": "pipeline", "key": "recordAudio", "value": True}
    chunks = seconds_of(muxing.webm(sentence()), 6)
    try:
        unrecorded = await stream(client, chunks, "audio/webm")
        assert (await client.ask("config:update", switch))["success"]
        await asyncio.sleep(SETTLED_S)
        # The third of six chunks is lost: its place in the recording is silence.
        recorded = await stream(client, chunks, "audio/webm", leave_out=3)
        for session in (unrecorded, recorded):
            await until_finished(site, session)
    finally:
        await client.ask("config:reset", {"category": "pipeline"})
        await asyncio.sleep(SETTLED_S)

    async with AsyncMongoClient(site.environment["MONGODB_URL"]) as mongo:
        bucket = AsyncGridFSBucket(mongo.get_default_database(), bucket_name="voice_recordings")
        files = await bucket.find({}).to_list()
        assert [file.filename for file in files] == [f"{recorded}-1.wav"]
        wav = await (await bucket.open_download_stream(f"{recorded}/1")).read()
    assert len(wav) - 44 == pytest.approx(2 * len(sentence()), rel=0.03)


async def test_chunks_that_overtake_each_other_are_put_in_order(
    clients: Clients, workers: Workers
) -> None:
    workers.one()
    client = await clients.open()
    chunks = seconds_of(muxing.webm(sentence()), 6)
    session = new_id()
    await client.ask("session:start", {"sessionId": session})
    await client.ask("audio:start", {"sessionId": session})
    for seq in (1, 3, 2, 2, 6, 4, 5):
        assert (await client.chunk(session, seq, chunks[seq - 1]))["success"]
    await client.ask("audio:stop", {"sessionId": session})

    assert len(await final_words(client, session) & WORDS) >= 6
    assert len([text for text in finals(client, session) if text["text"]]) == 1


async def test_what_cannot_be_decoded_is_said_once(clients: Clients, workers: Workers) -> None:
    workers.one()
    client = await clients.open()

    session = await stream(client, [b"this is no sound" * 10] * 3, "audio/webm")
    error = await client.wait_for("audio:error")
    good = await stream(client, seconds_of(muxing.webm(sentence()), 5), "audio/webm")
    await final_words(client, good)

    assert (error["sessionId"], error["code"]) == (session, "UNSUPPORTED_MEDIA")
    assert len(client.named("audio:error")) == 1


async def test_a_valkey_that_is_killed_and_comes_back_empty_loses_no_chunk(
    clients: Clients, workers: Workers, site: Server
) -> None:
    workers.one()
    client = await clients.open()
    chunks = seconds_of(muxing.webm(sentence()), 6)
    session = await stream(client, chunks[:3], "audio/webm", stop=False)
    await client.wait_for("audio:vad")

    os.kill(site.store_pid("valkey-server"), signal.SIGKILL)
    for seq, chunk in enumerate(chunks[3:], 4):
        assert (await client.chunk(session, seq, chunk))["success"]
    await client.ask("audio:stop", {"sessionId": session})
    await until_finished(site, session)

    again = await client.ask("session:start", {"sessionId": session})
    heard = {word for text in again["data"]["transcript"] for word in text["text"].split()}
    assert len(heard & WORDS) >= 6


async def test_a_worker_comes_back_to_a_server_that_was_restarted(
    clients: Clients, workers: Workers, site: Server
) -> None:
    worker = workers.one()
    await asyncio.to_thread(site.restart)
    client = await clients.open()

    session = await stream(client, seconds_of(muxing.webm(sentence()), 5), "audio/webm")

    assert len(await final_words(client, session) & WORDS) >= 6
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait) == 0
