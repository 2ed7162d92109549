"""What the rest of the house may know of the catalogue without knowing chat."""

from django.db import DatabaseError

from chat.models import HIGHEST_BOOK_ID, Book


class Catalogue:
    """The books that have rooms."""

    async def describe(self, book_id: int) -> str | None:
        """Title and author in one line; None for a book that is not listed, or that cannot be
        looked up now."""
        try:
            book = await Book.objects.filter(pk=min(book_id, HIGHEST_BOOK_ID)).afirst()
        except DatabaseError:
            return None
        return None if book is None else str(book)
