"""A book of the catalogue, and how it looks on a page."""

import pytest

from chat.models import Book, Maturity
from chat.templatetags.books import ORNAMENTS, TONES, cover, imprint, short_title


def test_a_book_is_named_with_its_author() -> None:
    assert str(Book(id=11, title="Emma", author="Jane Austen")) == "Emma by Jane Austen"
    assert str(Book(id=42, title="Book 42")) == "Book 42"


def test_a_book_leads_to_its_room() -> None:
    assert Book(id=2701, title="Moby Dick").get_absolute_url() == "/books/2701/"


def test_a_book_suits_everybody_unless_it_says_otherwise() -> None:
    assert Book(id=1, title="x").maturity == Maturity.GENERAL


@pytest.mark.parametrize(
    ("title", "mark"),
    [
        ("The Odyssey", "odyssey"),
        ("A Tale of Two Cities", "tale of two cities"),
        ("An Ideal Husband", "ideal husband"),
        ("Anna Karenina", "anna karenina"),
        ("Theatre of The Absurd", "theatre of the absurd"),
    ],
)
def test_a_shelf_is_in_the_order_of_titles_without_their_articles(title: str, mark: str) -> None:
    assert Book(title=title).shelf_mark == mark


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Moby Dick; or, The Whale", "Moby Dick"),
        ("Jane Eyre: An Autobiography", "Jane Eyre"),
        ("Walden, and On the Duty of Civil Disobedience", "Walden"),
        ("War and Peace", "War and Peace"),
    ],
)
def test_a_long_title_has_a_short_form(title: str, short: str) -> None:
    assert short_title(title) == short


def test_the_imprint_says_year_and_origin_where_they_are_known() -> None:
    assert imprint(Book(title="x", year=1851)) == "1851"
    assert imprint(Book(title="x", year=1869, original_language="ru")) == "1869, from the Russian"
    assert imprint(Book(title="x", original_language="grc")) == "from the Greek"
    assert imprint(Book(title="x")) == ""


def test_the_cover_of_a_book_is_always_the_same_and_within_what_is_drawn() -> None:
    covers = [cover(Book(id=number, title="x")) for number in range(1, 500)]

    assert covers == [cover(Book(id=number, title="x")) for number in range(1, 500)]
    assert {each["tone"] for each in covers} == set(range(TONES))
    assert {each["ornament"] for each in covers} == set(range(ORNAMENTS))
