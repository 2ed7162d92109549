"""The category:action routes on a running server, through a client that is not ours."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.support.routes import RoutesClient, chunk
from tests.support.worker import Server

SOUND = b"\x1a\x45\xdf\xa3" + bytes(60)


@pytest.fixture
def site(shared_server: StartServer) -> Server:
    """Two workers behind one port, for all tests of this file; sessions have ids of their own."""
    return shared_server(workers=2)


class Clients:
    """Opens clients that end with the test."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url, self._stack = url, stack
        self.opened = 0

    async def open(self, **auth: Any) -> RoutesClient:
        self.opened += 1
        return await self._stack.enter_async_context(RoutesClient(self.url, auth=auth or None))

    async def on_both_workers(self) -> tuple[RoutesClient, RoutesClient]:
        """Two clients on different workers."""
        first = await self.open()
        for _ in range(40):
            second = await self.open()
            if second.sid.partition(".")[0] != first.sid.partition(".")[0]:
                return first, second
        raise AssertionError("every connection went to one worker")


@pytest.fixture
async def clients(site: Server) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(site.url, stack)


def new_id() -> str:
    return f"test:{secrets.token_hex(6)}"


async def test_the_documented_example_is_answered_in_order_without_waiting(
    clients: Clients,
) -> None:
    worker, client = await clients.open(role="worker"), await clients.open()
    session = new_id()

    await client.emit(
        "session:start", {"sessionId": session, "metadata": {"clientId": "client_456"}}
    )
    await client.emit("audio:start", {"sessionId": session})
    await client.emit("audio:chunk", chunk(session, 1, SOUND))
    processed = await client.wait_for("audio:chunk:processed")

    assert client.names()[:3] == ["connectionStatus", "connection:welcome", "connected"]
    assert client.names()[3:] == ["session:started", "audio:started", "audio:chunk:processed"]
    started = client.named("session:started")[0]
    assert started["success"] is True
    assert started["data"]["status"] == "active"
    assert started["data"]["metadata"]["clientId"] == "client_456"
    assert client.named("audio:started")[0]["data"]["status"] == "streaming"
    assert processed["data"]["seq"] == 1
    assert isinstance(processed["data"]["processedAt"], int)
    command = await worker.wait_for("command:process")
    assert command.keys() == {"sessionId", "action", "data", "timestamp"}
    assert (command["sessionId"], command["action"]) == (session, "process_webm")
    assert command["data"] == {
        "mimeType": "audio/webm",
        "seq": 1,
        "base64": chunk(session, 1, SOUND)["base64"],
    }
    assert "command:process" not in client.names()


async def test_a_session_runs_through_its_states(clients: Clients) -> None:
    client = await clients.open()
    start = await client.ask("session:start")
    session = start["data"]["sessionId"]
    assert re.fullmatch(r"session_\d{13}_[0-9a-z]{9}", session)
    assert start["data"]["metadata"]["clientId"] == client.sid
    about = {"sessionId": session}

    assert (await client.chunk(session, 1, SOUND))["code"] == "STREAM_NOT_ACTIVE"
    assert (await client.ask("session:resume", about))["code"] == "INVALID_STATE"
    assert (await client.ask("audio:start", about))["data"]["status"] == "streaming"
    assert (await client.ask("audio:start", about))["success"] is True
    assert (await client.ask("session:pause", about))["data"]["status"] == "paused"
    assert (await client.ask("session:pause", about))["code"] == "INVALID_STATE"
    assert (await client.ask("audio:start", about))["code"] == "INVALID_STATE"
    assert (await client.chunk(session, 1, SOUND))["code"] == "INVALID_STATE"
    assert (await client.ask("session:resume", about))["data"]["status"] == "active"
    assert (await client.chunk(session, 1, SOUND))["success"] is True
    assert (await client.ask("audio:stop", about))["data"]["status"] == "stopped"
    assert (await client.ask("audio:stop", about))["data"]["status"] == "stopped"
    ended = await client.ask("session:end", about)
    assert ended["success"], ended
    assert ended["data"]["status"] == "ended"
    assert ended["data"]["statistics"] == {"chunks": 1, "duplicates": 0, "missing": 0}
    assert (await client.ask("session:end", about))["code"] == "INVALID_STATE"
    assert (await client.chunk(session, 2, SOUND))["code"] == "INVALID_STATE"
    assert (await client.ask("session:start", about))["code"] == "SESSION_EXISTS"


