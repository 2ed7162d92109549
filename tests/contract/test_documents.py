"""What the documents name is there: links, verbs, commands, modules, paths and constants."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

from readrealm.settings.table import SETTINGS
from tests.support.processes import ROOT

FENCED = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.M | re.S)
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)
OURS = r"(?:chat|speech|readrealm|tests|docs|deploy|templates)/[\w./-]*"
CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
FOREIGN = {"PR_SET_PDEATHSIG"}
"""Names of the kernel, not of ours."""


def documents() -> list[Path]:
    folders = (ROOT, ROOT / "deploy", ROOT / "docs", *(ROOT / "docs").glob("*/"))
    return sorted(path for folder in folders for path in folder.glob("*.md"))


DOCUMENTS = pytest.mark.parametrize(
    "document", documents(), ids=lambda path: str(path.relative_to(ROOT))
)


def code_of(document: Path) -> list[str]:
    """Every piece of code in it: blocks, and spans in a line."""
    return [block or span for block, span in CODE.findall(document.read_text("utf-8"))]


@cache
def anchors_of(document: Path) -> frozenset[str]:
    """How a link may end that leads to a heading, by the rule of the sites that show Markdown."""
    headings = HEADING.findall(FENCED.sub("", document.read_text("utf-8")))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return frozenset(text.strip().replace(" ", "-") for text in plain)


@cache
def source() -> str:
    """Everything that is written in Python, apart from tests."""
    folders = ("chat", "speech", "readrealm")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in files)


def verbs() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M))


@DOCUMENTS
def test_links_lead_somewhere(document: Path) -> None:
    targets = LINK.findall(FENCED.sub("", document.read_text("utf-8")))
    lost = []
    for target in targets:
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        there = (document.parent / path).resolve() if path else document
        is_lost = not there.exists() or not there.is_relative_to(ROOT)
        if is_lost or (anchor and anchor not in anchors_of(there)):
            lost.append(target)

    assert lost == []


@DOCUMENTS
def test_commands_that_are_named_exist(document: Path) -> None:
    code = "\n".join(code_of(document))
    asked = set(re.findall(r"^ *(?:.*&& )?make ([a-z][a-z-]*)", code, re.M))
    commands = set(re.findall(r"manage\.py ([a-z]\w*)", code))
    modules = set(re.findall(r"python3? -m ((?:tests|readrealm|chat|speech)[\w.]*)", code))

    assert asked <= verbs()
    assert commands <= set(get_commands())
    assert [module for module in modules if find_spec(module) is None] == []


@DOCUMENTS
def test_paths_that_are_named_exist(document: Path) -> None:
    spans = "\n".join(code_of(document))
    named = set(re.findall(rf"(?<![\w./<-]){OURS}", spans))
    beside = {document.parent, ROOT}

    gone = [
        path for path in named if not any((folder / path.rstrip(".")).exists() for folder in beside)
    ]
    assert gone == []


@DOCUMENTS
def test_constants_and_variables_that_are_named_exist(document: Path) -> None:
    settings = {name for setting in SETTINGS for name in (setting.name, *setting.also)}
    named = {span for span in code_of(document) if CONSTANT.fullmatch(span)}

    assert [name for name in named - settings - FOREIGN if name not in source()] == []


def test_a_broken_link_would_be_found() -> None:
    """The patterns find what they are for."""
    text = "see [a](docs/a.md#b), ![c](d.png) and `chat/rules.py`; `make test`"

    assert LINK.findall(text) == ["docs/a.md#b", "d.png"]
    assert [span for _, span in CODE.findall(text)] == ["chat/rules.py", "make test"]
