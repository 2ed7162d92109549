"""One trial: a server of several workers, readers who talk, a nemesis, and the time after it."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from readrealm.stores.addresses import DATABASE, mongod_url
from tests.chaos.nemesis import PAUSE_S, Fault, Nemesis
from tests.chaos.network import Network
from tests.chaos.readers import Readers, seats
from tests.chaos.verdict import Entry, Verdict, judge
from tests.support.worker import Server

JOIN_S = 30.0
"""For every reader to be in its room before the first fault."""

HEALING_S = 60.0
"""For everybody to have everything, after the last fault; more is a failure."""

LOOK_S = 0.25

UNLIMITED = {"CHAT_RATE": "off", "HANDSHAKE_RATE": "off", "SOCKETS_PER_ADDRESS": "off"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tried."""

    seconds: float = 60.0
    """How long the nemesis rages, at least."""
    rounds: int = 0
    """How often each kind of fault comes, at least."""
    seed: int = 1
    workers: int = 3
    readers: int = 12
    rooms: int = 2
    every_ms: int = 150
    """Mean pause of a writer between two messages."""
    calm_s: float = 3.0
    """How long readers talk before the first fault and after the last one."""
    pause_s: tuple[float, float] = PAUSE_S
    """Least and most time from one fault to the next."""
    only: frozenset[str] | None = None
    """Kinds of faults; None for all."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    plan: Plan
    verdict: Verdict
    faults: list[Fault]
    seconds: float
    """From the first message to the last fault."""
    healed_in_s: float | None
    """From the end of the last fault until nothing waited to be sent and every reader had
    everything; None when that did not happen within `HEALING_S`."""
    tracebacks: list[str] = field(default_factory=list)
    """Exceptions that the server logged as bugs, shortened."""

    @property
    def is_kept(self) -> bool:
        return self.healed_in_s is not None and self.verdict.is_kept


def run(plan: Plan, *, say: Say, stories_to: Path | None = None) -> Outcome:
    """Run a trial from the first start to the verdict; nothing of it is left.

    Args:
        stories_to: a file for what every reader tried, was told and shows.
    """
    with _folder() as folder, _server(folder, plan) as server:
        say(f"{plan.workers} workers serve at {server.url}")
        wanted = seats(readers=plan.readers, rooms=plan.rooms)
        with (
            Network(server.port) as network,
            Readers(network.url, wanted, every_ms=plan.every_ms) as readers,
            _rooms(folder) as rooms,
        ):
            _wait_for_everybody(readers)
            say(f"{plan.readers} readers are in {plan.rooms} rooms")
            begin = time.monotonic()
            readers.write()
            time.sleep(plan.calm_s)
            nemesis = Nemesis(
                server, network, seed=plan.seed, pause_s=plan.pause_s, say=say, only=plan.only
            )
            nemesis.rage(seconds=plan.seconds, rounds=plan.rounds)
            say("the last fault is over")
            ended = time.monotonic()
            time.sleep(plan.calm_s)
            readers.rest()
            is_healed = _wait_for_healing(readers, rooms, say=say)
            healed_in_s = time.monotonic() - ended if is_healed else None
            stories = readers.finish(stories_to or folder / "stories.json")
            logs = {book_id: rooms.log(book_id) for book_id in range(1, plan.rooms + 1)}
        return Outcome(
            plan=plan,
            verdict=judge(stories, logs, nemesis.faults),
            faults=nemesis.faults,
            seconds=ended - begin,
            healed_in_s=healed_in_s,
            tracebacks=tracebacks(server.running.lines),
        )


class Rooms:
    """The logs of rooms as MongoDB has them."""

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._entries = client[DATABASE]["messages"]

    def log(self, book_id: int) -> list[Entry]:
        """Every entry, by ``seq``."""
        return list(self._entries.find({"bookId": book_id}).sort("seq"))

    def newest(self, book_id: int) -> tuple[int, int]:
        """How many messages a room has, and the ``seq`` of the newest."""
        messages = {"bookId": book_id, "kind": "message"}
        last = self._entries.find_one(messages, sort=[("seq", -1)])
        return self._entries.count_documents(messages), last["seq"] if last else 0


def tracebacks(lines: list[str]) -> list[str]:
    """The last line of every traceback in a server's output, with how often it came."""
    found: dict[str, int] = {}
    inside = False
    for line in lines:
        if "Traceback (most recent call last)" in line:
            inside = True
        elif inside and re.match(r"^[A-Za-z_][\w.]*(:|$)", line):
            inside = False
            found[line[:200]] = found.get(line[:200], 0) + 1
    return [f"{line} ({times} times)" for line, times in found.items()]


def _wait_for_everybody(readers: Readers) -> None:
    deadline = time.monotonic() + JOIN_S
    while any(one["status"] != "live" for one in readers.status()):
        assert time.monotonic() < deadline, f"not everybody came in: {readers.status()}"
        time.sleep(LOOK_S)


def _wait_for_healing(readers: Readers, rooms: Rooms, *, say: Say) -> bool:
    deadline = time.monotonic() + HEALING_S
    said_at = time.monotonic()
    while time.monotonic() < deadline:
        status = readers.status()
        missing = _what_is_missing(status, rooms)
        if not missing:
            return True
        if time.monotonic() - said_at > 5:
            said_at = time.monotonic()
            say(f"not healed yet: {missing}")
        time.sleep(LOOK_S)
    return False


def _what_is_missing(status: list[Mapping[str, Any]], rooms: Rooms) -> str:
    """In words; empty when everybody has everything."""
    away = sum(one["status"] != "live" for one in status)
    waiting = sum(one["waiting"] for one in status)
    if away or waiting:
        return f"{away} readers are not in their room, {waiting} messages wait to be sent"
    behind = 0
    states: dict[int, set[int]] = {}
    for book_id in {one["bookId"] for one in status}:
        newest = rooms.newest(book_id)
        there = [one for one in status if one["bookId"] == book_id]
        behind += sum((one["shown"], one["newest"]) != newest for one in there)
        states[book_id] = {one["state"] for one in there}
    split = sum(len(found) > 1 for found in states.values())
    if behind or split:
        return f"{behind} readers are behind, {split} rooms are shown in different states"
    return ""


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rr-chaos-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(folder: Path, plan: Plan) -> Iterator[Server]:
    chosen = {"MONGODB_URL": "", "DEBUG": "true", "HTTPS": "false", **UNLIMITED}
    server = Server(folder / "data", workers=plan.workers, environment=chosen)
    try:
        yield server.start()
    finally:
        server.close()


@contextmanager
def _rooms(folder: Path) -> Iterator[Rooms]:
    with MongoClient[dict[str, Any]](mongod_url(folder / "data")) as client:
        yield Rooms(client)
