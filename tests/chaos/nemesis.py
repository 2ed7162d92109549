"""What goes wrong during a trial: each fault by name, in an order that a seed decides."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from readrealm.stores.embedded import STOP_TIMEOUT_S
from readrealm.stores.processes import identity
from tests.chaos.network import Network
from tests.support.processes import wait_until, wait_until_gone
from tests.support.worker import Server

PAUSE_S = (0.5, 4.0)
"""Sometimes too short to heal before the next fault, and sometimes long enough."""

HELD_S = (0.5, 3.0)
"""How long something stands still."""

PRESENT_S = 30.0
"""For a process to be there again before it can be killed once more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong."""

    name: str
    at_ms: int
    """Unix time at which it had taken effect."""
    detail: str


class Nemesis:
    """Brings one fault after the other on a running server.

    Every kind comes once before one comes again.

    Args:
        pause_s: least and most time between the end of one fault and the next.
        say: takes a line for people.
        only: names of the kinds to bring; all of `kinds` by default.
    """

    def __init__(
        self,
        server: Server,
        network: Network,
        *,
        seed: int,
        pause_s: tuple[float, float] = PAUSE_S,
        say: Callable[[str], None],
        only: frozenset[str] | None = None,
    ) -> None:
        self._server, self._network, self._say = server, network, say
        self._pause_s = pause_s
        self._chance = random.Random(seed)
        every: dict[str, Callable[[], str]] = {
            "worker killed": self._kill_worker,
            "every worker killed": self._kill_all_workers,
            "worker frozen": self._freeze_worker,
            "workers replaced": self._roll,
            "Valkey killed, back empty": self._kill_valkey,
            "Valkey frozen": self._freeze_valkey,
            "mongod killed": self._kill_mongod,
            "mongod restarted": self._restart_mongod,
            "half of the sockets cut": lambda: self._cut(0.5),
            "every socket cut": lambda: self._cut(1.0),
            "network stalled": self._stall,
        }
        self._kinds = {name: every[name] for name in every if only is None or name in only}
        self.faults: list[Fault] = []

    @property
    def kinds(self) -> list[str]:
        """What can go wrong."""
        return list(self._kinds)

    def rage(self, *, seconds: float, rounds: int = 0) -> None:
        """Bring faults until ``seconds`` have passed, and each kind at least ``rounds`` times."""
        end = time.monotonic() + seconds
        for number, name in enumerate(self._order()):
            if time.monotonic() >= end and number >= rounds * len(self._kinds):
                break
            self._strike(name)
            time.sleep(self._chance.uniform(*self._pause_s))

    def _order(self) -> Iterator[str]:
        while True:
            yield from self._chance.sample(self.kinds, len(self._kinds))

    def _strike(self, name: str) -> None:
        place = len(self.faults)
        detail = self._kinds[name]()
        if len(self.faults) == place:  # it did not say when it took effect, so it just has
            self._mark(name, detail)
        self._say(f"{name}: {detail}")

    def _mark(self, name: str, detail: str) -> None:
        self.faults.append(Fault(name, round(time.time() * 1000), detail))

    # What can go wrong.

    def _workers(self) -> list[int]:
        wait_until(self._server.worker_pids, timeout_s=PRESENT_S, what="a worker to strike")
        return sorted(self._server.worker_pids())

    def _kill_worker(self) -> str:
        victim = self._chance.choice(self._workers())
        _signal(victim, signal.SIGKILL)
        return f"process {victim}"

    def _kill_all_workers(self) -> str:
        victims = self._workers()
        for victim in victims:
            _signal(victim, signal.SIGKILL)
        return f"{len(victims)} processes"

    def _freeze_worker(self) -> str:
        return self._freeze("worker frozen", self._chance.choice(self._workers()))

    def _roll(self) -> str:
        self._server.running.send_signal(signal.SIGHUP)
        return "one after the other, each drains"

    def _kill_valkey(self) -> str:
        return self._kill_store("valkey-server", signal.SIGKILL)

    def _freeze_valkey(self) -> str:
        return self._freeze("Valkey frozen", self._store("valkey-server"))

    def _kill_mongod(self) -> str:
        return self._kill_store("mongod", signal.SIGKILL)

    def _restart_mongod(self) -> str:
        victim = self._store("mongod")
        name = str(identity(victim))
        _signal(victim, signal.SIGTERM)
        self._mark("mongod restarted", f"process {victim}")
        try:
            wait_until_gone([name], timeout_s=STOP_TIMEOUT_S)
        except AssertionError:
            # As service managers do. A mongod that still replays its oplog never ends when it is
            # asked to: its log then repeats ShutdownInProgress.
            _signal(victim, signal.SIGKILL)
            return f"process {victim}, killed since it did not end in {STOP_TIMEOUT_S:.0f} s"
        return f"process {victim}"

    def _cut(self, share: float) -> str:
        return f"{self._network.cut(share, self._chance)} connections"

    def _stall(self) -> str:
        held_s = self._chance.uniform(*HELD_S)
        self._network.stall()
        try:
            self._mark("network stalled", f"{held_s:.1f} s")
            time.sleep(held_s)
        finally:
            self._network.flow()
        return f"{held_s:.1f} s"

    # How.

    def _store(self, program: str) -> int:
        found: list[int] = []

        def is_there() -> bool:
            with suppress(ValueError):  # none yet, or one that ends beside one that begins
                found.append(self._server.store_pid(program))
            return bool(found)

        wait_until(is_there, timeout_s=PRESENT_S, what=f"{program} to strike")
        return found[0]

    def _kill_store(self, program: str, number: signal.Signals) -> str:
        victim = self._store(program)
        _signal(victim, number)
        return f"process {victim}"

    def _freeze(self, name: str, victim: int) -> str:
        held_s = self._chance.uniform(*HELD_S)
        with _stopped(victim):
            self._mark(name, f"{held_s:.1f} s")
            time.sleep(held_s)
        return f"{held_s:.1f} s"


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
