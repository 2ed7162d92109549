"""The clients that people use: npm's socket.io-client and python-socketio's, unchanged."""

import asyncio
from typing import Any

import pytest
import socketio

from tests.support.bridge import BridgeServer
from tests.support.clients import NodeScript, run_node

TRANSPORTS: dict[str, list[str] | None] = {
    "as it comes": None,
    "polling only": ["polling"],
    "websocket only": ["websocket"],
    "websocket first": ["websocket", "polling"],
}

OPEN = """
const [transports, path] = args;
const options = { path, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 50 };
if (transports) options.transports = transports;
const open = (namespace, more) => io(url + namespace, { ...options, ...more });
const transport = (socket) => socket.io.engine.transport.name;
const heard_once = (socket, event) => new Promise((done) =>
  socket.once(event, (...values) => done(values)));
"""
"""``open(namespace, options)``, ``transport(socket)`` and ``await heard_once(socket, event)``."""


def play(script: str, server: BridgeServer, path: str, choice: str) -> list[list[Any]]:
    """Run a script to its last line; everything it said."""
    return run_node(
        f"{OPEN}{script}process.exit(0);", server.url, TRANSPORTS[choice], path, timeout_s=15
    )


ROUND_TRIPS = """
const socket = open("/", { auth: { token: "123" } });
const auth = heard_once(socket, "auth");
await heard_once(socket, "connect");
say("auth", ...(await auth));
say("ack", await socket.timeout(5000).emitWithAck("message-with-ack", { a: [1, "2", null] }));
const parts = heard_once(socket, "message-back");
socket.emit("message", new Uint8Array([1, 2, 3]), { deep: new Uint8Array(0) }, "text");
const [first, second, text] = await parts;
const bytes = (value) => Array.from(new Uint8Array(value.buffer ?? value, value.byteOffset ?? 0,
  value.byteLength));
say("binary", bytes(first), bytes(second.deep), text);
const answered = await socket.timeout(5000).emitWithAck("message-with-ack",
  new Uint8Array(70000).fill(7));
say("binary ack", answered.length ?? answered.byteLength,
  bytes(answered).every((byte) => byte === 7));
const order = [];
socket.on("message-back", (number) => order.push(number));
for (let number = 0; number < 200; number += 1) socket.emit("message", number);
await socket.timeout(5000).emitWithAck("message-with-ack", "all sent");
say("order", order);
say("transport", transport(socket));
socket.disconnect();
"""


@pytest.mark.parametrize("choice", TRANSPORTS)
def test_everything_makes_the_round_trip(target: BridgeServer, choice: str) -> None:
    said = play(ROUND_TRIPS, target, "/socket.io/", choice)

    final = "polling" if choice == "polling only" else "websocket"
    assert said == [
        ["auth", {"token": "123"}],
        ["ack", {"a": [1, "2", None]}],
        ["binary", [1, 2, 3], [], "text"],
        ["binary ack", 70_000, True],
        ["order", list(range(200))],
        ["transport", final],
    ]


NAMESPACES = """
const main = open("/", { auth: { who: "main" }, forceNew: false });
const custom = open("/custom", { auth: { who: "custom" }, forceNew: false });
const auths = await Promise.all([heard_once(main, "auth"), heard_once(custom, "auth")]);
say("auths", auths.map(([auth]) => auth.who));
say("one link", main.io === custom.io, main.id !== custom.id);
custom.disconnect();
say("main lives", await main.timeout(5000).emitWithAck("message-with-ack", 1));
const stranger = open("/random", { forceNew: false });
const [error] = await heard_once(stranger, "connect_error");
say("refused", error.message);
say("main lives", await main.timeout(5000).emitWithAck("message-with-ack", 2));
main.disconnect();
stranger.disconnect();
"""


@pytest.mark.parametrize("choice", ["polling only", "websocket only"])
def test_namespaces_share_a_connection_and_nothing_else(target: BridgeServer, choice: str) -> None:
    said = play(NAMESPACES, target, "/socket.io/", choice)

    assert said == [
        ["auths", ["main", "custom"]],
        ["one link", True, True],
        ["main lives", 1],
        ["refused", "Invalid namespace"],
        ["main lives", 2],
    ]


