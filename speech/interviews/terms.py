"""Whether a text names a term: whole words, compared by their stems. Knows no question.

Words are stemmed by the Snowball English stemmer after British spellings have been brought to
the American ones that recognisers write. *Dead lock*, *dead-lock* and *deadlock* are the same,
and so are a few pairs that stems keep apart, such as *invert* and *inversion*.
"""

import functools
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import snowballstemmer

from speech.interviews.questions import Term

LONGEST_RUN = 6
"""Words of the longest wording that is looked for."""

_WORD = re.compile(r"[^\W_]+")
_ISE = re.compile(r"(?<=..)([iy])s(e|ed|es|er|ers|ing|ation|ations|able)$")
_OUR = re.compile(r"(?<=[bilmnv])our(s|ed|ing|al|ally|able|ful|ite|ites)?$")
_TAILS = (
    ("ers", "ert"),
    ("ens", "end"),
    ("miss", "mit"),
    ("clus", "clud"),
    ("cis", "cid"),
    ("duct", "duc"),
    ("cept", "ceiv"),
    ("sumpt", "sum"),
    ("cript", "crib"),
    ("olut", "olv"),
)
"""Ends of stems by which the noun of a verb differs from it."""


def tokens(text: str) -> list[str]:
    """Words in lower case, without accents and apostrophes; a hyphen parts two words."""
    decomposed = unicodedata.normalize("NFKD", text).lower()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _WORD.findall(plain.replace("'", "").replace("’", ""))


@functools.lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """The stem of a word as `tokens` gives it."""
    if len(word) > 5:
        word = _OUR.sub(r"or\1", _ISE.sub(r"\1z\2", word))
    # A stemmer keeps the word it works on, so that one shared by threads would mix words up.
    root: str = snowballstemmer.stemmer("english").stemWord(word)
    for noun, verb in _TAILS:
        if root.endswith(noun) and len(root) > 5:
            return root.removesuffix(noun) + verb
    return root


def stems(text: str) -> list[str]:
    return [stem(word) for word in tokens(text)]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which of the terms a text names, in the order of the question."""

    found: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """0 to 1; 0 where there is nothing to name."""
        total = len(self.found) + len(self.missing)
        return len(self.found) / total if total else 0.0


def cover(text: str, terms: Sequence[Term]) -> Coverage:
    """Look for every term, each in any of its wordings."""
    runs = _runs(stems(text))
    named = [_is_named(term, runs) for term in terms]
    return Coverage(
        found=tuple(term.name for term, hit in zip(terms, named, strict=True) if hit),
        missing=tuple(term.name for term, hit in zip(terms, named, strict=True) if not hit),
    )


def _is_named(term: Term, runs: Collection[str]) -> bool:
    return any("".join(stems(wording)) in runs for wording in term.wordings)


def _runs(words: Sequence[str]) -> set[str]:
    """Every run of up to `LONGEST_RUN` words, written together, so that compounds match."""
    return {
        "".join(words[start : start + length])
        for start in range(len(words))
        for length in range(1, LONGEST_RUN + 1)
        if start + length <= len(words)
    }
