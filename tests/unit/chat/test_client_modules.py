"""The page's modules that need no page, under Node: log, sequence, outbox, client, timeline."""

import subprocess
from pathlib import Path

import pytest

from tests.support.clients import node_program

FILES = sorted((Path(__file__).parent / "js").glob("*.test.js"))


@pytest.mark.parametrize("file", FILES, ids=[file.name.removesuffix(".test.js") for file in FILES])
def test_module_keeps_its_promises(file: Path) -> None:
    run = subprocess.run(
        [node_program(), "--test", str(file)], capture_output=True, text=True, timeout=50
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_that_needs_no_page_is_tested() -> None:
    assert {file.name for file in FILES} >= {
        f"{name}.test.js" for name in ("log", "sequence", "outbox", "room-client", "timeline")
    }
