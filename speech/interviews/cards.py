"""Metrics as cards: a value, where good values lie, and what it means in one sentence. Pure."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from speech.interviews.events import InterviewComplete
from speech.interviews.metrics import LEAST_SPEECH_S
from speech.interviews.outcome import Range
from speech.interviews.phrases import clock, percent

NBSP = "\u00a0"
"""Between a value and its unit, so that no line ends there."""


class Standing(enum.StrEnum):
    """Where a value lies. The words are what a reader sees."""

    GOOD = "in the good range"
    LOW = "below the good range"
    HIGH = "above the good range"
    UNKNOWN = "not enough speech to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One metric in front of a reader."""

    key: str
    title: str
    value: float | None
    """None where there was not enough speech to say."""
    shown: str
    """The value as it is written."""
    unit: str
    """Behind it; empty where it has none."""
    good: str
    """The good range in words."""
    low: float | None
    high: float | None
    end: float
    """Where the scale ends; it begins at 0."""
    standing: Standing
    meaning: str

    @property
    def is_good(self) -> bool:
        return self.standing is Standing.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    title: str
    end: float
    """The least that the scale reaches."""
    write: Callable[..., str]
    """A value in words; ``more`` is for decimals beyond those that a reader needs."""
    meanings: dict[Standing, str]
    needs_speech: bool = True


def _plain(unit: str, digits: int = 0) -> Callable[..., str]:
    def write(value: float, *, more: int = 0) -> str:
        return f"{value:.{digits + more}f}{NBSP}{unit}".rstrip(NBSP)

    return write


def _percent(value: float, *, more: int = 0) -> str:
    return f"{100 * value:.{more}f}{NBSP}%" if more else percent(value)


_KINDS = {
    "wpm": _Kind(
        title="Pace",
        end=220,
        write=_plain("words a minute"),
        meanings={
            Standing.GOOD: "Easy to follow.",
            Standing.LOW: "Slower than most listeners expect; think first, then say it in one go.",
            Standing.HIGH: "Fast; a listener has little time to take notes.",
        },
    ),
    "speaking_ratio": _Kind(
        title="Share of speech",
        end=1,
        write=_percent,
        meanings={
            Standing.GOOD: "You spoke as much as an interview leaves room for.",
            Standing.LOW: "Much of the time went into questions, thinking and silence.",
            Standing.HIGH: "You spoke nearly all the time; questions need room too.",
        },
    ),
    "fluency_score": _Kind(
        title="Fluency",
        end=1,
        write=_percent,
        meanings={
            Standing.GOOD: "Your speech flowed: steady, with few hesitations.",
            Standing.LOW: "Pace, gaps and hesitations together held your speech up.",
        },
    ),
    "articulation_rate": _Kind(
        title="Articulation",
        end=8,
        write=_plain("syllables a second", 1),
        meanings={
            Standing.GOOD: "While you spoke, the syllables came at a comfortable rate.",
            Standing.LOW: "While you spoke, the syllables came slowly.",
            Standing.HIGH: "While you spoke, the syllables came fast; some may get lost.",
        },
    ),
    "long_pause_count": _Kind(
        title="Long pauses",
        end=10,
        write=_plain(""),
        meanings={
            Standing.GOOD: "You rarely stopped for more than five seconds.",
            Standing.HIGH: "You stopped often for more than five seconds; saying that you think "
            "keeps a listener with you.",
        },
    ),
    "avg_response_latency": _Kind(
        title="Time to the first word",
        end=10,
        write=_plain("s", 1),
        meanings={
            Standing.GOOD: "You began soon after each question.",
            Standing.HIGH: "It took a while before you began; repeating the question in your own "
            "words buys time.",
        },
    ),
    "avg_semantic_similarity": _Kind(
        title="Match",
        end=1,
        write=_percent,
        needs_speech=False,
        meanings={
            Standing.GOOD: "Your answers say what was expected.",
            Standing.LOW: "Your answers were about something else, too short, or not heard well.",
        },
    ),
    "avg_keyword_coverage": _Kind(
        title="Key terms",
        end=1,
        write=_percent,
        needs_speech=False,
        meanings={
            Standing.GOOD: "You named most of the terms that a good answer names.",
            Standing.LOW: "Name the central terms; below you see which were missing.",
        },
    ),
}


