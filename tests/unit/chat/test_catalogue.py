"""Loading the catalogue, and the facts in it."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from chat.management.commands.load_catalogue import FIXTURE
from chat.models import Book, Maturity

ROWS = json.loads(FIXTURE.read_text())

SURE = {
    11: "Alice’s Adventures in Wonderland",
    84: "Frankenstein; or, the Modern Prometheus",
    1342: "Pride and Prejudice",
    2701: "Moby Dick; or, The Whale",
}


def load() -> str:
    said = StringIO()
    call_command("load_catalogue", stdout=said)
    return said.getvalue().strip()


def test_the_fixture_has_a_few_dozen_different_titles() -> None:
    numbers = [row["pk"] for row in ROWS]

    assert 40 <= len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)
    titles = {row["pk"]: row["fields"]["title"] for row in ROWS}
    assert {number: titles[number] for number in SURE} == SURE


def test_every_fact_of_the_fixture_is_a_possible_one() -> None:
    for row in ROWS:
        book = Book(id=row["pk"], **row["fields"])
        book.clean_fields()
        assert book.author
        assert book.maturity in Maturity.values
        assert book.year is None or 1400 < book.year < 1931


@pytest.mark.django_db
def test_loading_brings_every_book() -> None:
    assert load() == f"catalogue: {len(ROWS)} books, {len(ROWS)} changed"
    assert Book.objects.get(pk=2701).author == "Herman Melville"
    assert Book.objects.count() == len(ROWS)


@pytest.mark.django_db
def test_loading_again_reads_once_and_writes_nothing(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    load()

    with django_assert_num_queries(1):
        assert load() == f"catalogue: {len(ROWS)} books, 0 changed"


@pytest.mark.django_db
def test_loading_corrects_what_differs_and_leaves_other_books_alone() -> None:
    load()
    Book.objects.filter(pk=11).update(title="Wrong")
    Book.objects.create(pk=999_999, title="Somebody’s own book")

    assert load() == f"catalogue: {len(ROWS)} books, 1 changed"

    assert Book.objects.get(pk=11).title == SURE[11]
    assert Book.objects.filter(pk=999_999).exists()


@pytest.mark.django_db
def test_the_fixture_can_be_loaded_by_django_as_well() -> None:
    call_command("loaddata", "books", verbosity=0)

    assert load() == f"catalogue: {len(ROWS)} books, 0 changed"
