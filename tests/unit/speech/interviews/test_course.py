import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readrealm.kernel.errors import InvalidInput
from speech.interviews.course import Ask, Challenge, Course, begin, proceed
from speech.interviews.evaluation import nothing_said
from speech.interviews.knowledge import Knowledge
from speech.interviews.questions import Difficulty, QuestionBank, load_bank
from speech.interviews.steering import Action

BANK = load_bank()
OS = BANK.topic("OS")
ROUND = 15


def interview(seed, scores, *, stress=False, topic=None):
    """Every move of one interview, given the score of each answer."""
    knowledge = Knowledge()
    course, move = begin(BANK, knowledge, seed=seed, stress=stress, topic=topic, now_ms=0)
    moves, question = [move], move.question
    for score in scores:
        assessment = replace(nothing_said(question), similarity=score, keyword_coverage=score)
        knowledge = knowledge.after(question, assessment, score=score, now_ms=0)
        course, move = proceed(course, BANK, knowledge, score=score, now_ms=0)
        moves.append(move)
        question = move.question if isinstance(move, Ask) else question
    return moves


def test_the_first_question_of_an_interview_is_of_medium_difficulty():
    for seed in range(20):
        [move] = interview(seed, [])
        assert (move.action, move.question.difficulty) == (Action.MOVE_TOPIC, Difficulty.MEDIUM)


def test_topics_come_in_random_order_and_again_in_the_same_order():
    orders = set()
    for seed in range(30):
        moves = interview(seed, [0.5] * 23)
        visited = [move.question.topic for move in moves[::3]]
        assert visited[:4] == visited[4:]
        orders.add(tuple(visited[:4]))

    assert len(orders) > 10
    assert set(next(iter(orders))) == set(BANK.topics)


def test_a_visit_has_exactly_three_questions_about_one_subtopic():
    moves = interview(3, [0.1, 0.9, 0.5] * 5)

    for visit in range(0, 15, 3):
        asked = {(move.question.topic, move.question.subtopic) for move in moves[visit : visit + 3]}
        assert len(asked) == 1
        assert moves[visit].action is Action.MOVE_TOPIC


def test_every_subtopic_of_a_topic_comes_before_one_comes_again():
    moves = interview(4, [0.5] * 35, topic="OS")
    visited = [move.question.subtopic for move in moves[::3]]

    assert set(visited[:6]) == {part.name for part in OS.subtopics}
    course, _ = begin(BANK, Knowledge(), seed=4, stress=False, topic="OS", now_ms=0)
    for _ in range(35):
        course, _ = proceed(course, BANK, Knowledge(), score=0.5, now_ms=0)
        assert len(course.covered) == len(set(course.covered)) <= 6
    assert len(course.covered) == 6


def test_good_answers_get_harder_questions_and_bad_ones_easier():
    good, bad = interview(1, [0.9]), interview(1, [0.1])

    assert good[1].question.difficulty is Difficulty.HARD
    assert (bad[1].action, bad[1].question.difficulty) == (Action.SIMPLIFY, Difficulty.EASY)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**53),
    st.lists(st.floats(0, 0.95), min_size=ROUND - 1, max_size=ROUND - 1),
    st.sampled_from([None, *BANK.topics]),
)
def test_no_question_comes_twice_in_an_interview(seed, scores, topic):
    questions = [move.question for move in interview(seed, scores, topic=topic)]

    assert len({question.id for question in questions}) == ROUND
    assert topic is None or {question.topic for question in questions} == {topic}


def test_every_subtopic_and_difficulty_is_reached_by_some_interview():
    dice = random.Random(0)
    reached = {
        (question.topic, question.subtopic, question.difficulty)
        for seed in range(60)
        for question in (
            move.question
            for move in interview(
                seed, [dice.choice([0.1, 0.5, 0.9]) for _ in range(14)],
                topic=dice.choice([None, *BANK.topics]),
            )
        )
    }  # fmt: skip

    assert reached == {
        (question.topic, question.subtopic, question.difficulty) for question in BANK.questions
    }


def test_stress_challenges_every_second_question_of_a_visit_and_shows_no_mercy():
    moves = interview(2, [0.0] * 8, stress=True)

    assert [isinstance(move, Challenge) for move in moves] == [False, True, False] * 3
    assert Action.SIMPLIFY not in {move.action for move in moves}
    assert moves[0].question.difficulty is Difficulty.HARD
    assert moves[1].difficulty is Difficulty.MEDIUM
    assert moves[2].question.difficulty is Difficulty.MEDIUM


def test_the_same_seed_gives_the_same_questions():
    scores = [0.1, 0.9, 0.5, 0.65] * 3

    assert interview(7, scores) == interview(7, scores)
    assert len({interview(seed, [])[0].question.id for seed in range(20)}) > 5


def test_a_topic_that_does_not_exist_is_refused():
    with pytest.raises(InvalidInput):
        interview(1, [], topic="ALCHEMY")


@pytest.mark.parametrize("asked_in_visit", [1, 3])
def test_an_interview_goes_on_when_its_topic_has_left_the_bank(asked_in_visit):
    course = Course(
        seed=1, topics=("GONE", "OS"), visits=1, asked_in_visit=asked_in_visit, subtopic="lost"
    )
    bank = QuestionBank([OS])

    _, move = proceed(course, bank, Knowledge(), score=0.5, now_ms=0)

    assert move.question.topic == "OS"
