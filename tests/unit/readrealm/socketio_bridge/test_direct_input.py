"""Messages that are acted on as they are read: only in their turn, and never twice."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet

from readrealm.socketio_bridge.frames import limit_frame
from readrealm.socketio_bridge.packets import BadPacket, Json, Packet, event_head
from readrealm.socketio_bridge.session import Session

from .fakes import FakeEngine
from .twisted_fakes import Client, clients

TEXT, BINARY, PING = 0x81, 0x82, 0x89


@pytest.fixture
def client() -> Iterator[Client]:
    with clients(1) as made:
        assert made[0].websocket.queue.get_nowait() == {"type": "websocket.connect"}
        yield made[0]


class Application:
    """Reads its queue as an ASGI application does; takes at once what begins with "now"."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.read: list[str | bytes] = []
        self.busy = asyncio.Event()
        """Cleared while it does something else than to wait for messages."""
        self.busy.set()
        client.websocket.receive_with(self.take)

    def take(self, text: str) -> bool:
        if text == "now bug":
            raise RuntimeError("a bug")
        if text.startswith("now"):
            self.read.append(text)
            return True
        return False

    async def run(self) -> None:
        while True:
            message = await self.client.websocket.queue.get()
            if message["type"] == "websocket.disconnect":
                self.read.append("gone")
                return
            data = message.get("bytes")
            await self.busy.wait()
            self.read.append(message["text"] if data is None else data)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_message_is_taken_at_once_while_the_application_waits(client: Client) -> None:
    application = Application(client)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(application.run())
        await turn()
        client.send_frame(TEXT, b"now 1")
        client.send_frame(TEXT, b"now 2")

        assert application.read == ["now 1", "now 2"]
        assert client.websocket.queue.empty()
        task.cancel()


async def test_a_message_waits_for_those_before_it(client: Client) -> None:
    application = Application(client)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(application.run())
        await turn()
        client.send_frame(TEXT, b"later 1")
        client.send_frame(TEXT, b"now 2")
        client.send_frame(BINARY, b"3")
        client.send_frame(TEXT, b"now 4")
        assert application.read == []
        await turn()
        client.send_frame(TEXT, b"now 5")

        assert application.read == ["later 1", "now 2", b"3", "now 4", "now 5"]
        task.cancel()


async def test_a_message_waits_while_the_application_does_something_else(client: Client) -> None:
    application = Application(client)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(application.run())
        await turn()
        application.busy.clear()
        client.send_frame(TEXT, b"later 1")
        await turn()
        client.send_frame(TEXT, b"now 2")
        assert application.read == []
        application.busy.set()
        await turn()

        assert application.read == ["later 1", "now 2"]
        task.cancel()


async def test_a_message_before_the_application_waits_is_queued(client: Client) -> None:
    application = Application(client)
    client.send_frame(TEXT, b"now 1")

    assert application.read == []
    assert client.websocket.queue.get_nowait()["text"] == "now 1"


async def test_a_failure_closes_as_a_failure_of_the_application_does(client: Client) -> None:
    application = Application(client)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(application.run())
        await turn()
        client.send_frame(TEXT, b"now bug")
        client.send_frame(TEXT, b"now late")

        assert client.read()[:4] == b"\x88\x02\x03\xf3"
        client.send_frame(0x88, b"\x03\xf3")
    assert application.read == ["gone"]


async def test_a_connection_that_is_lost_lets_go_of_who_took_its_messages(client: Client) -> None:
    Application(client)
    client.websocket.connectionLost()

    assert client.websocket.take is None


