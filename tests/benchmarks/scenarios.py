"""What is measured, in which sizes, and what is to be reached.

Pure: says what to do, does nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

MESSAGE_FRAME_BYTES = 300
EQUAL_LOAD_PER_S = 60_000
EQUAL_LOAD_S = 5
ROOM_SIZES = (10, 100, 1_000)
IDLE_COUNTS = (1_000, 5_000)
ACKS = 2_000


class Mode(StrEnum):
    """How messages are sent."""

    ONE = "1 in flight"
    EIGHT = "8 in flight"
    EQUAL = "60,000 deliveries/s"
    MODEST = "modest rate"

    @property
    def in_flight(self) -> int | None:
        """For the closed loops; None for the modes that send by the clock."""
        return {Mode.ONE: 1, Mode.EIGHT: 8}.get(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room full of readers, on servers of one kind."""

    members: int
    workers: int = 1
    has_database: bool = False

    @property
    def title(self) -> str:
        words = [f"N = {self.members:,}"]
        if self.workers > 1:
            words.append(f"{self.workers} workers")
        if self.has_database:
            words.append("MongoDB")
        return ", ".join(words)

    @property
    def modes(self) -> tuple[Mode, ...]:
        equal = (Mode.EQUAL,) if self.members == max(ROOM_SIZES) and not self.has_database else ()
        return (Mode.ONE, Mode.EIGHT, *equal, Mode.MODEST)

    def messages(self, mode: Mode, *, is_quick: bool) -> int:
        """How many messages one phase has: the same for every server."""
        if mode is Mode.MODEST:
            wanted = {10: 200, 100: 80, 1_000: 25}[self.members]
        elif mode is Mode.EQUAL:
            wanted = EQUAL_LOAD_S * EQUAL_LOAD_PER_S // self.members
        elif self.has_database:
            wanted = {10: 3_000, 100: 1_500, 1_000: 300}[self.members]
        else:
            wanted = {10: 15_000, 100: 3_000, 1_000: 300}[self.members]
        return wanted // 5 if is_quick else wanted

    def per_second(self, mode: Mode) -> float:
        """Messages per second of the modes that send by the clock."""
        if mode is Mode.EQUAL:
            return EQUAL_LOAD_PER_S / self.members
        return {10: 50.0, 100: 20.0, 1_000: 5.0}[self.members]


def rooms(
    sizes: tuple[int, ...] = ROOM_SIZES, *, with_database: bool, with_workers: bool
) -> list[Room]:
    """All rooms of a run, smallest first."""
    wanted = [Room(members=members) for members in sizes]
    if with_workers:
        wanted.append(Room(members=max(sizes), workers=2))
    if with_database:
        wanted += [Room(members=members, has_database=True) for members in sizes]
    return wanted


CPU_TARGETS: dict[tuple[Room, Mode], float] = {
    (Room(members=10), Mode.ONE): 1.3,
    (Room(members=10), Mode.EIGHT): 0.8,
    (Room(members=100), Mode.ONE): 0.7,
    (Room(members=100), Mode.EIGHT): 0.35,
    (Room(members=1_000), Mode.ONE): 0.65,
    (Room(members=1_000), Mode.EIGHT): 0.3,
    (Room(members=1_000), Mode.EQUAL): 0.75,
    (Room(members=1_000, workers=2), Mode.EIGHT): 0.45,
}
"""CPU per delivery as a share of Node's in the same run: at most this."""

EQUAL_LOAD_LATENCY_TARGET = 1.0
"""p50 and p99 under equal load as a share of Node's: at most this."""

MEMORY_TARGET = 1.5
"""Resident memory per idle connection as a share of Node's: at most this."""

CONNECTIONS_TARGET = 1.0
"""Connections per second as a share of Node's: at least this."""
