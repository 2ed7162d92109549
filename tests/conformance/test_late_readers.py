"""A room in which somebody reads late: it misses nothing, and nobody else notices."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import pytest

from tests.support.bridge import (
    DEADLINE_S,
    BridgeServer,
    RawSocket,
    StalledReader,
    engine_socket,
)

PATH = "/bench/"
TARGET = f"{PATH}?EIO=4&transport=websocket"
WORDS_BYTES = 50_000


@pytest.fixture
def group() -> str:
    return f"room-{uuid.uuid4().hex}"


@pytest.fixture
async def reader(workshop: BridgeServer, group: str) -> AsyncIterator[RawSocket]:
    """A member that reads all it gets."""
    async with engine_socket(workshop, PATH) as made:
        await made.connect()
        await made.send(f'421["join","{group}"]')
        assert await made.next_packet() == '431[{"ok":true}]'
        yield made


def join_silently(stalled: StalledReader, group: str) -> None:
    stalled.send("40")
    stalled.send(f'42["join","{group}"]')


async def tell(reader: RawSocket, group: str, number: int) -> None:
    """Say something large to the room; the reader hears it and its answer."""
    order = {"group": group, "event": "said", "words": f"{number}:" + "x" * WORDS_BYTES}
    await reader.send("422" + json.dumps(["emit", order]))
    heard = {str(await reader.next_packet())[:3] for _ in range(2)}
    assert heard == {"42[", "432"}


async def await_members(reader: RawSocket, group: str) -> None:
    """The stalled one needs a moment to have joined, and cannot be asked: a round trip of
    another event of the same worker, and of the server of groups, come after it."""
    for _ in range(5):
        await reader.send(f'423["tell",{{"group":"{group}","words":"ready?"}}]')
        heard = {str(await reader.next_packet())[:3] for _ in range(2)}
        assert heard == {"42[", "433"}


async def test_a_member_that_reads_late_gets_everything_in_order(
    workshop: BridgeServer, reader: RawSocket, group: str
) -> None:
    with StalledReader(workshop, TARGET) as late:
        join_silently(late, group)
        await await_members(reader, group)
        for number in range(16):
            late.send("3")
            await tell(reader, group, number)

        read_response_head(late)
        heard: list[str] = []
        async with asyncio.timeout(DEADLINE_S):
            while len(heard) < 16:
                late.send("3")
                packet = await asyncio.to_thread(read_frame, late)
                if packet.startswith('42["said"'):
                    heard.append(json.loads(packet[2:])[1])

    assert heard == [f"{number}:" + "x" * WORDS_BYTES for number in range(16)]


def read_frame(client: StalledReader) -> str:
    first, size = read_exactly(client, 2)
    assert first == 0x81
    if size >= 126:
        size = int.from_bytes(read_exactly(client, 2 if size == 126 else 8), "big")
    return read_exactly(client, size).decode()


def read_exactly(client: StalledReader, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = client.socket.recv(size - len(found))
        assert part, "the server hung up"
        found += part
    return found


def read_response_head(client: StalledReader) -> None:
    seen = b""
    while not seen.endswith(b"\r\n\r\n"):
        seen += read_exactly(client, 1)
