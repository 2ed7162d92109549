"""Chat as its app config hands it out: on real stores, and on the channel layer of the settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.apps import apps

from chat.apps import ChatConfig
from chat.events import ChatMessage, EditMessage, ReactMessage
from chat.rules import Visitor
from readrealm.kernel.errors import RateLimited
from readrealm.kernel.identity import Identity
from tests.support.stores import SessionStores

BOOK = 2701
ADA = Visitor(sid="s1", identity=Identity(user_id="1", username="Ada", authenticated=True))

pytestmark = pytest.mark.usefixtures("stores")


@pytest.fixture
def rooms() -> ChatConfig:
    config: ChatConfig = apps.get_app_config("chat")
    return config


@asynccontextmanager
async def listening(group: str) -> AsyncIterator["asyncio.Queue[Any]"]:
    """What the channel layer brings to a group."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("listener")
    await layer.group_add(group, channel)
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def listen() -> None:
        while True:
            heard.put_nowait(await layer.receive(channel))

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def frames(heard: "asyncio.Queue[Any]", count: int) -> list[tuple[str, bytes, int | None]]:
    found: list[Any] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            found += [tuple(event) for event in (await heard.get())["events"]]
    return found


def saying(content: str) -> ChatMessage:
    return ChatMessage(book_id=BOOK, user_id="1", username="Ada", content=content)


async def test_what_a_worker_missed_is_what_the_others_were_told(rooms: ChatConfig) -> None:
    service = rooms.service()
    async with listening(f"book_{BOOK}") as heard:
        first = await service.say(saying("hi"), ADA)
        second = await service.say(saying("ho"), ADA)
        about = {"book_id": BOOK, "message_id": second.id}
        await service.edit(EditMessage(**about, content="hoho"), ADA)
        await service.react(ReactMessage(**about, emoji="🐋", on=True), ADA)
        told = await frames(heard, 4)

    missed = await rooms.entries_between(f"book_{BOOK}", 0, None)

    assert [(name, number) for name, _, number in missed] == [
        ("newMessage", 1),
        ("newMessage", 2),
        ("messageUpdated", 3),
        ("reactionChanged", 4),
    ]
    assert [(name, number) for name, _, number in told] == [(n, s) for n, _, s in missed]
    assert (told[0], told[3]) == (missed[0], missed[3]), "what did not change is told byte by byte"
    assert await rooms.entries_between(f"book_{BOOK}", 1, 3) == missed[1:3]
    assert await rooms.entries_between(f"book_{BOOK}", 4, None) == []
    assert await rooms.entries_between("workers", 0, None) == []
    assert first.seq == 1


async def test_what_is_said_together_comes_in_one_message_of_the_layer(rooms: ChatConfig) -> None:
    service = rooms.service()
    async with listening(f"book_{BOOK}") as heard:
        speakers = [
            Visitor(sid=f"s{n}", identity=Identity(user_id=f"g{n}", username=f"g{n}"))
            for n in range(40)
        ]
        await asyncio.gather(*(service.say(saying("hi"), speaker) for speaker in speakers))
        told = await frames(heard, 40)
        messages = 1 + heard.qsize()

    assert [number for _, _, number in told] == list(range(1, 41))
    # Readers' allowances are asked one by one, so the first may get ahead of the others.
    assert messages < 10


async def test_the_rate_of_the_settings_is_kept(rooms: ChatConfig) -> None:
    service = rooms.service()
    for number in range(10):
        await service.say(saying(str(number)), ADA)

    with pytest.raises(RateLimited) as refusal:
        await service.say(saying("too many"), ADA)

    assert 0 < refusal.value.details["retry_after_ms"] <= 1_000


async def test_there_is_one_chat_for_each_event_loop(rooms: ChatConfig) -> None:
    async def elsewhere() -> Any:
        return rooms.here()

    assert rooms.here() is rooms.here()
    assert rooms.service() is rooms.here().service
    assert rooms.upkeep is rooms.here().upkeep
    other = await asyncio.to_thread(asyncio.run, elsewhere())
    assert other is not rooms.here()


async def test_the_service_can_be_asked_before_it_is_known_on_which_loop(
    rooms: ChatConfig,
) -> None:
    message = await rooms.service().say(saying("hi"), ADA)

    assert (await rooms.service.welcome(BOOK)).messages == [message]
    assert await rooms.service.present_in([BOOK]) == {BOOK: 0}


async def test_upkeep_keeps_what_waits_when_it_is_ended(
    rooms: ChatConfig, clean_stores: SessionStores
) -> None:
    here = rooms.here()
    duties = asyncio.create_task(here.upkeep.run())
    await here.service.enter(BOOK, ADA)
    said = [asyncio.create_task(here.service.say(saying(str(n)), ADA)) for n in range(5)]
    await asyncio.wait(said, return_when=asyncio.FIRST_COMPLETED)

    duties.cancel()
    with pytest.raises(asyncio.CancelledError):
        await duties
    results = await asyncio.gather(*said, return_exceptions=True)

    kept = {message.seq for message in results if not isinstance(message, BaseException)}
    assert kept
    collection = clean_stores.mongo.get_default_database("readrealm")["messages"]
    assert kept <= {entry["seq"] for entry in collection.find({"bookId": BOOK})}
    lease = clean_stores.redis.zrange("readrealm:{presence}:workers", 0, -1, withscores=True)
    assert [score for _, score in lease] == [0]
