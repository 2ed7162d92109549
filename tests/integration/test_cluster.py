"""Several workers and several hosts, without sticky sessions: any request may reach any worker."""

import asyncio
import contextlib
import itertools
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import websockets

from tests.conftest import SessionStores, StartServer, serving
from tests.integration.attendance import in_order
from tests.support.clients import NodeScript, run_node
from tests.support.worker import Server

CONNECT_MANY = """
    const [transports, count] = args;
    const one = () => new Promise((resolve, reject) => {
      const socket = io(url, { transports, forceNew: true, reconnection: false, timeout: 20000 });
      socket.on("connect_error", reject);
      socket.on("connect", async () => {
        const reader = { bookId: 9, userId: socket.id, username: "reader" };
        const ack = await socket.timeout(20000).emitWithAck("joinRoom", reader);
        resolve([socket, ack.ok, socket.io.engine.transport.name]);
      });
    });
    const opened = await Promise.allSettled(Array.from({ length: count }, one));
    const good = opened.filter((one) => one.status === "fulfilled").map((one) => one.value);
    say("opened", good.map(([socket, ok]) => [socket.id.split(".")[0], ok]),
        opened.filter((one) => one.status === "rejected").map((one) => String(one.reason)));
    process.exit(0);
"""

COUNT = 40


def connect_many(url: str, transports: list[str], count: int = COUNT) -> Counter[str]:
    """Connections by worker; each has joined a room and was answered."""
    ((_, opened, failures),) = run_node(CONNECT_MANY, url, transports, count, timeout_s=60)

    assert failures == []
    assert [ok for _, ok in opened] == [True] * count
    return Counter(worker for worker, _ in opened)


