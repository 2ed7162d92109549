"""Turns hypotheses that are revised into text that only grows. Pure."""

import itertools

SETTLED_AFTER = 3
"""A word is believed when it stands in so many hypotheses in a row at the same place."""


class SettledText:
    """The words that successive hypotheses agree on.

    Recognisers revise their last words all the time, and a transcript that is sent as
    deltas cannot. What was settled stays, even if a later hypothesis disagrees; the final
    text has the last word. After "local agreement" (Liu, Spanakis and Niehues, Interspeech
    2020), with three hypotheses in place of two.
    """

    def __init__(self) -> None:
        self._recent: list[list[str]] = []
        self._settled: list[str] = []

    @property
    def text(self) -> str:
        return " ".join(self._settled)

    def feed(self, hypothesis: str) -> str:
        """The text that this hypothesis settles, with a space between it and the text before."""
        words = hypothesis.split()
        self._recent = [*self._recent[1 - SETTLED_AFTER :], words]
        if len(self._recent) < SETTLED_AFTER:
            return ""
        agreed = _common(self._recent)
        new = agreed[len(self._settled) :]
        if not new or agreed[: len(self._settled)] != self._settled:
            return ""
        lead = " " if self._settled else ""
        self._settled += new
        return lead + " ".join(new)


def _common(hypotheses: list[list[str]]) -> list[str]:
    """The beginning that all have; the last word of each is left out, for it may be half heard."""
    columns = zip(*(words[:-1] for words in hypotheses), strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, columns)
    return [column[0] for column in same]
