import collections
import random

import pytest

from speech.interviews.knowledge import DAY_MS, ConceptRecord, Knowledge, SubtopicRecord, path
from speech.interviews.questions import Difficulty, load_bank
from speech.interviews.steering import (
    Action,
    choose_concepts,
    choose_subtopic,
    concept_priority,
    decide,
    difficulty_after,
    difficulty_of,
)

BANK = load_bank()
OS = BANK.topic("OS")
ROUND = 15


@pytest.mark.parametrize(
    ("score", "velocity", "asked", "action"),
    [
        (0.0, 0, 1, Action.SIMPLIFY),
        (0.199, 0, 2, Action.SIMPLIFY),
        (0.2, 0, 1, Action.FOLLOW_UP),
        (0.3, 0, 1, Action.FOLLOW_UP),
        (0.5, 1, 1, Action.FOLLOW_UP),
        (0.599, 1, 1, Action.FOLLOW_UP),
        (0.6, 0.05, 1, Action.FOLLOW_UP),
        (0.6, 0.051, 1, Action.DEEPEN),
        (0.699, 0.06, 1, Action.DEEPEN),
        (0.7, -1, 2, Action.DEEPEN),
        (0.95, 0, 1, Action.DEEPEN),
        (0.0, 0, 3, Action.MOVE_TOPIC),
        (0.95, 1, 3, Action.MOVE_TOPIC),
    ],
)
def test_the_action_after_an_answer_is_the_one_of_the_table(score, velocity, asked, action):
    assert decide(score, velocity=velocity, asked_in_visit=asked) is action
    assert decide(score, velocity=velocity, asked_in_visit=asked, is_over=True) is Action.FINALIZE


@pytest.mark.parametrize(
    ("score", "difficulty"),
    [(0, "easy"), (0.399, "easy"), (0.4, "medium"), (0.699, "medium"), (0.7, "hard"), (1, "hard")],
)
def test_difficulty_follows_the_previous_score(score, difficulty):
    assert difficulty_after(score) is Difficulty(difficulty)
    assert difficulty_of(Action.FOLLOW_UP, score) is Difficulty(difficulty)


@pytest.mark.parametrize("score", [0, 0.5, 1])
def test_an_action_may_set_the_difficulty_itself(score):
    assert difficulty_of(Action.MOVE_TOPIC, score) is Difficulty.MEDIUM
    assert difficulty_of(Action.SIMPLIFY, score) is Difficulty.EASY
    assert difficulty_of(Action.DEEPEN, score) is Difficulty.HARD


@pytest.mark.parametrize(
    ("record", "velocity", "days", "priority"),
    [
        (ConceptRecord(0, 0, 0), 0.9, 0, 1.5),
        (ConceptRecord(3, 0, 0), 0.9, 0, 2.0),
        (ConceptRecord(1, 0, 0), 0, 0, 1.5 * 1.2),
        (ConceptRecord(1, 0, 0), 0.2, 0, 1.3 * 1.2),
        (ConceptRecord(1, 1, 0), 0, 2, 0.1 * 0.3 * 1.2),
        (ConceptRecord(4, 2, 0), 0, 1, 0.5 + 0.25 + 0.05),
        (ConceptRecord(4, 2, 0), 0.1, 99, 0.5 + 0.25 + 0.3 - 0.1),
        (ConceptRecord(10, 8, 0), 0, 0, (0.2 + 0.1) * 0.3),
    ],
)
def test_the_priority_of_a_concept_is_the_one_of_the_formula(record, velocity, days, priority):
    assert concept_priority(record, velocity=velocity, now_ms=days * DAY_MS) == pytest.approx(
        priority
    )


def test_the_two_most_urgent_concepts_are_chosen_and_never_by_chance():
    part = OS.subtopics[0]
    names = [term.name for term in part.concepts]
    known = Knowledge(
        concepts={
            path("OS", part.name, names[0]): ConceptRecord(5, 5, 0),
            path("OS", part.name, names[3]): ConceptRecord(3, 0, 0),
        }
    )

    assert choose_concepts("OS", part, Knowledge(), now_ms=0) == (names[0], names[1])
    assert choose_concepts("OS", part, known, now_ms=0) == (names[3], names[1])


def subtopics(knowledge, covered=(), draws=300):
    return collections.Counter(
        choose_subtopic(
            "OS", OS.subtopics, knowledge, covered=covered, dice=random.Random(seed)
        ).name
        for seed in range(draws)
    )


def test_a_subtopic_that_was_covered_waits_for_the_next_cycle():
    names = [part.name for part in OS.subtopics]
    covered = tuple(path("OS", name) for name in names[:-1])

    assert set(subtopics(Knowledge(), covered)) == {names[-1]}
    assert set(subtopics(Knowledge(), (*covered, path("OS", names[-1])))) == set(names)


def test_a_weak_concept_draws_its_subtopic_if_it_is_not_covered():
    known = Knowledge(concepts={path("OS", "memory", "paging"): ConceptRecord(3, 0, 0)})

    assert set(subtopics(known)) == {"memory"}
    assert "memory" not in subtopics(known, (path("OS", "memory"),))


def test_four_times_in_five_something_that_is_not_mastered_is_preferred():
    mastered = {path("OS", name): SubtopicRecord(3, 3.0) for name in ("memory", "files")}

    drawn = subtopics(Knowledge(subtopics=mastered), draws=1_000)

    assert 150 < drawn["memory"] + drawn["files"] < 250
    assert set(subtopics(Knowledge(subtopics=mastered))) == {part.name for part in OS.subtopics}
