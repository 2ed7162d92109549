"""Measures the local voice engine: ``python -m tests.benchmarks.bench_speech [PART ...]``.

Parts: ``noise``, ``words``, ``passages``, ``latency``, ``gateway``; all of them without a name.
Needs the recordings and the books beside the repository. The indexes of the books are built at the
first run (some minutes) and kept in ``var/bench-speech``.
"""

import os

# Read by numpy when it is loaded: products as small as these lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import socketio

from speech.audio.pcm import Samples, encode_base64
from speech.audio.turns import TurnDetector, TurnRule, TurnStopped
from speech.audio.voice import WINDOW_SAMPLES, Segment, VoiceActivity
from speech.companion.books import read_book
from speech.companion.passages import Library
from speech.engines.detector import SileroDetector
from speech.engines.recogniser import RecogniserPool, RecogniserSpec
from speech.realtime import providers
from speech.realtime.client import RealtimeClient
from speech.realtime.events import AudioDelta, ResponseDone, SpeechStopped
from speech.realtime.protocol import SessionSpec
from speech.realtime.wiring import library
from tests.benchmarks import passage_development
from tests.benchmarks.passage_questions import QUESTIONS, Question
from tests.support.processes import PYTHON
from tests.support.worker import Server
from tests.unit.speech.audio.muxing import cut
from tests.unit.speech.audio.recordings import (
    REPOSITORY,
    SHARED,
    at_24_khz,
    labels,
    noise,
    recorded_pcm,
    recording,
    silence,
    tone,
)

DATA_DIR = REPOSITORY / "var" / "bench-speech"
BLOCK_S = 0.1
BLOCK_BYTES = 4_800
WINDOW_MS = 500
TURNS_OF_ONE = 8
TURNS_OF_EACH = 4
RESAMPLED = 2_000

GATEWAY_ENVIRONMENT = {"MONGODB_URL": "", "DEBUG": "true", "HTTPS": "false", "VOICE": "true"}
"""Stores of its own, which the server starts."""


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def transcripts() -> list[tuple[str, str]]:
    return [(entry["file"], entry["transcript"]) for entry in labels() if entry["transcript"]]


# ---- noise


