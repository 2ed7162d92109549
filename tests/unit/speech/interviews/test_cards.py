import msgspec
import pytest

from speech.interviews.cards import Standing, cards, figures, standing
from speech.interviews.metrics import BENCHMARKS
from speech.interviews.outcome import Range
from tests.unit.speech.interviews.sample_results import (
    silent_result,
    spoken_result,
    written_result,
)


@pytest.mark.parametrize(
    ("value", "good", "expected"),
    [
        (119.9, Range(min=120, max=160), Standing.LOW),
        (120, Range(min=120, max=160), Standing.GOOD),
        (160, Range(min=120, max=160), Standing.GOOD),
        (160.1, Range(min=120, max=160), Standing.HIGH),
        (0.75, Range(min=0.75), Standing.LOW),
        (0.751, Range(min=0.75), Standing.GOOD),
        (4, Range(max=5), Standing.GOOD),
        (5, Range(max=5), Standing.HIGH),
        (1e9, Range(), Standing.GOOD),
    ],
)
def test_a_value_stands_where_the_published_range_says(value, good, expected):
    assert standing(value, good) is expected


def test_every_published_range_has_a_card():
    assert [card.key for card in cards(spoken_result())] == list(BENCHMARKS)


def test_a_card_says_its_value_its_range_and_what_that_means():
    pace, *_ = cards(spoken_result())

    assert (pace.unit, pace.good) == ("words a minute", "120 to 160\u00a0words a minute")
    assert float(pace.shown) == round(spoken_result().metrics.wpm)
    assert pace.meaning


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("speaking_ratio", "50 to 70\u00a0%"),
        ("fluency_score", "above 75\u00a0%"),
        ("articulation_rate", "3 to 5\u00a0syllables a second"),
        ("long_pause_count", "below 5"),
        ("avg_response_latency", "below 3\u00a0s"),
    ],
)
def test_ranges_are_written_in_the_unit_of_their_metric(key, good):
    (card,) = [card for card in cards(spoken_result()) if card.key == key]

    assert card.good == good


@pytest.mark.parametrize(
    ("key", "value", "shown", "expected"),
    [
        ("speaking_ratio", 0.7, "70", Standing.GOOD),
        ("speaking_ratio", 0.703, "70.3", Standing.HIGH),
        ("speaking_ratio", 0.497, "49.7", Standing.LOW),
        ("speaking_ratio", 0.604, "60", Standing.GOOD),
        ("fluency_score", 0.75, "75", Standing.LOW),
        ("fluency_score", 0.752, "75.2", Standing.GOOD),
        ("wpm", 160.3, "160.3", Standing.HIGH),
        ("articulation_rate", 5.04, "5.04", Standing.HIGH),
        ("articulation_rate", 4.04, "4.0", Standing.GOOD),
    ],
)
def test_what_is_written_does_not_contradict_where_it_stands(key, value, shown, expected):
    result = spoken_result()
    metrics = msgspec.structs.replace(result.metrics, **{key: value})

    (card,) = [
        card for card in cards(msgspec.structs.replace(result, metrics=metrics)) if card.key == key
    ]

    assert (card.shown, card.standing) == (shown, expected)


def test_a_value_never_leaves_its_scale():
    for result in (spoken_result(), written_result(), silent_result()):
        assert all(card.value is None or card.value <= card.end for card in cards(result))


def test_without_speech_only_the_words_are_judged():
    known = [card.key for card in cards(written_result()) if card.value is not None]

    assert known == ["avg_semantic_similarity", "avg_keyword_coverage"]


def test_without_an_answer_nothing_is_judged():
    assert {card.standing for card in cards(silent_result())} == {Standing.UNKNOWN}


def test_no_figure_is_both_a_card_and_a_line():
    titles = {card.title for card in cards(spoken_result())}

    assert not titles & {name for name, _ in figures(spoken_result())}
