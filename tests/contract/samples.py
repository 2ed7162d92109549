"""The programs in the documents, cut out of them, to be run as they stand."""

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.clients import node_program

PROGRAM = re.compile(r"^```(js|python)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
FILE = re.compile(r"# ([\w/]+\.py)\b")
ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Sample:
    """A program in a document."""

    document: Path
    heading: str
    """What it stands under."""
    language: str
    """``js`` or ``python``."""
    text: str

    @property
    def file(self) -> str | None:
        """Where it belongs, if its first line says so."""
        named = FILE.match(self.text)
        return named[1] if named else None

    def at(self, url: str) -> "Sample":
        """The same program with another address in it."""
        assert ADDRESS in self.text, self
        return replace(self, text=self.text.replace(ADDRESS, url))

    def command(self) -> list[str]:
        """Runs it as if it were a file in the folder in which the command is run."""
        if self.language == "python":
            return [sys.executable, "-u", "-c", self.text]
        return [node_program(), "--input-type=module", "--eval", self.text]


def samples(document: Path) -> list[Sample]:
    """All of a document, in their order."""
    text = document.read_text("utf-8")
    # Comments of programs look like headings; what is left keeps its place.
    prose = PROGRAM.sub(lambda program: " " * len(program[0]), text)
    headings = [(heading.start(), heading[1]) for heading in HEADING.finditer(prose)]
    return [
        Sample(
            document,
            next(name for start, name in reversed(headings) if start < program.start()),
            language=program[1],
            text=program[2],
        )
        for program in PROGRAM.finditer(text)
    ]


def sample(document: Path, heading: str, language: str) -> Sample:
    """The one program that stands there."""
    (found,) = (
        each
        for each in samples(document)
        if (each.heading, each.language) == (heading, language) and each.file is None
    )
    return found
