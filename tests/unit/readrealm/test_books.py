"""The catalogue as the rest of the house uses it."""

import pytest
from django.db import DatabaseError

from chat.models import HIGHEST_BOOK_ID, Book
from readrealm.books import Catalogue, Listed
from readrealm.kernel.errors import StoreUnavailable

LONGEST_TITLE, LONGEST_AUTHOR = 200, 120


class Away:
    """Instead of the manager of a model whose store does not answer."""

    def filter(self, *_: object, **__: object) -> None:
        raise DatabaseError

    get_or_create = filter


@pytest.mark.django_db
def test_a_book_that_is_entered_is_listed() -> None:
    assert Catalogue().enter(HIGHEST_BOOK_ID, title="The Tower", author="Ann Keeper")

    assert str(Book.objects.get(pk=HIGHEST_BOOK_ID)) == "The Tower by Ann Keeper"


@pytest.mark.django_db
def test_what_is_listed_already_stays_as_it_is() -> None:
    Book.objects.create(pk=7, title="The Tower; or, the Lamp", author="", year=1899)

    assert not Catalogue().enter(7, title="THE TOWER", author="Ann Keeper")

    kept = Book.objects.get(pk=7)
    assert (kept.title, kept.author, kept.year) == ("The Tower; or, the Lamp", "", 1899)


@pytest.mark.django_db
def test_what_is_too_long_loses_its_end() -> None:
    Catalogue().enter(7, title="w" * (LONGEST_TITLE + 1), author="a" * LONGEST_AUTHOR)

    kept = Book.objects.get(pk=7)
    assert kept.title == "w" * (LONGEST_TITLE - 1) + "…"
    assert kept.author == "a" * LONGEST_AUTHOR
    kept.full_clean()


@pytest.mark.django_db(transaction=True)
async def test_a_book_is_described_in_one_line_and_an_unknown_one_not_at_all() -> None:
    await Book.objects.acreate(pk=7, title="The Tower", author="Ann Keeper")
    await Book.objects.acreate(pk=9, title="Beowulf")

    assert await Catalogue().find(7) == Listed("The Tower", "Ann Keeper")
    assert await Catalogue().describe(7) == "The Tower by Ann Keeper"
    assert await Catalogue().describe(9) == "Beowulf"
    assert await Catalogue().find(8) is None
    assert await Catalogue().describe(8) is None
    assert await Catalogue().describe(2**80) is None


async def test_while_the_store_is_away_nothing_is_known_and_nothing_entered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Book, "objects", Away())

    assert await Catalogue().describe(7) is None
    with pytest.raises(StoreUnavailable):
        Catalogue().enter(7, title="The Tower", author="")
