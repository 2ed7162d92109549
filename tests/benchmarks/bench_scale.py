"""How cost grows: with members of a room, with rooms, with connections that only stay.

Two workers of the bridge and one Valkey, as `manage.py serve` runs them, without a database: what
MongoDB adds stands in the comparison with other servers. Every delivery is checked. Writes
docs/benchmarks/scale.json and the pictures that docs/scale.md shows.
"""

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from readrealm.stores.valkey import PrivateValkey
from tests.benchmarks import machine
from tests.benchmarks.contestants import ROOT, Contestant, Running, SetUp, start
from tests.benchmarks.generator import Failed, Generator, Phase, compile_generator
from tests.benchmarks.machine import Usage, resident_kib, usage_of

OUT = ROOT / "docs" / "benchmarks"
COMMAND = ".venv-dev/bin/python -m tests.benchmarks.bench_scale"
WORKERS = 2

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
"""Members of the only room."""

ROOM_COUNTS = (1, 10, 50, 200, 500, 1_000)
READERS = 2_000
"""Spread over `ROOM_COUNTS` rooms: every count gives the same connections and smaller rooms."""

IDLE = (2_500, 10_000)
IDLE_WATCH_S = 30.0
"""More than a ping interval: heartbeats are part of what an idle connection costs."""

DELIVERIES = 100_000
"""About as many in every phase, so that small rooms are measured as long as large ones."""

MOST_MESSAGES = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFigures:
    """One phase with some rooms; CPU times in microseconds."""

    rooms: int
    members: int
    in_flight: int
    us_per_delivery: float
    """Of both workers."""
    us_per_message: float
    valkey_us_per_message: float
    deliveries_per_s: float
    messages_per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleFigures:
    """Connections that only stay."""

    count: int
    per_second: float
    """Handshakes, WebSocket and Socket.IO together."""
    kib: float
    """Resident memory of the workers per connection."""
    cpu_percent: float
    """Of one core, both workers together, while nothing but heartbeats happens."""
    p99_ms: float
    """Of a room of 20 on the same workers meanwhile, at 20 messages a second."""


@dataclass(slots=True)
class Results:
    """Everything of one run."""

    about: dict[str, str]
    sizes: list[RoomFigures] = field(default_factory=list)
    rooms: list[RoomFigures] = field(default_factory=list)
    idle: list[IdleFigures] = field(default_factory=list)


