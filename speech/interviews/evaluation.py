"""How good one answer is: similarity, key terms, contradictions, grade. Knows no interview."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from speech.interviews.contradiction import Contradiction, find_contradictions, penalty
from speech.interviews.fluency import words
from speech.interviews.questions import Term
from speech.interviews.similarity import Similarity
from speech.interviews.terms import cover

Grade = Literal["A", "B", "C", "D"]

GRADES: tuple[tuple[float, Grade], ...] = ((0.8, "A"), (0.6, "B"), (0.4, "C"))
"""A grade is given above its similarity; D below all of them."""

MOST_STEERING = 0.95

SHORT_ANSWERS = ((10, 0.7), (20, 0.85))
"""Fewer words than this weigh less when the next question is chosen."""


class Expectation(Protocol):
    """What an answer is held against; a question of the bank is one."""

    @property
    def expected_answer(self) -> str: ...
    @property
    def key_terms(self) -> Sequence[Term]: ...
    @property
    def concepts(self) -> Sequence[Term]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What an answer was worth; everything 0 and missing for a silent one."""

    similarity: float
    """0 to 1, after contradictions have lowered it."""
    measured_similarity: float
    """0 to 1, as measured."""
    keyword_coverage: float
    """Share of the key terms that the answer names, 0 to 1."""
    found_terms: tuple[str, ...]
    missing_terms: tuple[str, ...]
    mentioned_concepts: tuple[str, ...]
    missing_concepts: tuple[str, ...]
    contradictions: tuple[Contradiction, ...] = ()
    measured_by: str = ""
    """The similarity that was used; empty where nothing was measured."""

    @property
    def grade(self) -> Grade:
        return grade(self.similarity)


class Evaluator:
    """Holds answers against expectations; may take a while, so call it off the event loop."""

    def __init__(self, similarity: Similarity) -> None:
        self._similarity = similarity

    def assess(self, expectation: Expectation, answer: str) -> Assessment:
        """Raises:
        ProviderUnavailable: the model behind the similarity is not there.
        """
        terms = cover(answer, expectation.key_terms)
        concepts = cover(answer, expectation.concepts)
        measured = self._similarity.compare(answer, expectation.expected_answer)
        contradictions = find_contradictions(answer, expectation.expected_answer)
        return Assessment(
            similarity=measured * penalty(contradictions),
            measured_similarity=measured,
            keyword_coverage=terms.share,
            found_terms=terms.found,
            missing_terms=terms.missing,
            mentioned_concepts=concepts.found,
            missing_concepts=concepts.missing,
            contradictions=tuple(contradictions),
            measured_by=self._similarity.name,
        )


def nothing_said(expectation: Expectation) -> Assessment:
    """The assessment of silence, and of an answer that could not be evaluated."""
    return Assessment(
        similarity=0.0,
        measured_similarity=0.0,
        keyword_coverage=0.0,
        found_terms=(),
        missing_terms=tuple(term.name for term in expectation.key_terms),
        mentioned_concepts=(),
        missing_concepts=tuple(concept.name for concept in expectation.concepts),
    )


def grade(similarity: float) -> Grade:
    return next((name for least, name in GRADES if similarity > least), "D")


def percent(similarity: float) -> int:
    """Whole percent, 0 to 100."""
    return round(100 * min(1.0, max(0.0, similarity)))


def steering_score(assessment: Assessment, answer: str) -> float:
    """What the choice of the next question goes by: similarity, less for a short answer.

    Never shown: the reader sees the similarity itself.
    """
    count = len(words(answer))
    factor = next((factor for fewer, factor in SHORT_ANSWERS if count < fewer), 1.0)
    return min(MOST_STEERING, assessment.similarity * factor)
