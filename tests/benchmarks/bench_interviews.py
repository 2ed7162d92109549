"""How many interviews this machine carries: ``python -m tests.benchmarks.bench_interviews``.

Starts `manage.py serve` with two workers and private stores, has so many readers be interviewed at
once, and writes ``docs/benchmarks/interviews.md``. ``--quick`` tries it out and writes nothing.
Sound needs the recordings beside the repository.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import socketio

from tests.support.processes import descendants
from tests.support.worker import Server
from tests.unit.speech.audio.recordings import REPOSITORY, SHARED, recorded_pcm

PAGE = REPOSITORY / "docs" / "benchmarks" / "interviews.md"

DURATION_S = 1_800
ANSWER_S = 8
QUESTIONS = 3
CHUNK_S = 0.25
ANSWERS_IN = 60.0
"""Seconds that an event may take before it counts as lost."""

TARGET_LATE_MS = 250
CAPTION = "a shared lock lets several transactions read a row while nobody may change it "
CLIPS = ("austen_0870.wav", "lj001-0001.wav", "jfk.wav", "lj001-0004.wav")


@dataclass(frozen=True, slots=True)
class Load:
    """A way to be interviewed."""

    name: str
    captions: bool
    sound: bool
    counts: tuple[int, ...]


LOADS = (
    Load("captions", captions=True, sound=False, counts=(50, 100, 200)),
    Load("captions and microphone", captions=True, sound=True, counts=(50, 100)),
    Load("local recognition", captions=False, sound=True, counts=(2, 4, 8)),
)


@dataclass(slots=True)
class Reading:
    """What one reader saw."""

    late_ms: list[float] = field(default_factory=list)
    """Of each timer update, against its second by the server's clock."""
    seconds: list[int] = field(default_factory=list)
    """Which seconds were told."""
    answered_s: list[float] = field(default_factory=list)
    """From ``user_done_speaking`` to ``user_answer_complete``."""
    shown: int = 0
    """Live transcripts."""
    heard: int = 0
    """Answers that were not silent."""
    errors: int = 0
    lost: int = 0
    """Events that never came."""


class Reader:
    """One reader who answers every question for `ANSWER_S` seconds."""

    def __init__(
        self, user_id: int, load: Load, sound: bytes, *, questions: int = QUESTIONS
    ) -> None:
        self.user_id, self.load, self.sound = user_id, load, sound
        self.count = questions
        self.reading = Reading()
        self.client = socketio.AsyncClient(reconnection=False)
        self.questions: asyncio.Queue[Any] = asyncio.Queue()
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.began_s, self.opens_turn = 0.0, False
        on = self.client.on
        on("agent_next_question", self.questions.put)
        on("backend_ready", self._ready)
        on("user_turn_started", self._turn)
        on("timer_update", self._timer)
        on("live_transcript", self._shown)
        on("user_answer_complete", self.answers.put)
        on("interview_complete", self._complete)
        on("interview_error", self._error)

    async def run(self, url: str) -> Reading:
        await self.client.connect(url, transports=["websocket"])
        try:
            await self._emit("start_interview", question_count=self.count)
            for _ in range(self.count):
                await self._answer()
            await asyncio.wait_for(self.result, ANSWERS_IN)
        except TimeoutError:
            self.reading.lost += 1
        finally:
            await self.client.disconnect()
        told = self.reading.seconds
        if told:
            self.reading.lost += told[-1] - told[0] + 1 - len(set(told))
        return self.reading

    async def _answer(self) -> None:
        await asyncio.wait_for(self.questions.get(), ANSWERS_IN)
        await self._emit("interviewer_done")
        await asyncio.gather(self._speak(), self._caption())
        done_s = time.time()
        await self._emit("user_done_speaking")
        answer = await asyncio.wait_for(self.answers.get(), ANSWERS_IN)
        self.reading.answered_s.append(time.time() - done_s)
        self.reading.heard += answer["answer"] != "[User remained silent]"

    async def _speak(self) -> None:
        if not self.load.sound:
            return
        step = round(CHUNK_S * 32_000)
        began = time.monotonic()
        for number in range(round(ANSWER_S / CHUNK_S)):
            chunk = self.sound[number * step : (number + 1) * step]
            await self._emit("audio_chunk", audio=chunk, sample_rate=16_000)
            await asyncio.sleep(max(0.0, began + (number + 1) * CHUNK_S - time.monotonic()))

    async def _caption(self) -> None:
        began = time.monotonic()
        for number in range(ANSWER_S):
            if self.load.captions:
                text = CAPTION + str(number)
                await self._emit("client_transcript", text=text, is_final=number == ANSWER_S - 1)
            await asyncio.sleep(max(0.0, began + number + 1 - time.monotonic()))

    async def _emit(self, event: str, **payload: Any) -> None:
        await self.client.emit(event, {"user_id": self.user_id, **payload})

    async def _ready(self, event: Any) -> None:
        self.began_s = event["timestamp"]

    async def _turn(self, _: Any) -> None:
        # The update that opens a turn belongs to the turn, and to no second.
        self.opens_turn = True

    async def _timer(self, event: Any) -> None:
        if self.opens_turn:
            self.opens_turn = False
            return
        second = DURATION_S - event["time_remaining"]
        self.reading.seconds.append(second)
        self.reading.late_ms.append((time.time() - self.began_s - second) * 1_000)

    async def _shown(self, _: Any) -> None:
        self.reading.shown += 1

    async def _complete(self, event: Any) -> None:
        if not self.result.done():
            self.result.set_result(event)

    async def _error(self, _: Any) -> None:
        self.reading.errors += 1


