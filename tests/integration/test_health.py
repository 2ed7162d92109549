"""What probes, monitors and logs are told, by a running server."""

import http.client
import json
import os
import re
import signal
import urllib.request
from collections import Counter
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
import redis
import socketio
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.attendance import in_order, wait_until_all_are_ready
from tests.support.processes import wait_until

pytestmark = pytest.mark.timeout(120)

TOKEN = "a-token-for-the-monitor"
READER = {"bookId": 2701, "userId": "u1", "username": "ada"}
MARKER = "whalebone-7f3a"


@pytest.fixture
def running(shared_server):
    """Two workers and stores of their own, in order whatever was done to them before."""
    return in_order(shared_server(workers=2, MONGODB_URL=""))


def figures_of(running):
    """Every sample of a scrape: name and labels but the worker's, summed over the workers."""
    status, text = running.get("/metrics")
    assert status == 200, text
    sums = Counter()
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            others = sorted(item for item in sample.labels.items() if item[0] != "worker")
            sums[sample.name, *(f"{name}={value}" for name, value in others)] += sample.value
    return sums


def workers_up(running):
    """1 or 0 for each worker that the one that is asked knows of."""
    _, text = running.get("/metrics")
    return {
        sample.labels["worker"]: sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == "readrealm_worker_up"
    }


@asynccontextmanager
async def on_both_workers(running):
    """Clients of the public library, as many as it takes until each of two workers has one."""
    clients = []
    try:
        while len({client.sid.partition(".")[0] for client in clients}) < 2:
            assert len(clients) < 40, "the workers do not take turns"
            clients.append(socketio.AsyncSimpleClient(reconnection=False))
            await clients[-1].connect(running.url, transports=["websocket"])
        yield clients
    finally:
        for client in clients:
            await client.disconnect()


@asynccontextmanager
async def connected(running, count):
    """Clients of the public library, each on a socket of its own."""
    clients = []
    try:
        for _ in range(count):
            clients.append(socketio.AsyncSimpleClient(reconnection=False))
            await clients[-1].connect(running.url, transports=["websocket"])
        yield clients
    finally:
        for client in clients:
            await client.disconnect()


@contextmanager
def stopped(pid):
    """A process that takes connections and answers nothing, as one does on a dying disk."""
    os.kill(pid, signal.SIGSTOP)
    # One thread after the other hears of it, and until then answers.
    wait_until(lambda: states_of_threads(pid) == {"T"}, what="every thread to stand still")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def states_of_threads(pid):
    """The letters of proc(5) for what they do."""
    files = Path(f"/proc/{pid}/task").glob("*/stat")
    return {file.read_text().rpartition(")")[2].split()[0] for file in files}


def test_a_server_with_everything_it_needs_is_ready(running):
    status, answer = running.get_json("/readyz")

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
def test_a_server_says_which_store_it_waits_for_and_goes_on_living(running, program, unready):
    with stopped(running.store_pid(program)):
        status, answer = running.get_json("/readyz")
        alive, _ = running.get_json("/healthz")

    assert status == 503
    assert answer["status"] == "unavailable"
    assert {name for name, check in answer["checks"].items() if not check["ok"]} == unready
    assert all("no answer within" in answer["checks"][name]["reason"] for name in unready)
    assert alive == 200
    wait_until_all_are_ready(running)


def test_a_server_that_is_deaf_says_so(running):
    with redis.Redis.from_url(running.redis_url) as valkey:
        valkey.execute_command("ACL", "SETUSER", "default", "resetchannels")
        try:
            status, answer = running.get_json("/readyz")
        finally:
            valkey.execute_command("ACL", "SETUSER", "default", "allchannels")

    assert status == 503
    assert {name for name, check in answer["checks"].items() if not check["ok"]} == {"pubsub"}
    wait_until_all_are_ready(running)


