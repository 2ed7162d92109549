"""The question bank in the relational store: read as a whole, and filled with what ships.

What an operator has changed is never overwritten: a row whose content is not what once shipped
is left alone.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from channels.db import database_sync_to_async
from django.db import DatabaseError, transaction

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import encode
from speech.interviews.questions import (
    Difficulty,
    Question,
    QuestionBank,
    Subtopic,
    Term,
    Topic,
    load_bank,
)
from speech.models import (
    InterviewConcept,
    InterviewQuestion,
    InterviewSubtopic,
    InterviewTopic,
    QuestionTerm,
)

log = logging.getLogger(__name__)

FRESH_S = 20.0
"""After which a worker looks whether the bank was edited."""

ANSWER_S = 5.0


class StoredBank:
    """The bank as a worker uses it: read again when it was edited, and kept while the store is
    away. Without any question in the store it is the one that ships.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._bank: QuestionBank | None = None
        self._read_at = 0.0

    async def bank(self) -> QuestionBank:
        """The bank, at most `FRESH_S` old while the store answers."""
        now = self._monotonic()
        if self._bank is None or now - self._read_at > FRESH_S:
            self._bank, self._read_at = await self._read(), now
        return self._bank

    async def _read(self) -> QuestionBank:
        try:
            async with asyncio.timeout(ANSWER_S):
                bank: QuestionBank = await database_sync_to_async(read_bank)()
                return bank
        except (DatabaseError, TimeoutError) as error:
            log.warning("the question bank cannot be read: %s", type(error).__name__)
            return self._bank or load_bank()


def read_bank() -> QuestionBank:
    """Everything in the store that can be asked; what ships, if that is nothing. Blocks."""
    questions = InterviewQuestion.objects.filter(is_active=True, subtopic__topic__is_active=True)
    questions = questions.select_related("subtopic__topic").prefetch_related("concepts", "terms")
    concepts = InterviewConcept.objects.select_related("subtopic")
    by_subtopic: dict[int, list[Term]] = {}
    for concept in concepts:
        by_subtopic.setdefault(concept.subtopic_id, []).append(_term(concept))
    topics: dict[str, dict[int, list[InterviewQuestion]]] = {}
    titles: dict[str, str] = {}
    for row in questions:
        topic = row.subtopic.topic
        titles[topic.name] = topic.title
        if row.concepts.all() and row.terms.all():
            topics.setdefault(topic.name, {}).setdefault(row.subtopic_id, []).append(row)
    if not topics:
        return load_bank()
    try:
        return QuestionBank(
            Topic(
                name=name,
                title=titles[name],
                subtopics=tuple(_subtopic(rows, by_subtopic) for rows in parts.values()),
            )
            for name, parts in topics.items()
        )
    except InvalidInput as error:
        log.error("the question bank in the store is not usable, the shipped one is: %s", error)
        return load_bank()


def _subtopic(rows: Sequence[InterviewQuestion], concepts: dict[int, list[Term]]) -> Subtopic:
    subtopic = rows[0].subtopic
    return Subtopic(
        name=subtopic.name,
        title=subtopic.title,
        concepts=tuple(concepts[subtopic.pk]),
        questions=tuple(
            Question(
                id=row.identifier,
                topic=subtopic.topic.name,
                subtopic=subtopic.name,
                concepts=tuple(map(_term, row.concepts.all())),
                difficulty=Difficulty(row.difficulty),
                text=row.text,
                expected_answer=row.expected_answer,
                key_terms=tuple(map(_term, row.terms.all())),
            )
            for row in rows
        ),
    )


def _term(row: InterviewConcept | QuestionTerm) -> Term:
    return Term(row.name, tuple(row.synonyms))


# ------------------------------------------------------------------------ filling it


def digest(question: Question) -> str:
    """Of everything that an edit could change."""
    content: list[Any] = [
        question.topic,
        question.subtopic,
        sorted(concept.name for concept in question.concepts),
        question.difficulty.value,
        question.text,
        question.expected_answer,
        [[term.name, *term.also] for term in question.key_terms],
    ]
    return hashlib.sha256(encode(content)).hexdigest()


@transaction.atomic
def load_shipped() -> tuple[int, int]:
    """Bring the shipped bank into the store: add what is missing, renew what nobody has edited.

    Returns: how many questions were added, and how many renewed.
    """
    kept = {
        row.identifier: row
        for row in InterviewQuestion.objects.select_related("subtopic__topic").prefetch_related(
            "concepts", "terms"
        )
    }
    added = renewed = 0
    bank = load_bank()
    for position, topic in enumerate(map(bank.topic, bank.topics)):
        for question in topic.questions:
            row, shipped = kept.get(question.id), digest(question)
            if row is not None and row.shipped_digest in ("", shipped):
                continue
            if row is not None and digest(question_of(row)) != row.shipped_digest:
                continue
            write_question(question, topic, position=position, shipped_digest=shipped)
            added, renewed = added + (row is None), renewed + (row is not None)
    return added, renewed


def question_of(row: InterviewQuestion) -> Question:
    """A row as the question that it is."""
    return Question(
        id=row.identifier,
        topic=row.subtopic.topic.name,
        subtopic=row.subtopic.name,
        concepts=tuple(map(_term, row.concepts.all())),
        difficulty=Difficulty(row.difficulty),
        text=row.text,
        expected_answer=row.expected_answer,
        key_terms=tuple(map(_term, row.terms.all())),
    )


def write_question(
    question: Question, topic: Topic, *, position: int, shipped_digest: str
) -> InterviewQuestion:
    """Put a question into the store, with whatever it needs that is not there yet.

    Topics, subtopics and concepts that are there keep their titles and synonyms.
    """
    topic_row, _ = InterviewTopic.objects.get_or_create(
        name=topic.name, defaults={"title": topic.title, "position": position}
    )
    number, part = next(
        (number, part)
        for number, part in enumerate(topic.subtopics)
        if part.name == question.subtopic
    )
    part_row, _ = InterviewSubtopic.objects.get_or_create(
        topic=topic_row, name=part.name, defaults={"title": part.title, "position": number}
    )
    concepts = {}
    for place, concept in enumerate(part.concepts):
        concepts[concept.name], _ = InterviewConcept.objects.get_or_create(
            subtopic=part_row,
            name=concept.name,
            defaults={"synonyms": list(concept.also), "position": place},
        )
    row, _ = InterviewQuestion.objects.update_or_create(
        identifier=question.id,
        defaults={
            "subtopic": part_row,
            "difficulty": question.difficulty.value,
            "text": question.text,
            "expected_answer": question.expected_answer,
            "shipped_digest": shipped_digest,
        },
    )
    row.concepts.set(concepts[concept.name] for concept in question.concepts)
    row.terms.all().delete()
    QuestionTerm.objects.bulk_create(
        QuestionTerm(question=row, name=term.name, synonyms=list(term.also), position=place)
        for place, term in enumerate(question.key_terms)
    )
    return row
