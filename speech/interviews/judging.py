"""Judges answers off the event loop: by meaning where the model is there, else by words."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from readrealm.kernel.errors import ProviderUnavailable
from speech.interviews.evaluation import Assessment, Evaluator
from speech.interviews.questions import load_bank
from speech.interviews.similarity import (
    Embedder,
    EmbeddingSimilarity,
    LexicalSimilarity,
    Similarity,
)
from speech.interviews.state import AskedQuestion

log = logging.getLogger(__name__)


def choose_similarity(load: Callable[[], Embedder]) -> Similarity:
    """By sentence embeddings; by words, if their model is not there. Takes a moment."""
    try:
        return EmbeddingSimilarity(load())
    except ProviderUnavailable as error:
        log.warning("answers are compared by words alone: %s", error)
        return LexicalSimilarity(question.expected_answer for question in load_bank().questions)


class ThreadedJudge:
    """A judge in threads.

    Args:
        load: gives the embedding model; called in a thread, when it is first needed.
        threads: one is enough: a second would wait for the same processor.
    """

    def __init__(self, load: Callable[[], Embedder], *, threads: Executor) -> None:
        self._load, self._threads = load, threads
        self._evaluator: Evaluator | None = None

    async def assess(self, question: AskedQuestion, answer: str) -> Assessment:
        """How good an answer is.

        Raises:
            ProviderUnavailable: the model fails.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._assess, question, answer)

    def _assess(self, question: AskedQuestion, answer: str) -> Assessment:
        if self._evaluator is None:
            self._evaluator = Evaluator(choose_similarity(self._load))
        return self._evaluator.assess(question, answer)
