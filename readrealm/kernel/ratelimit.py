"""Rate limiting as arithmetic: who may act now, and if not, when.

The generic cell rate algorithm (ITU-T I.371) keeps one integer a key, the theoretical
arrival time. Storing that integer is somebody else's job.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``count`` actions at once, then one every ``period_ms / count`` milliseconds."""

    count: int
    period_ms: int

    def __post_init__(self) -> None:
        if self.count < 1 or self.period_ms < self.count:
            raise ValueError("a rate needs at least one action and one millisecond for each")

    @property
    def interval_ms(self) -> int:
        return self.period_ms // self.count


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    retry_after_ms: int
    """0 when allowed."""
    next_tat_ms: int
    """Theoretical arrival time to keep for the key, Unix milliseconds."""


def spend(rate: Rate, *, tat_ms: int, now_ms: int) -> Verdict:
    """Decide one action of a key whose kept theoretical arrival time is ``tat_ms`` (0: new)."""
    arrival = max(tat_ms, now_ms)
    earliest = arrival - rate.interval_ms * (rate.count - 1)
    if now_ms < earliest:
        return Verdict(allowed=False, retry_after_ms=earliest - now_ms, next_tat_ms=tat_ms)
    return Verdict(allowed=True, retry_after_ms=0, next_tat_ms=arrival + rate.interval_ms)
