"""Questions as files: read and judged one by one, compared with the store, and only then written.

A file is JSON, with topics as the shipped bank has them, or CSV with one question a row:
``id, topic, subtopic, difficulty, concepts, question, expected_answer, key_terms``, where terms are
separated by ``;`` and the wordings of one term by ``=``. Blocks.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from readrealm.kernel.errors import InvalidInput, PayloadTooLarge
from speech.interviews.catalogue import digest, question_of, write_question
from speech.interviews.questions import Question, Topic, read_topic
from speech.models import InterviewConcept, InterviewQuestion, InterviewSubtopic, InterviewTopic

LARGEST_BYTES = 1_000_000
MOST_QUESTIONS = 2_000

MOST_CONCEPTS = 7
"""Of one subtopic."""

COLUMNS = (
    "id",
    "topic",
    "subtopic",
    "difficulty",
    "concepts",
    "question",
    "expected_answer",
    "key_terms",
)
TITLE_COLUMNS = ("topic_title", "subtopic_title")
"""May be left out; a new topic is then called by its name."""

BETWEEN_TERMS, BETWEEN_WORDINGS = ";", "="

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What importing one question will do."""

    question: Question
    topic: Topic
    """Of this question alone, with the concepts that it needs."""
    effect: str
    """``new``, ``changed`` or ``unchanged``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What importing a file would do. One with errors cannot be carried out."""

    steps: tuple[Step, ...]
    errors: tuple[str, ...]

    def count(self, effect: str) -> int:
        return sum(step.effect == effect for step in self.steps)


# ------------------------------------------------------------------------ reading


def read_file(name: str, content: bytes) -> list[Entry]:
    """The questions of a file, each as a topic with nothing else in it; not judged yet.

    Raises:
        InvalidInput: it is not a file of questions at all.
        PayloadTooLarge: more bytes or questions than are taken at once.
    """
    if len(content) > LARGEST_BYTES:
        raise PayloadTooLarge(f"a file of questions has at most {LARGEST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not text in UTF-8") from None
    entries = list(_from_csv(text) if name.lower().endswith(".csv") else _from_json(text))
    if not entries:
        raise InvalidInput("there are no questions in the file")
    if len(entries) > MOST_QUESTIONS:
        raise PayloadTooLarge(f"a file has at most {MOST_QUESTIONS} questions")
    return entries


def _from_json(text: str) -> Iterator[Entry]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("the file is neither CSV (by its name) nor JSON") from None
    topics = content.get("topics", [content]) if isinstance(content, dict) else content
    for number, topic in enumerate(_list(topics, "topics"), start=1):
        where = f"topic {number}"
        if not isinstance(topic, dict):
            raise InvalidInput(f"{where} is not an object")
        for part in _list(topic.get("subtopics"), f"the subtopics of {where}"):
            if not isinstance(part, dict):
                raise InvalidInput(f"a subtopic of {where} is not an object")
            for question in _list(part.get("questions"), f"the questions of {where}"):
                yield {**topic, "subtopics": [{**part, "questions": [question]}]}


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput(f"{what} are not a list")
    return value


def _from_csv(text: str) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise InvalidInput(f"the first row must name the column {missing[0]}")
        cleaned = [
            {key: (value or "").strip() for key, value in row.items() if key} for row in rows
        ]
    except csv.Error as error:
        raise InvalidInput(f"row {rows.line_num} cannot be read: {error}") from None
    concepts: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in cleaned:
        known = concepts.setdefault((row["topic"], row["subtopic"]), {})
        for wordings in _terms(row["concepts"]):
            known.setdefault(wordings[0], wordings)
    for row in cleaned:
        yield _topic_of_row(row, list(concepts[row["topic"], row["subtopic"]].values()))


def _cleaned(row: dict[str, Any]) -> dict[str, str]:
    # Cells beyond the last column come under None, as a list.
    return {column: (cell or "").strip() for column, cell in row.items() if column}


def _topic_of_row(row: dict[str, str], concepts: list[list[str]]) -> Entry:
    """
    Args:
        concepts: all that the file names for the subtopic of this row.
    """
    question = {
        "id": row["id"],
        "difficulty": row["difficulty"],
        "concepts": [wordings[0] for wordings in _terms(row["concepts"])],
        "question": row["question"],
        "expected_answer": row["expected_answer"],
        "key_terms": _terms(row["key_terms"]),
    }
    part = {
        "name": row["subtopic"],
        "title": row.get("subtopic_title") or row["subtopic"],
        "concepts": concepts,
        "questions": [question],
    }
    title = row.get("topic_title") or row["topic"]
    return {"name": row["topic"], "title": title, "subtopics": [part]}


