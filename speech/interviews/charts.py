"""What the charts of an interview show, as plain figures; the browser only draws them. Pure.

Every chart has its table from the same figures, so that nobody needs to see the drawing.
"""

import enum
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from speech.interviews.events import InterviewComplete
from speech.interviews.metrics import LONG_PAUSE_MS, PAUSE_MS
from speech.interviews.outcome import QaPair, TimelineTurn
from speech.interviews.phrases import ENDED_BY

PAUSE_S = PAUSE_MS / 1000
LONG_PAUSE_S = LONG_PAUSE_MS / 1000


class Part(enum.StrEnum):
    """What a stretch of a turn was."""

    WAIT = "wait"
    """From the end of the question to the first voice."""
    SPEECH = "speech"
    PAUSE = "pause"
    LONG_PAUSE = "long_pause"
    """Longer than five seconds."""
    SILENCE = "silence"
    """From the last voice to the end of the turn."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds since the turn began, rounded to hundredths."""

    kind: Part
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return round(self.end_s - self.start_s, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRow:
    """One turn on the time line."""

    number: int
    began_s: float
    """Since the interview began."""
    lasted_s: float
    parts: tuple[Stretch, ...]
    """Without holes, from 0 to ``lasted_s``."""
    ended: str

    @property
    def spoke_s(self) -> float:
        return round(sum(part.length_s for part in self._of(Part.SPEECH)), 1)

    @property
    def pauses(self) -> int:
        return len(self._of(Part.PAUSE, Part.LONG_PAUSE))

    @property
    def long_pauses(self) -> int:
        return len(self._of(Part.LONG_PAUSE))

    @property
    def longest_pause_s(self) -> float | None:
        return max((part.length_s for part in self._of(Part.PAUSE, Part.LONG_PAUSE)), default=None)

    @property
    def first_word_s(self) -> float | None:
        """From the end of the question; None without speech."""
        return next((part.start_s for part in self._of(Part.SPEECH)), None)

    def _of(self, *kinds: Part) -> list[Stretch]:
        return [part for part in self.parts if part.kind in kinds]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPoint:
    """How one answer did; both shares 0 to 1."""

    number: int
    similarity: float
    keyword_coverage: float
    silent: bool


class Summary(Protocol):
    """What is asked of a past interview; `speech.interviews.history.InterviewSummary` has it."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def analysis_valid(self) -> bool: ...
    @property
    def similarity(self) -> float: ...
    @property
    def keyword_coverage(self) -> float: ...
    @property
    def fluency(self) -> float: ...
    @property
    def wpm(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressPoint:
    """One interview among others; shares 0 to 1."""

    number: int
    """1 for the first of those shown."""
    started_at: datetime
    similarity: float
    keyword_coverage: float
    fluency: float | None
    """None where too little was heard, as for ``wpm``: a zero would look like a failure."""
    wpm: float | None


def turn_rows(turns: Iterable[TimelineTurn]) -> list[TurnRow]:
    """The time line of an interview, a row for each turn."""
    return [
        TurnRow(
            number=turn.number,
            began_s=turn.started,
            lasted_s=round(turn.ended - turn.started, 2),
            parts=tuple(_parts(turn)),
            ended=ENDED_BY[turn.ended_by],
        )
        for turn in turns
    ]


def answer_points(pairs: Iterable[QaPair]) -> list[AnswerPoint]:
    """How each answer did, in the order of the questions."""
    return [
        AnswerPoint(
            number=pair.number,
            similarity=pair.similarity,
            keyword_coverage=pair.keyword_coverage,
            silent=pair.silent,
        )
        for pair in pairs
    ]


def progress_points(past: Sequence[Summary]) -> list[ProgressPoint]:
    """How interviews went over time, oldest first; ``past`` comes newest first.

    An interview in which too little was said to judge it is left out.
    """
    valid = [interview for interview in reversed(past) if interview.analysis_valid]
    return [
        ProgressPoint(
            number=number,
            started_at=interview.started_at,
            similarity=interview.similarity,
            keyword_coverage=interview.keyword_coverage,
            fluency=interview.fluency if interview.wpm else None,
            wpm=interview.wpm or None,
        )
        for number, interview in enumerate(valid, start=1)
    ]


def drawing(result: InterviewComplete) -> dict[str, object]:
    """The figures of a result's charts, as JSON can say them."""
    rows = turn_rows(result.timeline)
    return {
        "turns": [
            {
                "number": row.number,
                "lasted": row.lasted_s,
                "ended": row.ended,
                "parts": [[part.kind.value, part.start_s, part.end_s] for part in row.parts],
            }
            for row in rows
        ],
        "answers": [
            {
                "number": point.number,
                "similarity": point.similarity,
                "keywordCoverage": point.keyword_coverage,
                "silent": point.silent,
            }
            for point in answer_points(result.qa_pairs)
        ],
        "good": {
            "similarity": _lowest(result, "avg_semantic_similarity"),
            "keywordCoverage": _lowest(result, "avg_keyword_coverage"),
        },
    }


def progress_drawing(points: Iterable[ProgressPoint]) -> list[dict[str, object]]:
    """The figures of the progress chart, as JSON can say them."""
    return [
        {
            "number": point.number,
            "at": point.started_at.isoformat(),
            "similarity": point.similarity,
            "keywordCoverage": point.keyword_coverage,
            "fluency": point.fluency,
        }
        for point in points
    ]


def _parts(turn: TimelineTurn) -> Iterable[Stretch]:
    lasted = round(turn.ended - turn.started, 2)
    speech = list(_joined(turn, lasted))
    if not speech:
        if lasted > 0:
            yield Stretch(Part.SILENCE, 0.0, lasted)
        return
    if speech[0][0] > 0:
        yield Stretch(Part.WAIT, 0.0, speech[0][0])
    for before, after in itertools.pairwise([*speech, None]):
        assert before is not None
        yield Stretch(Part.SPEECH, *before)
        if after is not None:
            gap_s = round(after[0] - before[1], 2)
            kind = Part.LONG_PAUSE if gap_s > LONG_PAUSE_S else Part.PAUSE
            yield Stretch(kind, before[1], after[0])
    if speech[-1][1] < lasted:
        yield Stretch(Part.SILENCE, speech[-1][1], lasted)


def _joined(turn: TimelineTurn, lasted: float) -> Iterable[tuple[float, float]]:
    """Speech since the turn began, gaps that are no pause closed."""
    current: tuple[float, float] | None = None
    for start, end in sorted(turn.speech):
        since = (
            round(min(max(0.0, start - turn.started), lasted), 2),
            round(min(max(0.0, end - turn.started), lasted), 2),
        )
        if current is not None and round(since[0] - current[1], 2) <= PAUSE_S:
            current = (current[0], max(current[1], since[1]))
            continue
        if current is not None:
            yield current
        current = since
    if current is not None:
        yield current


def _lowest(result: InterviewComplete, metric: str) -> float | None:
    good = result.benchmarks.get(metric)
    return good.min if good else None
