"""The only place that asks what time it is, and the one that writes a time for the wire."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Gives Unix time in milliseconds. Handed in as an argument, so that tests own it."""


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def utc(unix_ms: int) -> datetime:
    """The aware UTC moment, exact to the millisecond."""
    return datetime.fromtimestamp(unix_ms // 1000, UTC).replace(microsecond=unix_ms % 1000 * 1000)


def iso_ms(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``: ``2026-11-21T09:30:00.123Z``.

    A naive datetime is taken for UTC, as MongoDB hands them out.
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
