import pytest

from speech.companion.books import Passage
from speech.companion.passages import Found
from speech.companion.wording import place, roman, spoken


@pytest.mark.parametrize(
    ("numeral", "value"), [("I", 1), ("IV", 4), ("xiv", 14), ("XL", 40), ("MCMXCIV", 1994)]
)
def test_roman_numerals_have_values(numeral, value):
    assert roman(numeral) == value


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("CHAPTER VII. A Mad Tea-Party", "Chapter 7, A Mad Tea-Party"),
        ("CHAPTER 1. Loomings.", "Chapter 1, Loomings"),
        ("CHAPTER 135. The Chase.—Third Day.", "Chapter 135, The Chase, Third Day"),
        ("Epilogue", "Epilogue"),
        ("EXTRACTS.", "Extracts"),
        ("LETTER IV", "Letter 4"),
    ],
)
def test_a_heading_is_said_as_one_would_say_it(heading, words):
    assert spoken(heading) == words


def test_a_place_names_chapter_depth_and_title():
    found = Found(11, "Alice", "PART I, CHAPTER VII. Tea", Passage(0, "text", 0.573), 0.9)
    assert place(found) == "Part 1, Chapter 7, Tea, 57 percent into Alice"
    bare = Found(11, "", "", Passage(0, "text", 0.0), 0.9)
    assert place(bare) == "0 percent into the book"
