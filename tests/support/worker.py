"""`manage.py serve` as a test drives it: a real supervisor, real workers, a real port."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo.uri_parser import parse_uri

from readrealm.stores.addresses import valkey_url
from tests.support.processes import PYTHON, ROOT, Program, command_of, descendants, wait_until_gone

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0


class Server:
    """One `manage.py serve`; it keeps its port and its data over `restart`.

    Args:
        folder: its DATA_DIR.
        workers: how many daphne processes.
        environment: variables on top of the test session's; one that is empty counts as not set.
    """

    def __init__(self, folder: Path, *, workers: int, environment: Mapping[str, str]) -> None:
        self.folder, self.workers = folder, workers
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "REDIS_URL": "",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LOG_LEVEL": "INFO",
            "STT_PROCESSES": "2",  # each loads a model; no test has more than two speak at once
            **environment,
        }
        self.port = 0
        self.program: Program | None = None
        self.started_in_s = 0.0
        """How long the newest start took, from the command to the address."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_name(self) -> str:
        """Of what it keeps in MongoDB."""
        name: str = parse_uri(self.environment["MONGODB_URL"])["database"]
        return name

    @property
    def redis_url(self) -> str:
        return self.environment["REDIS_URL"] or valkey_url(self.folder)

    @property
    def running(self) -> Program:
        assert self.program is not None, "the server is not running"
        return self.program

    def start(self) -> "Server":
        """Come back when every worker serves."""
        begin = time.monotonic()
        environment = {**self.environment, "PORT": str(self.port or self.environment["PORT"])}
        command = [PYTHON, "manage.py", "serve", "--workers", str(self.workers)]
        self.program = Program(command, environment=environment)
        address = self.program.wait_for_line(r"http://[^ ]+:(\d+)", timeout_s=START_TIMEOUT_S)
        self.port = int(address[1])
        self.started_in_s = time.monotonic() - begin
        return self

    def stop(self) -> int:
        """Ask it to end as an operator would; its exit status."""
        self.running.send_signal(signal.SIGTERM)
        status = self.running.wait(timeout_s=STOP_TIMEOUT_S)
        self.close()
        return status

    def kill(self) -> None:
        """kill -9 of the supervisor; back when everything below it is gone as well."""
        below = self.running.descendants()
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()
        wait_until_gone(below)
        self.close()

    def restart(self) -> None:
        """On the same port, with the same data."""
        if self.program is not None:
            self.stop()
        self.start()

    def close(self) -> None:
        """Nothing of it is left, whatever its state; nobody is told, which would take its time."""
        if self.program is not None:
            self.program.kill()
            self.program = None

    def worker_pids(self) -> list[int]:
        """Of the workers that run now."""
        return self.pids_of("manage.py worker")

    def store_pid(self, program: str) -> int:
        """Of the private ``mongod`` or ``valkey-server`` that it has started."""
        (pid,) = self.pids_of(program)
        return pid

    def get(self, path: str, *, timeout_s: float = 10) -> tuple[int, bytes]:
        """Status and body of a page."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def get_json(self, path: str) -> tuple[int, Any]:
        status, body = self.get(path)
        return status, json.loads(body)

    def manage(self, *arguments: str, timeout_s: float = 30) -> str:
        """Run another command of manage.py with the settings of this server; what it says."""
        run = subprocess.run(
            [PYTHON, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def pids_of(self, text: str) -> list[int]:
        """Of the processes below it whose command line has ``text`` in it."""
        return [pid for pid in descendants(self.running.pid) if text in command_of(pid)]
