"""The README quotes the figures that stand in the pages of the benchmarks."""

import re
from pathlib import Path

from tests.support.processes import ROOT

README = ROOT / "README.md"
PAGES = ROOT / "docs" / "benchmarks"

Row = list[str]


def rows(document: Path, heading: str) -> list[Row]:
    """The cells of every table under a heading, without heads and rules."""
    section = f"\n{document.read_text('utf-8')}".partition(f"\n{heading}\n")[2]
    section = re.split(rf"^#{{1,{heading.count('#')}}} ", section, flags=re.M)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.M)
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def numbers(*cells: str) -> list[float]:
    return [
        float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", " ".join(cells))
    ]


def other(what: str) -> str:
    """What the README says was measured of something."""
    (found,) = (row[1] for row in rows(README, "### Others") if what in row[0])
    return found


def test_shares_of_nodes_figures_are_those_of_the_last_run() -> None:
    measured = {row[0]: numbers(row[2], row[1]) for row in rows(PAGES / "bridge.md", "## Targets")}
    quoted = {
        row[0]: numbers(*row[1:])
        for row in rows(README, "### Compared with")
        if row[0].startswith(("CPU", "p50", "p99", "KiB", "connections"))
    }

    assert len(quoted) == 14
    assert quoted == measured


def test_shares_of_python_socketios_figures_are_those_of_the_last_run() -> None:
    servers: dict[tuple[str, str], dict[str, float]] = {}
    for room, sent, server, cpu, *_ in rows(PAGES / "bridge.md", "## Rooms"):
        if room.startswith("N = 1,000"):
            servers.setdefault((room, sent), {})[server.split(",")[0]] = numbers(cpu)[0]
    shares = [each["this bridge"] / each["python-socketio"] * 100 for each in servers.values()]
    (row,) = (row for row in rows(README, "### Compared with") if row[0].startswith("python-"))

    assert f"{min(shares):.0f} to {max(shares):.0f} % of its CPU in a room of 1,000" in row[2]


def test_idle_connections_cost_what_was_measured() -> None:
    (row,) = (
        row for row in rows(ROOT / "docs/scale.md", "## How cost grows") if row[0] == "10,000"
    )

    assert other("10,000 idle connections") == f"{float(row[2]):.0f} KiB each, {row[3]} % of a core"


def test_faults_did_what_was_measured() -> None:
    found = dict(rows(PAGES / "chaos.md", "## What came of it"))
    longest = max(numbers(row[3])[0] for row in rows(PAGES / "chaos.md", "## Faults"))
    count = int(numbers(found["faults"])[0])

    assert numbers(other(f"{count} faults under load")) == [
        *numbers(found["acknowledged, and not with everybody"]),
        *numbers(found["kept or shown twice"]),
        *numbers(found["healed after a fault, median"]),
        longest,
    ]


def test_voice_sessions_did_what_was_measured() -> None:
    undisturbed, killed = rows(PAGES / "routes.md", "# Voice sessions under load")
    said = other("20 voice sessions")

    assert undisturbed[3] == killed[3] == "0"
    lateness = [round(numbers(row[6])[0]) for row in (undisturbed, killed)]
    assert "p99 {} ms undisturbed, {} ms with the kill".format(*lateness) in said


def test_interviews_did_what_was_measured() -> None:
    (row,) = (
        row
        for row in rows(PAGES / "interviews.md", "# Interviews at once")
        if row[:2] == ["captions", "200"]
    )

    assert row[5] == "0"
    assert numbers(other("200 interviews"))[0] == float(row[3])


def test_pages_of_moderators_took_what_was_measured() -> None:
    medians = [
        numbers(row[1])[0] for row in rows(PAGES / "admin.md", "# The admin over a large history")
    ]

    assert numbers(other("moderators' pages")) == [min(medians), max(medians), 100]
