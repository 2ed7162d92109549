"""Compares the bridge with Socket.IO on Node and with python-socketio on uvicorn.

Rooms of 10, 100 and 1,000 readers on one worker, 1,000 on two workers, and the same with MongoDB;
then 1,000 and 5,000 connections that only stay. All servers of a room are up at the same time, the
phases take turns (A B C, C B A, ...), and every delivery is checked. A page in Markdown, the
figures in JSON and pictures in SVG are written.

It needs two cores, a C compiler, node 20 with npm, and a machine that does nothing else: it says
what others used, marks the rows that suffered, and does not start when the load is high already.
"""

import argparse
import importlib.util
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import contestants, machine
from tests.benchmarks.contestants import ROOT, Contestant
from tests.benchmarks.generator import Failed
from tests.benchmarks.measurement import Comparison
from tests.benchmarks.report import page
from tests.benchmarks.results import Results
from tests.benchmarks.scenarios import ROOM_SIZES, rooms
from tests.benchmarks.verdicts import verdicts

OUT = ROOT / "docs" / "benchmarks"
QUICK_OUT = ROOT / "var" / "benchmarks"
NAME = "bridge"
PARTS = ("rooms", "workers", "mongodb", "idle")
MAX_LOAD = 0.5
NEEDED = {"matplotlib": "pictures", "uvloop": "python-socketio", "httptools": "python-socketio"}

EXAMPLES = """\
examples:
  python -m tests.benchmarks                          everything, about twenty minutes
  python -m tests.benchmarks --quick                  everything once over, five minutes
  python -m tests.benchmarks --quick --only rooms --sizes 10 --servers bridge,node
  python -m tests.benchmarks --render docs/benchmarks/bridge.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        return _refuse(f"missing: {', '.join(missing)} (pip install -r requirements-dev.txt)")
    if options.render is not None:
        results = Results.from_json(json.loads(options.render.read_text()))
        _write(results, options.out or options.render.parent)
        return 0
    load = os.getloadavg()[0]
    _say(f"load average {load:.2f}")
    if load > MAX_LOAD and not (options.quick or options.noisy):
        return _refuse(f"the machine is busy (load average {load:.2f}); --noisy runs all the same")
    try:
        results = _measure(options)
    except (machine.MachineUnfit, Failed) as error:
        return _refuse(str(error))
    _write(results, options.out or (QUICK_OUT if options.quick else OUT))
    ours = [record for record in results.rooms if record.contestant is Contestant.BRIDGE]
    return 0 if all(record.phase.is_correct for record in ours) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="a fifth of the work, two rounds; not for quoting"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each phase of each server runs (4; quick: 2)"
    )
    parser.add_argument(
        "--only", type=_list_of(PARTS), default=PARTS, help="some of: " + ",".join(PARTS)
    )
    parser.add_argument(
        "--sizes",
        type=_list_of(tuple(map(str, ROOM_SIZES))),
        default=tuple(map(str, ROOM_SIZES)),
        help="readers in a room, some of: 10,100,1000",
    )
    parser.add_argument(
        "--servers",
        type=_list_of(tuple(Contestant)),
        default=tuple(Contestant),
        help="some of: " + ",".join(Contestant),
    )
    parser.add_argument(
        "--noisy", action="store_true", help=f"start even at a load average above {MAX_LOAD}"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the results (docs/benchmarks; quick: var/benchmarks)"
    )
    parser.add_argument(
        "--render", type=Path, metavar="JSON", help="measure nothing; write page and pictures anew"
    )
    return parser.parse_args(arguments)


def _list_of(allowed: Sequence[str]) -> "argparse._ActionType":
    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        if unknown := set(chosen) - set(allowed):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
        return chosen

    return parse


def _measure(options: argparse.Namespace) -> Results:
    servers = [Contestant(name) for name in options.servers]
    if Contestant.NODE in servers:
        contestants.install_node_packages()
    versions = contestants.versions(servers)
    about = {
        "command": f".venv-dev/bin/python -m tests.benchmarks {shlex.join(sys.argv[1:])}".strip(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **machine.describe(),
        "versions": ", ".join(f"{name} {release}" for name, release in versions.items()),
    }
    results = Results(about)
    sizes = tuple(map(int, options.sizes))
    rounds = options.rounds or (2 if options.quick else 4)
    with Comparison(
        servers, rounds=rounds, is_quick=options.quick, results=results, say=_say
    ) as comparison:
        for room in rooms(
            sizes, with_database="mongodb" in options.only, with_workers="workers" in options.only
        ):
            if "rooms" in options.only or room.has_database or room.workers > 1:
                comparison.measure_room(room)
        if "idle" in options.only:
            comparison.measure_idle()
    return results


def _write(results: Results, folder: Path) -> None:
    from tests.benchmarks.charts import draw_all

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results.to_json(), indent=1, ensure_ascii=False)
    (folder / f"{NAME}.json").write_text(text + "\n")
    drawn = draw_all(results, folder, prefix=NAME)
    (folder / f"{NAME}.md").write_text(page(results, charts=drawn))
    for verdict in verdicts(results):
        word = "met    " if verdict.is_met else "NOT MET"
        bound = ">=" if verdict.at_least else "<="
        noise = "  (noisy)" if verdict.is_noisy else ""
        _say(
            f"{word} {verdict.reached.median:6.2f} {bound} {verdict.target:<5g}"
            f" {verdict.title}{noise}"
        )
    _say(f"written: {folder / NAME}.md, .json and {len(drawn)} pictures")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _refuse(reason: str) -> int:
    sys.stderr.write(f"benchmark: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
