"""The targets, and whether a run reached them.

Pure: judges records.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.results import (
    NOISY_SHARE,
    IdleRecord,
    Results,
    RoomRecord,
    Spread,
    paired_ratio,
)
from tests.benchmarks.scenarios import (
    CONNECTIONS_TARGET,
    CPU_TARGETS,
    EQUAL_LOAD_LATENCY_TARGET,
    IDLE_COUNTS,
    MEMORY_TARGET,
    Mode,
    Room,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target and what was reached, as a share of Node's figure."""

    title: str
    target: float
    at_least: bool = False
    """Whether more is better."""
    reached: Spread
    with_valkey: Spread | None = None
    is_noisy: bool

    @property
    def is_met(self) -> bool:
        median = round(self.reached.median, 2)
        return median >= self.target if self.at_least else median <= self.target


def verdicts(results: Results) -> list[Verdict]:
    """Every target that the run can judge."""
    return [*_cpu_verdicts(results), *_latency_verdicts(results), *_idle_verdicts(results)]


def _cpu_verdicts(results: Results) -> Iterable[Verdict]:
    for (room, mode), target in CPU_TARGETS.items():
        ours = results.in_room(room, mode, Contestant.BRIDGE)
        theirs = results.in_room(room, mode, Contestant.NODE)
        reached = paired_ratio(ours, theirs, lambda record: record.cpu_us)
        if reached is not None:
            yield Verdict(
                title=f"CPU per delivery, {room.title}, {mode}",
                target=target,
                reached=reached,
                with_valkey=paired_ratio(ours, theirs, lambda record: record.cpu_with_valkey_us),
                is_noisy=is_noisy([*ours, *theirs]),
            )


def _latency_verdicts(results: Results) -> Iterable[Verdict]:
    room = Room(members=1_000)
    ours = results.in_room(room, Mode.EQUAL, Contestant.BRIDGE)
    theirs = results.in_room(room, Mode.EQUAL, Contestant.NODE)
    figures: dict[str, Callable[[RoomRecord], float]] = {
        "p50": lambda record: record.phase.p50_us,
        "p99": lambda record: record.phase.p99_us,
    }
    for name, figure in figures.items():
        reached = paired_ratio(ours, theirs, figure)
        if reached is not None:
            yield Verdict(
                title=f"{name} latency, {room.title}, {Mode.EQUAL}",
                target=EQUAL_LOAD_LATENCY_TARGET,
                reached=reached,
                is_noisy=is_noisy([*ours, *theirs]),
            )


def _idle_verdicts(results: Results) -> Iterable[Verdict]:
    for count in IDLE_COUNTS:
        ours = results.idle_of(count, Contestant.BRIDGE)
        theirs = results.idle_of(count, Contestant.NODE)
        memory = paired_ratio(ours, theirs, lambda record: record.kib)
        speed = paired_ratio(ours, theirs, lambda record: record.per_second)
        if memory is None or speed is None:
            continue
        yield Verdict(
            title=f"KiB per idle connection, {count:,}",
            target=MEMORY_TARGET,
            reached=memory,
            is_noisy=False,
        )
        yield Verdict(
            title=f"connections per second, {count:,}",
            target=CONNECTIONS_TARGET,
            at_least=True,
            reached=speed,
            is_noisy=is_noisy([*ours, *theirs]),
        )


def is_noisy(records: Sequence[RoomRecord | IdleRecord]) -> bool:
    """Whether others used so much of a core that the figures are not to be trusted."""
    return any(record.foreign_share > NOISY_SHARE for record in records)
