"""Watch words, found in what readers say. Decides nothing about a message, and asks no store.

Words are compared without regard to case, accents, width and invisible characters. A word that
is spelled out with something between all its letters ("w h a l e", "w.h.a.l.e") is found too.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

SHORTEST_SPELLED_OUT = 3
"""Letters; shorter words are found in too many initials."""

_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Letters of the Latin script that Unicode does not take apart."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no space between words: there a word is found anywhere."""

Tokens = tuple[str, ...]


def fold(text: str) -> str:
    """Text as it is compared: one case, no accents, no invisible characters."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (
        letter
        for letter in apart
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    return "".join(kept).casefold().translate(_STROKES)


def tokens(text: str) -> Tokens:
    """The words of folded text: runs of letters, digits and the marks that belong to letters."""
    spaced = (letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in text)
    return tuple("".join(spaced).split())


class WatchList:
    """Words and phrases to look for.

    Args:
        words: as moderators wrote them; those without a letter or digit find nothing.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._phrases: dict[Tokens, str] = {}
        self._unspaced: dict[str, str] = {}
        for word in words:
            folded = fold(word)
            if _UNSPACED.search(folded):
                self._unspaced[folded.strip()] = word
            elif phrase := tokens(folded):
                self._phrases[phrase] = word
        self._lengths = sorted({len(phrase) for phrase in self._phrases})
        self._spelled = {
            "".join(phrase): word
            for phrase, word in self._phrases.items()
            if len("".join(phrase)) >= SHORTEST_SPELLED_OUT
        }

    def __bool__(self) -> bool:
        return bool(self._phrases or self._unspaced)

    def find(self, text: str) -> list[str]:
        """The words of the list that a text has, as the list writes them, in alphabetical order."""
        folded = fold(text)
        said = tokens(folded)
        found = {word for part, word in self._unspaced.items() if part in folded}
        for length in self._lengths:
            for start in range(len(said) - length + 1):
                if word := self._phrases.get(said[start : start + length]):
                    found.add(word)
        for run in _spelled_out(said):
            found |= {word for letters, word in self._spelled.items() if letters in run}
        return sorted(found)


def _spelled_out(said: Tokens) -> Iterator[str]:
    """Letters that stand alone one after another, joined."""
    run = ""
    for token in (*said, "  "):
        if len(token) == 1:
            run += token
            continue
        if len(run) >= SHORTEST_SPELLED_OUT:
            yield run
        run = ""