REFUSED = """
const socket = open("/guarded", { auth: { refuse: "UNAUTHENTICATED" } });
const [error] = await heard_once(socket, "connect_error");
say("refused", error.message, error.data);
socket.auth = { name: "ada" };
const greeting = heard_once(socket, "hello");
socket.connect();
say("welcome", ...(await greeting));
socket.disconnect();
"""


def test_a_refusal_reaches_the_client_with_its_code(workshop: BridgeServer) -> None:
    said = play(REFUSED, workshop, "/bench/", "as it comes")

    assert said == [
        ["refused", "go away", {"code": "UNAUTHENTICATED"}],
        ["welcome", "ada"],
    ]


RECONNECTS = """
const socket = open("/");
await heard_once(socket, "connect");
const first = socket.id;
say("echo", await socket.timeout(5000).emitWithAck("echo", 1));
if (!transports) {
  while (transport(socket) !== "websocket") await heard_once(socket.io.engine, "upgrade");
}
const ended = heard_once(socket, "disconnect");
socket.emit("kill");
say("disconnected", (await ended)[0]);
await heard_once(socket, "connect");
say("back", socket.id !== first, await socket.timeout(5000).emitWithAck("echo", 2));
socket.disconnect();
"""


@pytest.mark.parametrize("choice", ["as it comes", "polling only", "websocket only"])
def test_a_client_comes_back_when_the_server_ends_its_transport(
    workshop: BridgeServer, choice: str
) -> None:
    said = play(RECONNECTS, workshop, "/bench/", choice)

    assert said[0] == ["echo", 1]
    assert said[1][0] == "disconnected"
    assert said[1][1] in {"transport close", "transport error"}
    assert said[2] == ["back", True, 2]


TOLD_TO_LEAVE = """
const socket = open("/stock");
await heard_once(socket, "connect");
const ended = heard_once(socket, "disconnect");
socket.emit("leave-me");
say("disconnected", (await ended)[0], socket.active);
"""


@pytest.mark.parametrize("choice", ["as it comes", "polling only", "websocket only"])
def test_a_client_that_is_disconnected_does_not_come_back(
    workshop: BridgeServer, choice: str
) -> None:
    said = play(TOLD_TO_LEAVE, workshop, "/bench/", choice)

    assert said == [["disconnected", "io server disconnect", False]]


IN_GROUPS = """
const reader = open("/");
await heard_once(reader, "connect");
await reader.timeout(5000).emitWithAck("join", "js");
say("joined");
const [words] = await heard_once(reader, "told");
say("heard", words);
reader.disconnect();
"""


@pytest.mark.parametrize("choice", ["polling only", "websocket only"])
async def test_a_javascript_member_hears_a_python_client(
    workshop: BridgeServer, choice: str
) -> None:
    speaker = socketio.AsyncClient()
    with NodeScript(OPEN + IN_GROUPS, workshop.url, TRANSPORTS[choice], "/bench/") as reader:
        await asyncio.to_thread(reader.expect, "joined")
        await speaker.connect(workshop.url, socketio_path="/bench/", wait_timeout=10)

        answer = await speaker.call("tell", {"group": "js", "words": "hello"}, timeout=10)
        heard = await asyncio.to_thread(reader.expect, "heard")
        await speaker.disconnect()

    assert answer == {"ok": True}
    assert heard == ["hello"]


@pytest.mark.parametrize("transports", [None, ["polling"], ["websocket"]])
async def test_the_python_client_makes_the_same_round_trips(
    target: BridgeServer, transports: list[str] | None
) -> None:
    client = socketio.AsyncClient()
    heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()

    async def take(*args: Any) -> None:
        await heard.put(args)

    client.on("message-back", take)
    async with asyncio.timeout(20):
        await client.connect(
            target.url, transports=transports, auth={"token": "1"}, wait_timeout=10
        )
        await client.emit("message", (b"\x01\x02", {"deep": b""}, "text"))

        assert await heard.get() == (b"\x01\x02", {"deep": b""}, "text")
        assert await client.call("message-with-ack", b"\x07" * 70_000) == b"\x07" * 70_000
        assert await client.call("message-with-ack", {"a": 1}) == {"a": 1}
        await client.disconnect()