async def test_chunks_are_kept_once_and_gaps_are_counted(clients: Clients) -> None:
    worker, client = await clients.open(role="worker"), await clients.open()
    session = new_id()
    await client.ask("session:start", {"sessionId": session})
    await client.ask("audio:start", {"sessionId": session})

    for seq in (1, 2, 5, 4, 9):
        assert "duplicate" not in (await client.chunk(session, seq, SOUND))["data"]
    again = await client.chunk(session, 4, SOUND)
    ended = await client.ask("session:end", {"sessionId": session})

    assert again["data"]["duplicate"] is True
    assert ended["data"]["statistics"] == {"chunks": 5, "duplicates": 1, "missing": 4}
    await worker.wait_for("command:process", 5)
    heard = [data["data"]["seq"] for data in worker.named("command:process")]
    assert heard == [1, 2, 5, 4, 9]


async def test_nobody_else_may_touch_a_session(clients: Clients) -> None:
    owner, stranger = await clients.on_both_workers()
    session = new_id()
    first = await owner.ask("session:start", {"sessionId": session})
    again = await owner.ask("session:start", {"sessionId": session})
    assert again["data"]["startTime"] == first["data"]["startTime"]

    assert (await stranger.ask("session:start", {"sessionId": session}))["code"] == "SESSION_EXISTS"
    for event in ("session:end", "session:pause", "session:resume", "audio:start", "audio:stop"):
        assert (await stranger.ask(event, {"sessionId": session}))["code"] == "FORBIDDEN"
        assert (await stranger.ask(event, {"sessionId": new_id()}))["code"] == "SESSION_NOT_FOUND"
    assert (await stranger.chunk(session, 1, SOUND))["code"] == "FORBIDDEN"


async def test_only_workers_may_report(clients: Clients) -> None:
    client = await clients.open()
    result = {"sessionId": "x", "speaking": True, "atMs": 0}
    report = {"stream": 1, "term": 1, "result": result}

    assert (await client.ask("worker:vad", report))["code"] == "FORBIDDEN"
    worker = await clients.open(role="worker")
    assert (await worker.ask("worker:vad", report))["code"] == "FORBIDDEN"
    assert (await worker.ask("worker:vad", {"stream": 0}))["code"] == "VALIDATION_ERROR"


async def test_two_workers_agree_about_the_configuration(clients: Clients) -> None:
    one, two = await clients.on_both_workers()
    worker = await clients.open(role="worker")
    update = {"key": "threshold", "value": 0.02, "category": "vad"}

    updated = await one.ask("config:update", update)
    read = await two.ask("config:get", {"category": "vad"})
    command = await worker.wait_for("command:process")
    reset = await two.ask("config:reset", {"category": "vad"})
    everything = await one.ask("config:get")

    assert updated["data"].items() >= update.items()
    assert read["data"]["config"]["threshold"] == 0.02
    assert (command["sessionId"], command["action"], command["data"]) == (
        "global",
        "configure",
        update,
    )
    assert reset["data"] == {
        "category": "vad",
        "action": "reset",
        "timestamp": reset["data"]["timestamp"],
    }
    restored = await worker.wait_for("command:process", 2)
    assert restored["data"] == {"category": "vad", "key": "threshold", "value": 0.5}
    assert everything["data"]["category"] == "all"
    assert everything["data"]["config"]["vad"]["threshold"] == 0.5


async def test_the_figures_are_those_of_the_whole_cluster(clients: Clients) -> None:
    one, two = await clients.on_both_workers()
    # Clients of tests before this one are on their way out.
    async with asyncio.timeout(20):
        while (await one.ask("system:status"))["data"]["connections"] != clients.opened:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # the workers tell each other their counts now and then
    health = (await two.ask("system:health"))["data"]
    stats = (await one.ask("system:stats"))["data"]

    assert health["health"] == "healthy"
    assert health["checks"] == {"redis": True, "mongo": True}
    assert health["memory"].keys() == {"rss", "heapTotal", "heapUsed", "external"}
    assert 10_000_000 < health["memory"]["heapUsed"] < health["memory"]["rss"]
    assert stats["platform"] == "linux"
    assert re.fullmatch(r"v3\.\d+\.\d+", stats["nodeVersion"])
    assert 0 < stats["uptime"] < 3_600


async def test_a_worker_needs_its_token_when_sockets_need_an_account(server: StartServer) -> None:
    from speech.routes.conf import worker_token

    key = "a key that everybody in this test shares " * 2
    running = server(
        SOCKET_AUTH="required", SECRET_KEY=key, DEBUG="true", VOICE_WORKER_TOKEN="t" * 20
    )
    assert worker_token() != "t" * 20
    for wrong in ({"role": "worker"}, {"role": "worker", "token": "wrong"}, {}):
        with pytest.raises(Exception, match="failed to connect"):
            async with RoutesClient(running.url, auth=wrong):
                pass

    async with RoutesClient(running.url, auth={"role": "worker", "token": "t" * 20}) as worker:
        denied = await worker.ask("config:reset")
        assert denied["code"] == "FORBIDDEN"
