"""The parts of a result on the wire: figures, answers, time line. Times are seconds."""

from typing import Annotated, Literal

from msgspec import Meta

from speech.interviews.contract import Count, InterviewContract, Seconds, Share


class Metrics(InterviewContract, frozen=True, kw_only=True):
    """What an interview sounded like and said. `speech.interviews.metrics` has the formulas.

    Durations are rounded to tenths of a second first and everything else is derived from the
    rounded ones, so that every figure can be recomputed from the ones beside it.
    """

    session_duration: Seconds
    forced_silence_time: Seconds
    """Seconds of waiting for the silence timeout."""
    effective_duration: Seconds
    """Session without forced silence."""
    speaking_time: Seconds
    silence_time: Seconds
    """Effective duration without speech."""
    speaking_ratio: Share
    """Of the session."""
    speaking_ratio_during_turn: Share
    """Of the reader's turns, forced silence apart."""
    total_words: Count
    wpm: Annotated[float, Meta(ge=0)]
    """Words a minute of speech; 0 below one second of speech."""
    articulation_rate: Annotated[float, Meta(ge=0)]
    """Syllables a second of speech; 0 below one second of speech."""
    pause_count: Count
    """Gaps of more than 0.3 s inside a turn."""
    avg_pause_duration: Seconds
    long_pause_count: Count
    """Pauses of more than 5 s."""
    hesitation_rate: Annotated[float, Meta(ge=0)]
    """Filled pauses and silent pauses of a second and more, per word."""
    hesitations_per_minute: Annotated[float, Meta(ge=0)]
    """Pauses a minute of speech; 0 below one second of speech."""
    filled_pause_count: Count
    fluency_score: Share
    avg_response_latency: Seconds
    """From the end of the question to the first voice, over the turns with speech."""
    avg_semantic_similarity: Share
    """Over all answers, silent ones included with 0."""
    avg_keyword_coverage: Share
    """Over all answers, silent ones included with 0."""
    overall_relevance: Share
    """0.8 similarity + 0.2 keyword coverage."""
    questions_answered: Count
    """Without the silent ones."""
    questions_asked: Count


class Range(InterviewContract, frozen=True, kw_only=True, omit_defaults=True):
    """What is good: from ``min`` to ``max``; an absent bound is open."""

    min: float | None = None
    max: float | None = None


class ContradictionFound(InterviewContract, frozen=True, kw_only=True):
    """A place where an answer seems to deny what was expected."""

    said: str
    expected: str


class QaPair(InterviewContract, frozen=True, kw_only=True):
    """One question, what was answered and what was expected."""

    question: str
    answer: str
    expected_answer: str
    similarity: Share
    """After contradictions have lowered it."""
    keyword_coverage: Share
    number: int
    grade: Literal["A", "B", "C", "D"]
    score: Annotated[int, Meta(ge=0, le=100)]
    """Whole percent of similarity."""
    found_terms: list[str]
    missing_terms: list[str]
    contradictions: list[ContradictionFound]
    topic: str
    subtopic: str
    difficulty: str
    curveball: bool
    silent: bool
    heard_by: str
    """The engine that turned voice into this text; empty for a silent answer."""
    heard_how: Literal["captions", "whole", "live", "unheard", "silence"] | None = None
    """``whole``: in a pass over the whole answer when it had ended. ``live``: while the reader
    spoke, at least in part, for nobody could hear all of it again. ``unheard``: there was voice,
    and nobody to write down what it said. ``silence``: nothing was said. None in results that were
    kept before it was told."""
    words: Count
    speaking_time: Seconds
    response_latency: Seconds | None
    """None without speech."""


class TimelineTurn(InterviewContract, frozen=True, kw_only=True):
    """A turn of the reader for a chart; seconds since the interview began."""

    number: int
    started: Seconds
    ended: Seconds
    ended_by: Literal["silence", "hand", "stop", "time_limit", "disconnected"]
    speech: list[tuple[Seconds, Seconds]]
    """(start, end) of each stretch of voice."""
