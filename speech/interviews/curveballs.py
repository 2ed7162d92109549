"""Questions that quote the previous answer and challenge it, for the stress test."""

import random
import re
from collections.abc import Sequence

from speech.interviews.questions import QUESTION_CHARACTERS, Term
from speech.interviews.terms import cover

QUOTE_WORDS = 8
"""Words of a quotation, at most."""

LEAST_QUOTE = 3
"""Fewer words than this are no quotation."""

QUOTABLE_WORDS = 150
"""Only so much of an answer is searched for a phrase, for this runs on the event loop."""

_BREAK = re.compile(r"[.!?;:,\n]+|\b(?:and|but|because|so|which|while)\b", re.IGNORECASE)
_QUOTING = (
    'You said "{}". I am not convinced. Defend that, or tell me where it goes wrong.',
    'You claimed "{}". A colleague says the opposite. Why should I believe you and not them?',
    '"{}", you said. In which case would that be false, and what would you say then?',
    'I doubt that "{}" is the whole truth. What is the weakest point of your answer?',
)
_SILENT = (
    "You left that one open. Suppose I claim that it does not matter at all. Prove me wrong.",
    "You said nothing to that. Take a position now, even a wrong one, and defend it to me.",
)


def challenge(answer: str, key_terms: Sequence[Term], dice: random.Random) -> str:
    """A sceptical question about an answer, quoting its key phrase if it has one."""
    phrase = key_phrase(answer, key_terms)
    if not phrase:
        return dice.choice(_SILENT)
    longest = QUESTION_CHARACTERS[1] - max(map(len, _QUOTING))
    return dice.choice(_QUOTING).format(phrase[:longest])


def key_phrase(answer: str, key_terms: Sequence[Term]) -> str:
    """The words of an answer that name most of the key terms; empty for too short an answer."""
    start_of_answer = answer.replace('"', "").split()[:QUOTABLE_WORDS]
    parts = [part.split() for part in _BREAK.split(" ".join(start_of_answer))]
    quotable = [part for part in parts if len(part) >= LEAST_QUOTE] or [start_of_answer]
    windows = [
        part[start : start + QUOTE_WORDS]
        for part in quotable
        for start in range(max(1, len(part) - QUOTE_WORDS + 1))
    ]
    best = max(windows, key=lambda words: len(cover(" ".join(words), key_terms).found))
    return " ".join(best) if len(best) >= LEAST_QUOTE else ""