@dataclass(frozen=True, slots=True)
class Row:
    """What so many interviews at once came to."""

    load: Load
    count: int
    readings: Sequence[Reading]
    cpu_s: float
    """CPU time of the server, its stores and its recognisers per second."""
    resident_mb: float

    def cells(self) -> list[str]:
        late = sorted(ms for reading in self.readings for ms in reading.late_ms)
        answered = sorted(s for reading in self.readings for s in reading.answered_s)
        return [
            self.load.name,
            str(self.count),
            f"{statistics.median(late):.0f}",
            f"{_percentile(late, 99):.0f}",
            f"{late[-1]:.0f}",
            str(sum(reading.lost for reading in self.readings)),
            str(sum(reading.errors for reading in self.readings)),
            f"{sum(reading.heard for reading in self.readings)} of {self.count * QUESTIONS}",
            f"{statistics.median(answered):.2f}",
            f"{answered[-1]:.2f}",
            f"{self.cpu_s:.2f}",
            f"{self.resident_mb:.0f}",
        ]


COLUMNS = (
    "load",
    "interviews",
    "timer late p50 ms",
    "p99 ms",
    "worst ms",
    "events lost",
    "errors",
    "answers heard",
    "answer judged p50 s",
    "worst s",
    "CPU s/s",
    "memory MB",
)


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


