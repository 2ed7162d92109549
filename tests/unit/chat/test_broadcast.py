"""Telling rooms: encoded once, in order, together, and never a failure of those who speak."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.broadcast import ChannelBroadcast, book_of, frame, room_name
from chat.events import Message, RoomHead, UserTyping
from readrealm.socketio_bridge.fanout import Fanout

BOOK = 2701


class Layer:
    """A channel layer that takes messages when its gate is open."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.gate, self.asked = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.error = error
        self.fanout = Fanout()

    def here(self) -> Any:
        return SimpleNamespace(tell_here=self.fanout.tell)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append((group, message))
        self.asked.set()
        await self.gate.wait()
        if self.error:
            raise self.error


def message(seq: int, content: str = "hi", book_id: int = BOOK) -> Message:
    return Message(
        id="0" * 24,
        book_id=book_id,
        user_id="1",
        username="Ada",
        content=content,
        created_at="t",
        updated_at="t",
        seq=seq,
        rev=seq,
    )


TYPING = UserTyping(book_id=BOOK, username="Ada", on=True, user_id="1")


@given(st.integers(1, 2**53 - 1))
def test_a_room_is_read_back_from_its_name(book_id: int) -> None:
    assert book_of(room_name(book_id)) == book_id


@pytest.mark.parametrize(
    "group", ["", "book_", "book_x", "workers", "book_-1", "xbook_1", "book_४"]
)
def test_other_groups_are_no_rooms(group: str) -> None:
    assert book_of(group) is None


def test_an_event_is_its_name_its_json_and_its_number() -> None:
    name, encoded, number = frame(message(7, "“Call me Ishmael.” 🐋"))

    assert (name, number) == ("newMessage", 7)
    assert json.loads(encoded)["content"] == "“Call me Ishmael.” 🐋"
    assert frame(TYPING)[::2] == ("userTyping", None)
    assert frame(RoomHead(book_id=BOOK, seq=7, members=1))[::2] == ("roomHead", None), (
        "it tells of a number and has none"
    )


async def test_what_is_said_together_is_published_together_in_order() -> None:
    layer = Layer()
    broadcast = ChannelBroadcast(layer)

    await asyncio.gather(*(broadcast.publish(message(n)) for n in range(1, 51)))

    ((group, sent),) = layer.sent
    assert (group, sent["type"]) == (f"book_{BOOK}", "socketio.emit")
    assert [number for _, _, number in sent["events"]] == list(range(1, 51))


async def test_what_comes_later_waits_for_what_is_on_its_way() -> None:
    layer = Layer()
    layer.gate.clear()
    broadcast = ChannelBroadcast(layer)

    tasks = [asyncio.create_task(broadcast.publish(message(1)))]
    await layer.asked.wait()
    tasks += [asyncio.create_task(broadcast.publish(each)) for each in (message(2), TYPING)]
    tasks += [asyncio.create_task(broadcast.publish(message(1, book_id=7)))]
    await asyncio.sleep(0.01)
    layer.gate.set()
    await asyncio.gather(*tasks)

    names = [(group, [name for name, _, _ in sent["events"]]) for group, sent in layer.sent]
    assert names == [
        ("book_2701", ["newMessage"]),
        ("book_7", ["newMessage"]),
        ("book_2701", ["newMessage", "userTyping"]),
    ]


@pytest.mark.parametrize("error", [ConnectionError(), TimeoutError(), OSError()])
async def test_a_layer_that_fails_is_counted_and_harms_nobody(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    layer = Layer(error)
    broadcast = ChannelBroadcast(layer)

    await asyncio.gather(broadcast.publish(message(1, "secret")), broadcast.publish(message(2)))

    assert broadcast.failures == 2
    assert "secret" not in caplog.text


async def test_what_waits_is_published_before_the_end() -> None:
    layer = Layer()
    broadcast = ChannelBroadcast(layer)
    task = asyncio.create_task(broadcast.publish(message(1)))
    await asyncio.sleep(0)

    await broadcast.close()

    assert len(layer.sent) == 1
    await task
    await broadcast.publish(message(2))
    assert broadcast.failures == 1


class Listener:
    """A member of a room that keeps what is written to it."""

    audience, channel_name = "/", "bridge.w!s.0"
    writer = None

    def __init__(self) -> None:
        self.outlet = self
        self.writer = None
        self.heard: list[str] = []

    def shout(self, texts: list[str], frames: bytes) -> None:
        self.heard += texts

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        raise AssertionError(message)


async def test_members_here_are_told_the_head_without_the_layer() -> None:
    layer, listener = Layer(), Listener()
    layer.fanout.add(room_name(BOOK), listener)  # type: ignore[arg-type]

    ChannelBroadcast(layer).tell_here(RoomHead(book_id=BOOK, seq=3, members=1))
    ChannelBroadcast(layer).tell_here(RoomHead(book_id=7, seq=3, members=0))
    await asyncio.sleep(0)

    assert listener.heard == ['42["roomHead",{"bookId":2701,"seq":3,"members":1}]']
    assert layer.sent == []


async def test_a_worker_that_is_behind_the_head_is_told_what_it_missed() -> None:
    layer, listener = Layer(), Listener()
    group = room_name(BOOK)
    layer.fanout.add(group, listener)  # type: ignore[arg-type]
    missed = [frame(message(2)), frame(message(3))]
    asked = asyncio.Event()

    async def backfill(group: str, after: int, up_to: int | None) -> Any:
        assert (group, after) == (room_name(BOOK), 1)
        asked.set()
        return missed

    layer.fanout.backfill = backfill
    layer.fanout.receive(group, {"type": "socketio.emit", "events": [frame(message(1))]})
    broadcast = ChannelBroadcast(layer)

    broadcast.tell_here(RoomHead(book_id=BOOK, seq=1, members=1))
    await asyncio.sleep(0.01)
    assert not asked.is_set()
    broadcast.tell_here(RoomHead(book_id=BOOK, seq=3, members=1))
    async with asyncio.timeout(5):
        await asked.wait()
    await asyncio.sleep(0.01)

    assert [json.loads(text[2:])[1]["seq"] for text in listener.heard] == [1, 1, 3, 2, 3]
    assert [json.loads(text[2:])[0] for text in listener.heard if "newMessage" in text] == [
        "newMessage"
    ] * 3
