"""A language model may word a question; whatever goes wrong, the words of the bank stand."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.interviews import phrasing
from speech.interviews.phrasing import ModelPhrasing
from speech.interviews.state import AskedQuestion
from tests.unit.speech.interviews.rehearsal import BANK

QUESTION, OTHER = (AskedQuestion.of(question) for question in list(BANK.questions)[:2])


class FakeModel:
    """As much of the SDK's client as is used."""

    def __init__(self, text: str | None = None, error: Exception | None = None) -> None:
        self.text, self.error, self.asked = text, error, ""
        self.is_slow = False
        self.chat = SimpleNamespace(completions=self)

    async def create(self, *, messages: Any, **_: Any) -> Any:
        self.asked = messages[-1]["content"]
        if self.is_slow:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        message = SimpleNamespace(content=self.text)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)])


async def begins_alike(text: str, earlier: Sequence[tuple[str, bool]]) -> bool:
    return any(asked.split()[0] == text.split()[0] for asked, _ in earlier)


def worded_by(model: FakeModel) -> ModelPhrasing:
    client: Any = model
    return ModelPhrasing(client, model="m", repeats=begins_alike)


async def phrase(model: FakeModel, *, earlier: Sequence[AskedQuestion] = ()) -> str | None:
    return await worded_by(model).phrase(QUESTION, previous_answer="I said so", earlier=earlier)


async def test_a_question_is_worded_after_what_was_said() -> None:
    model = FakeModel(' "Then tell me, what is an entity?" ')

    assert await phrase(model) == "Then tell me, what is an entity?"
    assert "'I said so'" in model.asked
    assert QUESTION.text in model.asked
    assert QUESTION.expected_answer not in model.asked


@pytest.mark.parametrize("text", [None, "", "  "])
async def test_no_words_are_those_of_the_bank(text: str | None) -> None:
    assert await phrase(FakeModel(text)) is None


async def test_words_that_mean_an_earlier_question_are_not_taken() -> None:
    first_word = OTHER.text.split()[0]

    assert await phrase(FakeModel(f"{first_word} again?"), earlier=[OTHER]) is None
    assert await phrase(FakeModel("Something else?"), earlier=[OTHER]) == "Something else?"


async def test_a_model_that_fails_says_so_without_its_words() -> None:
    with pytest.raises(ProviderUnavailable) as refusal:
        await phrase(FakeModel(error=openai.OpenAIError("a secret prompt")))

    assert "secret" not in str(refusal.value)


async def test_a_model_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phrasing, "ANSWER_S", 0.01)
    model = FakeModel("too late")
    model.is_slow = True

    with pytest.raises(ProviderUnavailable):
        await phrase(model)
