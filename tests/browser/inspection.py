"""Everything that has to be true of every page, seen at one visit: nothing is loaded twice.

By day and by night, still for those who want that, narrow, with text of twice the size, and by
keyboard. Scripts of ours that ask for the width or the colours go by every change of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from textwrap import indent
from typing import Literal

from playwright.sync_api import Page, ViewportSize

from tests.browser.every_page import DJANGOS_OWN
from tests.browser.looks import moving, sticking_out, unmarked_focus, violations

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WINDOW: ViewportSize = {"width": 1280, "height": 800}
"""In which a page is to be loaded."""
LARGE = "html { font-size: 200% !important; }"
DRAWN = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  document.getAnimations().filter((one) => one instanceof CSSTransition)
    .forEach((one) => one.finish());
  await frame();
}"""
"""Resolves when a page looks as it is going to look."""


@dataclass(frozen=True, slots=True)
class Check:
    """
    Attributes:
        find: what is wrong with a page, one line each.
    """

    name: str
    find: Callable[[Page], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A way to look at a page, and what is checked while one does.

    Attributes:
        is_at_night: in dark colours, and for somebody who wants nothing to move.
        is_large: with text of twice the size.
    """

    checks: tuple[Check, ...]
    width: int = WINDOW["width"]
    is_at_night: bool = False
    is_large: bool = False


def axe(page: Page) -> list[str]:
    """What axe has to say against a page of ours."""
    present = [selector for selector in DJANGOS_OWN if page.locator(selector).count()]
    return violations(page, apart_from=present if "/admin/" in page.url else ())


def ours(page: Page) -> list[str]:
    """What sticks out of a page; the sheets of Django's admin are not made for so much."""
    return [] if "/admin/" in page.url else sticking_out(page)


VIEWS = (
    View(checks=(Check("axe by day", axe), Check("1280 px", sticking_out))),
    View(checks=(Check("axe by night", axe), Check("still", moving)), is_at_night=True),
    View(checks=(Check("320 px", sticking_out),), width=320),
    View(checks=(Check("768 px", sticking_out),), width=768),
    View(checks=(Check("640 px, large text", sticking_out),), width=640, is_large=True),
    View(checks=(Check("1280 px, large text", sticking_out),), width=1280, is_large=True),
    View(checks=(Check("320 px, large text", ours),), width=320, is_large=True),
    # The last one, for it takes the focus everywhere.
    View(checks=(Check("focus", unmarked_focus),)),
)


def faults(page: Page) -> dict[str, list[str]]:
    """What is wrong with an open page, under the name of the check that found it; nothing under
    those that found nothing."""
    found: dict[str, list[str]] = {}
    large_text = page.add_style_tag(content=LARGE)
    for view in VIEWS:
        page.emulate_media(
            color_scheme="dark" if view.is_at_night else "light",
            reduced_motion="reduce" if view.is_at_night else "no-preference",
        )
        page.set_viewport_size({**WINDOW, "width": view.width})
        large_text.evaluate("(style, isLarge) => { style.disabled = !isLarge }", view.is_large)
        page.evaluate(DRAWN)
        found |= {check.name: check.find(page) for check in view.checks}
    return {name: lines for name, lines in found.items() if lines}


def axe_by_day_and_night(page: Page, *, widths: Sequence[int] = ()) -> list[str]:
    """What axe has to say against a page as it stands, in light and in dark colours; each line
    begins with how the page was looked at.

    Args:
        widths: of the window, px; the one that it has, if none is given.
    """
    size = page.viewport_size or WINDOW
    found = []
    for width, scheme in product(widths or (size["width"],), SCHEMES):
        page.set_viewport_size({**size, "width": width})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(DRAWN)
        found += [f"{width} px, {scheme}: {line}" for line in violations(page)]
    page.set_viewport_size(size)
    return found


def report(found: Mapping[str, list[str]]) -> str:
    """Faults as somebody reads them who wants to mend a page."""
    parts = {name: indent("\n".join(lines), "    ") for name, lines in found.items()}
    return "\n".join(f"{name}:\n{part}" for name, part in parts.items())
