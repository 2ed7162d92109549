"""What a reader asks, and what was said before. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said before."""

    by_reader: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    """Empty if nothing was understood."""
    book_id: int | None = None
    """The book the reader has open; without one, every book of the library is searched."""
    instructions: str = ""
    history: tuple[Line, ...] = ()
