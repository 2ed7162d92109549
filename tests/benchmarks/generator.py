"""The load generator: `generator.c`, compiled when it is needed, driven over a pipe."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readrealm.stores import processes
from tests.benchmarks.machine import MachineUnfit

SOURCE = Path(__file__).with_name("generator.c")
PARALLEL_HANDSHAKES = 32


class Failed(Exception):
    """The generator saw something that must not be; ``str()`` says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What one phase of chat looked like to the members of the room."""

    messages: int
    deliveries: int
    missing: int
    """Deliveries that did not come; below 0 for those that came twice."""
    disorders: int
    """Deliveries that were not the next one of their sender."""
    bad_frames: int
    one_order: bool
    """Whether all members saw all senders' messages in the same order."""
    bytes: int
    seconds: float
    generator_cpu_s: float
    p50_us: float
    p99_us: float

    @property
    def is_correct(self) -> bool:
        return not (self.missing or self.disorders or self.bad_frames)


@dataclass(frozen=True, slots=True)
class Answers:
    """How long one client waited for acknowledgements, in microseconds."""

    p50_us: float
    p99_us: float


def compile_generator(folder: Path) -> Path:
    """Build the generator into ``folder``.

    Raises:
        MachineUnfit: there is no C compiler, or it does not like the source.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise MachineUnfit("a C compiler is needed for the load generator: install gcc or clang")
    program = folder / "generator"
    run = subprocess.run(
        [compiler, "-O2", "-std=gnu11", "-o", str(program), str(SOURCE)],
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise MachineUnfit(f"the load generator does not compile:\n{run.stderr}")
    return program


class Generator:
    """Clients of one server, on one core.

    Args:
        program: what `compile_generator` made.
        core: where it runs; None leaves that to the system.
    """

    def __init__(self, program: Path, *, core: int | None) -> None:
        tie = processes.tie(os.getpid())

        def prepare() -> None:
            tie()
            if core is not None:
                os.sched_setaffinity(0, {core})

        self._process = subprocess.Popen(
            [str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=prepare,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def connect(self, count: int, ports: Sequence[int]) -> float:
        """Open clients, spread evenly over ``ports``; the seconds until the last one was in."""
        ask = f"connect {count} {PARALLEL_HANDSHAKES} {' '.join(map(str, ports))}"
        return float(self._ask(ask)["seconds"])

    def join(self, rooms: int = 1) -> None:
        """Have every client enter a room, each of the rooms being entered by equally many."""
        self._ask(f"join {rooms}")

    def flood(self, messages: int, *, in_flight: int) -> Phase:
        """Send as fast as messages arrive."""
        return Phase(**self._ask(f"flood {messages} {in_flight}"))

    def pace(self, messages: int, *, per_second: float) -> Phase:
        """Send at fixed times."""
        return Phase(**self._ask(f"pace {messages} {per_second}"))

    def ask(self, count: int) -> Answers:
        """One client asks, waits for the acknowledgement, and asks again."""
        return Answers(**self._ask(f"ack {count}"))

    def close_clients(self) -> None:
        self._ask("close")

    def end(self) -> None:
        processes.stop(self._process, timeout_s=5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended"}
        if "error" in answer:
            raise Failed(f"{command.split()[0]}: {answer['error']}")
        return answer
