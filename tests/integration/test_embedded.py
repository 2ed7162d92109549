"""Private stores: real mongod and valkey processes, their crashes, and who may reach them."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from pymongo import MongoClient

from readrealm.stores.addresses import UnsafeFolder, mongod_url, valkey_url
from readrealm.stores.embedded import START_TIMEOUT_S, StoreCannotRun
from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey
from tests.support.processes import Program, wait_until_gone

STORES = [PrivateMongod, PrivateValkey]

STARTER = """
import sys
from contextlib import suppress
from pathlib import Path
from readrealm.stores.mongod import PrivateMongod
from readrealm.stores.valkey import PrivateValkey
kinds = {"PrivateMongod": PrivateMongod, "PrivateValkey": PrivateValkey}
store = kinds[sys.argv[1]](Path(sys.argv[2]))
print("started" if store.start() else "shared", flush=True)
sys.stdin.readline()
store.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def folder():
    """A data folder on a real file system: crash recovery is what is tested. Its path is short
    enough for the address of a socket."""
    with tempfile.TemporaryDirectory(prefix="rr-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "data"


@pytest.fixture
def start():
    """Start a store in this process; it ends with the test."""
    running = []

    def run(kind, folder):
        store = kind(folder)
        running.append(store)
        store.start()
        return store

    yield run
    for store in reversed(running):
        store.stop()


@pytest.fixture
def starter():
    """Start a store from another process."""
    running = []

    def run(kind, folder):
        program = Program([sys.executable, "-c", STARTER, kind.__name__, str(folder)])
        running.append(program)
        return program

    yield run
    for program in running:
        program.end()


def client(folder):
    return MongoClient(mongod_url(folder), serverSelectionTimeoutMS=5_000)


def pid_of(store):
    return store.process.pid


def test_mongod_is_a_primary_that_journals_what_it_acknowledges(folder, start):
    start(PrivateMongod, folder)

    with client(folder) as mongo:
        assert mongo.admin.command("hello")["isWritablePrimary"]
        assert mongo.readrealm.notes.write_concern.document == {"w": "majority", "j": True}
        mongo.readrealm.notes.insert_one({"_id": 1})
        with mongo.start_session() as session, session.start_transaction():
            mongo.readrealm.notes.insert_one({"_id": 2}, session=session)
        assert mongo.readrealm.notes.count_documents({}) == 2


def test_valkey_answers_and_keeps_nothing(folder, start):
    start(PrivateValkey, folder)

    with redis.Redis.from_url(valkey_url(folder)) as valkey:
        assert valkey.set("a", "1")
        assert valkey.config_get("save") == {"save": ""}
        assert valkey.config_get("appendonly") == {"appendonly": "no"}


@pytest.mark.parametrize("kind", STORES)
def test_a_store_has_no_port_and_only_its_user_reaches_it(folder, start, kind):
    store = start(kind, folder)

    assert stat.S_IMODE(store.address.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.address.parent.stat().st_mode) == 0o700
    assert open_sockets(pid_of(store), "tcp", inode=9) == []
    assert open_sockets(pid_of(store), "tcp6", inode=9) == []
    listening = {line[-1] for line in open_sockets(pid_of(store), "unix", inode=6) if len(line) > 7}
    assert {Path(path).parent for path in listening} == {store.folder}


def open_sockets(pid, kind, *, inode):
    """What the kernel's table says about the sockets of one kind that a process holds."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            links.append(os.readlink(path))
    held = {link[8:-1] for link in links if link.startswith("socket:[")}
    table = [line.split() for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]]
    return [line for line in table if line[inode] in held]


def test_mongod_takes_no_compressed_messages(folder, start):
    start(PrivateMongod, folder)

    with client(folder) as mongo:
        answer = mongo.admin.command("hello", compression=["zlib", "snappy", "zstd"])

    assert "compression" not in answer


@pytest.mark.parametrize("kind", STORES)
def test_of_two_starters_one_starts_and_the_other_shares(folder, starter, kind):
    both = [starter(kind, folder), starter(kind, folder)]

    said = sorted(program.wait_for_line("started|shared").string for program in both)

    assert said == ["shared", "started"]


@pytest.mark.parametrize("kind", STORES)
def test_who_shares_a_store_does_not_stop_it(folder, start, starter, kind):
    store = start(kind, folder)
    guest = starter(kind, folder)
    guest.wait_for_line("shared")

    guest.write_line("")
    guest.wait_for_line("stopped")

    assert store.is_answering()


@pytest.mark.parametrize("kind", STORES)
def test_a_store_ends_when_its_starter_is_killed(folder, starter, kind):
    program = starter(kind, folder)
    program.wait_for_line("started")
    (store,) = program.descendants()

    program.send_signal(signal.SIGKILL)

    wait_until_gone([store])


def test_a_store_that_is_ending_with_its_starter_is_not_shared(folder, start, starter):
    program = starter(PrivateMongod, folder)
    program.wait_for_line("started")
    program.send_signal(signal.SIGKILL)
    program.wait()

    store = start(PrivateMongod, folder)

    assert store.is_ours
    with client(folder) as mongo:
        mongo.readrealm.notes.insert_one({"_id": 1})
    assert store.process.poll() is None


def test_what_mongod_acknowledged_outlives_kill_9(folder, start):
    store = start(PrivateMongod, folder)
    with client(folder) as mongo:
        kept = [mongo.readrealm.notes.insert_one({}).inserted_id for _ in range(200)]
        os.kill(pid_of(store), signal.SIGKILL)
        store.process.wait()
        assert store.address.exists()

        assert store.start()

        found = mongo.readrealm.notes.find().sort("_id")
        assert [note["_id"] for note in found] == kept


def test_a_data_folder_may_move(folder, start):
    store = start(PrivateMongod, folder)
    with client(folder) as mongo:
        mongo.readrealm.notes.insert_one({"_id": 1})
    store.stop()
    moved = folder.with_name("moved")
    shutil.move(folder, moved)

    start(PrivateMongod, moved)

    with client(moved) as mongo:
        assert mongo.readrealm.notes.count_documents({}) == 1
        mongo.readrealm.notes.insert_one({"_id": 2})


@pytest.mark.parametrize("kind", STORES)
def test_a_data_folder_may_lie_too_deep_for_a_socket(tmp_path, start, kind):
    store = start(kind, tmp_path / ("deep" * 25))

    assert not store.address.is_relative_to(tmp_path)
    assert store.is_answering()
    assert stat.S_IMODE(store.address.parent.stat().st_mode) == 0o700
    store.stop()
    shutil.rmtree(store.address.parent)


def test_a_prepared_trap_for_the_socket_is_refused(tmp_path):
    store = PrivateValkey(tmp_path / ("deep" * 25))
    store.address.parent.symlink_to(tmp_path)

    try:
        with pytest.raises(UnsafeFolder):
            store.start()
    finally:
        store.address.parent.unlink()


def test_mongod_of_the_path_comes_first_and_one_that_does_not_run_is_not_replaced(
    folder, tmp_path, monkeypatch
):
    broken = tmp_path / "bin" / "mongod"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho wrong architecture >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)

    with pytest.raises(StoreCannotRun) as refusal:
        PrivateMongod(folder).start()

    assert str(refusal.value) == (
        "the private mongod cannot run here: wrong architecture. "
        "Set MONGODB_URL to a server of your own."
    )


class Struck(PrivateMongod):
    """Is killed when it listens and is not usable yet."""

    def make_usable(self, deadline):
        self._wait_for_socket(deadline)
        os.kill(pid_of(self), signal.SIGKILL)
        self.process.wait()
        super().make_usable(deadline)


def test_a_mongod_that_dies_before_it_is_usable_is_not_waited_for(folder):
    begin = time.monotonic()

    with pytest.raises(StoreCannotRun, match="it ended at its start"):
        Struck(folder).start()

    # Whoever keeps it running stands still as long.
    assert time.monotonic() - begin < START_TIMEOUT_S / 3


def test_why_mongod_ended_is_said(folder):
    (folder / "mongo").mkdir(parents=True)
    (folder / "mongo" / "storage.bson").write_text("not a database")

    with pytest.raises(StoreCannotRun, match=r"it ended at its start \(.+\)\. Set MONGODB_URL"):
        PrivateMongod(folder).start()


def test_mongod_can_borrow_libcurl_from_pycurl(folder):
    store = PrivateMongod(folder)
    store.folder.mkdir(parents=True)
    (libcurl,) = store.libraries_of_pycurl()
    lent = store.lend(libcurl)

    program = store.program_of_wheel()
    linked = subprocess.run([*lent, "ldd", program], capture_output=True, text=True, timeout=20)
    told = subprocess.run([*lent, program, "--version"], capture_output=True, text=True, timeout=20)

    assert f"libcurl.so.4 => {store.folder}/lib/libcurl.so.4" in linked.stdout
    assert told.stdout.startswith("db version v6.0.5")
