"""The machine a benchmark runs on: its cores, what processes cost it, and who else uses it.

Reads the kernel's own accounting; starts nothing.
"""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
BUSY_FIELDS = (0, 1, 2, 5, 6, 7)
"""Of the first line of /proc/stat: user, nice, system, irq, softirq, steal."""


class MachineUnfit(Exception):
    """The machine cannot run the comparison; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core does what."""

    server: int
    generator: int

    @classmethod
    def choose(cls) -> "Cores":
        """Two different cores of those this process may use.

        Raises:
            MachineUnfit: there is only one.
        """
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise MachineUnfit("two cores are needed: one for a server, one for the generator")
        return cls(server=usable[0], generator=usable[1])


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time in seconds, of some processes or of the whole machine."""

    total: float = 0.0
    user: float = 0.0
    system: float = 0.0

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(
            self.total - before.total, self.user - before.user, self.system - before.system
        )


def usage_of(pids: Sequence[int]) -> Usage:
    """What processes have used so far, all threads and both modes.

    The total is the process's CPU clock, which is the sum of ``utime`` and ``stime`` before it
    is cut to ticks of 10 ms; the split is that of /proc/PID/stat, in ticks.
    """
    total = user = system = 0.0
    for pid in pids:
        total += time.clock_gettime(_cpu_clock(pid))
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11]) / TICKS
        system += int(fields[12]) / TICKS
    return Usage(total, user, system)


def _cpu_clock(pid: int) -> int:
    """The clock id that clock_getcpuclockid(3) gives for a process."""
    return (~pid << 3) | 2


def busy_s() -> float:
    """CPU time that all cores together have spent on anything, and that others have stolen."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    return sum(int(fields[place]) for place in BUSY_FIELDS) / TICKS


def resident_kib(pids: Sequence[int]) -> int:
    """Resident memory of processes together."""
    kib = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                kib += int(line.split()[1])
    return kib


def describe() -> dict[str, str]:
    """What a reader must know to judge the figures."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "cpu": f"{model}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "load average at the start": load,
    }
