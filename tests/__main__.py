"""Every test, in three runs: most side by side on all processors, then those that tell time.

Protocol suites and others that wait for fractions of a second share the processors only with each
other; tests that measure have them to themselves. ``python -m tests`` runs all and ends with one
summary; arguments go to a single pytest.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from operator import itemgetter
from pathlib import Path

from tests import ALONE, PACED

MOST_PROCESSES = 4
"""Each has a mongod and a Valkey of its own, and now and then a browser."""

PROCESSES = "TEST_PROCESSES"
"""The variable that names another number of processes than one more than there are processors,
which is quickest, for tests wait as well as compute."""

CONFORMANCE = "tests/conformance"

NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Containers often set it. Here some hundred processes load the same modules: compiling each time
would take every start a fifth longer, and collecting tests twice as long."""

NOTHING_COLLECTED = 5

SLOWEST = 10
"""Files that the summary names: who looks for time begins with these."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run."""

    status: int
    took_s: float
    counts: Counter[str] = field(default_factory=Counter)
    """passed, skipped, failed"""
    broken: tuple[str, ...] = ()
    """The tests that failed, or could not be set up or cleared away."""
    files_s: dict[str, float] = field(default_factory=dict)
    """Seconds that the tests of a file took, what they set up and cleared away included."""


def main(arguments: list[str]) -> int:
    if arguments:
        return subprocess.run(pytest(*arguments), check=False).returncode
    os.environ.pop(NO_BYTECODE, None)
    processors = os.cpu_count() or 1
    processes = int(os.environ.get(PROCESSES) or min(processors + 1, MOST_PROCESSES))
    planned = stages(processes=processes, processors=min(processors, MOST_PROCESSES))
    outcomes = {title: run(*options) for title, options in planned.items()}
    summarise(outcomes)
    return next((outcome.status for outcome in outcomes.values() if outcome.status), 0)


def stages(*, processes: int, processors: int) -> dict[str, tuple[str, ...]]:
    """What is run one after the other: a title, and what pytest is told."""
    together = (f"--ignore={CONFORMANCE}", *spread(processes))
    paced = (CONFORMANCE, *files_marked(PACED), *spread(processors))
    return {
        f"{processes} at a time": ("-m", f"not {ALONE} and not {PACED}", *together),
        PACED: ("-m", f"{PACED} and not {ALONE}", *paced),
        ALONE: ("-m", ALONE, *files_marked(ALONE)),
    }


def spread(processes: int) -> tuple[str, ...]:
    # Files stay whole and in their order, so that a server or a browser serves one after another.
    return ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")


def files_marked(mark: str) -> list[str]:
    """The files that name a mark: collecting all the others for a few tests takes long."""
    paths = sorted(Path(__file__).parent.rglob("test_*.py"))
    return [str(path) for path in paths if f"mark.{mark}" in path.read_text(encoding="utf-8")]


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def run(*arguments: str) -> Outcome:
    """Run pytest; it says what it does as ever."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # Only this form of the report names files.
        form = ("-o", "junit_family=xunit1", f"--junit-xml={report}")
        command = pytest("-q", *arguments, *form)
        status = subprocess.run(command, check=False).returncode
        took_s = time.monotonic() - begin
        if not report.exists():
            return Outcome(status or NOTHING_COLLECTED, took_s)
        return read(report, status=status, took_s=took_s)


def read(report: Path, *, status: int, took_s: float) -> Outcome:
    """An outcome from what pytest wrote."""
    counts: Counter[str] = Counter()
    files_s: defaultdict[str, float] = defaultdict(float)
    broken: dict[str, None] = {}
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        files_s[case.get("file") or "?"] += float(case.get("time") or 0)
        if kinds & {"failure", "error"}:
            broken[f"{case.get('classname')}::{case.get('name')}"] = None
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    counts["failed"] = len(broken)
    return Outcome(status, took_s, counts, tuple(broken), files_s)


def summarise(outcomes: dict[str, Outcome]) -> None:
    print(f"\n{'':14}{'passed':>9}{'failed':>9}{'skipped':>9}{'took':>9}")
    for title, outcome in outcomes.items():
        say(title, outcome.counts, outcome.took_s)
    counts = sum((outcome.counts for outcome in outcomes.values()), Counter())
    say("all", counts, sum(outcome.took_s for outcome in outcomes.values()))
    print("\nslowest files, in seconds")
    for name, seconds in slowest(outcomes.values()):
        print(f"{seconds:9,.1f}  {name}")
    for name in (name for outcome in outcomes.values() for name in outcome.broken):
        print(f"failed: {name}")


def slowest(outcomes: Iterable[Outcome]) -> list[tuple[str, float]]:
    """The files that took longest in all runs together, and how long."""
    total: defaultdict[str, float] = defaultdict(float)
    for outcome in outcomes:
        for name, seconds in outcome.files_s.items():
            total[name] += seconds
    return nlargest(SLOWEST, total.items(), key=itemgetter(1))


def say(title: str, counts: Counter[str], took_s: float) -> None:
    minutes, seconds = divmod(round(took_s), 60)
    numbers = "".join(f"{counts[kind]:>9,}" for kind in ("passed", "failed", "skipped"))
    print(f"{title:14}{numbers}{minutes:>6}:{seconds:02}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
