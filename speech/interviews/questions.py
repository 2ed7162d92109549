"""The question bank: what can be asked, and which question fits a wish best.

The bank comes from anywhere that gives the plain mappings of `read_topic`: the files beside
this one, or an import in the admin. Knows no answer and no interview.
"""

import enum
import itertools
import random
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any

import msgspec

from readrealm.kernel.errors import InvalidInput

QUESTION_CHARACTERS = (40, 300)
"""Shortest and longest question that can be read out and kept in mind."""


class Difficulty(enum.Enum):
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"

    @property
    def level(self) -> int:
        return _LEVELS.index(self)

    @property
    def harder(self) -> "Difficulty":
        """One level up; hard stays hard."""
        return _LEVELS[min(self.level + 1, len(_LEVELS) - 1)]


_LEVELS = list(Difficulty)


@dataclass(frozen=True, slots=True)
class Term:
    """Something an answer should name, in any of several wordings."""

    name: str
    also: tuple[str, ...] = ()
    """Synonyms, as good as the name."""

    @property
    def wordings(self) -> tuple[str, ...]:
        return (self.name, *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the bank, with what a good answer holds."""

    id: str
    topic: str
    subtopic: str
    concepts: tuple[Term, ...]
    """What it is about; one or two."""
    difficulty: Difficulty
    text: str
    expected_answer: str
    key_terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtopic:
    name: str
    title: str
    concepts: tuple[Term, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    title: str
    subtopics: tuple[Subtopic, ...]

    @property
    def questions(self) -> Iterator[Question]:
        return itertools.chain.from_iterable(part.questions for part in self.subtopics)


class QuestionBank:
    """Everything that can be asked.

    Raises:
        InvalidInput: no topic at all, or a topic or a question that is there twice.
    """

    def __init__(self, topics: Iterable[Topic]) -> None:
        every = tuple(topics)
        self._topics = {topic.name: topic for topic in every}
        ids = [question.id for topic in every for question in topic.questions]
        texts = [question.text.casefold() for topic in every for question in topic.questions]
        if not every or len(self._topics) < len(every):
            raise InvalidInput("a question bank needs topics, each of them once")
        for what, values in (("id", ids), ("text", texts)):
            if twice := {value for value in values if values.count(value) > 1}:
                raise InvalidInput(f"questions with the same {what}: {', '.join(sorted(twice))}")

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(self._topics)

    @property
    def questions(self) -> Iterator[Question]:
        return itertools.chain.from_iterable(topic.questions for topic in self._topics.values())

    def topic(self, name: str) -> Topic:
        """Raises:
        InvalidInput: the bank has no such topic.
        """
        if name not in self._topics:
            raise InvalidInput(f"there are no questions about {name}; try {', '.join(self.topics)}")
        return self._topics[name]

    def choose(
        self,
        topic: str,
        subtopic: str,
        *,
        concepts: Collection[str],
        difficulty: Difficulty,
        asked: Collection[str],
        dice: random.Random,
        known: Mapping[str, int] | None = None,
    ) -> Question:
        """The question that fits best and has not been asked.

        Of the subtopic if it has one left, else of the topic, else of the bank; only when every
        question has been asked, one is asked again. Among those, one closest to ``difficulty``,
        then one that was asked least often in earlier interviews, then one about most of
        ``concepts``; the dice decide between equals.

        Args:
            asked: ids of the questions of this interview.
            known: how often a question was asked in earlier ones, by id.
        """
        whole = self.topic(topic)
        circles: tuple[Iterable[Question], ...] = (
            (question for question in whole.questions if question.subtopic == subtopic),
            whole.questions,
            self.questions,
        )
        for circle in circles:
            if left := [question for question in circle if question.id not in asked]:
                break
        else:
            left = list(whole.questions)
        dice.shuffle(left)

        def misfit(question: Question) -> tuple[int, int, int]:
            return (
                abs(question.difficulty.level - difficulty.level),
                (known or {}).get(question.id, 0),
                -sum(concept.name in concepts for concept in question.concepts),
            )

        return min(left, key=misfit)


# ------------------------------------------------------------------------ reading a bank

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^.$]*$")]
"""No dot and no dollar, for names become keys of stored documents."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Wordings = Annotated[list[Name], msgspec.Meta(min_length=1, max_length=12)]
"""A term and its synonyms."""


class _QuestionEntry(msgspec.Struct, forbid_unknown_fields=True):
    id: Name
    difficulty: Difficulty
    concepts: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=2)]
    question: Annotated[
        str,
        msgspec.Meta(min_length=QUESTION_CHARACTERS[0], max_length=QUESTION_CHARACTERS[1]),
    ]
    expected_answer: Text
    key_terms: Annotated[list[Wordings], msgspec.Meta(min_length=3, max_length=12)]


class _SubtopicEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    title: Name
    concepts: Annotated[list[Wordings], msgspec.Meta(min_length=2, max_length=7)]
    questions: Annotated[list[_QuestionEntry], msgspec.Meta(min_length=1)]


class _TopicEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    title: Name
    subtopics: Annotated[list[_SubtopicEntry], msgspec.Meta(min_length=1)]


def read_topic(entry: Any) -> Topic:
    """A topic from plain mappings, as a TOML or JSON file of the bank has them.

    Raises:
        InvalidInput: a missing, mistyped or unknown key, with the place where it stands, or a
            question about a concept that its subtopic does not have.
    """
    try:
        topic = msgspec.convert(entry, _TopicEntry)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None
    return Topic(
        name=topic.name,
        title=topic.title,
        subtopics=tuple(_read_subtopic(topic.name, subtopic) for subtopic in topic.subtopics),
    )


def _read_subtopic(topic: str, entry: _SubtopicEntry) -> Subtopic:
    concepts = {wordings[0]: _term(wordings) for wordings in entry.concepts}
    for question in entry.questions:
        if unknown := [name for name in question.concepts if name not in concepts]:
            raise InvalidInput(f"{question.id}: {entry.name} has no concept {unknown[0]}")
    return Subtopic(
        name=entry.name,
        title=entry.title,
        concepts=tuple(concepts.values()),
        questions=tuple(
            Question(
                id=question.id,
                topic=topic,
                subtopic=entry.name,
                concepts=tuple(concepts[name] for name in question.concepts),
                difficulty=question.difficulty,
                text=" ".join(question.question.split()),
                expected_answer=" ".join(question.expected_answer.split()),
                key_terms=tuple(map(_term, question.key_terms)),
            )
            for question in entry.questions
        ),
    )


def _term(wordings: Sequence[str]) -> Term:
    return Term(wordings[0], tuple(wordings[1:]))


def load_bank() -> QuestionBank:
    """The bank that ships with ReadRealm, one file a topic."""
    folder = resources.files("speech.interviews") / "bank"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    return QuestionBank(read_topic(tomllib.loads(file.read_text("utf-8"))) for file in files)
