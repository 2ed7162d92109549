"""``manage.py import_book ID FILE``: gives the reading companion the text of a book."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

# Read by numpy when it is loaded: products as small as these lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from readrealm.kernel.errors import AppError
from speech.realtime.wiring import library

BAR_COLUMNS = 30


class Command(BaseCommand):
    help = "Loads a Project Gutenberg text and builds its index; a book that is here is replaced."

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

    def _draw(self, done: int, of: int) -> None:
        filled = BAR_COLUMNS * done // of
        bar = "#" * filled + "." * (BAR_COLUMNS - filled)
        ending = "\n" if done == of else ""
        self.stderr.write(f"\r[{bar}] {done}/{of} passages", ending=ending)
        self.stderr.flush()
