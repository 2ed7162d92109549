"""Programs that tests start: their output line by line, their descendants, and their end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread

from readrealm.stores import processes

ROOT = Path(__file__).resolve().parent.parent.parent
_PRODUCTION = ROOT / ".venv" / "bin" / "python"
PYTHON = str(_PRODUCTION if _PRODUCTION.exists() else sys.executable)
"""Runs what tests start of ours, without the packages that only tests have."""

POLL_S = 0.02

READ_OUT_S = 5.0
"""For the last lines of a program that has ended."""


class Program:
    """A running program whose output can be waited for; it ends with the test session.

    Args:
        command: what to run, in the root of the project.
        environment: in place of ours.
        stdin: a descriptor; by default a pipe for `write_line`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.PIPE,
    ) -> None:
        self.lines: list[str] = []
        self._said_at: list[float] = []
        self._began = time.monotonic()
        self._news = Condition()
        self._has_ended = False
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=None if environment is None else dict(environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=processes.tie(os.getpid()),
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def timed_output(self) -> str:
        """Every line, with the seconds after which it was said."""
        with self._news:
            said = zip(self._said_at, self.lines, strict=True)
            return "\n".join(f"{at - self._began:7.2f}  {line}" for at, line in said)

    def wait_for_line(
        self, pattern: str, *, timeout_s: float = 30, after: int = 0
    ) -> re.Match[str]:
        """The first line at or behind ``after`` in which ``pattern`` is found."""
        deadline = time.monotonic() + timeout_s
        seen = after
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._has_ended or left <= 0:
                    why = "it ended" if self._has_ended else f"{timeout_s} s went by"
                    raise AssertionError(f"{why} without {pattern!r}; it said:\n{self.output}")
                self._news.wait(left)

    def write_line(self, text: str) -> None:
        """Send a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, *, timeout_s: float = 30) -> int:
        """Its exit status, once it has ended and everything it said has been read."""
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end in {timeout_s} s:\n{self.output}") from None
        self._reader.join(timeout_s)
        return status

    def descendants(self) -> list[str]:
        """Identities of all processes below it, for `wait_until_gone`."""
        return [known for pid in descendants(self.pid) if (known := processes.identity(pid))]

    def end(self) -> None:
        """Whatever its state, have it and everything below it be gone, in order if it can."""
        below = self.descendants()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._clear_away(below)

    def kill(self) -> None:
        """Have it and everything below it be gone at once."""
        below = self.descendants()
        self.process.kill()
        self._clear_away(below)

    def _clear_away(self, below: Sequence[str]) -> None:
        self.process.wait()
        for known in filter(processes.is_running, below):
            with suppress(ProcessLookupError):
                os.kill(int(known.partition(":")[0]), signal.SIGKILL)
        wait_until_gone(below)
        # What is being read may not be closed; the end of all who could write ends it.
        self._reader.join(READ_OUT_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self._said_at.append(time.monotonic())
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()


def descendants(pid: int) -> list[int]:
    """Processes below ``pid``, nearest first."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return children + [below for child in children for below in descendants(child)]


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def wait_until(is_so: Callable[[], object], *, timeout_s: float = 20, what: str) -> None:
    """Come back when ``is_so``; fail with ``what`` was waited for when it never is."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for: {what}"
        time.sleep(POLL_S)


def wait_until_gone(known: Sequence[str], *, timeout_s: float = 20) -> None:
    """Come back when none of the processes runs any more."""
    wait_until(
        lambda: not any(map(processes.is_running, known)),
        timeout_s=timeout_s,
        what="the end of " + ", ".join(command_of(int(name.partition(":")[0])) for name in known),
    )
