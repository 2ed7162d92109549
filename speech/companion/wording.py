"""How the place of a passage is said aloud. Pure."""

import re

from speech.companion.passages import Found

_LETTERS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMBERED = re.compile(r"^(\w+)\s+([IVXLCDM]+)\b", re.IGNORECASE)
_MARKS = re.compile(r"\s*[.:—]+\s*")


def place(found: Found) -> str:
    """Where a passage stands: chapter, how far into the book, and title."""
    share = f"{round(found.passage.share * 100)} percent into {found.title or 'the book'}"
    heading = ", ".join(spoken(part) for part in found.chapter.split(", ") if part)
    return f"{heading}, {share}" if heading else share


def spoken(heading: str) -> str:
    """A heading as one would say it: ``CHAPTER VII. A Mad Tea-Party`` is Chapter 7."""
    numbered = _NUMBERED.sub(lambda match: f"{match[1]} {roman(match[2])}", heading)
    words = _MARKS.sub(", ", numbered).strip(", ")
    first, _, rest = words.partition(" ")
    return f"{first.capitalize()} {rest}".strip() if first.isupper() else words


def roman(numeral: str) -> int:
    """The value of a Roman numeral: ``XIV`` is 14."""
    values = [_LETTERS[letter] for letter in numeral.upper()]
    following = [*values[1:], 0]
    return sum(
        -value if value < after else value for value, after in zip(values, following, strict=True)
    )
