"""Cuts text into sentences, also while it is still being written. Pure."""

import re

LONGEST = 400
"""Characters that a voice should wait for at most; a longer sentence is cut at a pause."""

_END = re.compile(r"[.!?…]+[\"'’”)\]]*\s+")
_PAUSE = re.compile(r"[;:,—–]\s+")
_SPACE = re.compile(r"\s+")
# fmt: off
_ABBREVIATIONS = frozenset(
    {
        "mr", "mrs", "ms", "dr", "st", "rev", "hon", "capt", "col", "gen", "lt", "sgt", "prof",
        "sr", "jr", "vs", "etc", "viz", "vol", "messrs", "mme", "mlle", "esq", "ltd", "e.g",
        "i.e", "a.m", "p.m",
    }
)
# fmt: on


class SentenceCutter:
    """Gives back every sentence as soon as it is certain that it has ended.

    Args:
        longest: a sentence of more characters is cut at a pause.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._waiting = ""

    def feed(self, text: str) -> list[str]:
        self._waiting += text
        sentences = []
        while (end := _end(self._waiting, self._longest)) is not None:
            sentence = " ".join(self._waiting[:end].split())
            self._waiting = self._waiting[end:]
            if sentence:
                sentences.append(sentence)
        return sentences

    def rest(self) -> list[str]:
        """What is left when the text has ended."""
        rest, self._waiting = " ".join(self._waiting.split()), ""
        return [rest] if rest else []


def sentences(text: str, *, longest: int = LONGEST) -> list[str]:
    """The sentences of a finished text, white space folded."""
    cutter = SentenceCutter(longest)
    return [*cutter.feed(text), *cutter.rest()]


def _end(text: str, longest: int) -> int | None:
    """Where the first sentence ends, or None while that is not certain."""
    for match in _END.finditer(text[: longest + 1]):
        if not _is_abbreviation(text[: match.start()], match.group()):
            return match.end()
    if len(text) <= longest:
        return None
    for mark in (_PAUSE, _SPACE):
        if ends := [match.end() for match in mark.finditer(text[:longest])]:
            return ends[-1]
    return longest


def _is_abbreviation(before: str, mark: str) -> bool:
    if not mark.startswith(".") or mark.startswith(".."):
        return False
    word = before.rsplit(maxsplit=1)[-1].lstrip("\"'‘“(") if before.strip() else ""
    # A single letter is an initial; "I" ends a sentence more often than it begins a name.
    is_initial = len(word) == 1 and word.isalpha() and word != "I"
    return is_initial or word.lower() in _ABBREVIATIONS
