"""How a book looks on a page: its generated cover, and its facts in a line."""

from typing import Any
from zlib import crc32

from django import template

from chat.models import Book

register = template.Library()

TONES, ORNAMENTS = 12, 8
"""How many binding colours and ornaments the style sheet and the drawing have."""

LANGUAGES = {"de": "German", "es": "Spanish", "fr": "French", "grc": "Greek", "ru": "Russian"}


@register.inclusion_tag("chat/_cover.html")
def cover(book: Book) -> dict[str, Any]:
    """The cover of a book, always the same for the same id; decoration, not read out."""
    mixed = crc32(str(book.pk).encode())
    title = short_title(book.title)
    return {
        "title": title,
        "author": book.author,
        "tone": mixed % TONES,
        "ornament": mixed // TONES % ORNAMENTS,
        "length": _length(title),
    }


@register.filter
def short_title(title: str) -> str:
    """A title without its second half: *Moby Dick* for *Moby Dick; or, The Whale*."""
    for mark in (";", ":", ", and "):
        title = title.split(mark)[0]
    return title.strip()


@register.filter
def imprint(book: Book) -> str:
    """Year and origin in a few words; empty where nothing is known."""
    origin = LANGUAGES.get(book.original_language)
    facts = [str(book.year) if book.year else "", f"from the {origin}" if origin else ""]
    return ", ".join(filter(None, facts))


def _length(title: str) -> str:
    """How small a title has to be set: its longest word and its lines must fit."""
    longest_word = max(map(len, title.split()), default=0)
    if len(title) > 28 or longest_word > 12:
        return "longest"
    return "long" if len(title) > 20 or longest_word > 10 else "short"
