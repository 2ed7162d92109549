"""What the rest of the house may know of the catalogue, and enter into it, without knowing chat."""

from dataclasses import dataclass

from django.db import DatabaseError

from chat.models import HIGHEST_BOOK_ID, Book
from readrealm.kernel.errors import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Listed:
    """
    Attributes:
        author: may be empty.
    """

    title: str
    author: str

    def __str__(self) -> str:
        return f"{self.title} by {self.author}" if self.author else self.title


class Catalogue:
    """The books that are listed."""

    async def find(self, book_id: int) -> Listed | None:
        """None for a book that is not listed, or that cannot be looked up now."""
        try:
            book = await Book.objects.filter(pk=min(book_id, HIGHEST_BOOK_ID)).afirst()
        except DatabaseError:
            return None
        return None if book is None else Listed(book.title, book.author)

    async def describe(self, book_id: int) -> str | None:
        """Title and author in one line; None where `find` has none."""
        book = await self.find(book_id)
        return None if book is None else str(book)

    def enter(self, book_id: int, *, title: str, author: str) -> bool:
        """List a book unless it is listed; whether it was not.

        What the catalogue says of a book already stays: people wrote it.

        Args:
            book_id: 1 to `HIGHEST_BOOK_ID`.
            title: not empty; one that is too long loses its end, and so does an author.
            author: may be empty.

        Raises:
            StoreUnavailable: the catalogue cannot be reached, or has not been prepared yet.
        """
        facts = {"title": _fitting("title", title), "author": _fitting("author", author)}
        try:
            _, is_new = Book.objects.get_or_create(pk=book_id, defaults=facts)
        except DatabaseError as error:
            raise StoreUnavailable from error
        return is_new


def _fitting(field: str, text: str) -> str:
    longest: int = Book._meta.get_field(field).max_length
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
