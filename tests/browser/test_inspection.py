"""What the inspection of a page finds: each check a fault of its own, and no other."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import inspection

SOUND = """
<!doctype html><html lang="en"><head><title>Sound</title>
<style>
  :root { --ink: #111; --paper: #fff; color-scheme: light dark }
  @media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #111 } }
  body { color: var(--ink); background: var(--paper) }
  @media (prefers-reduced-motion: no-preference) { p { transition: opacity 1s } }
</style></head>
<body><main><h1>Sound</h1><p>Words.</p><a href="#top">A link</a> <button>A button</button></main>
</body></html>
"""

FAULTS = [
    ("axe by day", "@media (prefers-color-scheme: light) { p { color: #bbb } }"),
    ("axe by night", "@media (prefers-color-scheme: dark) { p { color: #555 } }"),
    ("still", "@media (prefers-reduced-motion: reduce) { p { transition: opacity 1s } }"),
    ("still", "@media (prefers-reduced-motion) { @keyframes on {} p { animation: on 1s } }"),
    ("1280 px", "@media (width: 1280px) { p { width: 1300px; font-size: 16px } }"),
    ("320 px", "@media (width: 320px) { p { width: 340px } }"),
    ("768 px", "@media (width: 768px) { p { width: 800px } }"),
    ("320 px, large text", "@media (width: 320px) { p { width: 15rem } }"),
    ("640 px, large text", "@media (width: 640px) { p { width: 30rem } }"),
    ("1280 px, large text", "@media (width: 1280px) { p { width: 60rem } }"),
    ("focus", "button:focus { outline: none }"),
]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=inspection.WINDOW)
    yield page
    page.close()


def test_nothing_is_wrong_with_a_sound_page(page: Page) -> None:
    page.set_content(SOUND)

    assert inspection.faults(page) == {}


@pytest.mark.parametrize(("name", "style"), FAULTS)
def test_a_fault_is_found_by_its_check(page: Page, name: str, style: str) -> None:
    page.set_content(SOUND)
    page.add_style_tag(content=style)

    found = inspection.faults(page)

    # What is too wide at any size of text is too wide at a large one as well.
    assert next(iter(found)) == name
    assert set(found) <= {name, "1280 px, large text", "320 px, large text"}


def test_all_faults_of_a_page_are_in_one_report(page: Page) -> None:
    names = [
        *("axe by day", "axe by night", "still", "320 px", "768 px"),
        *("320 px, large text", "focus"),
    ]
    page.set_content(SOUND)
    # What is too wide at 320 px is so at a larger size of text as well, without a fault of its own.
    apart = [name for name in names if name != "320 px, large text"]
    page.add_style_tag(content="\n".join(dict(FAULTS)[name] for name in apart))

    found = inspection.faults(page)

    assert list(found) == names
    headings = [line for line in inspection.report(found).splitlines() if line[:1] not in " "]
    assert headings == [f"{name}:" for name in names]
