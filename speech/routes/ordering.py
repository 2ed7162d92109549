"""In which order the chunks of a stream are processed, and when a missing one is given up. Pure."""

from dataclasses import dataclass

OVERTAKEN_WAIT_MS = 1_000
"""How long a chunk waits for predecessors that have not come."""

FIRST = (0, 1)
"""The numbers that a stream begins with; before others, some may still be on their way."""


@dataclass(frozen=True, slots=True)
class Take:
    """Process the chunk now, after so many that are given up."""

    missing: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many milliseconds, or when another chunk has come."""

    ms: int


def decide(
    seq: int, *, last: int | None, came_at_ms: int, now_ms: int, is_closed: bool
) -> Take | Wait:
    """What to do with the lowest chunk that waits.

    Args:
        last: the number that was processed last; None at the beginning.
        came_at_ms: when this chunk was accepted.
        is_closed: whether no more chunks will come.
    """
    missing = seq - last - 1 if last is not None else 0
    is_next = missing == 0 if last is not None else seq in FIRST
    waited_ms = now_ms - came_at_ms
    if is_next or is_closed or waited_ms >= OVERTAKEN_WAIT_MS:
        return Take(missing)
    return Wait(min(OVERTAKEN_WAIT_MS, OVERTAKEN_WAIT_MS - waited_ms))
