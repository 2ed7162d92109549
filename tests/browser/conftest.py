"""One server for all tests in a browser, and readers who use it."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Playwright, sync_playwright

from tests.browser.readers import Reader
from tests.conftest import serving
from tests.support.processes import ROOT
from tests.support.worker import Server

RESULTS = ROOT / "test-results"

_books = count(1_000_001)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Ends with this folder: while it runs, its event loop occupies the thread of all tests."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="package")
def browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    running = browser_type.launch(**browser_type_launch_args)
    yield running
    running.close()


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running server that all tests of this folder share; each has rooms of its own. It
    outlives the folder, for files of others come between."""
    with serving(request) as start:
        yield start(workers=2, LOG_IN_RATE="off", SIGN_UP_RATE="off")


@pytest.fixture
def book_id() -> int:
    """A room that no other test has used."""
    return next(_books)


Open = Callable[..., Reader]


@pytest.fixture
def open_reader(browser: Browser, site: Server) -> Iterator[Open]:
    """Open browsers: ``open_reader(width=320, color_scheme="dark")`` gives a `Reader`.

    A test fails when a page of it reported an error, violations of the policy included.
    """
    opened: list[tuple[BrowserContext, Reader]] = []

    def open_one(*, width: int = 1280, height: int = 800, **options: Any) -> Reader:
        viewport = {"width": width, "height": height}
        context = browser.new_context(base_url=site.url, viewport=viewport, **options)
        reader = Reader(context.new_page())
        opened.append((context, reader))
        return reader

    yield open_one
    for context, _ in opened:
        context.close()
    assert [error for _, reader in opened for error in reader.errors] == []


@pytest.fixture
def results() -> Path:
    """Where pictures are kept to be looked at."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS
