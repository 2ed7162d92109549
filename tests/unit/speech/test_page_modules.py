"""The voice modules that need no page, under Node."""

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
