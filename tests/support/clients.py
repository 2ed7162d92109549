"""The JavaScript client as tests drive it: Node scripts with npm's socket.io-client.

A script is an ES module; it says things to the test with ``console.log(JSON.stringify(...))``,
one value a line, and hears from it on standard input.
"""

import json
import shutil
from types import TracebackType
from typing import Any

from tests.support.processes import ROOT, Program

PRELUDE = """
import { io } from "socket.io-client";
import { createInterface } from "node:readline";
const [url, ...args] = process.argv.slice(1).map((text) => JSON.parse(text));
const say = (...values) => console.log(JSON.stringify(values));
const heard = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await heard.next()).value);
"""
"""What every script begins with: ``io``, ``url``, ``args``, ``say(...)`` and ``await hear()``."""


def node_program() -> str:
    """Node; a test that needs it fails without it."""
    program = shutil.which("node")
    assert program, "node is not on the PATH: install node 20"
    library = ROOT / "node_modules" / "socket.io-client"
    assert library.is_dir(), "node_modules has no socket.io-client: run `npm ci`"
    return program


class NodeScript:
    """A running script.

    Args:
        script: the module, without `PRELUDE`.
        url: of the server.
        args: handed to the script as ``args``; anything JSON can say.
    """

    def __init__(self, script: str, url: str, *args: Any) -> None:
        command = [node_program(), "--input-type=module", "--eval", PRELUDE + script, "--"]
        self.program = Program([*command, *(json.dumps(arg) for arg in (url, *args))])
        self._next = 0

    def __enter__(self) -> "NodeScript":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.program.end()

    def expect(self, name: str, *, timeout_s: float = 15) -> list[Any]:
        """The rest of the next thing said that begins with ``name``; others are skipped."""
        start = "^" + _escaped(f"[{json.dumps(name)}")
        match = self.program.wait_for_line(start + r"[,\]]", timeout_s=timeout_s, after=self._next)
        self._next = self.program.lines.index(match.string, self._next) + 1
        said: list[Any] = json.loads(match.string)
        return said[1:]

    def tell(self, value: Any) -> None:
        """What the script gets from its next ``await hear()``."""
        self.program.write_line(json.dumps(value))

    def finish(self, *, timeout_s: float = 15) -> list[list[Any]]:
        """Everything it said, after it has ended by itself and without an error."""
        status = self.program.wait(timeout_s=timeout_s)
        assert status == 0, f"the script failed:\n{self.program.output}"
        return [json.loads(line) for line in self.program.lines if line.startswith("[")]


def run_node(script: str, url: str, *args: Any, timeout_s: float = 30) -> list[list[Any]]:
    """Run a script to its end; everything it said."""
    with NodeScript(script, url, *args) as running:
        return running.finish(timeout_s=timeout_s)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if not letter.isalnum() else letter for letter in text)
