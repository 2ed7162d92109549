"""What readers do in a room, over whole sockets that are on different workers."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import socketio
from websockets.asyncio.client import connect

from tests.conftest import StartServer

ADA = {"userId": "u1", "username": "ada"}
BOB = {"userId": "u2", "username": "bob"}
DEADLINE_S = 10

BOOKS = itertools.count(2701)


@pytest.fixture
def url(shared_server: StartServer) -> str:
    """The address of two workers, which take turns accepting."""
    return shared_server(workers=2).url


@pytest.fixture
def book() -> int:
    """A room that nobody has been in."""
    return next(BOOKS)


class Reader:
    """A reader of one book on one socket, with everything that was heard and not looked at yet."""

    def __init__(self, sio: socketio.AsyncClient, book: int, who: dict[str, Any]) -> None:
        self.sio, self.room, self.here = sio, {"bookId": book}, {"bookId": book, **who}
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        sio.on("*", lambda event, data=None: self.heard.put_nowait((event, data)))

    async def ask(self, event: str, data: Any = None) -> Any:
        """The acknowledgement of an event."""
        return await self.sio.call(event, data, timeout=DEADLINE_S)

    async def join(self) -> Any:
        answer = await self.ask("joinRoom", self.here)
        assert answer["ok"], answer
        return answer

    async def say(self, content: str, **more: Any) -> Any:
        """The message as it was kept."""
        answer = await self.ask("chatMessage", {**self.here, "content": content, **more})
        assert answer["ok"], answer
        return answer["message"]

    async def hear(self, name: str) -> Any:
        """The payload of the next event of that name; others are skipped."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                heard, payload = await self.heard.get()
                if heard == name:
                    return payload

    async def names(self, *, until: str) -> list[str]:
        """The names of what is heard up to an event."""
        found: list[str] = []
        async with asyncio.timeout(DEADLINE_S):
            while until not in found:
                found.append((await self.heard.get())[0])
        return found


@asynccontextmanager
async def reader(url: str, book: int, who: dict[str, Any] = ADA) -> AsyncIterator[Reader]:
    """A connected reader who has not joined yet, on the public Python client."""
    sio = socketio.AsyncClient(reconnection=False)
    connected = Reader(sio, book, who)
    await sio.connect(url, transports=["websocket"], wait_timeout=DEADLINE_S)
    try:
        yield connected
    finally:
        await sio.disconnect()


async def test_everybody_hears_what_one_says_and_what_becomes_of_it(url: str, book: int) -> None:
    async with reader(url, book) as ada, reader(url, book, BOB) as bob:
        await ada.join()
        await bob.join()

        said = await ada.say("hi", clientMsgId="c-1")
        about = {**ada.room, "messageId": said["_id"]}
        edited = (await ada.ask("editMessage", {**about, "content": "ho"}))["message"]
        await bob.ask("reactMessage", {**about, "emoji": "🐋", "on": True})
        answer = await bob.say("!", replyTo=said["_id"])
        await bob.ask("typing", {**bob.room, "on": True})
        refused = await bob.ask("deleteMessage", about)
        deleted = await ada.ask("deleteMessage", about)

        for each in (ada, bob):
            assert await each.hear("newMessage") == said
            updated = {"bookId": book, "seq": 2, "message": edited}
            assert await each.hear("messageUpdated") == updated
            assert (await each.hear("reactionChanged"))["seq"] == 3
            assert await each.hear("newMessage") == answer
            assert (await each.hear("userTyping"))["username"] == "bob"
            gone = {"bookId": book, "seq": 5, "messageId": said["_id"], "by": "author"}
            assert await each.hear("messageDeleted") == gone

    assert (said["seq"], said["clientMsgId"], said["isAi"]) == (1, "c-1", False)
    assert (edited["content"], edited["rev"], edited["createdAt"]) == ("ho", 2, said["createdAt"])
    assert (refused["ok"], refused["code"]) == (False, "FORBIDDEN")
    assert deleted == {"ok": True}
    assert answer["replyToSeq"] == 1


async def test_one_socket_is_answered_in_the_order_of_its_words_and_then_slowed_down(
    url: str, book: int
) -> None:
    async with reader(url, book) as ada:
        await ada.join()
        lines = [f"line {n}" for n in range(10)]

        kept = await asyncio.gather(*(ada.say(line) for line in lines))
        one_more = await ada.ask("chatMessage", {**ada.here, "content": "too many"})
        page = await ada.ask("getMessages", ada.room)

    assert [message["seq"] for message in kept] == list(range(1, 11))
    assert [message["content"] for message in kept] == lines
    assert one_more["code"] == "RATE_LIMITED"
    assert 0 < one_more["retryAfterMs"] <= 1_000
    assert page["messages"] == kept[::-1]