async def test_a_worker_that_drains_is_not_ready_for_whoever_still_asks_it(server):
    running = server(DRAIN_S="30")
    client = socketio.AsyncSimpleClient(reconnection=False)
    await client.connect(running.url, transports=["websocket"])
    assert (await client.call("joinRoom", READER, timeout=10))["ok"]
    probe = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)

    def asked():
        probe.request("GET", "/readyz")
        answer = probe.getresponse()
        return answer.status, json.loads(answer.read())["status"]

    assert asked() == (200, "ok")
    # A farewell that Valkey does not answer keeps the worker from ending at once.
    with stopped(running.store_pid("valkey-server")):
        os.kill(running.worker_pids()[0], signal.SIGTERM)
        wait_until(lambda: asked() == (503, "draining"), what="the drain", timeout_s=25)
    await client.disconnect()
    probe.close()


def test_being_alive_names_the_worker(running):
    status, answer = running.get_json("/healthz")

    assert status == 200
    assert answer["status"] == "ok"
    assert re.fullmatch(r"w[12]x[0-9a-f]{6}", answer["worker"])


@pytest.fixture
def measured(shared_server):
    """A server in earnest that shows its figures to whoever has the token."""
    return shared_server(DEBUG="false", HTTPS="false", SECRET_KEY="k" * 60, METRICS_TOKEN=TOKEN)


@pytest.fixture
def encrypted(shared_server):
    """A server in earnest behind something that speaks TLS, with no token for its figures."""
    return shared_server(DEBUG="false", HTTPS="true", SECRET_KEY="k" * 60)


def test_a_probe_is_not_redirected_to_https_and_a_page_is(encrypted):
    assert encrypted.get("/healthz")[0] == 200
    assert encrypted.get("/readyz")[0] == 200
    # Not followed: nobody speaks TLS here, and to find that out takes as long as one is patient.
    page = http.client.HTTPConnection("127.0.0.1", encrypted.port, timeout=10)
    with closing(page):
        page.request("GET", "/")
        answer = page.getresponse()
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://127.0.0.1:{encrypted.port}/"


def test_production_shows_no_figures_without_a_token(encrypted):
    assert encrypted.get("/metrics")[0] == 404


