"""The browser that tests and pictures use: Debian's chromium, in place of Playwright's own."""

import os
import shutil

PROGRAMS = ("chromium-headless-shell", "chromium")
"""The first shows pages in half the time of the whole browser, which is good for both."""

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Arguments without which it asks the network for what no page of ours needs."""


def program() -> str:
    """The path of the one that is installed.

    Raises:
        LookupError: there is none.
    """
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise LookupError(f"no browser is on the PATH: apt-get install {PROGRAMS[0]}")


def arguments() -> list[str]:
    """What it is started with."""
    # The sandbox of chromium refuses to run as root.
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