async def test_a_second_tab_is_not_a_second_reader(url: str, book: int) -> None:
    async with reader(url, book) as ada:
        await ada.join()
        async with reader(url, book, BOB) as tab, reader(url, book, BOB) as second:
            counts = [(await each.join())["members"] for each in (tab, second)]
            await second.ask("leaveRoom", second.room)
            presence = await ada.ask("getPresence", ada.room)
        names = await ada.names(until="userLeft")

    assert counts == [2, 2]
    assert presence["count"] == 2
    assert [member["username"] for member in presence["members"]] == ["ada", "bob"]
    assert [name for name in names if name.startswith("user")] == [
        "userJoined",
        "userJoined",
        "userLeft",
    ]


async def test_a_reader_who_was_away_asks_for_what_is_missing(url: str, book: int) -> None:
    async with reader(url, book) as ada, reader(url, book, BOB) as bob:
        await ada.join()
        said = [await ada.say(str(n)) for n in range(5)]
        await ada.ask("deleteMessage", {**ada.room, "messageId": said[3]["_id"]})

        joined = await bob.join()
        history = await bob.hear("previousMessages")
        page = await bob.ask("getMessages", {**bob.room, "afterSeq": 2, "limit": 3})
        rest = await bob.ask("getMessages", {**bob.room, "afterSeq": 5})
        back = await bob.ask("getMessages", {**bob.room, "beforeSeq": 3})

    assert joined == {"ok": True, "bookId": book, "headSeq": 6, "members": 2}
    assert [message["seq"] for message in history] == [5, 3, 2, 1]
    assert [message["seq"] for message in page["messages"]] == [3, 4, 5]
    assert (page["messages"][1]["deletedBy"], page["messages"][1]["content"]) == ("author", "")
    assert (page["events"], page["headSeq"], page["hasMore"]) == ([], 6, True)
    assert [event["type"] for event in rest["events"]] == ["messageDeleted"]
    assert not rest["hasMore"]
    assert [message["seq"] for message in back["messages"]] == [2, 1]


async def test_a_plain_websocket_reads_and_writes_the_same_room(url: str, book: int) -> None:
    address = url.replace("http", "ws") + f"/ws/rooms/{book}/"
    asked = [
        ("joinRoom", BOB),
        ("chatMessage", {**BOB, "content": "hi"}),
        ("joinRoom", {**BOB, "bookId": book + 1_000_000}),
    ]
    frames: list[dict[str, Any]] = []
    async with reader(url, book) as ada, connect(address, proxy=None) as plain:
        await ada.join()
        for number, (event, data) in enumerate(asked):
            await plain.send(json.dumps({"event": event, "data": data, "id": number}))
        async with asyncio.timeout(DEADLINE_S):
            while not {"newMessage"} <= {frame.get("event") for frame in frames} or not any(
                frame.get("ack") == 2 for frame in frames
            ):
                frames.append(json.loads(await plain.recv()))
        heard = await ada.hear("newMessage")

    acks = {frame["ack"]: frame["data"] for frame in frames if "ack" in frame}
    assert acks[0]["bookId"] == book
    assert acks[1]["message"] == heard
    assert acks[2]["code"] == "FORBIDDEN"
    events = [frame["event"] for frame in frames if "event" in frame]
    assert events.index("previousMessages") < events.index("newMessage")
    assert {"event": "newMessage", "data": heard} in frames


