"""Measures voice sessions under load: ``python -m tests.benchmarks.bench_routes``.

Sessions stream chunks of one second to two workers of the server while two processing workers
look for voice in them; recognition is off. In the second run the processing worker that holds the
sessions is killed (SIGKILL) in the middle. What is measured is the time from sending a chunk to its
``audio:chunk:processed``; what is checked is that every accepted chunk was processed, in order: the
speech that the owners are told of must be, to the millisecond, what the same pipeline finds in the
same chunks when it is run here, and the streams as long as they are.

``--sessions``, ``--seconds`` change the load; ``--write`` puts the result into
``docs/benchmarks/routes.md``. Needs the recordings beside the repository.
"""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("DEBUG", "true")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readrealm.settings")

import numpy as np
import redis
from pymongo import AsyncMongoClient

from readrealm.stores.addresses import mongod_url
from speech.audio.pcm import Samples
from speech.engines.detector import SileroDetector
from speech.routes.configuration import PipelineConfig, effective
from speech.routes.lease import PREFIX
from speech.routes.pipeline import SoundPipeline, SpeechBegan, SpeechEnded
from tests.support.processes import PYTHON, ROOT, Program
from tests.support.routes import RoutesClient, chunk
from tests.support.worker import Server
from tests.unit.speech.audio import muxing
from tests.unit.speech.audio.recordings import recording, silence

RESULT = ROOT / "docs" / "benchmarks" / "routes.md"
LIMIT_MS = 250
CHUNK_S = 1.0
MIME = "audio/webm;codecs=opus"
CLIPS = ("arctic_a0024.wav", "jfk.wav", "new_home.wav", "lj001-0002.wav", "austen_0880.wav")

Activity = list[tuple[bool, int]]


@dataclass(frozen=True, slots=True)
class Speech:
    """What every session says."""

    chunks: list[bytes]
    activity: Activity
    """What is found in it: whether speech begins or ends, and when (ms)."""
    sound_ms: int


@dataclass(slots=True)
class Outcome:
    """One run."""

    sessions: int
    seconds: int
    is_killed: bool
    latencies_ms: list[float] = field(default_factory=list)
    accepted: int = 0
    processed: int = 0
    late: int = 0
    wrong_order: int = 0
    wrong_speech: int = 0
    short_streams: int = 0
    took_over: int = 0
    """Streams that a second worker has finished."""

    @property
    def lost(self) -> int:
        return self.accepted - self.processed

    @property
    def is_good(self) -> bool:
        faults = (self.lost, self.late, self.wrong_order, self.wrong_speech, self.short_streams)
        return not any(faults) and self.quantile_ms(99) < LIMIT_MS

    def quantile_ms(self, percent: int) -> float:
        return statistics.quantiles(self.latencies_ms, n=100)[percent - 1]


