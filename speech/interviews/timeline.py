"""What happened in an interview and when: turns, speech and absences, as plain data.

Times are whole milliseconds since the interview began, so that thresholds are exact. Knows
no clock and no audio; `SampleClock` maps one to the other.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

REANCHOR_MS = 1_000
"""A sample clock that strays further than this from the arrival of its audio starts anew."""


class TurnEnd(enum.Enum):
    """What ended a turn of the reader."""

    SILENCE = "silence"
    """The silence timeout: the only automatic end, hence the only one with forced silence."""
    HAND = "hand"
    STOP = "stop"
    TIME_LIMIT = "time_limit"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start_ms`` up to, not including, ``end_ms``."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the reader, from ``interviewer_done`` to its end."""

    started_ms: int
    ended_ms: int
    ended_by: TurnEnd
    speech: tuple[Span, ...] = ()
    """Voice activity as it was detected; `voiced` puts it in order."""
    text: str = ""
    """Final text only: the words that count."""
    last_text_ms: int | None = None
    """When text grew last; stands in for the last voice of a turn without audio."""
    absences: tuple[Span, ...] = ()
    """When no socket of the reader was there; the clock of the turn stood still."""

    @property
    def voiced(self) -> tuple[Span, ...]:
        """Speech inside the turn: in order, overlaps joined, nothing empty."""
        return merge(self.speech, within=Span(self.started_ms, self.ended_ms))

    def present_ms(self, start_ms: int, end_ms: int) -> int:
        """How much of a stretch of the turn the reader was connected, at least 0."""
        away = merge(self.absences, within=Span(start_ms, end_ms))
        return max(0, end_ms - start_ms - sum(span.length_ms for span in away))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A whole interview, ready to be measured."""

    duration_ms: int
    turns: tuple[Turn, ...] = ()


def merge(spans: Iterable[Span], *, within: Span) -> tuple[Span, ...]:
    """The union of ``spans``, clipped, as ordered spans that do not touch each other."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start_ms, span.end_ms)):
        start = max(span.start_ms, within.start_ms)
        end = min(span.end_ms, within.end_ms)
        if start >= end:
            continue
        if merged and start <= merged[-1].end_ms:
            merged[-1] = Span(merged[-1].start_ms, max(merged[-1].end_ms, end))
        else:
            merged.append(Span(start, end))
    return tuple(merged)


@dataclass(slots=True)
class SampleClock:
    """When a sample was spoken: durations come from sample counts, the moment from arrival.

    A chunk that arrives has just been spoken, so the first one anchors the clock; from then
    on only samples count, for arrival jitters. Audio that was lost or held back shows as a
    deviation of more than `REANCHOR_MS`, and the samples after it get a new anchor.
    """

    rate_hz: int
    samples: int = 0
    """Samples that have arrived."""
    anchors: list[tuple[int, int]] = field(default_factory=list)
    """(first sample, moment of sample 0 in ms) for each stretch between two deviations."""

    def arrive(self, samples: int, *, now_ms: int) -> None:
        """Take note of the next chunk, which arrived at ``now_ms``."""
        first, self.samples = self.samples, self.samples + samples
        origin_ms = now_ms - self._length_ms(self.samples)
        if not self.anchors or abs(origin_ms - self.anchors[-1][1]) > REANCHOR_MS:
            self.anchors.append((first, origin_ms))

    def moment_ms(self, sample: int) -> int:
        """When ``sample`` was spoken, on the clock that `arrive` was told.

        Raises:
            ValueError: nothing has arrived.
        """
        if not self.anchors:
            raise ValueError("no audio has arrived")
        origin_ms = self.anchors[0][1]
        for first, later_ms in self.anchors:
            if sample >= first:
                origin_ms = later_ms
        return origin_ms + self._length_ms(sample)

    def _length_ms(self, samples: int) -> int:
        return samples * 1000 // self.rate_hz
