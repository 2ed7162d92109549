"""Interviews on workers that are all in this process, with a clock that only tests move."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from readrealm.kernel.errors import InterviewInProgress, StoreUnavailable
from readrealm.kernel.wire import plain
from speech.audio.containers import Container
from speech.interviews.contract import InterviewContract
from speech.interviews.crew import Crew
from speech.interviews.ear import Ear, Listener
from speech.interviews.evaluation import Assessment
from speech.interviews.events import StartInterview, event_name
from speech.interviews.hall import Hall, InterviewUpkeep
from speech.interviews.interview import Interview
from speech.interviews.knowledge import Knowledge
from speech.interviews.live_store import LEASE_MS, Holding, LostLease, Snapshot
from speech.interviews.microphone import Microphone
from speech.interviews.owners import Owner
from speech.interviews.questions import QuestionBank
from speech.interviews.runner import InterviewRunner
from speech.interviews.services import InterviewService
from speech.interviews.state import AskedQuestion, InterviewState, Rules
from speech.interviews.transcription import CaptionTranscriber, Transcriber
from tests.unit.speech.interviews.rehearsal import BANK, START_MS, assessed

READER = Owner(7, is_account=True)
GUEST = Owner(7, is_account=False)


class FakeTime:
    """Stands still until a test moves it; then every timer rings on its dot."""

    def __init__(self) -> None:
        self.ms = START_MS
        self._alarms: list[tuple[int, asyncio.Event]] = []

    def now_ms(self) -> int:
        return self.ms

    async def wait(self, woken: asyncio.Event, until_ms: int | None) -> None:
        rung = asyncio.Event()
        alarm = (until_ms if until_ms is not None else 1 << 60, rung)
        self._alarms.append(alarm)
        waits = [asyncio.ensure_future(event.wait()) for event in (woken, rung)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._alarms.remove(alarm)
            for wait in waits:
                wait.cancel()

    async def pass_s(self, seconds: float) -> None:
        """Let so much time pass."""
        until_ms = self.ms + round(seconds * 1000)
        await settle()
        while due := [alarm for alarm in self._alarms if alarm[0] <= until_ms]:
            self.ms = max(self.ms, min(moment for moment, _ in due))
            for moment, rung in due:
                if moment <= self.ms:
                    rung.set()
            await settle()
        self.ms = until_ms


async def settle() -> None:
    """Let everything happen that waits for no time."""
    for _ in range(60):
        await asyncio.sleep(0)


class InlineThreads(Executor):
    """Computes at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class LoudDetector:
    """Takes for voice whatever is louder than a quarter of full scale."""

    def probability(self, window: Any) -> float:
        return 1.0 if float(np.abs(window).max()) > 0.25 else 0.0

    def reset(self) -> None:
        pass


class MemorySounds:
    """`sound_keeping.Sounds` that every worker reaches."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.is_away = False

    async def put(self, session_id: str, turn: int, pcm: bytes, *, at_byte: int) -> bool:
        self._check()
        have = self.kept.get((session_id, turn), b"")
        if len(have) != at_byte:
            self.kept.pop((session_id, turn), None)
            return False
        self.kept[session_id, turn] = have + pcm
        return True

    async def get(self, session_id: str, turn: int) -> bytes:
        self._check()
        return self.kept.get((session_id, turn), b"")

    async def forget(self, session_id: str, turn: int) -> None:
        self._check()
        self.kept.pop((session_id, turn), None)

    def _check(self) -> None:
        if self.is_away:
            raise StoreUnavailable


@dataclass
class Store:
    """What all workers share."""

    time: FakeTime
    records: dict[str, Any] = field(default_factory=dict)
    results: dict[str, tuple[Owner, Any]] = field(default_factory=dict)
    known: dict[Owner, Knowledge] = field(default_factory=dict)
    sounds: MemorySounds = field(default_factory=MemorySounds)
    is_away: bool = False
    saves: int = 0
    stores: int = 0

    def check(self) -> None:
        if self.is_away:
            raise StoreUnavailable


class FakeLive:
    """`live_store.LiveInterviews` of one worker, over a `Store`."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store, self._holder = store, holder

    async def create(self, snapshot: Snapshot) -> None:
        self._store.check()
        if self._live(snapshot.owner):
            raise InterviewInProgress("you are in an interview already")
        self._keep(snapshot)

    async def save(self, snapshot: Snapshot) -> None:
        self._store.check()
        record = self._store.records.get(snapshot.state.session_id)
        if record is None or record["holder"] != self._holder:
            raise LostLease
        self._keep(snapshot)

    async def release(self, session_id: str) -> None:
        self._store.check()
        self._store.records[session_id]["until"] = self._store.time.ms

    async def remove(self, session_id: str) -> None:
        self._store.check()
        self._store.records.pop(session_id, None)

    async def take(self, owner: Owner) -> Snapshot | None:
        self._store.check()
        found = self._live(owner)
        if found is None or not (found["snapshot"].is_free or self._is_expired(found)):
            return None
        return self._take(found)

    async def take_orphan(self) -> Snapshot | None:
        self._store.check()
        for record in self._store.records.values():
            if not record["snapshot"].is_done and self._is_expired(record):
                return self._take(record)
        return None

    async def holding(self, owner: Owner) -> Holding | None:
        found = self._live(owner)
        if found is None:
            return None
        snapshot = found["snapshot"]
        return Holding(snapshot.channel, found["until"], snapshot.state.session_id)

    async def latest(self, owner: Owner) -> Snapshot | None:
        self._store.check()
        found = [
            record["snapshot"]
            for record in self._store.records.values()
            if record["snapshot"].owner == owner
        ]
        return self._copy(found[-1]) if found else None

    def _live(self, owner: Owner) -> Any:
        for record in self._store.records.values():
            if record["snapshot"].owner == owner and record["snapshot"].is_live:
                return record
        return None

    def _is_expired(self, record: Any) -> bool:
        return bool(record["until"] <= self._store.time.ms)

    def _keep(self, snapshot: Snapshot) -> None:
        self._store.saves += 1
        self._store.records[snapshot.state.session_id] = {
            "snapshot": self._copy(snapshot),
            "holder": self._holder,
            "until": self._store.time.ms + LEASE_MS,
        }

    def _take(self, record: Any) -> Snapshot:
        record |= {"holder": self._holder, "until": self._store.time.ms + LEASE_MS}
        record["snapshot"] = replace(record["snapshot"], is_free=False)
        return self._copy(record["snapshot"])

    def _copy(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, state=InterviewState.from_dict(snapshot.state.as_dict()))


