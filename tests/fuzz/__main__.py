"""Hostile events against a running server, decided by a seed.

Aims at every event that the default namespace answers, by its own contract: good payloads, ones
with a single fault or extra keys, rubbish, binary data, broken envelopes and packets. Every event
has to be answered as documented, no worker may die, log an exception or grow beyond a bound, and
the documents in MongoDB are inspected afterwards.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.support import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing happened that should not, else 1."""
    options = _parse(arguments)
    folder = environment.temporary_folder()
    environment.prepare(folder)

    import django

    django.setup()

    from tests.fuzz import trial

    begin = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begin:7.1f} s  {line}\n")
        sys.stdout.flush()

    plan = trial.Plan(
        events=options.events,
        seed=options.seed,
        workers=options.workers,
        clients=options.clients,
        only=options.only,
    )
    outcome = trial.run(plan, say=say)
    sys.stdout.write("\n" + trial.as_text(outcome))
    return 1 if outcome.faults else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=int, default=100_000, help="to send (100000)")
    parser.add_argument("--seed", type=int, default=1, help="decides all of them (1)")
    parser.add_argument("--workers", type=int, default=2, help="daphne processes (2)")
    parser.add_argument("--clients", type=int, default=24, help="at once (24)")
    parser.add_argument("--only", default="*", help="events to aim at, such as 'audio:*' (*)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
