"""One trial: a server, hostile clients, and what is left when they are gone."""

import asyncio
import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import socketio
from pymongo import MongoClient

from readrealm.stores.addresses import DATABASE, mongod_url
from tests.benchmarks.machine import resident_kib
from tests.chaos.trial import UNLIMITED, tracebacks
from tests.fuzz import vocabulary
from tests.fuzz.client import HostileClient, Tally
from tests.fuzz.inspection import findings
from tests.support.processes import wait_until
from tests.support.worker import Server

WARM_UP = 0.2
"""Share of the attacks after which memory is measured first: caches and pools are full then."""

SETTLE_S = 6.0
"""From the last farewell until memory is measured."""

BRIEF = {"INTERVIEW_GRACE_S": "1"}
"""What waits for lost connections waits no longer than memory is waited for."""

STEPS = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tried."""

    events: int = 100_000
    seed: int = 1
    workers: int = 2
    clients: int = 24
    only: str = "*"
    """Pattern of the names of events that are aimed at."""
    allowed_growth_mib: float = 24.0
    """Of one worker between the warm-up and the end."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    plan: Plan
    targets: list[str]
    tally: Tally
    seconds: float
    growth_mib: list[float]
    """Of each worker's resident memory, from the warm-up to the end."""
    faults: list[str] = field(default_factory=list)
    """Everything that should not have happened."""


def run(plan: Plan, *, say: Say) -> Outcome:
    """Run a trial from the first start to the inspection; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="rr-fuzz-"))
    chosen = {"MONGODB_URL": "", "DEBUG": "true", "HTTPS": "false", **UNLIMITED, **BRIEF}
    server = Server(folder / "data", workers=plan.workers, environment=chosen)
    try:
        server.start()
        say(f"{plan.workers} workers serve at {server.url}")
        return _attack(server, plan, say=say)
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def _attack(server: Server, plan: Plan, *, say: Say) -> Outcome:
    aims = [aim for aim in vocabulary.targets() if fnmatch(aim.event, plan.only)]
    workers = sorted(server.worker_pids())
    began, started = datetime.now(UTC) - timedelta(seconds=1), time.monotonic()
    tallies: list[Tally] = []
    warm: list[int] = []
    shares = [WARM_UP, *[(1 - WARM_UP) / STEPS] * STEPS]
    for step, share in enumerate(shares):
        tallies += asyncio.run(_wave(server.url, aims, plan, step=step, count=plan.events * share))
        done = sum(tally.events for tally in tallies)
        faults = sum(len(tally.faults) for tally in tallies)
        say(f"{done} attacks, {faults} faults, {resident_kib(workers) >> 10} MiB resident")
        if step == 0:
            warm = _resident_kib(workers, server)
    growth = [
        (after - before) / 1024
        for before, after in zip(warm, _resident_kib(workers, server), strict=True)
    ]
    outcome = Outcome(
        plan=plan,
        targets=[aim.event for aim in aims],
        tally=_together(tallies),
        seconds=time.monotonic() - started,
        growth_mib=growth,
    )
    outcome.faults += outcome.tally.faults
    outcome.faults += _of_server(server, workers, growth, plan)
    with MongoClient[dict[str, Any]](mongod_url(server.folder), tz_aware=True) as mongo:
        outcome.faults += findings(mongo[DATABASE], began=began)
    return outcome


async def _wave(
    url: str, aims: list[vocabulary.Target], plan: Plan, *, step: int, count: float
) -> list[Tally]:
    """Attacks of fresh clients, all at once; they are gone when this returns."""
    each = math.ceil(count / plan.clients)
    clients = [
        HostileClient(url, number, aims, seed=plan.seed * 1_000 + step)
        for number in range(plan.clients)
    ]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.attack(each))
    return [client.tally for client in clients]


def _of_server(server: Server, workers: list[int], growth: list[float], plan: Plan) -> list[str]:
    found = [f"an exception was logged: {line}" for line in tracebacks(server.running.lines)]
    if sorted(server.worker_pids()) != workers:
        found.append("a worker has died")
    found += [
        f"a worker has grown by {mib:.1f} MiB" for mib in growth if mib > plan.allowed_growth_mib
    ]
    if not asyncio.run(_still_serves(server.url)):
        found.append("a reader who comes now is not served")
    return found


async def _still_serves(url: str) -> bool:
    who = {"bookId": 99, "userId": "fuzz-witness", "username": "fuzz witness"}
    client = socketio.AsyncSimpleClient(reconnection=False)
    await client.connect(url, transports=["websocket"])
    try:
        joined = await client.call("joinRoom", who, timeout=10)
        said = await client.call("chatMessage", {**who, "content": "still here"}, timeout=10)
    finally:
        await client.disconnect()
    return bool(joined["ok"] and said["ok"])


def _resident_kib(workers: list[int], server: Server) -> list[int]:
    """Of each worker, when no client is left."""
    time.sleep(SETTLE_S)
    wait_until(lambda: set(workers) <= set(server.worker_pids()), timeout_s=5, what="the workers")
    return [resident_kib([pid]) for pid in workers]


def _together(tallies: list[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.sent += tally.sent
        total.answers += tally.answers
        total.closed += tally.closed
        total.faults += tally.faults
    return total


def as_text(outcome: Outcome) -> str:
    """For a terminal."""
    tally = outcome.tally
    grown = ", ".join(f"{mib:+.1f}" for mib in outcome.growth_mib)
    lines = [
        f"attacks: {tally.events} in {outcome.seconds:.0f} s on {len(outcome.targets)} events",
        f"  {', '.join(outcome.targets)}",
        f"by kind: {_listed(tally.sent)}",
        f"answers: {_listed(tally.answers)}",
        f"connections closed for a packet: {tally.closed}",
        f"resident memory of the workers after the warm-up: {grown} MiB",
        f"faults: {len(outcome.faults)}",
        *(f"  {fault}" for fault in outcome.faults[:30]),
    ]
    return "\n".join(lines) + "\n"


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())
