"""Runs the comparison: servers side by side, their phases in turn, CPU accounts around each."""

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey
from tests.benchmarks.contestants import Contestant, Running, SetUp, start
from tests.benchmarks.generator import Generator, Phase, compile_generator
from tests.benchmarks.machine import Cores, Usage, busy_s, resident_kib, usage_of
from tests.benchmarks.results import IdleRecord, Results, RoomRecord
from tests.benchmarks.scenarios import ACKS, IDLE_COUNTS, Mode, Room

SETTLE_S = 3.0
"""After the last handshake, before memory is read."""

WARM_UP_SHARE = 0.2
"""Of a closed loop, eight in flight: what a server does before it is measured."""

Say = Callable[[str], None]


class Stores:
    """The private stores of a run: started with the first server that needs one."""

    def __init__(self, folder: Path) -> None:
        self.valkey, self.mongod = PrivateValkey(folder), PrivateMongod(folder)

    def start(self, *, with_database: bool) -> None:
        self.valkey.start()
        if with_database:
            self.mongod.start()

    def stop(self) -> None:
        self.valkey.stop()
        self.mongod.stop()

    def usage(self) -> tuple[Usage, Usage]:
        """Of Valkey and of mongod."""
        running = (store.process for store in (self.valkey, self.mongod))
        valkey, mongod = (usage_of([process.pid] if process else []) for process in running)
        return valkey, mongod


@dataclass(slots=True)
class Pair:
    """A server with its clients."""

    server: Running
    generator: Generator


