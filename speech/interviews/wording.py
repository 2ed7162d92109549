"""Whether a question that a language model worded may be asked. It words, it never chooses."""

from collections.abc import Collection, Sequence

from speech.interviews.questions import QUESTION_CHARACTERS, Term
from speech.interviews.similarity import Vectors
from speech.interviews.terms import cover

SAME_IN_SUBTOPIC = 0.85
SAME_IN_SESSION = 0.90
"""Cosine of embeddings above which two questions are the same."""


def accepts_wording(text: str, concepts: Sequence[Term], *, earlier: Collection[str]) -> bool:
    """Whether ``text`` can be spoken, names one of ``concepts`` (if there are any) and is not one
    of the ``earlier`` questions word for word."""
    worded = " ".join(text.split())
    shortest, longest = QUESTION_CHARACTERS
    return (
        shortest <= len(worded) <= longest
        and worded.casefold() not in {question.casefold() for question in earlier}
        and (not concepts or bool(cover(worded, concepts).found))
    )


def is_repetition(question: Vectors, *, in_subtopic: Vectors, in_session: Vectors) -> bool:
    """Whether a question means the same as an earlier one.

    Args:
        question: its unit vector, one dimension.
        in_subtopic: unit vectors of the questions of its subtopic, a row each; may have none.
        in_session: likewise of all questions of the interview.
    """
    return bool(
        (in_subtopic @ question > SAME_IN_SUBTOPIC).any()
        or (in_session @ question > SAME_IN_SESSION).any()
    )
