"""How much live talk one reader may have, and how it is refused. Pure."""

import contextlib
from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.errors import AppError, RateLimited

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What one reader may have over all workers; None: as much as they like."""

    minutes_per_day: int | None
    """Of open sessions, by the UTC day."""
    sessions: int | None
    """At the same time."""


class MinutesSpent(RateLimited):
    """The reader has talked enough for today."""

    def __init__(self, minutes: int, *, retry_after_ms: int) -> None:
        text = f"Voice limit reached: {minutes} minutes a day. It starts again at midnight UTC."
        AppError.__init__(self, text, retry_after_ms=retry_after_ms)


class TooManySessions(RateLimited):
    """The reader talks somewhere else."""

    def __init__(self, sessions: int, *, retry_after_ms: int) -> None:
        many = "one session" if sessions == 1 else f"{sessions} sessions"
        text = f"Voice limit reached: {many} at a time. Stop another one first."
        AppError.__init__(self, text, retry_after_ms=retry_after_ms)


class Lease(Protocol):
    """A session that is counted."""

    async def renew(self) -> None:
        """Count the time since the last renewal; to be called every `RENEW_S` at least.

        Raises:
            MinutesSpent: that was the last of it.
        """
        ...


class Desk(Protocol):
    """Where sessions are counted."""

    def lease(self, reader: str) -> contextlib.AbstractAsyncContextManager[Lease]:
        """Count a session of a reader while the block lasts.

        Raises:
            MinutesSpent: nothing is left for today.
            TooManySessions: as many as may be are open.
            StoreUnavailable: nobody can tell.
        """
        ...


RENEW_S = 15.0
"""How often a session says that it is still there; a worker that dies takes four times as long to
be forgotten."""

LEASE_MS = round(4 * RENEW_S * 1_000)
