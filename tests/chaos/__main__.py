"""Readers and writers over several workers, while workers, stores and connections are killed.

After every fault has healed, each acknowledged message has to be on every reader exactly once and
in the order of `seq`, and nothing may be shown as sent that was not kept. The same seed brings the
same faults in the same order; when they take effect depends on the machine.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support import environment
from tests.support.processes import ROOT

OUT = ROOT / "var" / "chaos"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every promise was kept, 1 when one was not."""
    options = _parse(arguments)
    folder = environment.temporary_folder()
    environment.prepare(folder)

    from tests.chaos import report, trial

    plan = trial.Plan(
        seconds=options.seconds,
        rounds=options.rounds,
        seed=options.seed,
        workers=options.workers,
        readers=options.readers,
        rooms=options.rooms,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    outcome = trial.run(plan, say=_progress(), stories_to=options.stories)
    text = report.as_text(outcome)
    sys.stdout.write("\n" + text)
    (options.out / "chaos.json").write_text(json.dumps(report.as_json(outcome), indent=2) + "\n")
    (options.out / "chaos.md").write_text(report.as_page(outcome, command=_command(options)))
    sys.stdout.write(f"\nwritten: {options.out / 'chaos.md'} and chaos.json\n")
    return 0 if outcome.is_kept else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="of faults (120)")
    parser.add_argument(
        "--rounds", type=int, default=1, help="of every kind of fault, at least (1)"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides faults and their order (1)")
    parser.add_argument("--workers", type=int, default=3, help="daphne processes (3)")
    parser.add_argument("--readers", type=int, default=12, help="half of them write (12)")
    parser.add_argument("--rooms", type=int, default=2, help="that they are in (2)")
    parser.add_argument(
        "--out", type=Path, default=OUT, help="folder for chaos.md and chaos.json (var/chaos)"
    )
    parser.add_argument(
        "--stories", type=Path, help="a JSON file for what each reader tried, was told and shows"
    )
    return parser.parse_args(arguments)


def _command(options: argparse.Namespace) -> str:
    chosen = {name: getattr(options, name) for name in ("seconds", "seed", "workers", "readers")}
    words = " ".join(f"--{name} {value:g}" for name, value in chosen.items())
    return f"make chaos ARGS='{words}'"


def _progress() -> "trial.Say":  # noqa: F821  imported when the environment stands
    begin = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begin:7.1f} s  {line}\n")
        sys.stdout.flush()

    return say


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
