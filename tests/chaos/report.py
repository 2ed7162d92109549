"""What is told of a trial: lines for people, JSON for programs, a page for `docs/benchmarks`."""

import os
import platform
from dataclasses import asdict
from typing import Any

from tests.chaos.nemesis import Fault
from tests.chaos.trial import Outcome

PROMISES = {
    "lost": "acknowledged, and not with everybody",
    "doubled": "kept or shown twice",
    "reordered": "shown in another order, or numbered with holes",
    "invented": "shown as sent, and not kept",
    "unsent": "written, and neither sent nor offered again",
    "differing": "shown in another state than the store has",
}


HEAD = """\
# Under faults

{readers} readers, every second one writing and every fourth one on long-polling, in {rooms} rooms
over {workers} workers, a private MongoDB and a private Valkey. The readers are the page's own
client (`chat/static/chat/room-client.js`) over npm's socket.io-client; between them and the server
is a relay that cuts and stalls connections. What was acknowledged, what was shown and when is
recorded by the readers and held against MongoDB in the end.

    {command}

{machine}, shared with other work. Times depend on the machine; the zeros do not. `tests/chaos` has
the program, `tests/integration/test_chaos.py` its short form.

## What came of it

| | |
|---|---|"""

TAIL = """\
*Healed* means: every writer has said something that was tried after the fault, and every reader of
its room has heard it. Faults come faster than that, so their healings overlap: one that is brought
while workers are still being started again counts their start as well.
"""


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Everything but the findings beyond the first twenty of a kind."""
    verdict, plan = outcome.verdict, outcome.plan
    return {
        "plan": {**asdict(plan), "only": sorted(plan.only) if plan.only else None},
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "seconds": round(outcome.seconds, 1),
        "tried": verdict.tried,
        "acknowledged": verdict.acknowledged,
        "kept": verdict.kept,
        "edits": verdict.edits,
        "reactions": verdict.reactions,
        "deliveries": verdict.deliveries,
        "connections": verdict.connections,
        "toldNotSent": verdict.told_not_sent,
        "announcedTwice": verdict.announced_twice,
        "broken": {name: getattr(verdict, name)[:20] for name in PROMISES},
        "brokenCounts": {name: len(getattr(verdict, name)) for name in PROMISES},
        "healedInS": None if outcome.healed_in_s is None else round(outcome.healed_in_s, 2),
        "healings": [
            {"fault": each.fault.name, "detail": each.fault.detail, "seconds": each.seconds}
            for each in verdict.healings
        ],
        "tracebacks": outcome.tracebacks,
        "isKept": outcome.is_kept,
    }


def as_text(outcome: Outcome) -> str:
    """For a terminal."""
    return "\n".join([*_figures(outcome), "", *_faults(outcome), *_broken(outcome)]) + "\n"


def as_page(outcome: Outcome, *, command: str) -> str:
    """For `docs/benchmarks`."""
    plan = outcome.plan
    head = HEAD.format(
        readers=plan.readers,
        rooms=plan.rooms,
        workers=plan.workers,
        command=command,
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
    )
    rows = [f"| {name.strip()} | {value.strip()} |" for name, value in _split(_figures(outcome))]
    table = ["", "## Faults", "", "| fault | times | healed after, median | longest |"]
    table += ["|---|---|---|---|"]
    table += [
        f"| {name} | {times} | {middle} | {longest} |"
        for name, times, middle, longest in _by_kind(outcome)
    ]
    return "\n".join([head, *rows, *table, "", TAIL, *_broken(outcome)]).rstrip() + "\n"


def _figures(outcome: Outcome) -> list[str]:
    verdict = outcome.verdict
    healed = "not" if outcome.healed_in_s is None else f"{outcome.healed_in_s:.1f} s"
    return [
        f"messages tried: {verdict.tried}",
        f"acknowledged: {verdict.acknowledged}, "
        f"and {verdict.edits} edits and {verdict.reactions} reactions",
        f"kept: {verdict.kept}; where more than acknowledged, the acknowledgement was lost",
        f"shown, over all readers: {verdict.deliveries}",
        *(f"{PROMISES[name]}: {len(getattr(verdict, name))}" for name in PROMISES),
        f"announced as new twice: {verdict.announced_twice}",
        f"faults: {len(outcome.faults)} in {outcome.seconds:.0f} s",
        f"connections made: {verdict.connections}",
        f'times a reader was told "not sent" and tried again: {verdict.told_not_sent}',
        f"healed after a fault, median: {verdict.median_healing_s:.1f} s",
        f"everybody had everything after the last fault in: {healed}",
        f"exceptions logged as bugs: {len(outcome.tracebacks)}",
    ]


def _faults(outcome: Outcome) -> list[str]:
    rows = [("fault", "times", "healed, median", "longest"), *_by_kind(outcome)]
    return [f"  {a:<28}{b:>6}{c:>16}{d:>10}" for a, b, c, d in rows]


def _by_kind(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    rows = []
    for name in dict.fromkeys(fault.name for fault in outcome.faults):
        times = outcome.verdict.healed_in(name)
        middle = f"{times[len(times) // 2]:.1f} s" if times else "-"
        longest = f"{times[-1]:.1f} s" if times else "-"
        rows.append((name, str(_count(outcome.faults, name)), middle, longest))
    return rows


def _count(faults: list[Fault], name: str) -> int:
    return sum(fault.name == name for fault in faults)


def _broken(outcome: Outcome) -> list[str]:
    lines = []
    for name, found in outcome.verdict.failures.items():
        lines += ["", f"{PROMISES[name]}:", *(f"  {each}" for each in found[:20])]
    if outcome.tracebacks:
        lines += ["", "exceptions:", *(f"  {each}" for each in outcome.tracebacks[:20])]
    return lines


def _split(lines: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(":") for line in lines)]
