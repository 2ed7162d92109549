"""What an interview sounded like, in numbers: pure functions over a `Timeline`.

Every function is total: without speech it gives zeros, never NaN. Durations are reported in
seconds, rounded to tenths; whatever is derived from them is derived from the rounded ones, so
that ``effective = session - forced``, ``silence = effective - speaking`` and ``ratio =
speaking / session`` hold exactly for what a reader sees.

Sources: articulation rate is syllables over phonation time, and pauses are gaps in it (de Jong
and Wempe 2009, Behavior Research Methods 41:385, doi 10.3758/BRM.41.2.385). The remaining
definitions are those of the interview contract.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from speech.interviews.fluency import (
    SyllableCounter,
    count_syllables,
    filled_pause_count,
    fluency_score,
    words,
)
from speech.interviews.outcome import Metrics, Range
from speech.interviews.timeline import Timeline, Turn, TurnEnd

PAUSE_MS = 300
"""A gap between two stretches of voice in one turn is a pause when it is longer."""

HESITATION_MS = 1_000
"""A silent pause of at least this length counts as a hesitation."""

LONG_PAUSE_MS = 5_000
"""A pause is long when it is longer."""

LEAST_SPEECH_S = 1.0
"""Below this, rates over speaking time mean nothing and are 0."""

SIMILARITY_WEIGHT = 0.8
"""In the overall relevance; the rest is keyword coverage."""

BENCHMARKS: dict[str, Range] = {
    "wpm": Range(min=120, max=160),
    "speaking_ratio": Range(min=0.5, max=0.7),
    "fluency_score": Range(min=0.75),
    "articulation_rate": Range(min=3, max=5),
    "long_pause_count": Range(max=5),
    "avg_response_latency": Range(max=3),
    "avg_semantic_similarity": Range(min=0.7),
    "avg_keyword_coverage": Range(min=0.6),
}
"""What is good, in the unit of each metric; the bounds are as published, where scores are to be
above theirs and long pauses and latency below. Similarity is a lower bound where a small local
recogniser did the listening."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good one answer was; both 0 to 1, both 0 for a silent one."""

    similarity: float
    keyword_coverage: float
    silent: bool = False


def speaking_ms(turn: Turn) -> int:
    """Voice inside the turn, overlaps counted once."""
    return sum(span.length_ms for span in turn.voiced)


def pauses_ms(turn: Turn) -> list[int]:
    """Lengths of the pauses between the first and the last voice of a turn, in order.

    Time in which the reader was not connected is not part of a pause.
    """
    gaps = (
        turn.present_ms(before.end_ms, after.start_ms)
        for before, after in itertools.pairwise(turn.voiced)
    )
    return [gap for gap in gaps if gap > PAUSE_MS]


def last_voice_ms(turn: Turn) -> int:
    """The end of the last voice; without voice the last new text, and without text the start."""
    if turn.voiced:
        return turn.voiced[-1].end_ms
    if turn.last_text_ms is None:
        return turn.started_ms
    return min(max(turn.last_text_ms, turn.started_ms), turn.ended_ms)


def forced_silence_ms(turn: Turn) -> int:
    """Silence from the last voice until the timeout ended the turn; 0 for any other end."""
    if turn.ended_by is not TurnEnd.SILENCE:
        return 0
    return turn.present_ms(last_voice_ms(turn), turn.ended_ms)


def response_latency_ms(turn: Turn) -> int | None:
    """From the end of the question to the first voice; None for a turn without voice."""
    if not turn.voiced:
        return None
    return turn.present_ms(turn.started_ms, turn.voiced[0].start_ms)


def speech_rate(count: int, *, speaking_s: float) -> float:
    """``count`` per second of speech; 0 below `LEAST_SPEECH_S`.

    Articulation rate when syllables are counted; times 60, words per minute.
    """
    return count / speaking_s if speaking_s >= LEAST_SPEECH_S else 0.0


def hesitation_rate(*, filled: int, pauses: Sequence[int], word_count: int) -> float:
    """Filled pauses and silent ones of `HESITATION_MS` and more, per word; 0 without words."""
    if not word_count:
        return 0.0
    return (filled + sum(pause >= HESITATION_MS for pause in pauses)) / word_count


def measure(
    timeline: Timeline,
    scores: Sequence[Score],
    *,
    questions_asked: int | None = None,
    syllables: SyllableCounter = count_syllables,
) -> Metrics:
    """Every metric of an interview.

    Args:
        scores: one for each answer, silent ones included.
        questions_asked: also those that were not answered; by default as many as ``scores``.
        syllables: how syllables of a word are counted.
    """
    turns = timeline.turns
    session = _tenths(timeline.duration_ms)
    forced = min(session, _tenths(sum(map(forced_silence_ms, turns))))
    effective = round(session - forced, 1)
    speaking = min(effective, _tenths(sum(map(speaking_ms, turns))))
    text = " ".join(turn.text for turn in turns)
    said = words(text)
    filled = filled_pause_count(text)
    pauses = [pause for turn in turns for pause in pauses_ms(turn)]
    long_pauses = sum(pause > LONG_PAUSE_MS for pause in pauses)
    hesitations = hesitation_rate(filled=filled, pauses=pauses, word_count=len(said))
    wpm = 60 * speech_rate(len(said), speaking_s=speaking)
    similarity = _mean([score.similarity for score in scores])
    coverage = _mean([score.keyword_coverage for score in scores])
    return Metrics(
        session_duration=session,
        forced_silence_time=forced,
        effective_duration=effective,
        speaking_time=speaking,
        silence_time=round(effective - speaking, 1),
        speaking_ratio=_share(speaking, session),
        speaking_ratio_during_turn=_share(speaking, _turn_time_s(turns) - forced),
        total_words=len(said),
        wpm=round(wpm, 1),
        articulation_rate=round(speech_rate(sum(map(syllables, said)), speaking_s=speaking), 2),
        pause_count=len(pauses),
        avg_pause_duration=round(_mean(pauses) / 1000, 2),
        long_pause_count=long_pauses,
        hesitation_rate=round(hesitations, 2),
        hesitations_per_minute=round(60 * speech_rate(len(pauses), speaking_s=speaking), 2),
        filled_pause_count=filled,
        fluency_score=round(
            fluency_score(
                words_per_minute=wpm,
                continuity=speaking / effective,
                hesitation_rate=hesitations,
                long_pauses=long_pauses,
            )
            if said and speaking
            else 0.0,
            3,
        ),
        avg_response_latency=round(_mean(_latencies_ms(turns)) / 1000, 2),
        avg_semantic_similarity=round(similarity, 3),
        avg_keyword_coverage=round(coverage, 3),
        overall_relevance=round(
            SIMILARITY_WEIGHT * similarity + (1 - SIMILARITY_WEIGHT) * coverage, 3
        ),
        questions_answered=sum(not score.silent for score in scores),
        questions_asked=len(scores) if questions_asked is None else questions_asked,
    )


def _tenths(milliseconds: int) -> float:
    return round(max(0, milliseconds) / 1000, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _share(part: float, whole: float) -> float:
    return round(min(1.0, part / whole), 3) if part > 0 and whole > 0 else 0.0


def _turn_time_s(turns: Sequence[Turn]) -> float:
    return sum(turn.present_ms(turn.started_ms, turn.ended_ms) for turn in turns) / 1000


def _latencies_ms(turns: Sequence[Turn]) -> list[int]:
    latencies = (response_latency_ms(turn) for turn in turns)
    return [latency for latency in latencies if latency is not None]
