"""The programs in the bridge's document make a server out of a new Django project."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from readrealm.stores import processes
from tests.contract.samples import ADDRESS, sample, samples
from tests.support.bridge import free_port
from tests.support.processes import ROOT, Program, wait_until

DOCUMENT = ROOT / "docs" / "bridge.md"
VALKEY = "redis://127.0.0.1:6379/0"
REFUSED = """{ ok: false, error: "invalid literal for int() with base 10: 'whale'" }"""
OURS = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def project(tmp_path: Path, redis_url: str) -> Path:
    """What Django makes, with the bridge and the files of the document in it."""
    django = [sys.executable, "-m", "django", "startproject", "library", str(tmp_path)]
    subprocess.run(django, check=True, timeout=30, env=environment())
    bridge = ROOT / "readrealm" / "socketio_bridge"
    shutil.copytree(bridge, tmp_path / "readrealm" / "socketio_bridge")
    for each in samples(DOCUMENT):
        if each.file is None:
            continue
        path = tmp_path / each.file
        adds = "at its end" in each.text.partition("\n")[0]
        before = path.read_text() if adds else ""
        path.write_text(before + each.text.replace(VALKEY, redis_url))
    return tmp_path


@pytest.fixture
def url(project: Path) -> Iterator[str]:
    """Where the project is served."""
    port = free_port()
    program = project / "serve.py"
    program.write_text(program.read_text().replace("8000", str(port)))
    log = project / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "serve.py"],
            cwd=project,
            env=environment(),
            stdout=output,
            stderr=output,
            preexec_fn=processes.tie(os.getpid()),
        )
        try:
            wait_until(lambda: is_listening(port) or server.poll(), what="the server")
            yield ADDRESS.replace("8000", str(port))
        finally:
            processes.stop(server, timeout_s=10)
    assert "Traceback" not in log.read_text(), log.read_text()


def environment() -> dict[str, str]:
    """Nothing of ReadRealm's settings."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_is_whole(project: Path) -> None:
    files = {each.file for each in samples(DOCUMENT) if each.file}

    assert files == {"library/consumers.py", "library/asgi.py", "library/settings.py", "serve.py"}
    assert not list(project.glob("readrealm/*.py")), "more than the bridge is there"


def test_the_client_is_answered_refused_and_told(url: str) -> None:
    client = Program(sample(DOCUMENT, "Around it", "js").at(url).command())
    try:
        client.wait_for_line("^heard Call me Ishmael\\.$")
    finally:
        client.end()

    joined, *refused, heard = client.lines
    assert joined == "{ ok: true }"
    assert " ".join("".join(refused).split()) == REFUSED
    assert heard == "heard Call me Ishmael."


def test_a_plain_socket_reaches_the_same_consumer(url: str) -> None:
    with connect(url.replace("http", "ws") + "/ws/rooms/42/", open_timeout=10) as plain:
        plain.send(json.dumps({"event": "join", "data": {"book": 42}, "id": 1}))
        assert json.loads(plain.recv(timeout=10)) == {"ack": 1, "data": {"ok": True}}
        plain.send(json.dumps({"event": "say", "data": {"book": 42, "words": "Ahoy"}, "id": 2}))
        heard = [json.loads(plain.recv(timeout=10)) for _ in range(2)]

    assert {"event": "said", "data": "Ahoy"} in heard
    assert {"ack": 2, "data": {"ok": True}} in heard