class Comparison:
    """One run over all rooms and contestants.

    Args:
        contestants: in the order of the odd rounds; the even rounds reverse it.
        rounds: how often each phase of each server is measured.
        is_quick: a fifth of the work, for trying things out.
        say: tells people how far it is.
    """

    def __init__(
        self,
        contestants: Sequence[Contestant],
        *,
        rounds: int,
        is_quick: bool,
        results: Results,
        say: Say,
    ) -> None:
        self.contestants, self.rounds, self.is_quick = contestants, rounds, is_quick
        self.results, self.say = results, say
        self.cores = Cores.choose()
        self._life = ExitStack()

    def __enter__(self) -> "Comparison":
        self.folder = Path(self._life.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self.stores = Stores(self.folder)
        self._life.callback(self.stores.stop)
        self.program = compile_generator(self.folder)
        return self

    def __exit__(self, *error: object) -> None:
        self._life.close()

    # Rooms.

    def measure_room(self, room: Room) -> None:
        """All phases of one room, every server full of its own readers the whole time."""
        self.stores.start(with_database=room.has_database)
        with ExitStack() as stack:
            pairs = {
                contestant: stack.enter_context(self._pair(contestant, room))
                for contestant in self.contestants
            }
            for contestant, pair in pairs.items():
                self._fill(room, contestant, pair)
            for number in range(1, self.rounds + 1):
                for mode in room.modes:
                    for contestant in self._order(number):
                        record = self._measure(room, mode, number, pairs[contestant])
                        self.results.rooms.append(record)
                        self.say(_told(record))

    def _order(self, round_number: int) -> list[Contestant]:
        return list(self.contestants) if round_number % 2 else list(self.contestants)[::-1]

    @contextmanager
    def _pair(self, contestant: Contestant, room: Room) -> Iterator[Pair]:
        is_alone = room.workers == 1
        database = f"bench_{contestant}"
        set_up = SetUp(
            workers=room.workers,
            core=self.cores.server if is_alone else None,
            valkey=self.stores.valkey.address,
            mongodb=self.stores.mongod.url.replace("/readrealm?", f"/{database}?")
            if room.has_database
            else None,
        )
        with ExitStack() as stack:
            server = start(contestant, set_up, logs=self.folder)
            stack.callback(server.stop)
            generator = Generator(self.program, core=self.cores.generator if is_alone else None)
            stack.callback(generator.end)
            yield Pair(server, generator)

    def _fill(self, room: Room, contestant: Contestant, pair: Pair) -> None:
        self.say(f"{room.title}: {contestant.label}: joining and warming up")
        pair.generator.connect(room.members, pair.server.ports)
        pair.generator.join()
        messages = room.messages(Mode.EIGHT, is_quick=self.is_quick)
        phase = pair.generator.flood(math.ceil(messages * WARM_UP_SHARE), in_flight=8)
        if troubles := _troubles(phase):
            self.say(f"warming up,{troubles}")

    def _measure(self, room: Room, mode: Mode, number: int, pair: Pair) -> RoomRecord:
        messages = room.messages(mode, is_quick=self.is_quick)
        server, (valkey, mongod) = usage_of(pair.server.pids), self.stores.usage()
        foreign = Foreign(self._ours(pair))
        if mode.in_flight is not None:
            phase = pair.generator.flood(messages, in_flight=mode.in_flight)
        else:
            phase = pair.generator.pace(messages, per_second=room.per_second(mode))
        used, (valkey_after, mongod_after) = usage_of(pair.server.pids), self.stores.usage()
        share = foreign.share()
        has_bus = pair.server.contestant.has_bus(workers=room.workers)
        answers = None
        if mode is Mode.MODEST:
            answers = pair.generator.ask(ACKS // 5 if self.is_quick else ACKS)
        return RoomRecord(
            room=room,
            mode=mode,
            contestant=pair.server.contestant,
            round=number,
            phase=phase,
            cpu_s=(used - server).total,
            user_s=(used - server).user,
            system_s=(used - server).system,
            valkey_cpu_s=(valkey_after - valkey).total if has_bus else 0.0,
            mongod_cpu_s=(mongod_after - mongod).total,
            foreign_share=share,
            ack_p50_us=answers.p50_us if answers else None,
            ack_p99_us=answers.p99_us if answers else None,
        )

    def _ours(self, pair: Pair) -> list[int]:
        stores = [
            store.process.pid
            for store in (self.stores.valkey, self.stores.mongod)
            if store.process is not None
        ]
        return [os.getpid(), pair.generator.pid, *pair.server.pids, *stores]

    # Idle connections.

    def measure_idle(self, counts: Sequence[int] = IDLE_COUNTS) -> None:
        """Memory and handshakes: each server fresh, filled with more and more that only stay."""
        self.stores.start(with_database=False)
        for number in range(1, self.rounds + 1):
            for contestant in self._order(number):
                for count in counts:
                    with self._pair(contestant, Room(members=count)) as pair:
                        record = self._measure_idle(count, number, pair)
                    self.results.idle.append(record)
                    self.say(_told_idle(record))

    def _measure_idle(self, count: int, number: int, pair: Pair) -> IdleRecord:
        empty_kib = resident_kib(pair.server.pids)
        before, foreign = usage_of(pair.server.pids), Foreign(self._ours(pair))
        seconds = pair.generator.connect(count, pair.server.ports)
        used, share = usage_of(pair.server.pids) - before, foreign.share()
        time.sleep(SETTLE_S)
        return IdleRecord(
            count=count,
            contestant=pair.server.contestant,
            round=number,
            seconds=seconds,
            cpu_s=used.total,
            kib=(resident_kib(pair.server.pids) - empty_kib) / count,
            foreign_share=share,
        )


class Foreign:
    """CPU time of everything but ``ours``, from now on."""

    def __init__(self, ours: Sequence[int]) -> None:
        self._ours = ours
        self._since = time.monotonic()
        self._before = busy_s() - usage_of(ours).total

    def share(self) -> float:
        """Of one core, since this was made."""
        spent = busy_s() - usage_of(self._ours).total - self._before
        return max(0.0, spent / (time.monotonic() - self._since))


def _troubles(phase: Phase) -> str:
    if phase.is_correct:
        return ""
    return (
        f"  WRONG: {phase.missing} missing, {phase.disorders} out of order,"
        f" {phase.bad_frames} bad frames"
    )


def _told(record: RoomRecord) -> str:
    phase = record.phase
    return (
        f"{record.room.title}, {record.mode}, round {record.round}, {record.contestant}: "
        f"{record.cpu_us:.2f} us ({record.valkey_cpu_s * 1e6 / phase.deliveries:.2f} Valkey), "
        f"{record.deliveries_per_s:,.0f}/s, p50 {phase.p50_us / 1000:.2f} ms, "
        f"p99 {phase.p99_us / 1000:.2f} ms, generator {record.generator_share:.0%}, "
        f"others {record.foreign_share:.0%}{_troubles(phase)}"
    )


def _told_idle(record: IdleRecord) -> str:
    return (
        f"{record.count:,} connections, round {record.round}, {record.contestant}: "
        f"{record.per_second:,.0f}/s, {record.cpu_us:.0f} us, {record.kib:.1f} KiB each, "
        f"others {record.foreign_share:.0%}"
    )