@pytest.fixture(scope="module")
def hosts(request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Two hosts of one cluster, with three workers and with two."""
    stores: SessionStores = request.getfixturevalue("session_stores")
    shared = {
        "MONGODB_URL": stores.url_of("two_hosts"),
        "REDIS_URL": request.getfixturevalue("redis_url"),
        "SECRET_KEY": "a key that both hosts of the cluster share " * 2,
        "DEBUG": "true",
    }
    with serving(request) as start:
        yield [start(workers=workers, **shared) for workers in (3, 2)]


@pytest.fixture
def running(hosts: list[Server]) -> Server:
    """The host with three workers, in order whatever was done to it before."""
    return in_order(hosts[0])


TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling", "websocket"], ["polling"], ["websocket"]], ids="+".join
)


@TRANSPORTS
def test_every_client_connects_to_workers_behind_one_socket(
    running: Server, transports: list[str]
) -> None:
    workers = connect_many(running.url, transports)

    assert len(workers) == 3


@contextlib.asynccontextmanager
async def round_robin(ports: list[int]) -> AsyncIterator[int]:
    """A proxy that gives each connection to the next server, as a load balancer may; its port."""
    turn = itertools.cycle(ports)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", next(turn))
        for ends in ((reader, behind_writer), (behind_reader, writer)):
            task = asyncio.ensure_future(pump(*ends))
            pumps.add(task)
            task.add_done_callback(pumps.discard)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()
        for task in pumps:
            task.cancel()


@TRANSPORTS
async def test_every_client_connects_to_two_hosts_behind_a_round_robin_proxy(
    running: Server, hosts: list[Server], transports: list[str]
) -> None:
    async with round_robin([host.port for host in hosts]) as port:
        url = f"http://127.0.0.1:{port}"
        workers = await asyncio.to_thread(connect_many, url, transports)

    assert len(workers) >= 4  # so both hosts are among them


def test_a_session_of_a_dead_worker_is_unknown_to_the_others(running: Server) -> None:
    status, opened = running.get("/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened[1:])["sid"]
    assert status == 200

    gone = "w9x000000." + sid.partition(".")[2]
    status, body = running.get(f"/socket.io/?EIO=4&transport=polling&sid={gone}")

    assert (status, json.loads(body)) == (400, {"code": 1, "message": "Session ID unknown"})


def test_nobody_relays_by_claiming_to_be_a_worker(running: Server) -> None:
    """The relay header means something only with the cluster's secret."""
    _, opened = running.get("/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened[1:])["sid"]

    forged = f"""
        const heads = {{ "x-bridge-relay": "guess;1;10.0.0.1" }};
        const asked = Array.from({{ length: 8 }}, () =>
          fetch(url + "/socket.io/?EIO=4&transport=polling&sid={sid}", {{
            method: "POST", headers: {{ ...heads, connection: "close" }}, body: "3" }}));
        say("statuses", (await Promise.all(asked)).map((answer) => answer.status));
        process.exit(0);
    """
    ((_, statuses),) = run_node(forged, running.url)

    assert statuses == [200] * 8


async def test_a_burst_of_connections_is_shared_out(running: Server) -> None:
    address = f"ws://127.0.0.1:{running.port}/socket.io/?EIO=4&transport=websocket"

    async def owner(stack: contextlib.AsyncExitStack) -> str:
        socket = await stack.enter_async_context(websockets.connect(address, open_timeout=30))
        handshake = await socket.recv()
        return str(json.loads(handshake[1:])["sid"]).partition(".")[0]

    async with contextlib.AsyncExitStack() as stack:
        workers = Counter(await asyncio.gather(*[owner(stack) for _ in range(150)]))

    assert len(workers) == 3
    assert max(workers.values()) <= 75


COME_BACK = """
    const [count] = args;
    const reader = (n) => ({ bookId: 5, userId: `u${n}`, username: `reader ${n}` });
    let told = 0;
    const reasons = [];
    const open = (n) => new Promise((resolve) => {
      const socket = io(url, {
        transports: ["websocket"], forceNew: true, reconnectionDelay: 100,
        reconnectionDelayMax: 500,
      });
      socket.on("serverRestart", ({ retryInMs }) => { told += retryInMs > 0 ? 1 : 0; });
      socket.on("disconnect", (reason) => reasons.push(reason));
      socket.on("connect", async () => {
        const ack = await socket.emitWithAck("joinRoom", reader(n));
        resolve([socket, ack.ok]);
      });
    });
    const opened = await Promise.all(Array.from({ length: count }, (_, n) => open(n)));
    const before = opened.map(([socket]) => socket.id);
    const back = opened.map(([socket]) => new Promise((resolve) => {
      socket.on("disconnect", () => socket.once("connect", () => resolve(socket.id)));
    }));
    say("open", opened.filter(([, ok]) => ok).length);
    await hear();
    const after = await Promise.all(back);
    say("back", after.length, told, [...new Set(reasons)],
        before.filter((id) => after.includes(id)).length);
    process.exit(0);
"""


def test_a_rolling_restart_loses_nobody(running: Server) -> None:
    first, said = set(running.worker_pids()), len(running.running.lines)
    with NodeScript(COME_BACK, running.url, 100) as readers:
        assert readers.expect("open", timeout_s=30) == [100]
        running.running.send_signal(signal.SIGHUP)
        readers.tell("restarting")
        count, told, reasons, same_sid = readers.expect("back", timeout_s=45)

    assert (count, reasons, same_sid) == (100, ["transport close"], 0)
    assert told >= 100
    running.running.wait_for_line("every worker was replaced", timeout_s=20, after=said)
    assert not first & set(running.worker_pids())


def test_a_drained_worker_closes_with_service_restart(server: StartServer) -> None:
    running = server(workers=1)

    async def close_code() -> Any:
        address = f"ws://127.0.0.1:{running.port}/socket.io/?EIO=4&transport=websocket"
        async with websockets.connect(address) as socket:
            await socket.recv()
            await socket.send("40")
            while not (await socket.recv()).startswith('42["connected"'):
                pass
            running.running.send_signal(signal.SIGTERM)
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    await socket.recv()
            return socket.close_code

    assert asyncio.run(close_code()) == 1012
    assert running.running.wait() == 0