class Run:
    """One run: starts servers and clients, fills `results`."""

    def __init__(self, folder: Path, results: Results) -> None:
        self.folder, self.results = folder, results
        self.valkey = PrivateValkey(folder)
        self.program = compile_generator(folder)

    def measure_sizes(self, sizes: Sequence[int], *, share: float) -> None:
        """One room, larger and larger."""
        for members in sizes:
            for in_flight in (1, 8):
                figures = self._room(members, rooms=1, in_flight=in_flight, share=share)
                self.results.sizes.append(figures)
                _say(_told(figures))

    def measure_rooms(self, counts: Sequence[int], *, share: float) -> None:
        """The same readers in more and more rooms."""
        for rooms in counts:
            figures = self._room(READERS // rooms, rooms=rooms, in_flight=8, share=share)
            self.results.rooms.append(figures)
            _say(_told(figures))

    def measure_idle(self, counts: Sequence[int], *, watch_s: float) -> None:
        """Connections that only stay, and a small room that talks beside them."""
        for count in counts:
            with self._server() as server, self._clients() as crowd, self._clients() as talkers:
                empty_kib = resident_kib(server.pids)
                seconds = crowd.connect(count, server.ports)
                time.sleep(2)
                kib = (resident_kib(server.pids) - empty_kib) / count
                before = usage_of(server.pids)
                since = time.monotonic()
                time.sleep(watch_s)
                spent = (usage_of(server.pids) - before).total / (time.monotonic() - since)
                talkers.connect(20, server.ports)
                talkers.join()
                phase = _checked(talkers.pace(200, per_second=20))
            figures = IdleFigures(
                count=count,
                per_second=count / seconds,
                kib=kib,
                cpu_percent=100 * spent,
                p99_ms=phase.p99_us / 1000,
            )
            self.results.idle.append(figures)
            _say(
                f"{count:,} idle: {figures.per_second:,.0f}/s in, {kib:.1f} KiB each, "
                f"{figures.cpu_percent:.1f} % of a core, a room beside them p99 "
                f"{figures.p99_ms:.1f} ms"
            )

    def _room(self, members: int, *, rooms: int, in_flight: int, share: float) -> RoomFigures:
        messages = max(50, int(min(MOST_MESSAGES, DELIVERIES // members) * share))
        with self._server() as server, self._clients() as clients:
            clients.connect(members * rooms, server.ports)
            clients.join(rooms)
            clients.flood(max(20, messages // 5), in_flight=8)
            before, valkey_before = usage_of(server.pids), self._valkey_usage()
            phase = _checked(clients.flood(messages, in_flight=in_flight))
            used = usage_of(server.pids) - before
            valkey = self._valkey_usage() - valkey_before
        return RoomFigures(
            rooms=rooms,
            members=members,
            in_flight=in_flight,
            us_per_delivery=used.total * 1e6 / phase.deliveries,
            us_per_message=used.total * 1e6 / phase.messages,
            valkey_us_per_message=valkey.total * 1e6 / phase.messages,
            deliveries_per_s=phase.deliveries / phase.seconds,
            messages_per_s=phase.messages / phase.seconds,
            p50_ms=phase.p50_us / 1000,
            p99_ms=phase.p99_us / 1000,
        )

    @contextmanager
    def _server(self) -> Iterator[Running]:
        set_up = SetUp(workers=WORKERS, core=None, valkey=self.valkey.address, mongodb=None)
        server = start(Contestant.BRIDGE, set_up, logs=self.folder)
        try:
            yield server
        finally:
            server.stop()

    @contextmanager
    def _clients(self) -> Iterator[Generator]:
        generator = Generator(self.program, core=None)
        try:
            yield generator
        finally:
            generator.end()

    def _valkey_usage(self) -> Usage:
        process = self.valkey.process
        return usage_of([process.pid] if process else [])


def _checked(phase: Phase) -> Phase:
    if not phase.is_correct:
        raise Failed(f"{phase.missing} deliveries missing, {phase.disorders} out of order")
    return phase


def _told(figures: RoomFigures) -> str:
    return (
        f"{figures.rooms:,} x {figures.members:,}, {figures.in_flight} in flight: "
        f"{figures.us_per_delivery:.2f} us a delivery, {figures.us_per_message:,.0f} us a message, "
        f"{figures.deliveries_per_s:,.0f} deliveries/s, p99 {figures.p99_ms:.1f} ms"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if options.render is not None:
        results = _read(options.render)
    else:
        try:
            results = _measure(is_quick=options.quick, parts=options.only.split(","))
        except (machine.MachineUnfit, Failed) as error:
            sys.stderr.write(f"benchmark: {error}\n")
            return 2
    folder = options.out or (ROOT / "var" / "benchmarks" if options.quick else OUT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scale.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    from tests.benchmarks.scale_charts import draw

    draw(results, folder)
    _say(f"written: {folder}/scale.json and pictures")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.bench_scale", description=__doc__
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work; not for quoting")
    parser.add_argument(
        "--only", default="sizes,rooms,idle", help="some of: sizes,rooms,idle (all of them)"
    )
    parser.add_argument("--out", type=Path, help="folder for results (docs/benchmarks)")
    parser.add_argument(
        "--render", type=Path, metavar="JSON", help="measure nothing; draw the pictures anew"
    )
    return parser.parse_args(arguments)


def _measure(*, is_quick: bool, parts: Sequence[str]) -> Results:
    about = {
        "command": f"{COMMAND} {shlex.join(sys.argv[1:])}".strip(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **machine.describe(),
    }
    results = Results({key: value.strip() for key, value in about.items()})
    _say(f"load average {os.getloadavg()[0]:.2f}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scale-")))
        run = Run(folder, results)
        run.valkey.start()
        stack.callback(run.valkey.stop)
        share = 0.1 if is_quick else 1.0
        if "sizes" in parts:
            run.measure_sizes(SIZES, share=share)
        if "rooms" in parts:
            run.measure_rooms(ROOM_COUNTS, share=share)
        if "idle" in parts:
            run.measure_idle(IDLE[:2] if is_quick else IDLE, watch_s=IDLE_WATCH_S * share)
    return results


def _read(path: Path) -> Results:
    found: dict[str, Any] = json.loads(path.read_text())
    return Results(
        found["about"],
        [RoomFigures(**each) for each in found["sizes"]],
        [RoomFigures(**each) for each in found["rooms"]],
        [IdleFigures(**each) for each in found["idle"]],
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