@given(
    st.lists(
        st.sampled_from(["now", "later", "binary", "ping", "turn", "busy", "free"]), max_size=40
    )
)
def test_whatever_the_application_does_messages_are_acted_on_once_and_in_order(
    steps: list[str],
) -> None:
    async def play() -> None:
        with clients(1) as (client,):
            client.websocket.queue.get_nowait()
            application = Application(client)
            task = asyncio.create_task(application.run())
            sent: list[str | bytes] = []
            for count, step in enumerate(steps):
                match step:
                    case "now" | "later":
                        sent.append(f"{step} {count}")
                        client.send_frame(TEXT, f"{step} {count}".encode())
                    case "binary":
                        sent.append(b"%d" % count)
                        client.send_frame(BINARY, b"%d" % count)
                    case "ping":
                        client.send_frame(PING, b"")
                    case "turn":
                        await asyncio.sleep(0)
                    case "busy":
                        application.busy.clear()
                    case "free":
                        application.busy.set()
            application.busy.set()
            client.websocket.connectionLost()
            await task
            assert application.read == [*sent, "gone"]

    asyncio.run(play())


# A session.


def session() -> Session:
    made = Session(FakeEngine(), "sid", "websocket", {})  # type: ignore[arg-type]
    made.start()
    return made


def test_a_session_acts_at_once_on_a_pong_and_on_what_its_server_takes() -> None:
    made = session()
    engine: FakeEngine = made.engine  # type: ignore[assignment]
    due = made.timer

    assert made.receive_now("3")
    assert made.receive_now("4now")

    assert made.timer is not due
    assert engine.delivered == ["now"]


@pytest.mark.parametrize("text", ["", "2", "5", "1", "4", "4later", "3probe", "9", "now"])
def test_a_session_leaves_everything_else_alone(text: str) -> None:
    made = session()
    engine: FakeEngine = made.engine  # type: ignore[assignment]
    due = made.timer

    assert not made.receive_now(text)

    assert (made.timer, engine.delivered, made.closed) == (due, [], False)


def test_a_session_leaves_alone_what_may_be_too_large() -> None:
    made = session()
    made.max_frame_bytes = 400

    assert made.receive_now("4now".ljust(100))
    assert not made.receive_now("4now".ljust(101))


def test_a_closed_session_takes_nothing() -> None:
    made = session()
    made.close("transport close")

    assert not made.receive_now("4now")
    assert not made.receive_now("3")


# The head of an event.


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ('2["a"]', ("/", None, 1)),
        ('20["a",1]', ("/", 0, 2)),
        ('2123["a",[1]]', ("/", 123, 4)),
        ('2/chat,["a"]', ("/chat", None, 7)),
        ('2/chat,7["a"]', ("/chat", 7, 8)),
    ],
)
def test_the_head_of_an_event_is_read(text: str, head: tuple[str, int | None, int]) -> None:
    assert event_head(text) == head


@pytest.mark.parametrize(
    "text",
    ["", "2", '["a"]', '3["a"]', '51-["a"]', '21-["a"]', '2/chat["a"]', '2/chat?a=1,["a"]',
     '2x["a"]', '2-1["a"]', '2\u0663["a"]', '21234567890123456["a"]', '2{"a":["b"]}'],
)  # fmt: skip
def test_any_other_packet_is_left_to_its_parser(text: str) -> None:
    assert event_head(text) is None


@given(st.text(alphabet='0123/a,?-["]{} \u0663', max_size=14).map(lambda rest: "2" + rest))
def test_what_is_read_of_a_head_is_what_the_parser_reads(text: str) -> None:
    head = event_head(text)
    if head is None:
        return
    namespace, number, start = head
    try:
        data = Json.loads(text[start:])
    except BadPacket:
        with pytest.raises(BadPacket):
            Packet(encoded_packet=text)
        return
    if data and isinstance(data[0], str):
        whole = Packet(encoded_packet=text)
        assert (whole.packet_type, whole.attachment_count) == (packet.EVENT, 0)
        assert (whole.namespace or "/", whole.id, whole.data) == (namespace, number, data)


@pytest.mark.parametrize("is_relayed", [True, False])
def test_only_a_relay_is_told_how_large_a_message_may_be(client: Client, is_relayed: bool) -> None:
    client.websocket.is_relayed = is_relayed

    client.websocket.limit_incoming(5_000_000)

    assert client.websocket.reader.max_bytes == 5_000_000
    assert client.read() == (limit_frame(5_000_000) if is_relayed else b"")
