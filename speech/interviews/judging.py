"""Judges answers in a process of its own: by meaning where the model is there, else by words.

Not in a thread: while a model computes in one, the event loop waits up to five milliseconds for
the interpreter at each of its steps, and half a second while the model is loaded.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

import numpy as np

from readrealm.kernel.errors import ProviderUnavailable
from readrealm.stores.processes import exit_after_parent
from speech.engines.embeddings import load_minilm
from speech.interviews.evaluation import Assessment, Evaluator
from speech.interviews.questions import load_bank
from speech.interviews.similarity import (
    Embedder,
    EmbeddingSimilarity,
    LexicalSimilarity,
    Similarity,
)
from speech.interviews.state import AskedQuestion
from speech.interviews.wording import is_repetition

log = logging.getLogger(__name__)

NICENESS = 10

T = TypeVar("T")


def choose_similarity(load: Callable[[], Embedder]) -> Similarity:
    """By sentence embeddings; by words, if their model is not there. Takes a moment."""
    try:
        return EmbeddingSimilarity(load())
    except ProviderUnavailable as error:
        log.warning("answers are compared by words alone: %s", error)
        return LexicalSimilarity(question.expected_answer for question in load_bank().questions)


@cache
def evaluator() -> Evaluator:
    """The one of this process, made at the first call."""
    return Evaluator(choose_similarity(load_minilm))


def assess(question: AskedQuestion, answer: str) -> Assessment:
    """How good an answer is. Computes, and loads the model at the first call."""
    return evaluator().assess(question, answer)


def repeats(text: str, earlier: Sequence[tuple[str, bool]]) -> bool:
    """Whether a question means the same as an earlier one; False without the model, for then only
    repetitions word for word are found, by the interview itself.

    Args:
        earlier: each with whether it is of the same subtopic.
    """
    if not earlier:
        return False
    try:
        vectors = load_minilm().embed([text, *(asked for asked, _ in earlier)])
    except ProviderUnavailable:
        return False
    same = np.array([is_same for _, is_same in earlier])
    return is_repetition(vectors[0], in_subtopic=vectors[1:][same], in_session=vectors[1:])


def judge_process() -> Executor:
    """One process that ends with this one; it starts when it is first asked for something."""
    return ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )


def _begin() -> None:
    """Ctrl-C is for the worker, which then ends; and with it this process. Until then timers of
    workers come before answers that are judged."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_after_parent(grace_s=0)


class PooledJudge:
    """A judge behind an executor.

    Args:
        begin: makes the executor, again when its process has died.
    """

    def __init__(self, begin: Callable[[], Executor] = judge_process) -> None:
        self._begin = begin
        self._pool: Executor | None = None

    def prepare(self) -> None:
        """Have the model loaded, without waiting for it: an interview has begun."""
        if self._pool is None:
            self._pool = self._begin()
            self._pool.submit(evaluator_is_there)

    async def assess(self, question: AskedQuestion, answer: str) -> Assessment:
        """How good an answer is.

        Raises:
            ProviderUnavailable: the process has died, or the model fails.
        """
        return await self._ask(assess, question, answer)

    async def repeats(self, text: str, earlier: Sequence[tuple[str, bool]]) -> bool:
        """See `repeats`; raises as `assess` does."""
        return await self._ask(repeats, text, earlier)

    async def _ask(self, work: Callable[..., T], *args: Any) -> T:
        self.prepare()
        pool = self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *args)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            raise ProviderUnavailable("the judge has died; another one takes over") from None

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def evaluator_is_there() -> bool:
    """Loads the model, and says nothing about it: an evaluator is not for other processes."""
    return evaluator() is not None
