"""Private stores: a server as our child, on a Unix socket only this user can open.

What is the same for every store is here; `mongod` and `valkey` say what is theirs.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from readrealm.stores import processes
from readrealm.stores.addresses import private_folder

START_TIMEOUT_S = 60.0
"""A mongod that was killed replays its journal first."""

STOP_TIMEOUT_S = 20.0
POLL_S = 0.01

Spawn = Callable[[list[str]], "subprocess.Popen[bytes]"]
"""Makes the process of a store, in a thread that lives as long as ours."""


def spawn_quietly(command: list[str]) -> "subprocess.Popen[bytes]":
    """A child in this thread; stores write logs of their own."""
    return processes.spawn(command, output=subprocess.DEVNULL)


class StoreCannotRun(Exception):
    """A private store cannot be started here; ``str()`` says why and what to set instead."""


class PrivateStore(ABC):
    """One store: started when nobody has, shared when somebody did, stopped by its starter.

    Args:
        folder: its files.
        address: its Unix socket.
        url: how clients reach it.
    """

    title: str
    """What people call it."""

    variable: str
    """What to set to use another server instead."""

    loss: str = ""
    """What to tell people about a restart."""

    def __init__(self, folder: Path, address: Path, *, url: str) -> None:
        self.folder, self.address, self.url = folder, address, url
        self.process: subprocess.Popen[bytes] | None = None
        self._is_given_up = False

    @property
    def log(self) -> Path:
        """What the server itself has to say."""
        return self.folder / "server.log"

    @property
    def _record(self) -> Path:
        """Who started whom; written by the starter, read by the next one."""
        return self.folder / "started.json"

    @property
    def is_ours(self) -> bool:
        """Whether this process has started it."""
        return self.process is not None

    def start(self, *, spawn: Spawn = spawn_quietly) -> bool:
        """Have the store run and be usable; False if somebody else had started it.

        Of several processes that ask at once one starts it, and the others wait for that.

        Args:
            spawn: for callers in a thread that does not last.

        Raises:
            StoreCannotRun: no program for it, or it ended, or took too long.
        """
        private_folder(self.folder)
        private_folder(self.address.parent)
        with self._alone():
            self._see_out_orphan()
            if self.is_answering():
                return False
            self._launch(spawn)
        return True

    def give_up(self) -> None:
        """Have a start fail soon that another thread waits for, and every later one."""
        self._is_given_up = True
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        """End the store if this process has started it."""
        if self.process is not None:
            with self._alone():
                self._end()

    def is_running(self) -> bool:
        """Whether it still runs: our child, or the one of somebody else that we share."""
        return self.is_answering() if self.process is None else self.process.poll() is None

    def is_answering(self) -> bool:
        """Whether somebody listens on its socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self.address))
            except OSError:
                return False
        return True

    @abstractmethod
    def command(self) -> list[str]:
        """The command line of the server.

        Raises:
            StoreCannotRun: there is no program for it.
        """

    def make_usable(self, deadline: float) -> None:  # noqa: B027  most stores just listen
        """What is left to do when it listens, before the monotonic ``deadline``."""

    def cannot_run(self, reason: str) -> StoreCannotRun:
        return StoreCannotRun(
            f"{self.title} cannot run here: {reason}. Set {self.variable} to a server of your own."
        )

    def last_words(self) -> str:
        """What the newest lines of its log say, on one line."""
        return " | ".join(self.newest_lines()) or "it wrote no log"

    def newest_lines(self) -> list[str]:
        """The last lines of its log."""
        try:
            return self.log.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            return []

    def _launch(self, spawn: Spawn) -> None:
        self._require_wish()
        self.process = spawn(self.command())
        people = [processes.identity(pid) for pid in (os.getpid(), self.process.pid)]
        self._record.write_text(json.dumps(people))
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            self._wait_for_socket(deadline)
            self.make_usable(deadline)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self.process is not None:
            processes.stop(self.process, timeout_s=STOP_TIMEOUT_S)
            self.process = None

    def _see_out_orphan(self) -> None:
        """Wait for the end of a store whose starter was killed: it listens, but not for long."""
        try:
            starter, server = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return
        if server is None or (starter is not None and processes.is_running(starter)):
            return
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while processes.is_running(server):
            if time.monotonic() > deadline:
                os.kill(int(server.partition(":")[0]), signal.SIGKILL)
            time.sleep(POLL_S)

    def _wait_for_socket(self, deadline: float) -> None:
        while not self.is_answering():
            self._require_life()
            if time.monotonic() > deadline:
                raise self.cannot_run(f"it did not listen in {START_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)

    def _require_life(self) -> None:
        """Raises `StoreCannotRun` when what was started has ended, or is not wanted any more."""
        self._require_wish()
        if self.process is None or self.process.poll() is not None:
            raise self.cannot_run(f"it ended at its start ({self.last_words()})")

    def _require_wish(self) -> None:
        if self._is_given_up:
            raise self.cannot_run("it is not wanted any more")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
