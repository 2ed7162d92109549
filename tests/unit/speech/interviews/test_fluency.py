import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.interviews.fluency import (
    count_syllables,
    dictionary_counter,
    filled_pause_count,
    fluency_score,
    read_pronunciations,
    words,
)

CMU = """;;; a comment
WALKED W AO1 K T
READ R EH1 D
READ(2) R IY1 D

FIRE F AY1 ER0
""".splitlines()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  \n ", 0),
        ("one", 1),
        ("one - two ... three!", 3),
        ("don't 42 C++", 3),
        ("— …", 0),
    ],
)
def test_words_are_tokens_that_say_something(text, count):
    assert len(words(text)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Um, so, uh, it is, er, like that. Hmm", 4),
        ("The umbrella of the hummer erred", 0),
        ("mm UHM erm ah", 4),
    ],
)
def test_only_whole_words_fill_a_pause(text, count):
    assert filled_pause_count(text) == count


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("the", 1), ("be", 1), ("word", 1), ("make", 1), ("table", 2), ("whole", 1), ("queue", 1),
        ("coffee", 2), ("banana", 3), ("rhythm", 1), ("transaction", 3), ("don't", 1),
        ("well-known", 2), ("Brontë", 2), ("naïve", 1), ("1851", 4), ("x", 1), ("...", 0),
        ("“water,”", 2),
    ],
)  # fmt: skip
def test_syllables_are_groups_of_vowels(word, syllables):
    assert count_syllables(word) == syllables


def test_a_dictionary_counts_vowel_phones_and_keeps_the_first_pronunciation():
    assert read_pronunciations(CMU) == {"walked": 1, "read": 1, "fire": 2}


def test_what_the_dictionary_does_not_know_is_counted_by_its_letters():
    count = dictionary_counter(read_pronunciations(CMU))

    assert (count_syllables("walked"), count("walked"), count('"Fire!"')) == (2, 1, 2)
    assert count("banana") == 3


def test_the_published_example_has_the_published_fluency():
    """Rate 145.2, continuity 0.677, hesitation 0.12 and five long pauses are given as 0.82."""
    score = fluency_score(
        words_per_minute=145.2, continuity=0.677, hesitation_rate=0.12, long_pauses=5
    )

    assert round(score, 2) == 0.82


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0, 1_000), st.floats(0, 5), st.floats(0, 50), st.integers(0, 1_000)
)  # fmt: skip
def test_fluency_lies_between_0_and_1(rate, continuity, hesitation, long_pauses):
    score = fluency_score(
        words_per_minute=rate,
        continuity=continuity,
        hesitation_rate=hesitation,
        long_pauses=long_pauses,
    )

    assert 0 <= score <= 1 + 1e-12


@settings(max_examples=40, deadline=None)
@given(st.text("aeé xzß1-.'字", max_size=30))
def test_every_word_with_a_latin_letter_has_a_syllable(text):
    for word in words(text):
        assert count_syllables(word) >= (1 if any("a" <= c <= "z" for c in word) else 0)
