"""`manage.py serve` as an operator meets it: workers, signals, deaths, and what is left behind."""

import os
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from readrealm.stores import processes
from tests.conftest import serving
from tests.integration.attendance import in_order, wait_until_all_are_ready
from tests.support.processes import PYTHON, Program, command_of, wait_until, wait_until_gone

pytestmark = pytest.mark.timeout(120)

ENGINE, VOICE_WORKER = ATTENDANTS = ["manage.py realtime_engine", "manage.py voice_worker"]


@pytest.fixture
def running(shared_server):
    """Two workers and stores of their own, in order whatever became of them before."""
    return in_order(shared_server(workers=2, MONGODB_URL=""))


@pytest.fixture
def data_dir(prepared_folder, tmp_path):
    """A DATA_DIR with which a start need not wait for its tables."""
    return shutil.copytree(prepared_folder, tmp_path / "data")


def worker_that_answers(server):
    """Asked over a connection of its own, so any worker may take it."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_both_answer(server):
    """Come back when each of two workers has answered, and with nothing but success."""
    seen = set()

    def all_seen():
        seen.add(worker_that_answers(server))
        return len(seen) == 2

    wait_until(all_seen, what="an answer of each worker", timeout_s=45)
    assert {status for status, _ in seen} == {200}


def test_every_worker_serves_behind_one_port(running):
    wait_until_both_answer(running)


def test_a_dead_worker_is_replaced(running):
    victim, other = running.worker_pids()
    name, said = processes.identity(victim), len(running.running.lines)

    os.kill(victim, signal.SIGKILL)
    running.running.wait_for_line(
        r"worker w\dx\w+ ended \(killed by SIGKILL\); another one starts", after=said
    )
    wait_until(lambda: len(running.worker_pids()) == 2, what="two workers again")

    wait_until_gone([name])
    assert other in running.worker_pids()
    wait_until_both_answer(running)


@dataclass(frozen=True)
class Stopped:
    """A server that was asked to end, with stores of its own.

    Attributes:
        greeting: what it said until it served.
        below: identities of what ran below it just before, in the order of ``commands``.
        output: everything that it said.
    """

    greeting: list[str]
    below: list[str]
    commands: list[str]
    folder: Path
    output: str
    status: int

    def count(self, command):
        """How many processes below it had this in their command line."""
        return sum(command in each for each in self.commands)


@pytest.fixture(
    scope="module",
    params=[
        (signal.SIGINT, {"REALTIME_ENGINE_ADDRESS": "127.0.0.1:9"}, [VOICE_WORKER]),
        (signal.SIGTERM, {}, ATTENDANTS),
    ],
    ids=["SIGINT, engine elsewhere", "SIGTERM"],
)
def stopped(request):
    """One that ends by either signal, with everything that may attend its workers."""
    number, variables, attendants = request.param
    with serving(request) as start:
        server = start(workers=2, MONGODB_URL="", VOICE="true", **variables)
        greeting = list(server.running.lines)
        wait_until(lambda: all(map(server.pids_of, attendants)), what="everything to run")
        below = server.running.descendants()
        commands = [command_of(int(known.partition(":")[0])) for known in below]
        server.running.send_signal(number)
        status = server.running.wait()
        yield Stopped(greeting, below, commands, server.folder, server.running.output, status)


def test_every_step_is_said_and_the_address_comes_last(stopped):
    said = stopped.greeting

    assert "development mode" in said[0]
    assert [line for line in said if "database up to date" in line]
    assert said[-1].startswith("ReadRealm is at http://127.0.0.1:")


def test_a_stopped_server_leaves_nothing_running(stopped):
    assert stopped.status == 0
    assert stopped.count("manage.py worker") == 2
    assert stopped.count("mongod ") == stopped.count("valkey-server ") == 1
    assert stopped.count(VOICE_WORKER) == 1
    assert not any(map(processes.is_running, stopped.below))
    assert list((stopped.folder / "run").glob("*.sock")) == []


def test_an_engine_runs_unless_somebody_else_runs_one(stopped, request):
    is_elsewhere = "engine elsewhere" in request.node.callspec.id

    assert stopped.count(ENGINE) == (0 if is_elsewhere else 1)


def test_stores_end_after_the_workers_that_use_them(stopped):
    said = stopped.output

    assert said.index("every worker has ended") < said.index("the private Valkey has ended")
    assert said.index("the private Valkey has ended") < said.index("the private mongod has ended")


def test_a_killed_supervisor_leaves_nothing_running(server):
    running = server(MONGODB_URL="")
    below = running.running.descendants()
    assert len(below) == 3  # a worker, mongod, Valkey

    running.running.send_signal(signal.SIGKILL)

    wait_until_gone(below)


def test_a_worker_that_hangs_does_not_outlive_a_killed_supervisor(data_dir):
    stuck = ("--application", "tests.support.stuck:application")
    program = serve(*stuck, DATA_DIR=str(data_dir), DRAIN_S="0", PORT="0")
    try:
        address = program.wait_for_line(r"http://127.0.0.1:(\d+)")
        connection = HTTPConnection("127.0.0.1", int(address[1]), timeout=20)
        connection.request("GET", "/")
        program.wait_for_line("^stuck$")
        below = program.descendants()

        program.send_signal(signal.SIGKILL)

        wait_until_gone(below)
        connection.close()
    finally:
        program.end()


def test_a_server_that_is_stopped_while_it_starts_leaves_nothing_running(tmp_path):
    program = serve(DATA_DIR=str(tmp_path), MONGODB_URL="", REDIS_URL="", PORT="0")
    try:
        program.wait_for_line("the private mongod started")
        below = program.descendants()
        assert below

        program.send_signal(signal.SIGTERM)

        program.wait()
        wait_until_gone(below)
    finally:
        program.end()


def test_make_takes_the_server_with_it(data_dir):
    command = f"{PYTHON} manage.py serve --workers 1 --exit-with-parent; true"
    environment = {**os.environ, "DATA_DIR": str(data_dir), "REDIS_URL": "", "PORT": "0"}
    parent = Program(["sh", "-c", command], environment=environment)
    try:
        parent.wait_for_line("ReadRealm is at")
        below = parent.descendants()
        assert len(below) == 3  # the supervisor, a worker, Valkey

        parent.send_signal(signal.SIGKILL)

        wait_until_gone(below)
    finally:
        parent.end()


def test_a_server_goes_with_its_terminal(data_dir):
    terminal, inside = os.openpty()
    program = serve(stdin=inside, DATA_DIR=str(data_dir), PORT="0")
    try:
        os.close(inside)
        program.wait_for_line("ReadRealm is at")
        below = program.descendants()

        os.close(terminal)

        assert program.wait() == 0
        assert not any(map(processes.is_running, below))
    finally:
        program.end()


def test_a_rolling_restart_replaces_every_worker_and_loses_no_request(running):
    before = set(running.worker_pids())
    answers, is_over = [], threading.Event()

    def ask():
        # Not without a rest, which would take the processors that the new workers start on.
        while not is_over.wait(0.01):
            answers.append(worker_that_answers(running)[0])

    readers = [threading.Thread(target=ask) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        said = len(running.running.lines)
        running.running.send_signal(signal.SIGHUP)
        running.running.wait_for_line("every worker was replaced", timeout_s=60, after=said)
    finally:
        is_over.set()
        for reader in readers:
            reader.join(20)

    assert not before & set(running.worker_pids())
    assert len(running.worker_pids()) == 2
    assert len(answers) > 20
    assert set(answers) == {200}


@pytest.mark.parametrize(
    ("program", "title"),
    [("mongod", "the private mongod"), ("valkey-server", "the private Valkey")],
)
def test_a_dead_store_is_started_again(running, program, title):
    said = len(running.running.lines)

    os.kill(running.store_pid(program), signal.SIGKILL)

    running.running.wait_for_line(f"{title} runs again", after=said)
    wait_until_all_are_ready(running)


def test_a_store_that_another_server_took_along_is_started_again(server, tmp_path):
    first = server(MONGODB_URL="")
    second = serve(
        **{**first.environment, "PORT": "0", "WORKERS": "1", "DATA_DIR": str(first.folder)}
    )
    try:
        second.wait_for_line("the private mongod was running, shared")
        second.wait_for_line("ReadRealm is at")

        first.stop()

        second.wait_for_line("the private mongod runs again")
        second.wait_for_line("the private Valkey runs again")
    finally:
        second.end()


def test_a_taken_port_is_said_before_anything_is_started(running, tmp_path):
    second = serve(DATA_DIR=str(tmp_path), MONGODB_URL="", PORT=str(running.port))

    assert second.wait() == 1
    assert f"port {running.port} on 127.0.0.1 is taken" in second.lines[-1]
    assert "started" not in second.output
    second.end()


def test_an_application_that_does_not_start_stops_everything(data_dir):
    program = serve(
        "--application", "readrealm.nowhere:application", DATA_DIR=str(data_dir), PORT="0"
    )
    try:
        assert program.wait(timeout_s=45) == 1
        assert "No module named 'readrealm.nowhere'" in program.output
        assert "did not start; what it said stands above" in program.lines[-1]
        assert program.descendants() == []
    finally:
        program.end()


def test_development_mode_is_not_opened_to_everybody_by_a_flag(tmp_path):
    program = serve("--host", "0.0.0.0", DATA_DIR=str(tmp_path), DEBUG="auto", PORT="0")

    assert program.wait() == 1
    assert "set HOST" in program.lines[-1]
    program.end()


def test_runstores_shows_urls_that_a_shell_can_read_and_ends_what_it_started(tmp_path):
    program = Program(
        [PYTHON, "manage.py", "runstores"],
        environment={
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "MONGODB_URL": "",
            "REDIS_URL": "",
        },
    )
    try:
        program.wait_for_line(r"^MONGODB_URL='mongodb://.*mongod\.sock/readrealm\?.*'$")
        program.wait_for_line(r"^REDIS_URL='unix://.*valkey\.sock'$")
        below = program.descendants()
        assert len(below) == 2

        program.send_signal(signal.SIGINT)

        assert program.wait() == 0
        assert not any(map(processes.is_running, below))
    finally:
        program.end()


def serve(*arguments, stdin=subprocess.PIPE, **variables):
    """A server that need not come as far as an address."""
    return Program(
        [PYTHON, "manage.py", "serve", "--workers", "1", *arguments],
        environment={**os.environ, "REDIS_URL": "", **variables},
        stdin=stdin,
    )


@pytest.mark.parametrize("command", ATTENDANTS)
def test_what_attends_the_workers_is_kept_running(shared_server, command):
    attended = in_order(shared_server(workers=1, VOICE="true"))
    wait_until(lambda: len(attended.pids_of(command)) == 1, what=f"{command} beside the worker")
    name, said = processes.identity(attended.pids_of(command)[0]), len(attended.running.lines)

    os.kill(attended.pids_of(command)[0], signal.SIGKILL)
    attended.running.wait_for_line(
        r"ended \(killed by SIGKILL\); it starts again in 1 s", after=said
    )

    wait_until(lambda: len(attended.pids_of(command)) == 1, what=f"{command} again")
    assert not processes.is_running(name)
