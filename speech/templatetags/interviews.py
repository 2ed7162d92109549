"""How templates of the interviews write figures."""

from typing import Any

from django import template

from speech.interviews import phrases

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """``0.72`` as ``72 %``; a dash for nothing."""
    return "–" if share is None else phrases.percent(share)


@register.filter
def seconds(value: float | None) -> str:
    """``2.345`` as ``2.3 s``; a dash for nothing."""
    return "–" if value is None else f"{value:.1f}\u00a0s"


@register.filter
def clock(value: float) -> str:
    """``75.2`` as ``1:15``."""
    return phrases.clock(value)


@register.filter
def is_chosen(field: Any, option: Any) -> bool:
    """Whether an option of a form's field is the chosen one."""
    return str(field.value() or "") == str(option)
