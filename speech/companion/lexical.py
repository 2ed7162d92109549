"""Ranks passages by the words they share with a question: Okapi BM25 over stems. Pure.

Embeddings know what a question is about; a name or a rare word they often do not.

Formula: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"
(2009), with the non-negative inverse document frequency that Lucene uses.
"""

import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

SATURATION = 1.2
"""k1: how soon more of the same word stops to matter."""
LENGTH_WEIGHT = 0.75
"""b: how much a long passage has to have more of a word."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
# fmt: off
_STOP = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "did", "do", "does",
        "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in",
        "into", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "she", "so",
        "than", "that", "the", "their", "them", "then", "there", "they", "this", "to", "up",
        "us", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose",
        "why", "will", "with", "would", "you", "your",
    }
)
# fmt: on


class LexicalIndex:
    """The words of a list of passages."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._stem = functools.lru_cache(50_000)(snowballstemmer.stemmer("english").stemWord)
        counts = [Counter(self._stems(passage)) for passage in passages]
        lengths = np.array([sum(count.values()) for count in counts], np.float32)
        mean = float(lengths.mean()) if len(lengths) else 1.0
        self._norms = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * lengths / (mean or 1.0))
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, count in enumerate(counts):
            for word, times in count.items():
                postings[word].append((at, times))
        self._postings = {word: np.array(rows, np.int32) for word, rows in postings.items()}
        self._size = len(counts)

    def scores(self, question: str) -> NDArray[np.float32]:
        """One score for each passage; 0 where no word is shared."""
        scores = np.zeros(self._size, np.float32)
        for word in set(self._stems(question)):
            rows = self._postings.get(word)
            if rows is None:
                continue
            weight = math.log(1 + (self._size - len(rows) + 0.5) / (len(rows) + 0.5))
            at, times = rows[:, 0], rows[:, 1]
            scores[at] += weight * times * (SATURATION + 1) / (times + self._norms[at])
        return scores

    def _stems(self, text: str) -> list[str]:
        words = (word.removesuffix("’s").removesuffix("'s") for word in _WORD.findall(text.lower()))
        return [self._stem(word) for word in words if word not in _STOP]
