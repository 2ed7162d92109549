"""What readers wrote, as safe markup for a browser without scripts."""

import re
from urllib.parse import urlsplit

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

ADDRESS = re.compile(r"https?://[^\s<>\"“”]+", re.IGNORECASE)
TRAILING = ".,;:!?'’»"
"""Marks that end a sentence rather than an address; `links.js` draws the same line."""


@register.simple_tag
def linked(text: str) -> SafeString:
    """A text with its web addresses as links; everything else is escaped."""
    return format_html_join("", "{}", ((part,) for part in _parts(text)))


def _parts(text: str) -> list[str | SafeString]:
    parts: list[str | SafeString] = []
    end = 0
    for match in ADDRESS.finditer(text):
        address = _without_tail(match[0])
        if not _is_address(address):
            continue
        parts += [text[end : match.start()], _link(address)]
        end = match.start() + len(address)
    return [*parts, text[end:]]


def _is_address(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _without_tail(match: str) -> str:
    """An address as it was meant: without the full stop or the bracket that closes around it."""
    address = match.rstrip(TRAILING)
    if address.endswith(")") and address.count(")") > address.count("("):
        return _without_tail(address[:-1])
    return address


def _link(address: str) -> SafeString:
    return format_html('<a href="{0}" rel="nofollow ugc noopener noreferrer">{0}</a>', address)


@register.filter
def words(count: int) -> SafeString:
    """``1 reader`` or ``3 readers``."""
    return mark_safe(f"{count} reader" + ("" if count == 1 else "s"))  # noqa: S308 a number
