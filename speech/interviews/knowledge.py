"""What a reader has shown to know, by topic, subtopic and concept. Pure bookkeeping.

It can be carried from one interview to the next: everything here is plain data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from speech.interviews.evaluation import Assessment
from speech.interviews.questions import Term

DAY_MS = 86_400_000

SMOOTHING = 0.3
"""Share of the newest answer in the averages of a topic."""

SEMANTIC_WEIGHT = 0.7
"""Of similarity in mastery; the rest is keyword coverage."""

ENOUGH_ATTEMPTS = 3
"""Attempts from which a judgement is made."""

WEAK_SHARE = 0.7
STRONG_SHARE = 0.7
MASTERED_SCORE = 0.7


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """Exponential averages of the answers in a topic, all 0 to 1 but the velocity."""

    semantic: float = 0.0
    keyword: float = 0.0
    velocity: float = 0.0
    """Change of mastery by the latest answer."""

    @property
    def mastery(self) -> float:
        return SEMANTIC_WEIGHT * self.semantic + (1 - SEMANTIC_WEIGHT) * self.keyword

    def after(self, assessment: Assessment) -> "TopicRecord":
        latest = TopicRecord(
            semantic=_smooth(self.semantic, assessment.similarity),
            keyword=_smooth(self.keyword, assessment.keyword_coverage),
        )
        return replace(latest, velocity=latest.mastery - self.mastery)


@dataclass(frozen=True, slots=True)
class SubtopicRecord:
    attempts: int = 0
    total_score: float = 0.0

    @property
    def is_mastered(self) -> bool:
        return (
            self.attempts >= ENOUGH_ATTEMPTS
            and self.total_score / self.attempts >= MASTERED_SCORE
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConceptRecord:
    attempts: int = 0
    """Answers to questions about it."""
    mentions: int = 0
    """Those of them that named it."""
    seen_ms: int = 0
    """Unix time of the latest one."""

    @property
    def mastery(self) -> float:
        return self.mentions / self.attempts if self.attempts else 0.0

    @property
    def miss_ratio(self) -> float:
        return 1 - self.mastery if self.attempts else 0.0

    @property
    def is_weak(self) -> bool:
        return self.attempts >= ENOUGH_ATTEMPTS and self.miss_ratio > WEAK_SHARE

    @property
    def is_strong(self) -> bool:
        return self.mastery > STRONG_SHARE


class Asked(Protocol):
    """A question that was answered."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def subtopic(self) -> str: ...
    @property
    def concepts(self) -> tuple[Term, ...]: ...


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything known about one reader; empty for a new one."""

    topics: Mapping[str, TopicRecord] = field(default_factory=dict)
    subtopics: Mapping[str, SubtopicRecord] = field(default_factory=dict)
    """By `path` of topic and subtopic."""
    concepts: Mapping[str, ConceptRecord] = field(default_factory=dict)
    """By `path` of topic, subtopic and concept."""
    questions: Mapping[str, int] = field(default_factory=dict)
    """How often a question of the bank was answered, by its id."""

    def topic(self, name: str) -> TopicRecord:
        return self.topics.get(name, TopicRecord())

    def subtopic(self, topic: str, name: str) -> SubtopicRecord:
        return self.subtopics.get(path(topic, name), SubtopicRecord())

    def concept(self, topic: str, subtopic: str, name: str) -> ConceptRecord:
        return self.concepts.get(path(topic, subtopic, name), ConceptRecord())

    def has_weak_concept(self, topic: str, subtopic: str, names: Iterable[str]) -> bool:
        return any(self.concept(topic, subtopic, name).is_weak for name in names)

    def after(
        self, asked: Asked, assessment: Assessment, *, score: float, now_ms: int
    ) -> "Knowledge":
        """What is known once an answer has been judged; ``score`` is the one that steers."""
        part = self.subtopic(asked.topic, asked.subtopic)
        concepts = {}
        for concept in asked.concepts:
            record = self.concept(asked.topic, asked.subtopic, concept.name)
            concepts[path(asked.topic, asked.subtopic, concept.name)] = ConceptRecord(
                attempts=record.attempts + 1,
                mentions=record.mentions + (concept.name in assessment.mentioned_concepts),
                seen_ms=now_ms,
            )
        return Knowledge(
            topics={**self.topics, asked.topic: self.topic(asked.topic).after(assessment)},
            subtopics={
                **self.subtopics,
                path(asked.topic, asked.subtopic): SubtopicRecord(
                    part.attempts + 1, part.total_score + score
                ),
            },
            concepts={**self.concepts, **concepts},
            questions={**self.questions, asked.id: self.questions.get(asked.id, 0) + 1},
        )


def path(*names: str) -> str:
    """The key of something inside a topic."""
    return "/".join(names)


def _smooth(average: float, latest: float) -> float:
    return SMOOTHING * latest + (1 - SMOOTHING) * average