HERE = {"bookId": "the room", **ADA}
"""In the table: the payload of a reader in the room."""


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("chatMessage", {**HERE, "content": ""}, "VALIDATION_ERROR"),
        ("chatMessage", {**HERE, "content": "x" * 4_001}, "VALIDATION_ERROR"),
        ("chatMessage", {**HERE, "content": "a\x00b"}, "VALIDATION_ERROR"),
        ("chatMessage", HERE, "VALIDATION_ERROR"),
        ("chatMessage", {**HERE, "content": {"$gt": ""}}, "VALIDATION_ERROR"),
        ("chatMessage", {**HERE, "bookId": 4.5, "content": "hi"}, "VALIDATION_ERROR"),
        ("chatMessage", {**HERE, "bookId": "9", "content": "hi"}, "NOT_IN_ROOM"),
        ("chatMessage", {**HERE, "userId": "u2", "content": "hi"}, "FORBIDDEN"),
        ("chatMessage", None, "VALIDATION_ERROR"),
        ("chatMessage", "hi", "VALIDATION_ERROR"),
        ("joinRoom", {**HERE, "bookId": "042"}, "VALIDATION_ERROR"),
        ("joinRoom", [HERE], "VALIDATION_ERROR"),
        ("joinRoom", {**HERE, "username": "a\nb"}, "VALIDATION_ERROR"),
        ("leaveRoom", {"bookId": 9}, "NOT_IN_ROOM"),
        ("editMessage", {**HERE, "messageId": "x", "content": "x"}, "VALIDATION_ERROR"),
        ("deleteMessage", {**HERE, "messageId": "0" * 24}, "NOT_FOUND"),
        ("getMessages", {**HERE, "limit": 201}, "VALIDATION_ERROR"),
        (
            "reactMessage",
            {**HERE, "messageId": "0" * 24, "emoji": "x", "on": True},
            "VALIDATION_ERROR",
        ),
    ],
)
async def test_what_is_wrong_is_answered_stores_nothing_and_the_socket_lives_on(
    url: str, book: int, event: str, data: Any, code: str
) -> None:
    if isinstance(data, dict) and data.get("bookId") == HERE["bookId"]:
        data = {**data, "bookId": book}
    async with reader(url, book) as ada:
        await ada.join()

        answer = await ada.ask(event, data)
        notice = await ada.hear("exception")
        next_one = await ada.say("still here")

    assert (answer["ok"], answer["code"]) == (False, code)
    assert notice == {
        "status": "error",
        "message": answer["error"],
        "code": code,
        "cause": {"pattern": event},
    }
    assert next_one["seq"] == 1


async def test_five_retries_over_two_workers_are_one_message_heard_once(
    url: str, book: int
) -> None:
    async with reader(url, book) as a, reader(url, book) as b, reader(url, book, BOB) as bob:
        for each in (a, b, bob):
            await each.join()

        kept = await asyncio.gather(
            *(each.say("hi", clientMsgId="c-1") for each in (a, b, a, b, a))
        )
        last = await bob.say("the end", clientMsgId="c-1")

        for each in (a, b, bob):
            assert [await each.hear("newMessage") for _ in range(2)] == [kept[0], last]
    assert all(message == kept[0] for message in kept)
    assert (kept[0]["seq"], last["seq"]) == (1, 2)


async def test_every_reader_of_two_busy_workers_hears_everything_once_and_in_order(
    url: str, book: int
) -> None:
    who = [{"userId": f"r{n}", "username": f"reader {n}"} for n in range(4)]
    async with (
        reader(url, book, who[0]) as a,
        reader(url, book, who[1]) as b,
        reader(url, book, who[2]) as c,
        reader(url, book, who[3]) as d,
    ):
        everybody = [a, b, c, d]
        for each in everybody:
            await each.join()

        await asyncio.gather(*(each.say(str(n)) for n in range(10) for each in everybody))

        for each in everybody:
            heard = [(await each.hear("newMessage"))["seq"] for _ in range(40)]
            assert heard == list(range(1, 41))
            assert (await each.ask("getMessages", each.room))["headSeq"] == 40
            assert each.heard.empty()


async def test_retries_over_two_workers_are_one_message_with_equal_answers(
    url: str, book: int
) -> None:
    # Nobody else: what a reader may say in ten seconds is counted over all rooms.
    ishmael = {"userId": "u-ishmael", "username": "ishmael"}
    async with AsyncExitStack() as stack:
        retrying: list[Reader] = []
        workers: set[str] = set()
        while len(retrying) < 5 or len(workers) < 2:
            assert len(retrying) < 40, "every connection went to one worker"
            retrying.append(await stack.enter_async_context(reader(url, book, ishmael)))
            workers.add(retrying[-1].sio.get_sid().partition(".")[0])
        bob = await stack.enter_async_context(reader(url, book, BOB))
        for each in (*retrying, bob):
            await each.join()

        kept = await asyncio.gather(
            *(each.say("Call me Ishmael.", clientMsgId="c-1") for each in retrying)
        )
        after = await retrying[0].say("Some years ago", clientMsgId="c-2")

        assert kept == [kept[0]] * len(retrying)
        assert after["seq"] == kept[0]["seq"] + 1
        assert [(await bob.hear("newMessage"))["_id"] for _ in range(2)] == [
            kept[0]["_id"],
            after["_id"],
        ]
