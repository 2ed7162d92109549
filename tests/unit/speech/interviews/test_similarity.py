import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.interviews.questions import load_bank
from speech.interviews.similarity import REMEMBERED, EmbeddingSimilarity, LexicalSimilarity

EXPECTED = {question.id: question.expected_answer for question in load_bank().questions}
LEXICAL = LexicalSimilarity(EXPECTED.values())
THREADS = (
    "They share the memory, the heap and the open files, but every thread has its own stack and "
    "its own registers and program counter."
)


class FakeEmbedder:
    """Two dimensions: a text that begins with ``no`` points the other way than its length."""

    name = "fake"

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        self.asked.append(list(texts))
        angles = [np.pi * text.startswith("no") + len(text) / 100 for text in texts]
        return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], np.float32)


def test_similarity_is_the_cosine_of_the_embeddings():
    similarity = EmbeddingSimilarity(FakeEmbedder())

    assert similarity.compare("abc", "xyz") == pytest.approx(1)
    assert similarity.compare("a" * 100, "b" * 50) == pytest.approx(np.cos(0.5), abs=1e-6)
    assert similarity.name == "fake"


def test_what_points_the_other_way_counts_as_zero():
    assert EmbeddingSimilarity(FakeEmbedder()).compare("nothing", "yes") == 0


@pytest.mark.parametrize(("answer", "expected"), [("", "x"), (" \n", "x"), ("x", ""), ("", "")])
def test_nothing_is_like_nothing(answer, expected):
    embedder = FakeEmbedder()

    assert EmbeddingSimilarity(embedder).compare(answer, expected) == 0
    assert LEXICAL.compare(answer, expected) == 0
    assert embedder.asked == []


def test_an_expected_answer_is_embedded_once_and_not_for_ever():
    embedder = FakeEmbedder()
    similarity = EmbeddingSimilarity(embedder)

    first = similarity.compare("one", "expected")
    assert similarity.compare("one", "expected") == first
    assert embedder.asked == [["one", "expected"], ["one"]]
    for number in range(REMEMBERED):
        similarity.compare("one", f"expected {number}")
    assert similarity.compare("one", "expected") == first
    assert embedder.asked[-1] == ["one", "expected"]


def test_words_alone_tell_an_answer_from_the_answers_to_other_questions():
    own = LEXICAL.compare(THREADS, EXPECTED["os-processes-1"])
    others = [
        LEXICAL.compare(THREADS, text)
        for name, text in EXPECTED.items()
        if name != "os-processes-1"
    ]

    assert own > 0.7
    assert max(others) < own / 2
    assert sum(others) / len(others) < 0.2


def test_rare_words_weigh_more_than_common_ones():
    assert LEXICAL.compare("foreshadowing hint", EXPECTED["reading-plot-3"]) > LEXICAL.compare(
        "the of and is it", EXPECTED["reading-plot-3"]
    )


def test_other_endings_of_a_word_are_seen():
    lexical = LexicalSimilarity([])

    assert lexical.compare("inheritance", "inheriting") == 1
    assert 0 < lexical.compare("encapsulation", "a capsule") < 1


@settings(max_examples=40, deadline=None)
@given(st.text("abc de-é1.", max_size=60), st.text("abc de-é1.", max_size=60))
def test_a_lexical_score_is_symmetric_and_lies_between_0_and_1(one, other):
    score = LEXICAL.compare(one, other)

    assert 0 <= score <= 1
    assert score == pytest.approx(LEXICAL.compare(other, one))
    assert LEXICAL.compare(one, one) in (0, 1)