def _terms(text: str) -> list[list[str]]:
    terms = [
        [wording.strip() for wording in term.split(BETWEEN_WORDINGS) if wording.strip()]
        for term in text.split(BETWEEN_TERMS)
    ]
    return [wordings for wordings in terms if wordings]


# ------------------------------------------------------------------------ judging


def plan(entries: Iterable[Entry]) -> Plan:
    """Judge every question, and compare it with the store."""
    steps: list[Step] = []
    errors: list[str] = []
    stored = {
        row.identifier: question_of(row)
        for row in InterviewQuestion.objects.select_related("subtopic__topic").prefetch_related(
            "concepts", "terms"
        )
    }
    texts = {question.text.casefold(): name for name, question in stored.items()}
    concepts = _stored_concepts()
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        try:
            topic = read_topic(_with_concepts(entry, concepts))
        except InvalidInput as error:
            errors.append(f"{_name(entry, number)}: {error}")
            continue
        (question,) = topic.questions
        namesake = texts.setdefault(question.text.casefold(), question.id)
        if question.id in seen:
            errors.append(f"{question.id}: the id is there twice")
        elif namesake != question.id:
            errors.append(f"{question.id}: asks the same as {namesake}")
        seen.add(question.id)
        steps.append(Step(question, topic, _effect(question, stored.get(question.id))))
    return Plan(steps=tuple(steps), errors=tuple(errors))


def _stored_concepts() -> dict[tuple[str, str], list[list[str]]]:
    found: dict[tuple[str, str], list[list[str]]] = {}
    for concept in InterviewConcept.objects.select_related("subtopic__topic"):
        key = concept.subtopic.topic.name, concept.subtopic.name
        found.setdefault(key, []).append([concept.name, *concept.synonyms])
    return found


def _with_concepts(entry: Entry, stored: dict[tuple[str, str], list[list[str]]]) -> Entry:
    """With the concepts that its subtopic has already, so that a file may name only its own."""
    part = entry["subtopics"][0]
    own = part.get("concepts")
    if not isinstance(own, list):
        return entry
    names = {wordings[0] for wordings in own if isinstance(wordings, list) and wordings}
    key = str(entry.get("name")), str(part.get("name"))
    known = [wordings for wordings in stored.get(key, ()) if wordings[0] not in names]
    return {**entry, "subtopics": [{**part, "concepts": [*own, *known][:MOST_CONCEPTS]}]}


def _effect(question: Question, stored: Question | None) -> str:
    if stored is None:
        return "new"
    return "unchanged" if digest(stored) == digest(question) else "changed"


def _name(entry: Entry, number: int) -> str:
    question = entry["subtopics"][0]["questions"][0]
    name = question.get("id") if isinstance(question, dict) else None
    return f"question {number} ({name})" if isinstance(name, str) and name else f"question {number}"


# ------------------------------------------------------------------------ writing


@transaction.atomic
def carry_out(plan: Plan) -> int:
    """Write what a plan says; how many questions were written.

    Raises:
        InvalidInput: it has errors; nothing is written.
    """
    if plan.errors:
        raise InvalidInput("a file with errors is not imported")
    written = [step for step in plan.steps if step.effect != "unchanged"]
    shipped = dict(InterviewQuestion.objects.values_list("identifier", "shipped_digest"))
    topics = InterviewTopic.objects.count()
    for step in written:
        mark = shipped.get(step.question.id, "")
        write_question(step.question, step.topic, position=topics, shipped_digest=mark)
    return len(written)


def export_bank() -> dict[str, Any]:
    """The bank in the store, as `read_file` reads it."""
    return {"topics": [_exported_topic(topic) for topic in InterviewTopic.objects.all()]}


def _exported_topic(topic: InterviewTopic) -> Entry:
    parts = topic.subtopics.prefetch_related(
        "concepts", "questions__concepts", "questions__terms"
    ).all()
    subtopics = [_exported_subtopic(part) for part in parts]
    return {"name": topic.name, "title": topic.title, "subtopics": subtopics}


def _exported_subtopic(part: InterviewSubtopic) -> Entry:
    return {
        "name": part.name,
        "title": part.title,
        "concepts": [[concept.name, *concept.synonyms] for concept in part.concepts.all()],
        "questions": [
            {
                "id": row.identifier,
                "difficulty": row.difficulty,
                "concepts": [concept.name for concept in row.concepts.all()],
                "question": row.text,
                "expected_answer": row.expected_answer,
                "key_terms": [[term.name, *term.synonyms] for term in row.terms.all()],
            }
            for row in part.questions.all()
        ],
    }
