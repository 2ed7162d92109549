"""The book of clients and rooms, with python-socketio's own as the oracle."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st

from readrealm.socketio_bridge.clients import LocalManager, engine_packets
from readrealm.socketio_bridge.packets import Packet

NAMESPACES = ("/", "/chat")
ROOMS = ("hall", "attic", 42)


class FakeServer:
    """What a manager needs of its server; remembers what is sent."""

    packet_class = Packet

    def __init__(self) -> None:
        self.number = 0
        self.eio = SimpleNamespace(generate_id=lambda: f"sid{self.number}")
        self.posted: list[tuple[str, str, list[Any]]] = []

    def post(self, eio_sid: str, namespace: str, parts: list[Any], *, may_wait: bool) -> None:
        self.posted.append((eio_sid, namespace, parts))


def manager(kind: type[socketio.AsyncManager]) -> Any:
    made = kind()
    made.set_server(FakeServer())
    made.initialize()
    return made


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "decide", "enter", "leave", "close room", "go", "begin to go"]),
        st.integers(0, 3),
        st.sampled_from(NAMESPACES),
        st.sampled_from(ROOMS),
    ),
    max_size=30,
)


@given(STEPS)
def test_it_keeps_the_promises_of_the_stock_book(steps: list[tuple[str, int, str, Any]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, int, str, Any]]) -> None:
    ours, stock = manager(LocalManager), manager(socketio.AsyncManager)
    for turn, (step, number, namespace, room) in enumerate(steps):
        ours.server.number = stock.server.number = turn
        session = f"session{number}"
        assert await _do(ours, step, session, namespace, room) == await _do(
            stock, step, session, namespace, room
        )
        _compare(ours, stock)


async def _do(book: Any, step: str, session: str, namespace: str, room: Any) -> object:
    sid = book.sid_from_eio_sid(session, namespace)
    if step == "come":
        return await book.pre_connect(session, namespace)
    if sid is None:
        return None
    match step:
        case "decide":
            if book.is_pre_connected(sid, namespace):
                return await book.connect(sid, namespace)
        case "enter":
            await book.enter_room(sid, namespace, room)
        case "leave":
            await book.leave_room(sid, namespace, room)
        case "close room":
            await book.close_room(room, namespace)
        case "begin to go":
            if book.is_connected(sid, namespace):
                return book.pre_disconnect(sid, namespace)
        case "go":
            await book.disconnect(sid, namespace)
    return None


def _compare(ours: Any, stock: Any) -> None:
    for namespace in NAMESPACES:
        for room in (None, *ROOMS):
            assert dict(ours.get_participants(namespace, room)) == dict(
                stock.get_participants(namespace, room)
            )
        several = list(ROOMS[:2])
        assert dict(ours.get_participants(namespace, several)) == dict(
            stock.get_participants(namespace, several)
        )
        for number in range(4):
            session = f"session{number}"
            sid = ours.sid_from_eio_sid(session, namespace)
            assert sid == stock.sid_from_eio_sid(session, namespace)
            if sid is not None:
                assert ours.is_connected(sid, namespace) == stock.is_connected(sid, namespace)
                assert ours.eio_sid_from_sid(sid, namespace) == session
                assert set(ours.get_rooms(sid, namespace)) == set(stock.get_rooms(sid, namespace))
    assert sorted(ours.get_namespaces()) == sorted(stock.get_namespaces())


@pytest.fixture
async def book() -> LocalManager:
    """Three clients; two of them are in the hall."""
    made: LocalManager = manager(LocalManager)
    for number in range(1, 4):
        made.server.number = number
        sid = await made.pre_connect(f"session{number}", "/")
        assert sid is not None
        await made.connect(sid, "/")
    for sid in ("sid1", "sid2"):
        await made.enter_room(sid, "/", "hall")
    return made


def receivers(book: LocalManager) -> list[str]:
    return sorted(eio_sid for eio_sid, _, _ in book.server.posted)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["session1", "session2", "session3"]),
        ({"room": "hall"}, ["session1", "session2"]),
        ({"to": "sid3"}, ["session3"]),
        ({"room": "hall", "skip_sid": "sid1"}, ["session2"]),
        ({"skip_sid": ["sid1", "sid3"]}, ["session2"]),
        ({"room": ["hall", "sid3", "sid1"]}, ["session1", "session2", "session3"]),
        ({"room": "empty"}, []),
    ],
)
async def test_an_emit_reaches_whom_it_names(
    book: LocalManager, options: dict[str, Any], expected: list[str]
) -> None:
    await book.emit("news", {"a": 1}, "/", **options)

    assert receivers(book) == expected


async def test_an_emit_is_encoded_once_for_all(book: LocalManager) -> None:
    await book.emit("news", ("two", b"\x01"), "/")

    first, *others = [parts for _, _, parts in book.server.posted]
    assert first == ['451-["news","two",{"_placeholder":true,"num":0}]', b"\x01"]
    assert all(parts is first for parts in others)


async def test_an_emit_that_asks_has_a_number_for_each_client(book: LocalManager) -> None:
    answers: list[Any] = []

    await book.emit("ask", None, "/", room="hall", callback=answers.append)
    for sid, number in (("sid1", 1), ("sid2", 1)):
        await book.trigger_callback(sid, number, [sid])

    assert sorted(answers) == ["sid1", "sid2"]


async def test_nothing_is_left_when_all_have_gone(book: LocalManager) -> None:
    await book.emit("ask", None, "/", callback=print)

    for sid in ("sid1", "sid2", "sid3"):
        await book.disconnect(sid, "/")

    assert list(book.get_namespaces()) == []
    assert book.callbacks == {}


def test_a_packet_leaves_as_engine_packets() -> None:
    assert engine_packets(Packet(2, data=["a", b"\x01"], namespace="/chat")) == [
        '451-/chat,["a",{"_placeholder":true,"num":0}]',
        b"\x01",
    ]
