"""Where the library of a data folder keeps its books, and which are there. Opens none of them."""

import enum
from pathlib import Path

from readrealm.kernel.errors import InvalidInput

FOLDER = "books"
"""Inside the data folder."""

LARGEST_ID = 2**53 - 1


class Holding(enum.Enum):
    """What there is of a book."""

    NOTHING = enum.auto()
    TEXT = enum.auto()
    """Its text; no question can be answered from it yet."""
    INDEX = enum.auto()
    """Its text, ready to be searched."""


def text_path(folder: Path, book_id: int) -> Path:
    """Where the text of a book is kept.

    Raises:
        InvalidInput: not an id from 1 to `LARGEST_ID`.
    """
    return folder / f"{_checked(book_id)}.txt"


def index_path(folder: Path, book_id: int) -> Path:
    """Where the index of a book is kept; raises as `text_path`."""
    return folder / f"{_checked(book_id)}.npz"


def holding(folder: Path, book_id: int) -> Holding:
    """What ``folder`` has of a book. Asks the disk twice at most: it blocks, but not for long."""
    if index_path(folder, book_id).is_file():
        return Holding.INDEX
    return Holding.TEXT if text_path(folder, book_id).is_file() else Holding.NOTHING


def _checked(book_id: int) -> int:
    if isinstance(book_id, bool) or not 1 <= book_id <= LARGEST_ID:
        raise InvalidInput("a book id is a whole number from 1")
    return book_id