class FakeResults:
    """Both ends of what interviews come to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def store(self, owner: Owner, result: Any, knowledge: Knowledge) -> None:
        self._store.stores += 1
        self._store.check()
        self._store.results.setdefault(result.session_id, (owner, result))
        self._store.known[owner] = knowledge

    async def knowledge(self, owner: Owner) -> Knowledge:
        self._store.check()
        return self._store.known.get(owner, Knowledge())


class FakeJudge:
    """Judges at once, unless told to fail or to take for ever."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.is_slow = False
        self.judged: list[str] = []

    def prepare(self) -> None:
        pass

    async def assess(self, question: AskedQuestion, answer: str) -> Assessment:
        self.judged.append(answer)
        if self.is_slow:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return assessed(question)


class FakePhrasing:
    def __init__(self, text: str | None = None) -> None:
        self.text = text

    async def phrase(self, question: AskedQuestion, **_: Any) -> str | None:
        return self.text


class FakeBanks:
    async def bank(self) -> QuestionBank:
        return BANK


class Unlimited:
    async def spend(self, key: str) -> None:
        pass


class FakeSeat:
    """A socket; remembers what it was told."""

    def __init__(self, channel: str = "a socket") -> None:
        self.channel = channel
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Event()

    async def tell(self, event: InterviewContract) -> None:
        self.told.append((event_name(event), plain(event)))
        self._news.set()

    async def hears(self, name: str) -> None:
        """Come back when it was told so: for what takes real time."""
        async with asyncio.timeout(10):
            while name not in self.names():
                self._news.clear()
                await self._news.wait()

    def names(self, *, timers: bool = False) -> list[str]:
        return [name for name, _ in self.told if timers or name != "timer_update"]

    def all(self, name: str) -> list[dict[str, Any]]:
        return [payload for told, payload in self.told if told == name]

    def last(self, name: str) -> dict[str, Any]:
        return self.all(name)[-1]


class Worker:
    """One worker: its hall, its service, its crew."""

    def __init__(
        self,
        store: Store,
        name: str = "w1",
        *,
        rules: Rules | None = None,
        transcriber: Callable[[], Transcriber] = CaptionTranscriber,
        summon: Callable[[str], Any] | None = None,
    ) -> None:
        self.store, self.time = store, store.time
        self.hall, self.judge, self.phrasing = Hall(), FakeJudge(), FakePhrasing()
        self.live, self.results = FakeLive(store, name), FakeResults(store)
        self.summoned: list[str] = []
        self._transcriber = transcriber
        self.service = InterviewService(
            live=self.live,
            banks=FakeBanks(),
            readers=self.results,
            allowance=Unlimited(),
            hall=self.hall,
            rules=rules or Rules(),
            clock=self.time.now_ms,
            run=self._run,
            summon=summon or self._summon,
            pause=self.time.pass_s,
            seed=lambda: 1,
        )
        self.upkeep = InterviewUpkeep(
            hall=self.hall,
            orphans=self.live,
            adopt=self.service.adopt,
            forget_old=self._nothing,
            close=self._nothing,
        )

    async def start(self, seat: FakeSeat, owner: Owner = READER, **options: Any) -> InterviewRunner:
        command = StartInterview(user_id=owner.user_id, **options)
        return await self.service.start(owner, command, seat)

    async def die(self) -> None:
        """As by kill -9: nothing is saved any more."""
        for task in list(self.hall._tasks):
            task.cancel()
        await settle()

    def _run(self, interview: Interview, owner: Owner, container: str) -> InterviewRunner:
        crew = Crew(
            time=self.time,
            snapshots=self.live,
            results=self.results,
            judge=self.judge,
            phrasing=self.phrasing,
            ear=self._ear,
        )
        return InterviewRunner(interview, owner, crew=crew, container=container)

    def _ear(self, listener: Listener, session_id: str, container: str) -> Ear:
        known = Container(container) if container else None
        return Ear(
            Microphone(LoudDetector, container=known),
            self._transcriber(),
            listener,
            threads=InlineThreads(),
            sounds=self.store.sounds,
            session_id=session_id,
        )

    async def _summon(self, channel: str) -> None:
        self.summoned.append(channel)

    async def _nothing(self) -> None:
        pass


def loud(seconds: float) -> bytes:
    """Sound that `LoudDetector` takes for voice, s16le at 16 kHz."""
    return np.full(round(seconds * 16_000), 16_000, "<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(round(seconds * 16_000) * 2)


async def stream(
    worker: Worker, runner: InterviewRunner, sound: Sequence[bytes], *, chunk_s: float = 0.5
) -> None:
    """Send sound in real time."""
    whole = b"".join(sound)
    step = round(chunk_s * 16_000) * 2
    for at in range(0, len(whole), step):
        await worker.time.pass_s(len(whole[at : at + step]) / 32_000)
        runner.listen(whole[at : at + step], 16_000)
        await settle()
