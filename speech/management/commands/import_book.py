"""``manage.py import_book ID FILE``: gives the reading companion the text of a book."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Protocol

# Read by numpy when it is loaded: products as small as these lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from readrealm.kernel.errors import AppError, StoreUnavailable
from speech.companion.books import Book
from speech.realtime.wiring import library

BAR_COLUMNS = 30


class Catalogue(Protocol):
    """Where pages look for the name of a book."""

    def enter(self, book_id: int, *, title: str, author: str) -> bool:
        """List a book unless it is listed; whether it was not.

        Raises:
            StoreUnavailable: the catalogue cannot be reached.
        """
        ...


class Command(BaseCommand):
    help = (
        "Loads a Project Gutenberg text and builds its index; a text that is here is replaced. "
        "A book that is not in the catalogue is listed under the title that its text tells."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("book_id", type=int, help="the id of the book's room")
        parser.add_argument("file", type=Path, help="the text, as Project Gutenberg gives it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = options["file"].read_bytes()
            books = library(Path(getattr(settings, "DATA_DIR", "var")))
            book = books.add(options["book_id"], source, self._draw)
        except (AppError, OSError) as error:
            raise CommandError(str(error)) from error
        headings = sum(1 for heading in book.chapters if heading)
        self.stdout.write(
            f"{book.title or 'The book'}: {headings} chapters, {len(book.passages)} passages"
        )
        self._list(options["book_id"], book)

    def _list(self, book_id: int, book: Book) -> None:
        """Have pages call the book by its name."""
        if not book.title:
            self.stderr.write("The text tells no title; the room goes by what the catalogue says.")
            return
        catalogue: Catalogue = import_string(settings.BOOKS)()
        try:
            is_new = catalogue.enter(book_id, title=book.title, author=book.author)
        except StoreUnavailable as error:
            raise CommandError(
                "The text is in, but its title is not: the catalogue cannot be reached. Run "
                "`manage.py prepare`, then this again."
            ) from error
        if is_new:
            self.stdout.write(f"It is listed in the catalogue as number {book_id}")

    def _draw(self, done: int, of: int) -> None:
        filled = BAR_COLUMNS * done // of
        bar = "#" * filled + "." * (BAR_COLUMNS - filled)
        ending = "\n" if done == of else ""
        self.stderr.write(f"\r[{bar}] {done}/{of} passages", ending=ending)
        self.stderr.flush()
