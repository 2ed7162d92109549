"""Answers are judged with what is there."""

from typing import Any

from readrealm.kernel.errors import ProviderUnavailable
from speech.interviews.judging import ThreadedJudge
from speech.interviews.state import AskedQuestion
from tests.unit.speech.interviews.rehearsal import BANK
from tests.unit.speech.interviews.stage import InlineThreads

QUESTION = AskedQuestion.of(next(iter(BANK.questions)))


def no_model() -> Any:
    raise ProviderUnavailable("not installed")


async def test_without_the_model_answers_are_compared_by_words() -> None:
    judge = ThreadedJudge(no_model, threads=InlineThreads())

    same = await judge.assess(QUESTION, QUESTION.expected_answer)
    other = await judge.assess(QUESTION, "my cat sleeps on the warm windowsill all day")

    assert same.measured_by == other.measured_by == "lexical"
    assert same.similarity > 0.95
    assert other.similarity < 0.2


async def test_the_model_is_loaded_once() -> None:
    loaded: list[int] = []

    def load() -> Any:
        loaded.append(1)
        return no_model()

    judge = ThreadedJudge(load, threads=InlineThreads())
    for _ in range(3):
        await judge.assess(QUESTION, "an answer")

    assert loaded == [1]
