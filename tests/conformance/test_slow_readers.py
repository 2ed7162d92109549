"""Who reads late misses nothing; who does not read costs a bounded buffer and its connection.

Nobody else notices either of them.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.bridge import (
    DEADLINE_S,
    BridgeServer,
    PollingSession,
    RawSocket,
    StalledReader,
    engine_socket,
    wait_for_state,
)

PATH = "/bench/"
TARGET = f"{PATH}?EIO=4&transport=websocket"
EVENTS, SIZE = 1_200, 50_000
"""Of one broadcast: 60 MB for each member."""

AHEAD = 20
"""Events that are under way at once: less than a connection may hold unread."""

ALLOWED_GROWTH_BYTES = 25_000_000
"""Of the server while it happens; far below what one unread member would make it hold."""


async def joined(stack: AsyncExitStack, server: BridgeServer) -> RawSocket:
    """A member of the group that reads."""
    client = await stack.enter_async_context(engine_socket(server, PATH))
    await client.connect()
    await client.send('421["join","flood"]')
    assert await client.next_packet() == '431[{"ok":true}]'
    return client


async def speak(speaker: RawSocket, members: list[RawSocket]) -> list[list[int]]:
    """Send the whole broadcast; the numbers of the events that each member heard, in order.

    No member falls behind by more than its connection may hold, however busy the machine is.
    """
    words = "x" * SIZE
    heard: list[list[int]] = [[] for _ in members]
    for start in range(0, EVENTS, AHEAD):
        for number in range(start, start + AHEAD):
            data = {"group": "flood", "event": "wave", "words": f"{number} {words}"}
            await speaker.send(f"429{json.dumps(['emit', data])}")
        for member, numbers in zip(members, heard, strict=True):
            numbers += [await hear(member) for _ in range(AHEAD)]
        answered = 0
        while answered < AHEAD:
            answered += await speaker.next_packet() == '439[{"ok":true}]'
    return heard


async def hear(member: RawSocket) -> int:
    """The number of the next event."""
    packet = str(await member.next_packet())
    return int(packet.removeprefix('42["wave","').split(" ")[0])


async def test_a_member_that_does_not_read_is_cut_and_the_others_hear_everything(
    own_workshop: BridgeServer,
) -> None:
    async with AsyncExitStack() as stack:
        stalled = stack.enter_context(StalledReader(own_workshop, TARGET))
        stalled.send("40")
        stalled.send('421["join","flood"]')
        members = [await joined(stack, own_workshop) for _ in range(2)]
        speaker = await stack.enter_async_context(engine_socket(own_workshop, PATH))
        await speaker.connect()
        await wait_for_state(own_workshop, lambda now: now["members"] == 3)
        before = own_workshop.rss_bytes()
        peak = before
        speaking = asyncio.create_task(speak(speaker, members))

        while not speaking.done():
            peak = max(peak, own_workshop.rss_bytes())
            await asyncio.wait({speaking}, timeout=0.02)

        assert await speaking == [list(range(EVENTS))] * 2
        assert peak - before < ALLOWED_GROWTH_BYTES
        await wait_for_state(own_workshop, lambda now: now["sessions"] == 3)
        # uvicorn has no way to drop a connection whose buffer is full: it ends with its client.
        assert own_workshop.kind == "uvicorn" or await stalled.was_cut(timeout_s=15)


async def test_a_client_that_does_not_poll_is_cut(own_workshop: BridgeServer) -> None:
    session = await PollingSession.open(own_workshop, PATH)
    await session.connect()
    before = own_workshop.rss_bytes()

    await session.post('42["burst",{"count":1000,"size":50000}]')

    await wait_for_state(own_workshop, lambda now: now["sessions"] == 0)
    assert own_workshop.rss_bytes() - before < ALLOWED_GROWTH_BYTES
    assert (await session.poll()).status == 400


async def test_attachments_are_let_go_when_they_have_been_answered(
    own_workshop: BridgeServer,
) -> None:
    async with engine_socket(own_workshop, PATH) as client:
        await client.connect()
        attachment = b"\x00" * 900_000
        before = own_workshop.rss_bytes()

        for _ in range(100):
            await client.send('451-["unheard of",{"_placeholder":true,"num":0}]', attachment)
        await client.send('421["echo","done"]')
        assert await client.next_packet() == '431["done"]'

        assert own_workshop.rss_bytes() - before < ALLOWED_GROWTH_BYTES


async def test_events_that_wait_for_a_slow_consumer_are_bounded_in_bytes(
    own_workshop: BridgeServer,
) -> None:
    async with engine_socket(own_workshop, PATH) as client:
        await client.connect()
        before = own_workshop.rss_bytes()
        await client.send('42["hang",1.5]')
        words = "x" * 900_000

        for number in range(100):
            await client.send(f'42{number}["echo",["{words}"]]')
        await client.send("40/stock,")
        while not str(await client.next_packet()).startswith("40/stock,"):
            pass

        assert own_workshop.rss_bytes() - before < 2 * ALLOWED_GROWTH_BYTES


@pytest.mark.parametrize("own_workshop", ["daphne"], indirect=True)
async def test_what_a_client_sends_while_it_is_being_decided_about_is_bounded_in_bytes(
    own_workshop: BridgeServer,
) -> None:
    async with engine_socket(own_workshop, PATH) as client:
        before = peak = own_workshop.rss_bytes()
        await client.send('40/guarded,{"after":0.6,"name":"ada"}')
        words = "x" * 900_000

        sending = asyncio.create_task(client.send(*[f'42/guarded,["who","{words}"]'] * 50))
        while not sending.done():
            peak = max(peak, own_workshop.rss_bytes())
            await asyncio.wait({sending}, timeout=0.02)
        await sending

        assert str(await client.next_packet()).startswith('40/guarded,{"sid"')
        assert peak - before < ALLOWED_GROWTH_BYTES


# Late, but in time.

WORDS_BYTES = 50_000
TRY_AGAIN_LATER = 1013


@pytest.mark.parametrize("own_workshop", ["daphne"], indirect=True)
async def test_who_is_cut_and_reads_then_is_told_why(own_workshop: BridgeServer) -> None:
    with StalledReader(own_workshop, TARGET) as late:
        late.send("40")
        late.send('42["burst",{"count":400,"size":10000}]')
        await wait_for_state(own_workshop, lambda now: now["sessions"] == 1)
        await wait_for_state(own_workshop, lambda now: now["sessions"] == 0)

        read_response_head(late)
        heard = [b""]
        while (last := await asyncio.to_thread(read_frame, late))[0] == TEXT:
            heard.append(last[1])

    assert last == (CLOSE, TRY_AGAIN_LATER.to_bytes(2, "big"))
    assert heard[-1] == b'42["burst","' + b"x" * 10_000 + b'"]'


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
                _, payload = await asyncio.to_thread(read_frame, late)
                packet = payload.decode()
                if packet.startswith('42["said"'):
                    heard.append(json.loads(packet[2:])[1])

    assert heard == [f"{number}:" + "x" * WORDS_BYTES for number in range(16)]


TEXT, CLOSE = 1, 8


def read_frame(client: StalledReader) -> tuple[int, bytes]:
    """Opcode and payload of the next frame, which is whole."""
    first, size = read_exactly(client, 2)
    assert first & 0xF0 == 0x80
    if size >= 126:
        size = int.from_bytes(read_exactly(client, 2 if size == 126 else 8), "big")
    return first & 0x0F, read_exactly(client, size)


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