def coloured(seconds: float, exponent: float, seed: int) -> Samples:
    """Noise whose power falls with frequency to a power: 1 is pink, 2 is brown."""
    spectrum = np.fft.rfft(noise(seconds, seed=seed))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (exponent / 2)
    sound = np.fft.irfft(spectrum)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def noises() -> dict[str, Samples]:
    """A minute of each, and what people did not say in the one recording that is labelled."""
    clicks = silence(60)
    clicks[:: 16_000 // 3] = 0.9
    hum = sum((tone(50 * n, 60, amplitude=0.2 / n) for n in (1, 2, 3, 5)), start=silence(60))
    return {
        "white, loud": noise(60, amplitude=0.3, seed=1),
        "white, quiet": noise(60, amplitude=0.01, seed=2),
        "pink": coloured(60, 1, 3),
        "brown": coloured(60, 2, 4),
        "mains hum": hum,
        "tone 150 Hz": tone(150, 60),
        "clicks": clicks,
    }


def bench_noise() -> None:
    say("Noise: share of windows that are inside a speech segment (target: at most 1 %)")
    flagged = total = 0
    for name, sound in noises().items():
        activity = VoiceActivity(SileroDetector())
        events = [*activity.feed(sound), *activity.finish()]
        speech = sum(event.end - event.start for event in events if isinstance(event, Segment))
        flagged, total = flagged + speech, total + len(sound)
        say(f"  {name:14} {100 * speech / len(sound):6.2f} %")
    share = 100 * flagged / total
    say(f"  {'all':14} {share:6.2f} %  {verdict(share <= 1)}")


# ---- words


def distance(said: list[str], heard: list[str]) -> int:
    """Words that have to be changed, left out or put in (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def interval(errors: list[tuple[int, int]]) -> tuple[float, float]:
    """95 % of the rates of collections that were drawn from these recordings (bootstrap)."""
    draw = random.Random(1)
    rates = []
    for _ in range(RESAMPLED):
        drawn = draw.choices(errors, k=len(errors))
        rates.append(sum(wrong for wrong, _ in drawn) / sum(words for _, words in drawn))
    rates.sort()
    return rates[int(0.025 * RESAMPLED)], rates[int(0.975 * RESAMPLED)]


async def bench_words() -> None:
    say("Word error rate on the recordings, every speaker a stranger")
    pool = RecogniserPool(RecogniserSpec(), processes=2)

    async def live(name: str) -> str:
        async with pool.utterance() as utterance:
            for chunk in cut(recorded_pcm(name), 3_200):
                await utterance.hear(chunk)
            return (await utterance.finish()).text

    async def whole(name: str) -> str:
        return (await pool.transcribe(recorded_pcm(name))).text

    modes = (("live", live, 0.374), ("whole utterance", whole, 0.242))
    for mode, recognise, published in modes:
        errors = []
        for name, said in transcripts():
            heard = await recognise(name)
            errors.append((distance(said.split(), heard.split()), len(said.split())))
        rate = sum(wrong for wrong, _ in errors) / sum(words for _, words in errors)
        low, high = interval(errors)
        say(
            f"  {mode:16} {rate:.3f} ({low:.2f}-{high:.2f}), {len(errors)} recordings; "
            f"facts {published} on 22: {verdict(rate <= published)}"
        )
    await pool.close()


# ---- passages


def indexed(book: str, books: Library) -> int:
    book_id = int(book.removesuffix(".txt"))
    if not books.is_indexed(book_id):
        began = time.perf_counter()
        source = (SHARED / "books" / book).read_bytes()
        found = books.add(book_id, source)
        taken_s = time.perf_counter() - began
        say(f"  {book}: {len(found.passages)} passages indexed in {taken_s:.0f} s")
    return book_id


def folded(text: str) -> str:
    return " ".join(text.replace("_", "").replace("--", "—").split())


def is_right(question: Question, text: str) -> bool:
    return any(folded(quotation) in text for quotation in question.answers)


def bench_passages() -> None:
    say("Passages: the right one among the first three (target: 16 of 20), p50 on Moby Dick 150 ms")
    books = library(DATA_DIR)
    right = right_chapter = 0
    times: dict[str, list[float]] = {}
    for question in QUESTIONS:
        book_id = indexed(question.book, books)
        books.search(book_id, "warm")
        began = time.perf_counter()
        found = books.search(book_id, question.text, count=3)
        times.setdefault(question.book, []).append(1_000 * (time.perf_counter() - began))
        is_found = any(is_right(question, one.passage.text) for one in found)
        right += is_found
        right_chapter += bool({one.chapter for one in found} & chapters_of(question))
        say(f"  {'+' if is_found else '-'} {question.text}")
    slowest = statistics.median(times["2701.txt"])
    say(f"  right passage {right} of {len(QUESTIONS)}: {verdict(right >= 16)}")
    say(f"  right chapter {right_chapter} of {len(QUESTIONS)}")
    for book, taken in times.items():
        say(f"  {book}: p50 {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} ms")
    say(f"  Moby Dick under 150 ms: {verdict(slowest < 150)}")
    ranks = [rank(question, books) for question in passage_development.QUESTIONS]
    reciprocal = statistics.mean(1 / place for place in ranks)
    among_three, first = (sum(place <= most for place in ranks) for most in (3, 1))
    say(
        f"  where the weights were chosen: right passage {among_three} of {len(ranks)}, "
        f"first {first}, mean reciprocal rank {reciprocal:.3f}"
    )


def rank(question: Question, books: Library) -> int:
    """The place of the first right passage, from 1."""
    found = books.search(indexed(question.book, books), question.text, count=100_000)
    right = (at for at, one in enumerate(found, 1) if is_right(question, one.passage.text))
    return next(right)


def chapters_of(question: Question) -> set[str]:
    """The chapters with a passage that answers."""
    book = read_book((SHARED / "books" / question.book).read_text("utf-8-sig"))
    return {book.chapters[one.chapter] for one in book.passages if is_right(question, one.text)}


# ---- latency


@dataclass(frozen=True, slots=True)
class Clip:
    pcm: bytes
    """24 kHz, with silence behind it."""
    voice_end_s: float
    """End of the last window that the detector takes for speech."""


def clips() -> list[Clip]:
    """Recordings that are one turn: a pause in a longer one would be answered before its end."""
    found = []
    for name, _ in transcripts():
        sound = np.concatenate([recording(name), silence(1.5)])
        turns = TurnDetector(SileroDetector(), TurnRule()).feed(sound)
        if [type(turn) for turn in turns].count(TurnStopped) != 1:
            continue
        detector = SileroDetector()
        whole = sound[: len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
        voiced = [at for at, window in enumerate(whole) if detector.probability(window) >= 0.5]
        end_s = (voiced[-1] + 1) * WINDOW_SAMPLES / 16_000
        found.append(Clip(at_24_khz(sound), end_s))
    return found


@contextlib.asynccontextmanager
async def engine() -> AsyncIterator[str]:
    """The engine in a process of its own, as it runs in earnest."""
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, "manage.py", "realtime_engine", "--listen", "127.0.0.1:0"),
        cwd=REPOSITORY,
        env=os.environ | {"DATA_DIR": str(DATA_DIR), "DEBUG": "true"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the engine has no output")
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if not line:
            raise RuntimeError("the engine has not started")
        yield line.decode().split()[-1]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Turn:
    voice_to_voice_s: float
    stop_to_voice_s: float


async def converse(address: str, turns: list[Clip], *, delay_s: float) -> list[Turn]:
    await asyncio.sleep(delay_s)
    spec = SessionSpec(instructions="", book_id=11)
    async with RealtimeClient(providers.local(address), spec) as client:
        events = aiter(client)
        return [await one_turn(client, events, clip) for clip in turns]


async def one_turn(client: RealtimeClient, events: AsyncIterator[object], clip: Clip) -> Turn:
    began = time.perf_counter()
    speaking = asyncio.create_task(speak(client, clip, began))
    stopped_s = first_s = 0.0
    async with asyncio.timeout(60):
        async for event in events:
            now_s = time.perf_counter() - began
            if isinstance(event, SpeechStopped):
                stopped_s = now_s
            elif isinstance(event, AudioDelta) and not first_s:
                first_s = now_s
            elif isinstance(event, ResponseDone):
                break
    await speaking
    return Turn(first_s - clip.voice_end_s, first_s - stopped_s)


async def speak(client: RealtimeClient, clip: Clip, began: float) -> None:
    """Like a microphone: a block can be sent when it has been spoken."""
    for number, block in enumerate(cut(clip.pcm, BLOCK_BYTES), start=1):
        await asyncio.sleep(max(0.0, began + number * BLOCK_S - time.perf_counter()))
        await client.append(block)


async def bench_latency() -> None:
    say(f"Voice to voice, silence window {WINDOW_MS} ms (targets: at most 0.3 and 0.6 s over it)")
    indexed("11.txt", library(DATA_DIR))
    chosen = clips()
    say(f"  {len(chosen)} recordings that are one turn; load {os.getloadavg()[0]:.1f}")
    async with engine() as address:
        for sessions, target_s in ((1, 0.3), (4, 0.6)):
            count = TURNS_OF_ONE if sessions == 1 else TURNS_OF_EACH
            talks = [
                converse(address, rotated(chosen, at, count), delay_s=0.37 * at)
                for at in range(sessions)
            ]
            turns = [turn for talk in await asyncio.gather(*talks) for turn in talk]
            over = sorted(turn.voice_to_voice_s - WINDOW_MS / 1_000 for turn in turns)
            p50 = statistics.median(over)
            stop = statistics.median(turn.stop_to_voice_s for turn in turns)
            say(
                f"  {sessions} session(s), {len(turns)} turns: p50 {p50 + WINDOW_MS / 1_000:.3f} s "
                f"(max {over[-1] + WINDOW_MS / 1_000:.3f}), {p50:.3f} s over the window: "
                f"{verdict(p50 <= target_s)}; stop to voice p50 {1_000 * stop:.0f} ms; "
                f"load {os.getloadavg()[0]:.1f}"
            )


async def bench_gateway() -> None:
    say(f"The same through Socket.IO and a worker, silence window {WINDOW_MS} ms")
    indexed("11.txt", library(DATA_DIR))
    chosen = clips()
    async with engine() as address:
        with tempfile.TemporaryDirectory() as folder:
            environment = GATEWAY_ENVIRONMENT | {"REALTIME_ENGINE_ADDRESS": address}
            site = Server(Path(folder), workers=1, environment=environment)
            try:
                await asyncio.to_thread(site.start)
                for sessions, target_s in ((1, 0.3), (4, 0.6)):
                    await bench_sockets(site.url, chosen, sessions, target_s)
            finally:
                await asyncio.to_thread(site.close)


async def bench_sockets(url: str, chosen: list[Clip], sessions: int, target_s: float) -> None:
    count = TURNS_OF_ONE if sessions == 1 else TURNS_OF_EACH
    talks = [
        converse_over_a_socket(url, rotated(chosen, at, count), delay_s=0.37 * at)
        for at in range(sessions)
    ]
    taken = sorted(one for talk in await asyncio.gather(*talks) for one in talk)
    over_s = statistics.median(taken) - WINDOW_MS / 1_000
    say(
        f"  {sessions} socket(s), {len(taken)} turns: p50 {statistics.median(taken):.3f} s "
        f"(max {taken[-1]:.3f}), {over_s:.3f} s over the window: {verdict(over_s <= target_s)}; "
        f"load {os.getloadavg()[0]:.1f}"
    )


async def converse_over_a_socket(url: str, turns: list[Clip], *, delay_s: float) -> list[float]:
    """Seconds from the end of each voice to the first sound of the answer."""
    await asyncio.sleep(delay_s)
    taken = []
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(url, transports=["websocket"])
        start = {"systemMessage": "Answer.", "temperature": 0.8, "bookId": 11}
        acknowledged = await client.call("start", start, timeout=20)
        if not acknowledged["ok"]:
            raise RuntimeError(acknowledged["error"])
        for clip in turns:
            began = time.perf_counter()
            speaking = asyncio.create_task(speak_over_a_socket(client, clip, began))
            first_s = 0.0
            async with asyncio.timeout(60):
                while True:
                    event, *data = await client.receive(timeout=60)
                    is_sound = event == "audio" and len(data[0]) > 100
                    if is_sound and not first_s:
                        first_s = time.perf_counter() - began
                    if event == "transcript" and data[0] == "---\n":
                        break
            await speaking
            taken.append(first_s - clip.voice_end_s)
        await client.call("stop", timeout=20)
    return taken


async def speak_over_a_socket(client: Any, clip: Clip, began: float) -> None:
    for number, block in enumerate(cut(clip.pcm, BLOCK_BYTES), start=1):
        await asyncio.sleep(max(0.0, began + number * BLOCK_S - time.perf_counter()))
        await client.emit("sendAudio", {"audio": encode_base64(block)})


def rotated(chosen: list[Clip], first: int, count: int) -> list[Clip]:
    return [chosen[(first + number) % len(chosen)] for number in range(count)]


PARTS: dict[str, Callable[[], object]] = {
    "noise": bench_noise,
    "words": lambda: asyncio.run(bench_words()),
    "passages": bench_passages,
    "latency": lambda: asyncio.run(bench_latency()),
    "gateway": lambda: asyncio.run(bench_gateway()),
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(PARTS)
    if unknown or not (SHARED / "audio").is_dir():
        say(f"parts: {', '.join(PARTS)}; the recordings belong into {Path(SHARED).name}/")
        return 2
    for name in names or PARTS:
        PARTS[name]()
        say()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