@asynccontextmanager
async def serving(load: Load) -> AsyncIterator[Server]:
    """A server with two workers and stores of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-interviews-") as folder:
        environment = {
            "MONGODB_URL": "",
            "DEBUG": "true",
            "HTTPS": "false",
            "LOG_LEVEL": "WARNING",
            "SOCKETS_PER_ADDRESS": "off",
            "HANDSHAKE_RATE": "off",
            "INTERVIEW_STT": "captions" if load.captions else "local",
        }
        server = Server(Path(folder), workers=2, environment=environment)
        try:
            # Not in another thread: the kernel ends a child with the thread that started it.
            server.start()
            yield server
        finally:
            server.close()


async def measure(server: Server, load: Load, count: int, sounds: Sequence[bytes]) -> Row:
    """So many interviews at once; their starts are spread over two seconds."""
    cpu, began = _cpu_s(server), time.monotonic()
    first = 1_000 * count  # readers of their own
    readers = [Reader(first + n, load, sounds[n % len(sounds)]) for n in range(count)]

    async def late_start(number: int, reader: Reader) -> Reading:
        await asyncio.sleep(2 * number / count)
        return await reader.run(server.url)

    readings = await asyncio.gather(*(late_start(n, r) for n, r in enumerate(readers)))
    cpu_s = (_cpu_s(server) - cpu) / (time.monotonic() - began)
    return Row(load, count, readings, cpu_s, _resident_mb(server))


async def warm_up(server: Server, load: Load, sounds: Sequence[bytes]) -> None:
    """Have every worker load its models and start its recognisers."""
    readers = [Reader(1 + n, load, sounds[0], questions=1) for n in range(6)]
    await asyncio.gather(*(reader.run(server.url) for reader in readers))


def _pids(server: Server) -> list[int]:
    return [server.running.pid, *descendants(server.running.pid)]


def _cpu_s(server: Server) -> float:
    ticks = 0
    for pid in _pids(server):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(server: Server) -> float:
    pages = 0
    for pid in _pids(server):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sounds() -> list[bytes]:
    """`ANSWER_S` seconds of people; silence where there are no recordings."""
    wanted = ANSWER_S * 32_000
    if not (SHARED / "audio").is_dir():
        return [bytes(wanted)]
    return [(recorded_pcm(clip) * 4)[:wanted] for clip in CLIPS]


def page(rows: Sequence[Row], *, load_before: float) -> str:
    """The page of results.

    Args:
        load_before: load average of the machine when nothing of ours ran yet.
    """
    heads = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines = ["| " + " | ".join(row.cells()) + " |" for row in rows]
    cores = len(os.sched_getaffinity(0))
    return "\n".join(
        [
            "# Interviews at once",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores ({platform.machine()}), which "
            "server, stores, recognisers and the load generator share: two daphne workers, a "
            "private mongod and Valkey, SQLite, and python-socketio clients in one process. "
            f"Load average of other work before the run: {load_before:.1f}. "
            "`.venv-dev/bin/python -m tests.benchmarks.bench_interviews` repeats it.",
            "",
            f"Every reader answers {QUESTIONS} questions for {ANSWER_S} seconds each. *Captions*: "
            "one `client_transcript` a second. *Microphone*: s16le at 16 kHz, a chunk each "
            f"{CHUNK_S * 1_000:.0f} ms, with voice detection. *Local recognition*: pocketsphinx "
            "hears the turn live where a process is free, and every whole answer again with care, "
            "in two and two processes a worker. *Timer late*: arrival of `timer_update` at the "
            "client against its second by the server's clock, the client's own delay included; "
            f"the target is {TARGET_LATE_MS} ms. *Events lost*: seconds that were not told and "
            f"answers, questions or results that did not come within {ANSWERS_IN:.0f} s. *Answer "
            "judged*: from `user_done_speaking` to `user_answer_complete`. Memory counts pages "
            "that processes share once for each of them.",
            "",
            *heads,
            *lines,
            "",
        ]
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run(loads: Sequence[Load]) -> list[Row]:
    heard, rows = sounds(), []
    for load in loads:
        say(f"{load.name}: a server starts ...")
        async with serving(load) as server:
            await warm_up(server, load, heard)
            for count in load.counts:
                say(f"  {count} interviews at once, about {QUESTIONS * ANSWER_S + 5} s ...")
                row = await measure(server, load, count, heard)
                rows.append(row)
                cells = zip(COLUMNS[2:], row.cells()[2:], strict=True)
                say("    " + ", ".join(f"{name}: {cell}" for name, cell in cells))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few interviews; writes no page")
    parser.add_argument("--load", action="append", choices=[load.name for load in LOADS])
    chosen = parser.parse_args()
    loads = [load for load in LOADS if not chosen.load or load.name in chosen.load]
    if chosen.quick:
        loads = [Load(load.name, load.captions, load.sound, load.counts[:1]) for load in loads]
    load_before = os.getloadavg()[0]
    rows = asyncio.run(run(loads))
    if not chosen.quick and not chosen.load:
        PAGE.write_text(page(rows, load_before=load_before))
        say(f"written: {PAGE.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
