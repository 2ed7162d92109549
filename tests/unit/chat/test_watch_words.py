"""Watch words in what readers say: what is found, and what is left in peace."""

import pytest

from chat.watch_words import WatchList


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("whale", "a WHALE!"),
        ("whale", "whale"),
        ("Café", "the cafe"),
        ("cafe", "le CAFÉ"),
        ("cafe", "le cafe\u0301"),
        ("strasse", "die Straße"),
        ("smorbrod", "Smørbrød"),
        ("whale", "w h a l e"),
        ("whale", "so w.h.a.l.e, yes"),
        ("whale", "w-h_a * l\ne"),
        ("whale", "wh\u200bal\u00ade"),
        ("whale", "ｗｈａｌｅ"),
        ("white whale", "the White,  whale"),
        ("white whale", "w h i t e w h a l e"),
        ("ab", "AB"),
        ("क", "क है"),
        ("鯨", "白鯨です"),
    ],
)
def test_a_word_is_found(word: str, text: str) -> None:
    assert WatchList([word]).find(text) == [word]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("dick", "Dickens wrote it, and Benedick said so"),
        ("cunt", "Scunthorpe"),
        ("hell", "he'll shell"),
        ("therapist", "the rapist"),
        ("white whale", "white and whale"),
        ("id", "I'd"),
        ("ab", "a b"),
        ("क", "की"),
        ("...", "..."),
        ("", "anything"),
    ],
)
def test_what_only_looks_like_it_is_left_in_peace(word: str, text: str) -> None:
    assert WatchList([word]).find(text) == []


def test_several_words_are_each_named_once_and_in_order() -> None:
    watched = WatchList(["tea", "Ale", "rum"])

    assert watched.find("RUM, tea and rum and álé") == ["Ale", "rum", "tea"]


def test_the_longest_message_takes_little_time_whatever_it_says() -> None:
    watched = WatchList([f"word{number}" for number in range(500)] + ["a" * 40])

    assert watched.find("a " * 2_000) == ["a" * 40]
    assert watched.find("aaaa" * 1_000) == []
