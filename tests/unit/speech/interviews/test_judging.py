"""Answers are judged with what is there, and by a process that may die."""

import os
import signal
from concurrent.futures import Executor
from typing import Any

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.interviews.evaluation import Evaluator
from speech.interviews.judging import PooledJudge, choose_similarity, judge_process, repeats
from speech.interviews.state import AskedQuestion
from tests.unit.speech.interviews.rehearsal import BANK

QUESTION = AskedQuestion.of(next(iter(BANK.questions)))


def no_model() -> Any:
    raise ProviderUnavailable("not installed")


def test_without_the_model_answers_are_compared_by_words() -> None:
    evaluator = Evaluator(choose_similarity(no_model))

    same = evaluator.assess(QUESTION, QUESTION.expected_answer)
    other = evaluator.assess(QUESTION, "my cat sleeps on the warm windowsill all day")

    assert same.measured_by == other.measured_by == "lexical"
    assert same.similarity > 0.95
    assert other.similarity < 0.2


def test_a_question_in_other_words_is_a_repetition() -> None:
    asked = "What is the difference between a process and a thread?"
    again = "What difference is there between a process and a thread?"

    assert repeats(again, [(asked, True)])
    assert not repeats("Who tells the story in a novel, and how do we know?", [(asked, True)])
    assert not repeats(again, [])


async def test_a_judge_who_dies_is_followed_by_another() -> None:
    made: list[Executor] = []

    def begin() -> Executor:
        made.append(judge_process())
        return made[-1]

    judge = PooledJudge(begin)
    first = await judge.assess(QUESTION, QUESTION.expected_answer)
    (pid,) = made[0]._processes  # type: ignore[attr-defined]
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable):
        await judge.assess(QUESTION, "an answer")

    second = await judge.assess(QUESTION, QUESTION.expected_answer)

    assert first == second
    assert first.similarity > 0.95
    assert len(made) == 2
    judge.close()
    for pool in made:
        pool.shutdown()
