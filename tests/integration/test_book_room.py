"""The golden sequence of the book room, driven by the public clients on real workers."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.conftest import StartServer
from tests.support.clients import run_node
from tests.support.worker import Server

ROOM_SCRIPT = (Path(__file__).parent / "js" / "room.mjs").read_text()
BOOKS = itertools.count(42)
ISO_MS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
GREETINGS = ["connectionStatus", "connection:welcome", "connected"]


def play(server: Server, transports: list[str], workers: str) -> dict[str, Any]:
    """What everybody heard, in a room that nobody has been in, and the ``book`` it is of."""
    book = next(BOOKS)
    (said,) = run_node(ROOM_SCRIPT, server.url, transports, workers, book, timeout_s=40)
    return {**said[1], "book": book}


@pytest.fixture
def site(shared_server: StartServer) -> Server:
    """Two workers for all tests of this file; each has a room of its own."""
    return shared_server(workers=2, CHAT_RATE="off")


def names(heard: list[list[Any]]) -> list[str]:
    return [name for name, _ in heard]


def payloads(heard: list[list[Any]], name: str) -> list[Any]:
    return [payload for heard_name, payload in heard if heard_name == name]


def check(result: dict[str, Any]) -> None:
    """Everything that chapter 8.1 of the contract says about this scene."""
    ada, bob, acks = result["ada"], result["bob"], result["acks"]

    assert names(ada) == [
        *GREETINGS,
        "previousMessages",
        "userJoined",
        "userJoined",
        "newMessage",
        "userLeft",
        "newMessage",
    ]
    assert names(bob) == [
        *GREETINGS,
        "previousMessages",
        "userJoined",
        "newMessage",
        "exception",
    ]
    assert payloads(ada, "previousMessages") == [[]]
    assert [event["username"] for event in payloads(ada, "userJoined")] == ["ada", "bob"]
    (left,) = payloads(ada, "userLeft")
    assert left["username"] == "bob"
    assert ISO_MS.fullmatch(left["timestamp"])

    said = payloads(ada, "newMessage")[0]
    assert said == payloads(bob, "newMessage")[0] == acks["bobSaid"]["message"]
    assert (said["bookId"], said["userId"], said["username"], said["content"], said["seq"]) == (
        result["book"],
        "u2",
        "bob",
        "hi",
        1,
    )
    assert re.fullmatch("[0-9a-f]{24}", said["_id"])
    assert ISO_MS.fullmatch(said["createdAt"])
    assert said["updatedAt"] == said["createdAt"]
    assert (said["_id"], said["createdAt"][:4], said["isAi"]) != ("0" * 24, "1999", True)

    assert acks["adaJoined"]["ok"] is True
    assert (acks["adaJoined"]["bookId"], acks["adaJoined"]["headSeq"]) == (result["book"], 0)
    assert (acks["strangerSpoke"]["ok"], acks["strangerSpoke"]["code"]) == (False, "NOT_IN_ROOM")
    assert (acks["empty"]["ok"], acks["empty"]["code"]) == (False, "VALIDATION_ERROR")
    assert acks["stillThere"]["message"]["seq"] == 2
    assert names(result["outsider"]) == [
        *GREETINGS,
        "exception",
        "previousMessages",
        "userJoined",
    ]


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_two_javascript_clients_play_the_golden_sequence(
    site: Server, transports: list[str]
) -> None:
    check(play(site, transports, "same"))


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
def test_they_play_it_the_same_on_different_workers(site: Server, transports: list[str]) -> None:
    result = play(site, transports, "different")

    check(result)
    assert len(set(result["workers"])) == 2


async def test_the_python_client_hears_what_the_javascript_client_hears(
    site: Server,
) -> None:
    heard: list[tuple[str, Any]] = []
    reader = {"bookId": next(BOOKS), "userId": "u1", "username": "ada"}
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(site.url, transports=["websocket"])
        acknowledgement = await client.call("joinRoom", reader, timeout=10)
        said = await client.call("chatMessage", {**reader, "content": "hi"}, timeout=10)
        while not heard or heard[-1][0] != "newMessage":
            heard.append(tuple(await client.receive(timeout=10)))

    assert acknowledgement["ok"] is True
    assert [name for name, _ in heard] == [
        *GREETINGS,
        "previousMessages",
        "userJoined",
        "newMessage",
    ]
    assert heard[-1][1] == said["message"]


def test_a_room_shows_its_newest_fifty_messages_first(site: Server) -> None:
    script = """
        const socket = io(url, { transports: ["websocket"] });
        const reader = { bookId: args[0], userId: "u1", username: "ada" };
        await new Promise((resolve) => socket.on("connect", resolve));
        await socket.emitWithAck("joinRoom", reader);
        const asked = Array.from({ length: 51 }, (_, n) =>
          socket.emitWithAck("chatMessage", { ...reader, content: `line ${n}` }));
        const acks = await Promise.all(asked);
        socket.on("previousMessages", (messages) => {
          say("previous", acks.map((ack) => ack.message.seq), messages.map((m) => m.content));
          process.exit(0);
        });
        socket.emit("joinRoom", reader);
    """

    ((_, numbers, shown),) = run_node(script, site.url, next(BOOKS))

    assert numbers == list(range(1, 52))
    assert shown == [f"line {n}" for n in range(50, 0, -1)]
