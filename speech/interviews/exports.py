"""A result for a spreadsheet: its metrics as rows of CSV (RFC 4180). Pure.

The answers are `speech.interviews.history.as_csv`, and JSON is the result itself.
"""

import csv
import io
from datetime import UTC, datetime

from msgspec.structs import fields

from speech.interviews.events import InterviewComplete
from speech.interviews.outcome import Metrics

UNITS = {
    "session_duration": "s",
    "forced_silence_time": "s",
    "effective_duration": "s",
    "speaking_time": "s",
    "silence_time": "s",
    "wpm": "words/min",
    "articulation_rate": "syllables/s",
    "avg_pause_duration": "s",
    "hesitation_rate": "per word",
    "hesitations_per_minute": "1/min",
    "avg_response_latency": "s",
}
"""Units of the metrics; those that are missing are counts, or shares from 0 to 1."""

METRIC_COLUMNS = ("metric", "value", "unit", "good_from", "good_to")


def metrics_as_csv(result: InterviewComplete) -> str:
    """Every metric, a row each: key, value, unit and the bounds of its good range.

    A bound that is open is empty.
    """
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(METRIC_COLUMNS)
    for field in fields(Metrics):
        good = result.benchmarks.get(field.name)
        bounds = (good.min, good.max) if good else (None, None)
        value = getattr(result.metrics, field.name)
        writer.writerow([field.name, value, UNITS.get(field.name, ""), *map(_cell, bounds)])
    return rows.getvalue()


def file_name(result: InterviewComplete, kind: str, extension: str) -> str:
    """Such as ``interview-20261121-1015-metrics.csv``, after the start in UTC."""
    started = datetime.fromtimestamp(result.started_at, UTC)
    middle = f"-{kind}" if kind else ""
    return f"interview-{started:%Y%m%d-%H%M}{middle}.{extension}"


def _cell(value: float | None) -> float | str:
    return "" if value is None else value
