"""What was measured, one record a phase, and the ratios between servers of one round.

Pure: knows no process and no file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, TypeVar

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.generator import Phase
from tests.benchmarks.scenarios import Mode, Room

Record = TypeVar("Record", "RoomRecord", "IdleRecord")

NOISY_SHARE = 0.1
"""Of one core: CPU time of others in a phase above which its figures are not trusted."""

BUSY_SHARE = 0.9
"""Of its core: above it, the generator may have been what was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRecord:
    """One phase of one server in one room; CPU times in seconds."""

    room: Room
    mode: Mode
    contestant: Contestant
    round: int
    phase: Phase
    cpu_s: float
    user_s: float
    system_s: float
    valkey_cpu_s: float
    mongod_cpu_s: float
    foreign_share: float
    """CPU time of processes that do not belong to the benchmark, as a share of one core."""
    ack_p50_us: float | None = None
    ack_p99_us: float | None = None

    def per_delivery_us(self, seconds: float) -> float:
        return seconds * 1e6 / self.phase.deliveries

    @property
    def cpu_us(self) -> float:
        """CPU of the server's own processes per delivery."""
        return self.per_delivery_us(self.cpu_s)

    @property
    def cpu_with_valkey_us(self) -> float:
        return self.per_delivery_us(self.cpu_s + self.valkey_cpu_s)

    @property
    def deliveries_per_s(self) -> float:
        return self.phase.deliveries / self.phase.seconds

    @property
    def generator_share(self) -> float:
        return self.phase.generator_cpu_s / self.phase.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleRecord:
    """Connections of one fresh server that only stay."""

    count: int
    contestant: Contestant
    round: int
    seconds: float
    cpu_s: float
    kib: float
    """Resident memory per connection, above that of the server without any."""
    foreign_share: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU per connection: handshake, upgrade, Socket.IO CONNECT."""
        return self.cpu_s * 1e6 / self.count


@dataclass(slots=True)
class Results:
    """One run."""

    about: dict[str, str]
    rooms: list[RoomRecord] = field(default_factory=list)
    idle: list[IdleRecord] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "about": self.about,
            "rooms": [asdict(record) for record in self.rooms],
            "idle": [asdict(record) for record in self.idle],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Results":
        """What `to_json` gave."""
        rooms = [
            RoomRecord(
                **{
                    **record,
                    "room": Room(**record["room"]),
                    "mode": Mode(record["mode"]),
                    "contestant": Contestant(record["contestant"]),
                    "phase": Phase(**record["phase"]),
                }
            )
            for record in data["rooms"]
        ]
        idle = [
            IdleRecord(**{**record, "contestant": Contestant(record["contestant"])})
            for record in data["idle"]
        ]
        return cls(data["about"], rooms, idle)

    def in_room(self, room: Room, mode: Mode, contestant: Contestant) -> list[RoomRecord]:
        """The rounds of one row."""
        wanted = (room, mode, contestant)
        return [
            record
            for record in self.rooms
            if (record.room, record.mode, record.contestant) == wanted
        ]

    def idle_of(self, count: int, contestant: Contestant) -> list[IdleRecord]:
        return [
            record
            for record in self.idle
            if (record.count, record.contestant) == (count, contestant)
        ]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and what they lay between."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])


def paired_ratio(
    ours: Sequence[Record], theirs: Sequence[Record], figure: Callable[[Record], float]
) -> Spread | None:
    """``figure`` of ours as a share of theirs, round by round; None without a common round."""
    other = {record.round: figure(record) for record in theirs}
    shares = [figure(record) / other[record.round] for record in ours if other.get(record.round)]
    return Spread.of(shares) if shares else None
