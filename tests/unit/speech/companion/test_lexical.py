import numpy as np

from speech.companion.lexical import LexicalIndex

INDEX = LexicalIndex(
    [
        "The captain nailed a gold doubloon to the mast.",
        "The captain spoke of the whale, the whale and again the whale.",
        "Queequeg’s harpoon was sharp.",
        "The sea was calm and the captain slept.",
    ]
)


def best(question: str) -> int:
    return int(np.argmax(INDEX.scores(question)))


def test_the_passage_with_the_rare_word_wins():
    assert best("Where is the captain's doubloon?") == 0


def test_words_are_the_same_in_other_forms():
    assert best("whales and whaling") == 1
    assert best("harpoons of Queequeg") == 2


def test_a_question_of_common_words_finds_nothing():
    assert not INDEX.scores("what is it that was there").any()
    assert not INDEX.scores("").any()


def test_more_of_a_word_is_worth_more_but_not_without_end():
    index = LexicalIndex(["whale " * count + "sea " * (10 - count) for count in (1, 2, 9)])
    one, two, nine = index.scores("whale")
    assert one < two < nine < 3 * one


def test_an_empty_index_answers():
    assert len(LexicalIndex([]).scores("whale")) == 0
