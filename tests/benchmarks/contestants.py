"""The servers that are compared: how each is started, and what it runs on."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readrealm.stores import processes
from tests.benchmarks.machine import MachineUnfit

ROOT = Path(__file__).resolve().parents[2]
NODE_FOLDER = Path(__file__).with_name("node")
BACKLOG = 4_096
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10.0


class Contestant(StrEnum):
    """One kind of server."""

    BRIDGE = "bridge"
    NODE = "node"
    STOCK = "stock"

    @property
    def label(self) -> str:
        return {
            Contestant.BRIDGE: "this bridge, on daphne",
            Contestant.NODE: "socket.io, on Node",
            Contestant.STOCK: "python-socketio, on uvicorn",
        }[self]

    def has_bus(self, *, workers: int) -> bool:
        """Whether its messages go through Valkey: ours always, others' between workers."""
        return self is Contestant.BRIDGE or workers > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What a server is started with."""

    workers: int
    core: int | None
    """Where its only worker runs; several workers are left to the system."""
    valkey: Path
    mongodb: str | None


@dataclass(slots=True)
class Running:
    """A server that takes clients."""

    contestant: Contestant
    ports: list[int] = field(default_factory=list)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            processes.stop(process, timeout_s=STOP_TIMEOUT_S)


def start(contestant: Contestant, set_up: SetUp, *, logs: Path) -> Running:
    """Start every worker of a server, each on a port of its own.

    Raises:
        MachineUnfit: one did not start; its log is quoted.
    """
    running = Running(contestant)
    try:
        for number in range(1, set_up.workers + 1):
            log = logs / f"{contestant}-{number}.log"
            port, process = _start_worker(contestant, set_up, number=number, log=log)
            running.ports.append(port)
            running.processes.append(process)
            _wait_until_ready(process, log)
    except BaseException:
        running.stop()
        raise
    return running


def _start_worker(
    contestant: Contestant, set_up: SetUp, *, number: int, log: Path
) -> tuple[int, "subprocess.Popen[bytes]"]:
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        port: int = listening.getsockname()[1]
        process = subprocess.Popen(
            _command(contestant, set_up, fd=listening.fileno(), number=number),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log.open("wb"),
            pass_fds=(listening.fileno(),),
            start_new_session=True,
            preexec_fn=_prepare(set_up.core),
        )
    return port, process


def _prepare(core: int | None) -> Any:
    tie = processes.tie(os.getpid())

    def prepare() -> None:
        tie()
        if core is not None:
            os.sched_setaffinity(0, {core})

    return prepare


def _command(contestant: Contestant, set_up: SetUp, *, fd: int, number: int) -> list[str]:
    has_bus = contestant.has_bus(workers=set_up.workers)
    stores = ["--valkey", str(set_up.valkey)] if has_bus else []
    if set_up.mongodb is not None:
        stores += ["--mongodb", set_up.mongodb]
    match contestant:
        case Contestant.BRIDGE:
            module = "tests.benchmarks.servers.bridge"
            name = ["--worker-id", f"w{number}", *(["--alone"] if set_up.workers == 1 else [])]
            return [sys.executable, "-m", module, str(fd), *stores, *name]
        case Contestant.STOCK:
            return [sys.executable, "-m", "tests.benchmarks.servers.stock", str(fd), *stores]
        case Contestant.NODE:
            return [_node(), str(NODE_FOLDER / "server.mjs"), str(fd), *stores]


def _node() -> str:
    program = shutil.which("node")
    if program is None:
        raise MachineUnfit("node is missing; install node 20 with npm")
    return program


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise MachineUnfit(f"a server did not start:\n{log.read_text()[-2_000:]}")


def install_node_packages() -> None:
    """Have exactly what the lock file of `NODE_FOLDER` says.

    Raises:
        MachineUnfit: npm is missing, or it fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise MachineUnfit("npm is missing; install node 20 with npm")
    done = NODE_FOLDER / "node_modules" / ".installed"
    lock = (NODE_FOLDER / "package-lock.json").read_text()
    if done.exists() and done.read_text() == lock:
        return
    run = subprocess.run(
        [npm, "ci", "--loglevel=error"], cwd=NODE_FOLDER, capture_output=True, text=True
    )
    if run.returncode:
        raise MachineUnfit(f"npm ci failed:\n{run.stderr[-2_000:]}")
    done.write_text(lock)


def versions(contestants: Sequence[Contestant]) -> dict[str, str]:
    """The releases that are compared."""
    packages = {
        Contestant.BRIDGE: ["channels", "channels_redis", "daphne", "Twisted", "autobahn"],
        Contestant.STOCK: ["python-socketio", "python-engineio", "uvicorn", "uvloop", "websockets"],
        Contestant.NODE: [],
    }
    found = {"python": sys.version.split()[0]}
    for contestant in contestants:
        found |= {name: version(name) for name in packages[contestant]}
    if Contestant.NODE in contestants:
        node = subprocess.run([_node(), "--version"], capture_output=True, text=True)
        found["node"] = node.stdout.strip().removeprefix("v")
        for name in ("socket.io", "engine.io", "ws", "@socket.io/redis-adapter", "mongodb"):
            about = json.loads((NODE_FOLDER / "node_modules" / name / "package.json").read_text())
            found[name] = about["version"]
    return found
