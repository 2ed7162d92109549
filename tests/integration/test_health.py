"""What probes and monitors are told, by a running server."""

import os
import signal
import urllib.request
from contextlib import contextmanager

import pytest

from tests.support.processes import wait_until

pytestmark = pytest.mark.timeout(120)

TOKEN = "a-token-for-the-monitor"


@contextmanager
def stopped(pid):
    """A process that takes connections and answers nothing, as one does on a dying disk."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_with_everything_it_needs_is_ready(server):
    status, answer = server().get_json("/readyz")

    assert status == 200
    assert answer["status"] == "ok"
    assert {name: check["ok"] for name, check in answer["checks"].items()} == {
        "mongodb": True,
        "valkey": True,
        "pubsub": True,
    }
    assert all(isinstance(check["ms"], int) for check in answer["checks"].values())


@pytest.mark.parametrize(
    ("program", "unready"),
    [("valkey-server", {"valkey", "pubsub"}), ("mongod", {"mongodb"})],
)
def test_a_server_says_which_store_it_waits_for_and_goes_on_living(server, program, unready):
    running = server(MONGODB_URL="")

    with stopped(running.store_pid(program)):
        status, answer = running.get_json("/readyz")
        alive, _ = running.get_json("/healthz")

    assert status == 503
    assert answer["status"] == "unavailable"
    assert {name for name, check in answer["checks"].items() if not check["ok"]} == unready
    assert all("no answer within" in answer["checks"][name]["reason"] for name in unready)
    assert alive == 200
    wait_until(lambda: running.get_json("/readyz")[0] == 200, what="readiness")


def test_being_alive_names_the_worker(server):
    status, answer = server().get_json("/healthz")

    assert status == 200
    assert answer["status"] == "ok"
    assert answer["worker"].startswith("w1x")


def test_a_probe_is_not_redirected_to_https_and_a_page_is(server):
    running = server(DEBUG="false", HTTPS="true", SECRET_KEY="k" * 60)

    assert running.get("/healthz")[0] == 200
    assert running.get("/readyz")[0] == 200
    with pytest.raises(urllib.error.URLError):  # to https, which nobody speaks here
        running.get("/")


def test_figures_are_for_whoever_has_the_token(server):
    running = server(DEBUG="false", HTTPS="false", SECRET_KEY="k" * 60, METRICS_TOKEN=TOKEN)

    assert running.get("/metrics")[0] == 404
    request = urllib.request.Request(
        running.url + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        figures = answer.read().decode()
    assert "readrealm_loop_lag_seconds_count" in figures
    assert 'readrealm_worker{id="w1x' in figures
    assert "process_resident_memory_bytes" in figures


def test_production_shows_no_figures_without_a_token(server):
    running = server(DEBUG="false", HTTPS="false", SECRET_KEY="k" * 60)

    assert running.get("/metrics")[0] == 404


def test_production_serves_static_files_with_hashes_for_ever(server):
    running = server(DEBUG="false", HTTPS="false", SECRET_KEY="k" * 60)
    collected = running.folder / "static" / "vendor" / "socket.io-client"
    (library,) = collected.glob("socket.io.esm.min.*.js")

    with urllib.request.urlopen(
        f"{running.url}/static/vendor/socket.io-client/{library.name}", timeout=10
    ) as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert b"sourceMappingURL" in answer.read()


def test_admin_answers_under_the_content_security_policy(server):
    with urllib.request.urlopen(server().url + "/admin/login/", timeout=10) as answer:
        policy = answer.headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert "require-trusted-types-for" not in policy
