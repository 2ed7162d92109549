"""How alike an answer and its expected answer are, 0 to 1: by meaning, or by words alone.

Both measure what a text is about, not whether it is true; `contradiction` looks at that.
Nothing here loads a model: `Embedder` is the port to one.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from speech.interviews.terms import stems

if TYPE_CHECKING:  # every command loads this module with the models, and few compute
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""One row a text, each of length 1."""

REMEMBERED = 512
"""Expected answers whose vectors are kept."""

WORD_WEIGHT = 0.7
"""Of whole stems in the lexical measure; the rest is character n-grams, which see *invert* in
*inversion*."""

FULL_LEXICAL = 0.7
"""Lexical cosine from which two texts count as the same. A good answer in other words shares
half to two thirds of the weight of the expected one."""

NGRAM = 4


class Embedder(Protocol):
    """A sentence embedding model."""

    @property
    def name(self) -> str:
        """What a result says about who measured."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text; zeros for a text without words. May take a while: call it
        off the event loop.

        Raises:
            ProviderUnavailable: the model is not there.
        """


class Similarity(Protocol):
    """How alike two texts are."""

    @property
    def name(self) -> str:
        """What a result says about who measured."""

    def compare(self, answer: str, expected: str) -> float:
        """0 to 1; 0 when either has no words. May take a while."""


class EmbeddingSimilarity:
    """Cosine of sentence embeddings; what is below 0 counts as 0.

    Good above 0.7 for text as it was spoken. Measured limits of MiniLM: an answer that negates
    the expected one word for word scores about 0.9, a right one in other words about 0.6, and
    an unrelated one nearly 0. Errors of a small recogniser cost about a quarter.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._expected: dict[str, Vectors] = {}

    @property
    def name(self) -> str:
        return self._embedder.name

    def compare(self, answer: str, expected: str) -> float:
        if not answer.strip() or not expected.strip():
            return 0.0
        known = self._expected.get(expected)
        if known is None:
            said, known = self._embedder.embed([answer, expected])
            self._remember(expected, known)
        else:
            said = self._embedder.embed([answer])[0]
        return min(1.0, max(0.0, float(said @ known)))

    def _remember(self, expected: str, vector: Vectors) -> None:
        if len(self._expected) >= REMEMBERED:
            self._expected.clear()
        self._expected[expected] = vector


class LexicalSimilarity:
    """Cosine of weighted stems and character n-grams, stretched to 0..1; needs no model.

    Weights are inverse document frequencies (Sparck Jones 1972, with one added to every count,
    so that unseen words weigh most). Blind to other words for the same thing, hence lower than
    `EmbeddingSimilarity` for a paraphrase.

    Args:
        documents: texts that tell common words from rare ones, best the expected answers.
    """

    name = "lexical"

    def __init__(self, documents: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        total = 0
        for document in documents:
            counts.update(set(_features(stems(document))))
            total += 1
        self._counts: Mapping[str, int] = counts
        self._total = total

    def compare(self, answer: str, expected: str) -> float:
        one, other = self._weigh(answer), self._weigh(expected)
        norm = math.sqrt(_dot(one, one) * _dot(other, other))
        cosine = _dot(one, other) / norm if norm else 0.0
        return min(1.0, cosine / FULL_LEXICAL)

    def _weigh(self, text: str) -> dict[str, float]:
        weights = {}
        for feature, count in Counter(_features(stems(text))).items():
            rarity = math.log((1 + self._total) / (1 + self._counts.get(feature, 0))) + 1
            share = WORD_WEIGHT if feature.startswith("=") else 1 - WORD_WEIGHT
            weights[feature] = share * (1 + math.log(count)) * rarity
        return weights


def _features(words: Iterable[str]) -> Iterator[str]:
    """Stems, marked by ``=``, and the n-grams of the longer ones."""
    for word in words:
        yield f"={word}"
        yield from (word[start : start + NGRAM] for start in range(len(word) - NGRAM + 1))


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(weight * other.get(feature, 0.0) for feature, weight in one.items())
