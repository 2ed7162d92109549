import random

import pytest

from speech.interviews.curveballs import challenge, key_phrase
from speech.interviews.questions import QUESTION_CHARACTERS, Term

TERMS = (Term("shared lock"), Term("exclusive lock"), Term("wait"))


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        ("Well. A shared lock lets many read, and others wait.", "A shared lock lets many read"),
        ("um basically you know the thing is that an exclusive lock makes all others wait for it",
         "that an exclusive lock makes all others wait"),
        ("nothing to do with it at all really", "nothing to do with it at all really"),
        ("no idea", ""),
        ("", ""),
        ('He said "a shared lock" is fine', "He said a shared lock is fine"),
    ],
)  # fmt: skip
def test_the_key_phrase_names_most_of_the_key_terms(answer, phrase):
    assert key_phrase(answer, TERMS) == phrase


def test_a_challenge_quotes_the_answer_and_can_be_spoken():
    for seed in range(30):
        text = challenge("a shared lock lets many transactions read", TERMS, random.Random(seed))
        assert '"a shared lock lets many transactions read"' in text
        assert QUESTION_CHARACTERS[0] <= len(text) <= QUESTION_CHARACTERS[1]


def test_silence_is_challenged_without_a_quotation():
    texts = {challenge("", TERMS, random.Random(seed)) for seed in range(30)}

    assert len(texts) > 1
    assert not any('"' in text for text in texts)


def test_words_without_end_do_not_make_a_question_without_end():
    text = challenge("x" * 5_000 + " lock lock", TERMS, random.Random(1))

    assert len(text) <= QUESTION_CHARACTERS[1]
