import numpy as np
import pytest

from speech.companion.ranking import (
    LEXICAL_WEIGHT,
    NEIGHBOUR_WEIGHT,
    best_first,
    fused,
    with_neighbours,
)


def scores(*values: float):
    return np.array(values, np.float32)


def chapters(*values: int):
    return np.array(values, np.int32)


def test_the_best_match_of_words_is_worth_the_same_in_every_question():
    for scale in (1, 20):
        total = fused(scores(0.2, 0.2, 0.2), scale * scores(0, 1, 0.5))
        expected = [0.2, 0.2 + LEXICAL_WEIGHT, 0.2 + LEXICAL_WEIGHT / 2]
        assert total.tolist() == pytest.approx(expected)


def test_without_a_shared_word_only_the_meaning_counts():
    assert fused(scores(0.1, 0.4), scores(0, 0)).tolist() == pytest.approx([0.1, 0.4])


def test_a_passage_between_good_ones_beats_one_that_stands_alone():
    told = with_neighbours(scores(0.6, 0.5, 0.6, 0.0, 0.51, 0.0), chapters(*[0] * 6))
    assert told[1] > told[4]
    assert told[1] == pytest.approx(0.5 + NEIGHBOUR_WEIGHT * 0.6)


def test_another_chapter_is_no_neighbour():
    told = with_neighbours(scores(0.2, 0.9, 0.4), chapters(0, 1, 1))
    assert told.tolist() == pytest.approx(
        [
            0.2 + NEIGHBOUR_WEIGHT * 0.2,
            0.9 + NEIGHBOUR_WEIGHT * 0.4,
            0.4 + NEIGHBOUR_WEIGHT * 0.9,
        ]
    )


def test_a_book_of_one_passage_and_of_none_can_be_ranked():
    assert with_neighbours(scores(0.5), chapters(0)).tolist() == pytest.approx(
        [0.5 * (1 + NEIGHBOUR_WEIGHT)]
    )
    assert best_first(with_neighbours(fused(scores(), scores()), chapters())) == []


def test_equal_passages_keep_the_order_of_the_book():
    assert best_first(scores(0.1, 0.7, 0.7, 0.3)) == [1, 2, 3, 0]
