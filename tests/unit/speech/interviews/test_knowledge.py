from dataclasses import replace

import msgspec
import pytest

from speech.interviews.evaluation import nothing_said
from speech.interviews.knowledge import (
    ConceptRecord,
    Knowledge,
    SubtopicRecord,
    TopicRecord,
    path,
)
from speech.interviews.questions import load_bank

QUESTION = next(load_bank().questions)
FIRST, SECOND = [concept.name for concept in QUESTION.concepts]
TOPIC, SUBTOPIC = QUESTION.topic, QUESTION.subtopic


def assessment(similarity, coverage, *mentioned):
    return replace(
        nothing_said(QUESTION),
        similarity=similarity,
        keyword_coverage=coverage,
        mentioned_concepts=mentioned,
    )


def test_mastery_is_a_smoothed_mix_of_meaning_and_terms():
    first = TopicRecord().after(assessment(0.8, 0.5))
    second = first.after(assessment(0.4, 1.0))

    assert (first.semantic, first.keyword) == pytest.approx((0.24, 0.15))
    assert first.mastery == first.velocity == pytest.approx(0.7 * 0.24 + 0.3 * 0.15)
    assert second.semantic == pytest.approx(0.3 * 0.4 + 0.7 * 0.24)
    assert second.velocity == pytest.approx(second.mastery - first.mastery)


def test_an_answer_is_remembered_at_every_level():
    known = Knowledge().after(
        QUESTION, assessment(0.8, 0.5, FIRST), score=0.7, now_ms=5_000
    )  # fmt: skip

    assert known.subtopic(TOPIC, SUBTOPIC) == SubtopicRecord(1, 0.7)
    assert known.concept(TOPIC, SUBTOPIC, FIRST) == ConceptRecord(1, 1, 5_000)
    assert known.concept(TOPIC, SUBTOPIC, SECOND) == ConceptRecord(1, 0, 5_000)
    assert known.questions == {QUESTION.id: 1}
    assert set(known.topics) == {TOPIC}


def test_knowledge_of_something_new_is_empty_and_asking_does_not_change_it():
    known = Knowledge()

    assert known.topic("X") == TopicRecord()
    assert known.subtopic("X", "y") == SubtopicRecord()
    assert known.concept("X", "y", "z") == ConceptRecord()
    known.after(QUESTION, assessment(1, 1), score=1, now_ms=1)
    assert known == Knowledge()


@pytest.mark.parametrize(
    ("attempts", "total", "mastered"),
    [(2, 2.0, False), (3, 2.1, True), (3, 2.0, False), (0, 0, False)],
)
def test_a_subtopic_is_mastered_after_three_good_answers(attempts, total, mastered):
    assert SubtopicRecord(attempts, total).is_mastered is mastered


@pytest.mark.parametrize(
    ("attempts", "mentions", "weak", "strong"),
    [
        (0, 0, False, False),
        (2, 0, False, False),
        (3, 0, True, False),
        (10, 3, False, False),
        (10, 2, True, False),
        (1, 1, False, True),
        (10, 7, False, False),
        (10, 8, False, True),
    ],
)
def test_a_concept_is_weak_or_strong_by_how_often_it_was_named(attempts, mentions, weak, strong):
    record = ConceptRecord(attempts, mentions, 0)

    assert (record.is_weak, record.is_strong) == (weak, strong)


def test_a_weak_concept_is_found_by_its_subtopic():
    known = Knowledge(concepts={path("OS", "memory", "paging"): ConceptRecord(3, 0, 0)})

    assert known.has_weak_concept("OS", "memory", ["page fault", "paging"])
    assert not known.has_weak_concept("OS", "memory", ["page fault"])
    assert not known.has_weak_concept("OS", "files", ["paging"])


def test_knowledge_survives_being_stored():
    known = Knowledge().after(QUESTION, assessment(0.8, 0.5, FIRST), score=0.7, now_ms=5_000)

    assert msgspec.convert(msgspec.to_builtins(known), Knowledge) == known
