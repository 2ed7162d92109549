import time
import tomllib
from pathlib import Path

import pytest

from speech.interviews.contradiction import find_contradictions, penalty
from speech.interviews.questions import load_bank

ANSWERS = tomllib.loads((Path(__file__).parent / "answers.toml").read_text("utf-8"))
EXPECTED = {question.id: question.expected_answer for question in load_bank().questions}
THREADS = "Threads of one process share its memory. A committed change must not be lost."


def contradictions(answer):
    question, text = answer
    return find_contradictions(text, EXPECTED[question])


@pytest.mark.parametrize("answer", ANSWERS["denied"], ids=" ".join)
def test_a_denied_key_statement_is_found(answer):
    assert contradictions(answer)


@pytest.mark.parametrize("answer", ANSWERS["right"], ids=" ".join)
def test_a_right_answer_with_a_negation_is_not_accused(answer):
    assert contradictions(answer) == []


def test_most_denials_are_found_and_hardly_a_right_answer_is_accused():
    denials = ANSWERS["denied"] + ANSWERS["denied_unnoticed"]
    right = ANSWERS["right"] + ANSWERS["right_accused"]

    assert sum(map(bool, map(contradictions, denials))) / len(denials) > 0.7
    assert sum(map(bool, map(contradictions, right))) / len(right) < 0.05


def test_no_expected_answer_contradicts_itself():
    accused = [name for name, text in EXPECTED.items() if find_contradictions(text, text)]

    assert accused == []


@pytest.mark.parametrize(
    ("answer", "denies"),
    [
        ("Threads do not share memory with the process.", True),
        ("threads never share the memory of a process", True),
        ("Threads share the memory of the process.", False),
        ("Not only do threads share the memory of a process, they share files.", False),
        ("If threads did not share memory, the process would need messages.", False),
        ("A process must not share memory with another, but its threads share memory.", False),
        ("Some say threads do not share memory, but threads share the memory of a process.", False),
        ("threads of a process have separate memory", True),
        ("a committed change can be lost", True),
        ("no committed change is lost", False),
        ("", False),
    ],
)
def test_negations_are_read_in_their_clause(answer, denies):
    assert bool(find_contradictions(answer, THREADS)) is denies


def test_a_contradiction_shows_what_was_said_and_what_was_expected():
    [found] = find_contradictions("Well, threads don't share the memory of a process.", THREADS)

    assert "dont share" in found.said
    assert found.expected == "Threads of one process share its memory"


def test_each_contradiction_lowers_a_score_but_only_so_far():
    found = find_contradictions("threads do not share memory of a process", THREADS)

    assert penalty([]) == 1
    assert penalty(found) == pytest.approx(0.6)
    assert penalty(found * 2) == penalty(found * 9) == pytest.approx(0.36)


def test_an_endless_answer_is_read_in_reasonable_time():
    answer = " ".join(f"thread{number % 700} not share memory" for number in range(2_500))

    started = time.process_time()
    find_contradictions(answer, THREADS)

    assert time.process_time() - started < 5