def cards(result: InterviewComplete) -> list[Card]:
    """The metrics that have a good range, in a fixed order."""
    return [
        _card(result, key, kind, result.benchmarks[key])
        for key, kind in _KINDS.items()
        if key in result.benchmarks
    ]


def standing(value: float, good: Range) -> Standing:
    """Where a value lies. The ends of a range that is open on one side are not part of it."""
    if good.min is not None and good.max is not None:
        return (
            Standing.LOW
            if value < good.min
            else Standing.HIGH
            if value > good.max
            else Standing.GOOD
        )
    if good.min is not None and value <= good.min:
        return Standing.LOW
    if good.max is not None and value >= good.max:
        return Standing.HIGH
    return Standing.GOOD


def figures(result: InterviewComplete) -> list[tuple[str, str]]:
    """The metrics that have no good range, as (name, value) in words."""
    metrics = result.metrics
    return [
        ("Length of the interview", clock(metrics.session_duration)),
        ("You spoke for", clock(metrics.speaking_time)),
        ("You were silent for", clock(metrics.silence_time)),
        ("Waiting for the silence limit", clock(metrics.forced_silence_time)),
        ("Share of speech in your turns", percent(metrics.speaking_ratio_during_turn)),
        ("Words", str(metrics.total_words)),
        ("Pauses", str(metrics.pause_count)),
        ("Average pause", f"{metrics.avg_pause_duration:.1f}\u00a0s"),
        ("Pauses a minute of speech", f"{metrics.hesitations_per_minute:.1f}"),
        ("Filled pauses, such as um", str(metrics.filled_pause_count)),
        ("Hesitations per word", f"{metrics.hesitation_rate:.2f}"),
        ("Overall relevance", percent(metrics.overall_relevance)),
        ("Questions answered", f"{metrics.questions_answered} of {metrics.questions_asked}"),
    ]


def _card(result: InterviewComplete, key: str, kind: _Kind, good: Range) -> Card:
    value = float(getattr(result.metrics, key))
    is_known = _is_known(result, kind)
    where = standing(value, good) if is_known else Standing.UNKNOWN
    number, _, unit = _written(value, kind, good).partition(NBSP)
    return Card(
        key=key,
        title=kind.title,
        value=value if is_known else None,
        shown=number if is_known else "–",
        unit=unit if is_known else "",
        good=_range_words(good, kind.write),
        low=good.min,
        high=good.max,
        end=max(kind.end, value),
        standing=where,
        meaning=kind.meanings.get(where, "Too little was heard for this figure."),
    )


def _written(value: float, kind: _Kind, good: Range) -> str:
    """With one more decimal where a value that is no bound would be written like one: 70.3 % is
    above a range that ends at 70 %."""
    plain = kind.write(value)
    bounds = [bound for bound in (good.min, good.max) if bound is not None and bound != value]
    is_like_one = any(kind.write(bound) == plain for bound in bounds)
    return kind.write(value, more=1) if is_like_one else plain


def _is_known(result: InterviewComplete, kind: _Kind) -> bool:
    if kind.needs_speech:
        return result.metrics.speaking_time >= LEAST_SPEECH_S
    return bool(result.qa_pairs)


def _range_words(good: Range, write: Callable[..., str]) -> str:
    low, high = (
        None if bound is None else write(bound).replace(".0", "") for bound in (good.min, good.max)
    )
    if low and high:
        return f"{low.partition(NBSP)[0]} to {high}"
    return f"above {low}" if low else f"below {high}"
