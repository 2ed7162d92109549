"""The files of `deploy/`, as far as a machine without Docker and a network can check them."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio
import yaml

from readrealm.settings.table import SETTINGS
from readrealm.socketio_bridge.forwarding import RELAY_HEADER
from tests.support.bridge import free_port, wait_for_port
from tests.support.processes import PYTHON, ROOT, Program
from tests.support.worker import Server

DEPLOY = ROOT / "deploy"
NAMES = {name for setting in SETTINGS for name in (setting.name, *setting.also)}
OF_IMAGES = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"}

pytestmark = pytest.mark.timeout(120)


def program(name: str) -> str:
    """Where a program is; the test is skipped without it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed on this machine")
    return found


def assignments(path: Path) -> dict[str, str]:
    """The variables of an environment file."""
    lines = path.read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


# Docker.


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return parsed


def test_compose_sets_what_readrealm_reads() -> None:
    ours = compose()["services"]["readrealm"]["environment"]

    assert set(ours) <= NAMES
    assert set(ours) >= {"MONGODB_URL", "REDIS_URL", "DATABASE_URL", "WORKERS"}
    assert set(assignments(DEPLOY / "compose.env.example")) <= NAMES | OF_IMAGES


def test_every_service_is_watched_pinned_and_started_again() -> None:
    services = compose()["services"]

    assert set(services) == {"mongodb", "valkey", "postgres", "readrealm", "nginx"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        assert name in {"nginx", "readrealm"} or "healthcheck" in service
        if name != "readrealm":
            # A name and a version, from wherever images come from on that machine.
            assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)?:\d[\w.]*", service["image"])
    needed = services["readrealm"]["depends_on"]
    assert set(needed) == {"mongodb", "valkey", "postgres"}
    assert {each["condition"] for each in needed.values()} == {"service_healthy"}


def test_stores_of_compose_cannot_be_reached_from_outside() -> None:
    parsed = compose()

    assert parsed["networks"]["stores"]["internal"] is True
    for name in ("mongodb", "valkey", "postgres"):
        assert parsed["services"][name]["networks"] == ["stores"]
        assert "ports" not in parsed["services"][name]
    assert "stores" not in parsed["services"]["nginx"]["networks"]


def test_files_that_compose_mounts_are_there() -> None:
    for volume in compose()["services"]["nginx"]["volumes"]:
        source = volume.partition(":")[0]
        assert source == "./tls" or (DEPLOY / source).is_file(), source


def copied() -> list[str]:
    """What the Dockerfile takes from the project."""
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    return [source for sources in copies if not sources[0].startswith("--") for source in sources]


def test_what_the_image_copies_is_there_and_let_through() -> None:
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()

    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert {f"!{source}" for source in copied()} == {
        line for line in ignore if line.startswith("!")
    }
    assert "*" in ignore


def test_the_image_has_every_app_and_none_of_the_tests() -> None:
    from django.conf import settings

    apps = {name.partition(".")[0] for name in settings.INSTALLED_APPS}
    ours = {name for name in apps if (ROOT / name).is_dir()}

    assert ours <= set(copied())
    assert "tests" not in copied()
    assert not any("dev" in source or "stores" in source for source in copied())


def test_the_image_runs_without_privileges_and_is_pinned() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.M)
    last = text.rpartition("\nFROM ")[2]

    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]+", stage) for stage in stages)
    assert re.search(r"^USER 10001", last, re.M)
    assert "pip install" not in last
    names = set(re.findall(r"^(?:ENV |    )([A-Z_]+)=", last, re.M))
    assert names - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} <= NAMES


# systemd.


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    unit = (DEPLOY / "systemd" / "readrealm.service").read_text()
    assert "/opt/readrealm/.venv/bin/python" in unit
    here = tmp_path / "readrealm.service"
    here.write_text(unit.replace("/opt/readrealm/.venv/bin/python", PYTHON))

    run = subprocess.run(
        [analyze, "verify", "--man=no", str(here)], capture_output=True, text=True, timeout=60
    )

    assert "readrealm" not in run.stderr, run.stderr
    assert run.returncode == 0, run.stderr


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    unit = DEPLOY / "systemd" / "readrealm.service"

    run = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=25", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unrecognized option" in run.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")

    assert run.returncode == 0, run.stdout[-400:]


def test_the_unit_sets_what_readrealm_reads() -> None:
    unit = (DEPLOY / "systemd" / "readrealm.service").read_text()
    (line,) = re.findall(r"^Environment=(.*)", unit, re.M)

    names = {pair.partition("=")[0] for pair in line.split()}
    assert names - {"PYTHONUNBUFFERED"} <= NAMES
    assert set(assignments(DEPLOY / "systemd" / "readrealm.env.example")) <= NAMES


