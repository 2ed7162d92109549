"""Words of the source on a page."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def prose(text: str) -> SafeString:
    """Paragraphs, with what stands between backticks as code."""
    paragraphs = (
        "<p>" + _CODE.sub(r"<code>\1</code>", escape(each)) + "</p>"
        for each in text.split("\n\n")
        if each
    )
    return mark_safe("".join(paragraphs))  # noqa: S308  escaped above
