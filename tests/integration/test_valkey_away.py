"""Valkey dies, is away for ten seconds and comes back empty: rooms go on and miss nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from readrealm.stores.valkey import PrivateValkey
from tests.conftest import StartServer
from tests.integration.test_one_message import Reader, reader
from tests.support.bridge import private_valkey, until
from tests.support.worker import Server

pytestmark = pytest.mark.timeout(120)

AWAY_S = 10
BACK_WITHIN_S = 2.0
HEARD, QUIET = 2701, 2702
"""A room whose members have heard something, and one where they have read the history only."""

MOST_ATTEMPTS = 40


@dataclass(frozen=True, slots=True)
class Ear:
    """A reader and the numbers of the messages it heard, as they came."""

    reader: Reader
    numbers: list[int]

    @property
    def worker(self) -> str:
        return str(self.reader.sio.get_sid()).partition(".")[0]


@pytest.fixture
async def readers() -> AsyncIterator[AsyncExitStack]:
    """Ends every reader of the test."""
    async with AsyncExitStack() as stack:
        yield stack


async def listen(stack: AsyncExitStack, server: Server, book: int, name: str) -> Ear:
    """A reader who has joined a room; what is heard there is written down."""
    who = {"userId": name, "username": name}
    found = Ear(await stack.enter_async_context(reader(server.url, book, who)), [])

    def hear(message: dict[str, Any]) -> None:
        found.numbers.append(message["seq"])

    found.reader.sio.on("newMessage", hear)
    await found.reader.join()
    return found


async def listen_everywhere(stack: AsyncExitStack, server: Server, book: int) -> list[Ear]:
    """Readers of a room on both workers."""
    ears: list[Ear] = []
    while len({ear.worker for ear in ears}) < 2 or len(ears) < 4:
        assert len(ears) < MOST_ATTEMPTS, "every connection went to the same worker"
        ears.append(await listen(stack, server, book, f"u{book}-{len(ears)}"))
    return ears


async def speak_while_away(server: Server, valkey: PrivateValkey, speakers: list[Reader]) -> None:
    """Kill Valkey, say a word a second in every room, and start an empty one."""
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()
    for second in range(AWAY_S):
        begin = asyncio.get_running_loop().time()
        await asyncio.gather(*[each.say(f"into the dark, {second}") for each in speakers])
        await asyncio.sleep(max(0.0, 1 - (asyncio.get_running_loop().time() - begin)))
    await asyncio.to_thread(valkey.stop)
    await asyncio.to_thread(valkey.start)


async def all_hear(ears: list[Ear], numbers: range) -> None:
    """Everybody has heard, within `BACK_WITHIN_S`, these numbers once and in their order."""
    expected = [list(numbers)] * len(ears)
    with suppress(TimeoutError):
        await until(lambda: [ear.numbers for ear in ears] == expected, timeout_s=BACK_WITHIN_S)
    assert [ear.numbers for ear in ears] == expected


@pytest.mark.paced
async def test_every_hole_is_filled_once_and_in_order_on_every_worker(
    server: StartServer, readers: AsyncExitStack
) -> None:
    with private_valkey() as valkey:
        running = server(workers=2, REDIS_URL=valkey.url, CHAT_RATE="off")
        async with AsyncExitStack() as early:
            author = await listen(early, running, QUIET, "author")
            await author.reader.say("before anybody came")
        rooms = [await listen_everywhere(readers, running, book) for book in (HEARD, QUIET)]
        speakers = [ears[0].reader for ears in rooms]
        await speakers[0].say("before it happened")
        await all_hear(rooms[0], range(1, 2))

        await speak_while_away(running, valkey, speakers)

        spoken = 1 + AWAY_S
        await all_hear(rooms[0], range(1, spoken + 1))
        await all_hear(rooms[1], range(2, spoken + 1))
        for each in speakers:
            await asyncio.wait_for(each.say("back"), BACK_WITHIN_S)
        await all_hear(rooms[0], range(1, spoken + 2))
        await all_hear(rooms[1], range(2, spoken + 2))