def test_figures_are_for_whoever_has_the_token(measured):
    assert measured.get("/metrics")[0] == 404
    request = urllib.request.Request(
        measured.url + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        figures = answer.read().decode()
    assert "readrealm_loop_lag_seconds_count" in figures
    assert 'readrealm_worker_up{worker="w1x' in figures
    assert "process_resident_memory_bytes" in figures


def test_production_serves_static_files_with_hashes_for_ever(measured):
    collected = measured.folder / "static" / "vendor" / "socket.io-client"
    (library,) = collected.glob("socket.io.esm.min.*.js")

    with urllib.request.urlopen(
        f"{measured.url}/static/vendor/socket.io-client/{library.name}", timeout=10
    ) as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert b"sourceMappingURL" in answer.read()


def test_admin_answers_under_the_content_security_policy(running):
    with urllib.request.urlopen(running.url + "/admin/login/", timeout=10) as answer:
        policy = answer.headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert "require-trusted-types-for" not in policy


async def test_one_scrape_tells_of_every_worker_behind_the_port(running):
    before = figures_of(running)

    async with on_both_workers(running) as clients:
        workers = {client.sid.partition(".")[0] for client in clients}
        count = len(clients)
        for number, client in enumerate(clients):
            reader = {**READER, "userId": f"u{number}", "username": f"reader {number}"}
            assert (await client.call("joinRoom", reader, timeout=10))["ok"]
            said = {**reader, "content": MARKER, "clientMsgId": "c-1"}
            for _ in range(2):
                assert (await client.call("chatMessage", said, timeout=10))["ok"]
            refused = await client.call("chatMessage", {**reader, "content": ""}, timeout=10)
            assert refused["code"] == "VALIDATION_ERROR"
        figures, up = figures_of(running), workers_up(running)
    figures.subtract(before)

    assert up == dict.fromkeys(workers, 1)
    assert figures["readrealm_connections", "audience=/"] == count
    assert figures["readrealm_sessions", "transport=websocket"] == count
    assert figures["readrealm_rooms",] == 2  # one room, on two workers
    assert figures["readrealm_messages_total", "outcome=kept"] == count
    assert figures["readrealm_messages_total", "outcome=retried"] == count
    assert figures["readrealm_messages_total", "outcome=VALIDATION_ERROR"] == count
    assert figures["readrealm_events_total", "event=joinRoom", "outcome=ok"] == count
    assert figures["readrealm_ack_seconds_count", "event=chatMessage"] == 3 * count
    assert figures["readrealm_store_wait_seconds_count", "store=mongodb"] == 2 * count
    assert figures["readrealm_store_wait_seconds_count", "store=valkey"] >= count
    assert figures["readrealm_deliveries_total",] >= count**2  # a message of each for each
    assert figures["readrealm_fanout_seconds_count",] >= count
    assert figures["readrealm_gaps_given_up_total",] == 0
    assert figures["readrealm_publish_failures_total",] == 0
    assert figures["process_cpu_seconds_total",] > 0


def test_a_scrape_names_a_worker_that_does_not_answer(running):
    both = workers_up(running)

    with stopped(running.worker_pids()[0]):
        seen = {}
        # The frozen worker may be the one that accepts; a scraper comes again as well.
        for _ in range(10):
            try:
                _, text = running.get("/metrics", timeout_s=4)
            except OSError:
                continue
            seen = [line for line in text.decode().splitlines() if "worker_up{" in line]
            break

    assert sorted(both.values()) == [1, 1]
    assert sorted(line[-3:] for line in seen) == ["0.0", "1.0"]


async def test_no_label_holds_what_was_said_or_who_said_it(running):
    async with connected(running, 1) as (client,):
        reader = {**READER, "userId": MARKER, "username": MARKER}
        await client.call("joinRoom", reader, timeout=10)
        await client.call("chatMessage", {**reader, "content": MARKER}, timeout=10)
        await client.emit(MARKER, reader)
        await client.call("getPresence", {"bookId": 2701}, timeout=10)
        _, text = running.get("/metrics")

    assert MARKER not in text.decode()
    assert not re.search(r'="[^"]*2701', text.decode())


async def test_no_log_has_a_word_of_what_readers_say(server):
    running = server(workers=2, LOG_FORMAT="json", LOG_LEVEL="DEBUG", MONGODB_URL="")

    async with connected(running, 2) as clients:
        for number, client in enumerate(clients):
            reader = {**READER, "userId": f"u{number}", "username": f"reader {number}"}
            await client.call("joinRoom", reader, timeout=10)
            said = await client.call("chatMessage", {**reader, "content": MARKER}, timeout=10)
            about = {"bookId": 2701, "messageId": said["message"]["_id"]}
            await client.call("editMessage", {**about, "content": f"{MARKER}!"}, timeout=10)
            await client.call(
                "reportMessage", {**about, "reason": MARKER, "note": MARKER}, timeout=10
            )
            for wrong in ({**reader, "content": {MARKER: 1}}, MARKER, [MARKER], {MARKER: MARKER}):
                await client.call("chatMessage", wrong, timeout=10)
            await client.call("chatMessage", {**reader, "content": f"{MARKER}\0"}, timeout=10)
    async with connected(running, 1) as (client,):
        await client.call("joinRoom", READER, timeout=10)
        with stopped(running.store_pid("mongod")):
            said = {**READER, "content": MARKER}
            assert not (await client.call("chatMessage", said, timeout=15))["ok"]
    program = running.running
    running.stop()

    logs = {path: path.read_text(errors="replace") for path in running.folder.rglob("*.log")}
    assert logs, "the stores wrote no log"
    assert not [path for path, text in logs.items() if MARKER in text]
    assert MARKER not in program.output
    entries = [json.loads(line) for line in program.lines if line.startswith("{")]
    assert any(entry["event"].startswith("MongoDB does not answer") for entry in entries)
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*map(set, entries))
