from dataclasses import dataclass

import pytest

from speech.interviews.evaluation import (
    Assessment,
    Evaluator,
    grade,
    nothing_said,
    percent,
    steering_score,
)
from speech.interviews.questions import Term


@dataclass(frozen=True)
class Threads:
    expected_answer = "Threads of one process share its memory. Each has a stack of its own."
    key_terms = (Term("memory", ("heap",)), Term("stack"), Term("registers"))
    concepts = (Term("thread"), Term("context switch"))


class Fixed:
    name = "fixed"

    def __init__(self, score):
        self.score = score

    def compare(self, answer, expected):
        return self.score


def assess(answer, *, similarity=0.9):
    return Evaluator(Fixed(similarity)).assess(Threads(), answer)


def test_an_answer_is_held_against_meaning_terms_and_concepts():
    assessment = assess("Threads share the heap, and each has its stack")

    assert assessment == Assessment(
        similarity=0.9,
        measured_similarity=0.9,
        keyword_coverage=pytest.approx(2 / 3),
        found_terms=("memory", "stack"),
        missing_terms=("registers",),
        mentioned_concepts=("thread",),
        missing_concepts=("context switch",),
        measured_by="fixed",
    )
    assert assessment.grade == "A"


def test_a_denied_key_statement_lowers_similarity_and_says_where():
    assessment = assess("Threads do not share the memory of a process")

    assert assessment.measured_similarity == 0.9
    assert assessment.similarity == pytest.approx(0.54)
    assert assessment.contradictions[0].expected == "Threads of one process share its memory"


def test_silence_names_nothing_and_is_worth_nothing():
    silence = nothing_said(Threads())

    assert (silence.similarity, silence.keyword_coverage, silence.grade) == (0, 0, "D")
    assert silence.missing_terms == ("memory", "stack", "registers")
    assert silence.missing_concepts == ("thread", "context switch")


@pytest.mark.parametrize(
    ("similarity", "letter"),
    [
        (1, "A"),
        (0.801, "A"),
        (0.8, "B"),
        (0.61, "B"),
        (0.6, "C"),
        (0.41, "C"),
        (0.4, "D"),
        (0, "D"),
    ],
)
def test_a_grade_is_given_above_its_similarity(similarity, letter):
    assert grade(similarity) == letter


@pytest.mark.parametrize(("similarity", "score"), [(0, 0), (0.664, 66), (1, 100), (1.2, 100)])
def test_a_score_is_whole_percent(similarity, score):
    assert percent(similarity) == score


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 0.56), (9, 0.56), (10, 0.68), (19, 0.68), (20, 0.8), (99, 0.8)]
)
def test_short_answers_weigh_less_in_steering_only(count, expected):
    assessment = assess("x", similarity=0.8)

    assert steering_score(assessment, "word " * count) == pytest.approx(expected)
    assert assessment.similarity == 0.8


def test_steering_never_sees_a_perfect_answer():
    assert steering_score(assess("x", similarity=1.0), "word " * 30) == 0.95