def speech(seconds: int) -> Speech:
    """A text read aloud, as a recorder sends it, and what a pipeline makes of it."""
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * 16_000:
        parts += [silence(0.7), recording(CLIPS[len(parts) // 2 % len(CLIPS)])]
    stream = muxing.webm(np.concatenate(parts)[: seconds * 16_000])
    chunks = muxing.cut(stream, -(-len(stream) // seconds))
    pipeline = SoundPipeline(SileroDetector, PipelineConfig.of(effective({})))
    found = [event for chunk in chunks for event in pipeline.hear(chunk, MIME)]
    found += pipeline.finish()
    activity = [
        (isinstance(event, SpeechBegan), event.at_ms)
        for event in found
        if isinstance(event, SpeechBegan | SpeechEnded)
    ]
    return Speech(chunks, activity, pipeline.sound_ms)


class Session:
    """One client that streams."""

    def __init__(self, client: RoutesClient, number: str, said: Speech) -> None:
        self.client, self.id, self.said = client, f"bench:{number}", said
        self.sent_at: dict[int, float] = {}

    async def open(self) -> None:
        for event in ("session:start", "audio:start"):
            answer = await self.client.ask(event, {"sessionId": self.id})
            assert answer["success"], answer

    async def stream(self, *, begin: float, on_chunk: Callable[[int], None]) -> None:
        """Send each chunk at its time, whether or not the one before has been answered."""
        for seq, sound in enumerate(self.said.chunks, 1):
            await asyncio.sleep(max(0.0, begin + (seq - 1) * CHUNK_S - time.monotonic()))
            payload = chunk(self.id, seq, sound, MIME)
            self.sent_at[seq] = time.monotonic()
            await self.client.emit("audio:chunk", payload)
            on_chunk(seq)
        await self.client.wait_for("audio:chunk:processed", len(self.said.chunks), timeout_s=30)
        await self.client.ask("session:end", {"sessionId": self.id})

    def report(self, outcome: Outcome) -> None:
        """Add what this session has seen."""
        numbers = []
        for (event, data), at in zip(self.client.heard, self.client.heard_at, strict=True):
            if event == "audio:chunk:processed" and data["success"]:
                seq = data["data"]["seq"]
                numbers.append(seq)
                outcome.latencies_ms.append((at - self.sent_at[seq]) * 1000)
        outcome.accepted += len(numbers)
        outcome.wrong_order += numbers != sorted(numbers)
        told = [(each["speaking"], each["atMs"]) for each in self.client.named("audio:vad")]
        # Told twice is allowed where a worker died between telling and noting that it had.
        once = list(dict.fromkeys(told))
        outcome.wrong_speech += once != self.said.activity


class Bench:
    """A server with processing workers."""

    def __init__(self, folder: Path) -> None:
        environment = {
            "MONGODB_URL": "",
            "VOICE": "false",
            "SOCKETS_PER_ADDRESS": "off",
            "HANDSHAKE_RATE": "off",
            "LOG_LEVEL": "INFO",
        }
        self.server = Server(folder, workers=2, environment=environment)
        self.workers: list[Program] = []

    def start_worker(self) -> None:
        environment = {**self.server.environment, "PORT": str(self.server.port)}
        command = [PYTHON, "manage.py", "voice_worker"]
        worker = Program(command, environment=environment)
        self.workers.append(worker)
        worker.wait_for_line("the voice worker listens", timeout_s=60)

    async def run(self, said: Speech, *, sessions: int, seconds: int, is_killed: bool) -> Outcome:
        outcome = Outcome(sessions, seconds, is_killed)
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(RoutesClient(self.server.url))
                for _ in range(sessions)
            ]
            update = {"category": "stt", "key": "enabled", "value": False}
            assert (await clients[0].ask("config:update", update))["success"]
            run = "killed" if is_killed else "whole"
            running = [
                Session(client, f"{run}:{number}", said) for number, client in enumerate(clients)
            ]
            for session in running:
                await session.open()
            await self._stream(running, seconds, is_killed=is_killed)
            await self._finish(running, outcome)
            for session in running:
                await _settled(session)
                session.report(outcome)
        return outcome

    async def _stream(self, running: Sequence[Session], seconds: int, *, is_killed: bool) -> None:
        sent = 0
        middle = asyncio.Event()

        def on_chunk(seq: int) -> None:
            nonlocal sent
            sent += 1
            draw(sent, len(running) * seconds)
            if seq > seconds // 2:
                middle.set()

        async def kill() -> None:
            await middle.wait()
            busiest = self._busiest()
            self.workers.remove(busiest)
            busiest.send_signal(signal.SIGKILL)

        begin = time.monotonic() + 0.5
        async with asyncio.TaskGroup() as group:
            for number, session in enumerate(running):
                # Spread over the second, as readers are.
                at = begin + CHUNK_S * number / len(running)
                group.create_task(session.stream(begin=at, on_chunk=on_chunk))
            if is_killed:
                group.create_task(kill())

    def _busiest(self) -> Program:
        """The processing worker that holds the most sessions."""
        with redis.Redis.from_url(self.server.redis_url) as valkey:
            holders = [valkey.get(key) for key in valkey.scan_iter(PREFIX + "*")]
        held = Counter(holder.split(b":")[1].decode() for holder in holders if holder)
        return max(self.workers, key=lambda worker: held[str(worker.pid)])

    async def _finish(self, running: Sequence[Session], outcome: Outcome) -> None:
        """Wait until the processing workers are done, and ask the store what became of it all."""
        ids = [session.id for session in running]
        url = mongod_url(self.server.folder)
        async with asyncio.timeout(120), AsyncMongoClient[dict[str, Any]](url) as mongo:
            streams = mongo.get_default_database()["voice_streams"]
            unfinished = {"session": {"$in": ids}, "finished": False}
            while await streams.count_documents(unfinished):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            async for stream in streams.find({"session": {"$in": ids}}):
                outcome.processed += stream["chunks"] - stream["late"]
                outcome.late += stream["late"]
                outcome.short_streams += stream["soundMs"] != running[0].said.sound_ms
                outcome.took_over += stream["term"] > 1


async def _settled(session: Session) -> None:
    """Wait for the last reports, which are told and not acknowledged."""
    last = session.said.activity[-1] if session.said.activity else None
    if last is not None:
        await session.client.until(
            lambda: (
                last
                in [(each["speaking"], each["atMs"]) for each in session.client.named("audio:vad")]
            )
        )


def draw(done: int, of: int) -> None:
    """A bar on standard error, where that is a terminal."""
    if sys.stderr.isatty():
        filled = 30 * done // of
        bar = "#" * filled + "." * (30 - filled)
        sys.stderr.write(f"\r[{bar}] {done}/{of} chunks" + ("\n" if done == of else ""))
        sys.stderr.flush()


@contextmanager
def bench() -> Iterator[Bench]:
    """Everything that a run needs, with two processing workers."""
    with tempfile.TemporaryDirectory(prefix="rr-bench-") as folder:
        running = Bench(Path(folder))
        try:
            running.server.start()
            running.start_worker()
            running.start_worker()
            yield running
        finally:
            for worker in running.workers:
                worker.end()
            running.server.close()


async def measure(*, sessions: int, seconds: int) -> list[Outcome]:
    """Both runs."""
    said = speech(seconds)
    with bench() as running:
        return [
            await running.run(said, sessions=sessions, seconds=seconds, is_killed=is_killed)
            for is_killed in (False, True)
        ]


def table(outcomes: Sequence[Outcome]) -> str:
    """The result as Markdown."""
    head = (
        "| run | chunks accepted | processed | lost | late | p50 | p99 | max | taken over | "
        "order and speech right |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    rows = []
    for each in outcomes:
        name = "a processing worker killed in the middle" if each.is_killed else "undisturbed"
        right = each.sessions - max(each.wrong_order, each.wrong_speech, each.short_streams)
        rows.append(
            f"| {name} | {each.accepted} | {each.processed} | {each.lost} | {each.late} "
            f"| {each.quantile_ms(50):.1f} ms | {each.quantile_ms(99):.1f} ms "
            f"| {max(each.latencies_ms):.1f} ms | {each.took_over} streams "
            f"| {right} of {each.sessions} sessions |"
        )
    return head + "\n".join(rows) + "\n"


def page(outcomes: Sequence[Outcome]) -> str:
    """The page of the documentation."""
    first = outcomes[0]
    verdict = "met" if all(each.is_good for each in outcomes) else "MISSED"
    return (
        "# Voice sessions under load\n\n"
        f"{first.sessions} sessions stream chunks of one second of WebM/Opus for "
        f"{first.seconds} s: two workers of the server, two processing workers, voice detection "
        "on, recognition off, a private mongod and Valkey, and the clients, all on one machine "
        f"({os.cpu_count()} cores, Python {platform.python_version()}). A latency is the time "
        "from sending `audio:chunk` to its `audio:chunk:processed`, by which the chunk is in the "
        "journal of MongoDB. Speech is right when the owner was told, to the millisecond, what the "
        "same pipeline finds in the same chunks.\n\n"
        f"{table(outcomes)}\n"
        f"Asked for: no chunk lost, p99 under {LIMIT_MS} ms, order kept: **{verdict}**.\n\n"
        "    .venv-dev/bin/python -m tests.benchmarks.bench_routes --write\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    options = parser.parse_args()
    outcomes = asyncio.run(measure(sessions=options.sessions, seconds=options.seconds))
    sys.stdout.write(table(outcomes))
    if options.write:
        RESULT.write_text(page(outcomes))
    raise SystemExit(0 if all(each.is_good for each in outcomes) else 1)


if __name__ == "__main__":
    main()