def test_the_example_is_refused_as_it_is_and_taken_when_its_secrets_are_changed(
    tmp_path: Path,
) -> None:
    example = assignments(DEPLOY / "systemd" / "readrealm.env.example")
    changed = {name: value.replace("change-me", "f8Lq2xZr") for name, value in example.items()}

    refused, taken = (checked(values, tmp_path) for values in (example, changed))

    assert refused.returncode == 1
    assert "readrealm.E002" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    assert "readrealm.W" not in taken.stderr + taken.stdout


def checked(values: Mapping[str, str], data_dir: Path) -> "subprocess.CompletedProcess[str]":
    """`manage.py check --deploy` with nothing else in the environment that matters."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "ERROR"],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(data_dir), **values},
        capture_output=True,
        text=True,
        timeout=60,
    )


# nginx.


def test_the_relay_between_workers_is_closed_to_clients() -> None:
    configuration = (DEPLOY / "nginx" / "readrealm.conf").read_text()

    assert re.search(rf'proxy_set_header {RELAY_HEADER.decode()}\s+"";', configuration, re.I)


@contextmanager
def nginx_before(port: int, folder: Path) -> Iterator[tuple[int, int]]:
    """nginx with our configuration; its plain port and its TLS port."""
    plain, tls = free_port(), free_port()
    (folder / "tls").mkdir(parents=True)
    subprocess.run(
        [
            *(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-keyout", str(folder / "tls" / "privkey.pem"), "-subj", "/CN=localhost"),
            *("-out", str(folder / "tls" / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    site = (DEPLOY / "nginx" / "readrealm.conf").read_text().replace("/etc/nginx", str(folder))
    site = re.sub(r"\n *listen \[::\]:.*", "", site)
    site = site.replace("listen 80 ", f"listen 127.0.0.1:{plain} ")
    site = site.replace("listen 443 ", f"listen 127.0.0.1:{tls} ")
    (folder / "site.conf").write_text(site)
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text()
    (folder / "readrealm-upstream.conf").write_text(upstream.replace(":8000", f":{port}"))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30)
    assert tested.returncode == 0, tested.stderr
    running = Program(command)
    try:
        wait_for_port(tls, running)
        yield plain, tls
    finally:
        running.end()


def test_readers_come_through_nginx_on_both_transports_without_stickiness(
    server: Callable[..., Server], tmp_path: Path
) -> None:
    program("nginx")
    running = server(
        workers=2,
        DEBUG="false",
        HTTPS="true",
        TRUST_PROXY_HEADERS="true",
        SECRET_KEY="k" * 60,
        SOCKET_AUTH="optional",
        METRICS_TOKEN="a-token-for-the-monitor",
    )

    with nginx_before(running.port, tmp_path) as (plain, tls):
        said = asyncio.run(conversation(f"https://127.0.0.1:{tls}"))
        redirect = redirected(f"http://127.0.0.1:{plain}/books?x=1")

    assert {transport: len(heard) for transport, heard in said.items()} == {
        "websocket": 6,
        "polling": 6,
    }
    assert said["websocket"] == said["polling"]
    assert redirect == "https://127.0.0.1/books?x=1"


async def conversation(url: str) -> dict[str, list[str]]:
    """What a reader on each transport heard of six messages."""
    clients = {name: socketio.AsyncSimpleClient(ssl_verify=False) for name in TRANSPORTS}
    for name, client in clients.items():
        await client.connect(url, transports=[name])
        reader = {"bookId": 1, "userId": name, "username": name}
        assert (await client.call("joinRoom", reader, timeout=10))["ok"]
    for number in range(6):
        name = TRANSPORTS[number % 2]
        said = {"bookId": 1, "userId": name, "username": name, "content": str(number)}
        assert (await clients[name].call("chatMessage", said, timeout=10))["ok"]
    heard = {name: await messages(client) for name, client in clients.items()}
    for client in clients.values():
        await client.disconnect()
    return heard


TRANSPORTS = ("websocket", "polling")


async def messages(client: Any) -> list[str]:
    found: list[str] = []
    while len(found) < 6:
        event, *args = await client.receive(timeout=10)
        if event == "newMessage":
            found.append(json.dumps(args[0], sort_keys=True))
    return found


def redirected(url: str) -> str:
    """Where a plain request is sent."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open(url, timeout=10)
    assert caught.value.code == 301
    location: str = caught.value.headers["Location"]
    return location
