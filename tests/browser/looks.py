"""What can be seen of a page: what axe finds, whether it fits or moves, and where the focus is."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from tests.support.processes import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

_STICKING = """() => {
  const edge = document.documentElement.clientWidth;
  const clips = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      const { overflowX } = getComputedStyle(at);
      if (overflowX !== "visible") return true;
    }
    return false;
  };
  const out = [...document.body.querySelectorAll("*")].filter((element) => {
    const { right, width } = element.getBoundingClientRect();
    const isHidden = element.closest(".visually-hidden, .skip, [hidden], dialog, svg *");
    return width > 1 && right > edge + 1 && !isHidden && !clips(element);
  });
  const wider = document.documentElement.scrollWidth - edge;
  return [
    ...(wider > 0 ? [`the page is ${wider} px too wide`] : []),
    ...out.map((element) => element.outerHTML.slice(0, 120)),
  ];
}"""

_MOVING = """() => [...document.querySelectorAll('*')].filter((element) => {
  const { animationName, transitionDuration } = getComputedStyle(element);
  const lasts = transitionDuration.split(',').some((seconds) => parseFloat(seconds));
  return animationName !== 'none' || lasts;
}).map((element) => element.outerHTML.slice(0, 80))"""

_UNMARKED = """() => {
  const looks = (element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor } =
      getComputedStyle(element);
    const outline = outlineStyle === "none" || outlineWidth === "0px" ? "" : outlineColor;
    return JSON.stringify([outline, boxShadow, borderColor, backgroundColor]);
  };
  const reachable = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]",
  )].filter((element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility(
    { visibilityProperty: true, opacityProperty: true }));
  const unmarked = [];
  for (const element of reachable) {
    document.activeElement.blur();
    const around = element.parentElement;
    const before = looks(element) + looks(around);
    element.focus();
    if (document.activeElement !== element) continue;
    if (looks(element) + looks(around) === before) unmarked.push(element.outerHTML.slice(0, 120));
  }
  return unmarked;
}"""


def violations(page: Page, *, apart_from: Sequence[str] = ()) -> list[str]:
    """What axe has to say against a page, one line each.

    Args:
        apart_from: selectors of what is not looked at.
    """
    assert AXE.is_file(), "node_modules has no axe-core: run `npm ci`"
    if page.evaluate("typeof axe === 'undefined'"):
        page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate(
        # What passes is not described, and nothing located: a third of the time on a long page.
        "(exclude) => axe.run({ exclude }, { resultTypes: ['violations'], selectors: false })"
        ".then(({violations}) => violations)",
        [[selector] for selector in apart_from],
    )
    return [
        f"{each['id']}: {each['help']}: {node['html'][:160]}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def sticking_out(page: Page) -> list[str]:
    """What makes the window scroll sideways, or cannot be seen without it; tables and the like may
    scroll in a region of their own."""
    found: list[str] = page.evaluate(_STICKING)
    return found


def moving(page: Page) -> list[str]:
    """What is animated, or would be when it changes."""
    found: list[str] = page.evaluate(_MOVING)
    return found


def unmarked_focus(page: Page) -> list[str]:
    """What the Tab key reaches without showing that it has the focus."""
    page.keyboard.press("Tab")  # from here on the focus is one of the keyboard
    found: list[str] = page.evaluate(_UNMARKED)
    return found
