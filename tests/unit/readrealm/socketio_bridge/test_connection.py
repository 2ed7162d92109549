"""One client as its consumers see it: ordered events in, answers out, one farewell."""

import asyncio
import json
import logging
from typing import Any, ClassVar

import pytest

from readrealm.socketio_bridge import EventConsumer, RoomChannelLayer, connection
from readrealm.socketio_bridge.connection import INBOX_BYTES, INBOX_LIMIT, Connection, Pace
from readrealm.socketio_bridge.namespace import owners_of
from readrealm.socketio_bridge.packets import UNREADABLE
from tests.support.bridge import until

from .fakes import FakeOutlet

UNPACED = Pace(burst=1, interval_s=0.0)


class Declined(Exception):
    """A refusal that is meant."""


class Diarist(EventConsumer):
    """Writes down what happens to it; an event says what is to happen."""

    events = frozenset({"note", "wait", "decline", "fail", "odd"})
    refusals = (Declined,)
    label: ClassVar[str] = "diarist"

    def __init__(self, *, diary: list[Any]) -> None:
        self.diary = diary
        self.gate = asyncio.Event()

    async def connected(self) -> None:
        self.diary.append(f"{self.label} connected")

    async def answer(self, event: str, data: Any) -> Any:
        match event:
            case "wait":
                self.diary.append("waiting")
                await self.gate.wait()
            case "decline":
                raise Declined
            case "fail":
                raise RuntimeError("a bug")
            case "odd":
                return object()
        self.diary.append((event, data))
        return {"noted": data}

    async def refused(self, event: str, error: Exception) -> Any:
        self.diary.append(("refused", event, type(error).__name__))
        return {"ok": False, "code": type(error).__name__}

    async def disconnected(self) -> None:
        self.diary.append(f"{self.label} disconnected")

    async def diary_entry(self, message: dict[str, Any]) -> None:
        self.diary.append(("told", message["words"]))

    async def diary_bug(self, message: dict[str, Any]) -> None:
        raise RuntimeError("a bug in a handler")


class Other(Diarist):
    """Another consumer of the same connection."""

    events = frozenset({"other"})
    label = "other"


@pytest.fixture
def diary() -> list[Any]:
    return []


def connect(*consumers: Any, pace: Pace = UNPACED) -> Connection:
    return Connection(
        sid="sid",
        audience="/",
        outlet=FakeOutlet(),
        scope={"type": "websocket"},
        owners=owners_of(consumers),
        pace=pace,
    )


@pytest.fixture
def client(diary: list[Any]) -> Connection:
    """A connection with two consumers."""
    return connect(Diarist.as_asgi(diary=diary), Other.as_asgi(diary=diary))


def sent(client: Connection) -> list[Any]:
    assert isinstance(client.outlet, FakeOutlet)
    return client.outlet.items


async def idle(client: Connection) -> None:
    """Everything that has arrived has been worked through."""
    await until(
        lambda: all(
            inbox.task is None and not inbox.items and not inbox.refusals
            for inbox in client.inboxes.values()
        )
    )


def diarist(client: Connection) -> Diarist:
    consumer = client.inboxes[0].consumer
    assert isinstance(consumer, Diarist)
    return consumer


# Events.


async def test_a_consumer_begins_with_its_first_event(client: Connection, diary: list[Any]) -> None:
    assert client.inboxes == {}

    client.deliver("note", ["first"], None)
    await idle(client)

    assert diary == ["diarist connected", ("note", "first")]


async def test_events_of_one_consumer_are_answered_in_their_order(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("wait", [], None)
    for number in range(50):
        client.deliver("note", [number], None)
    await until(lambda: "waiting" in diary)

    diarist(client).gate.set()
    await idle(client)

    assert diary[3:] == [("note", number) for number in range(50)]


async def test_a_slow_consumer_does_not_delay_another(client: Connection, diary: list[Any]) -> None:
    client.deliver("wait", [], None)
    client.deliver("other", [1], 7)

    await until(lambda: sent(client))

    assert sent(client) == ['437[{"noted":1}]']
    assert ("wait", None) not in diary
    diarist(client).gate.set()
    await idle(client)


@pytest.mark.parametrize(
    ("args", "data"), [([], None), ([1], 1), (["a", "dropped", b"too"], "a"), ([None], None)]
)
async def test_a_consumer_gets_the_first_argument(
    client: Connection, diary: list[Any], args: list[Any], data: Any
) -> None:
    client.deliver("note", args, 3)
    await idle(client)

    assert diary[-1] == ("note", data)
    assert len(sent(client)) == 1


async def test_an_event_that_does_not_ask_is_not_answered(client: Connection) -> None:
    for event in ("note", "decline", "fail"):
        client.deliver(event, [], None)
    await idle(client)

    assert sent(client) == []


async def test_an_event_of_nobody_is_left_to_the_caller(client: Connection) -> None:
    assert client.deliver("unheard of", [], 1) is False
    assert client.inboxes == {}


async def test_a_consumer_knows_its_client(
    client: Connection, channel_layer: RoomChannelLayer
) -> None:
    client.deliver("note", [], None)

    consumer = diarist(client)
    assert (consumer.sid, consumer.scope) == ("sid", {"type": "websocket"})
    assert consumer.channel_layer is channel_layer
    assert consumer.channel_name == f"bridge.{channel_layer.here().worker_id}!sid.0"
    await idle(client)


async def test_a_consumer_emits_with_any_arguments(client: Connection) -> None:
    client.deliver("note", [], None)
    consumer = diarist(client)
    await idle(client)

    await consumer.emit("none")
    await consumer.emit("two", 1, {"a": b"\x01"})

    assert sent(client) == [
        '42["none"]',
        '451-["two",1,{"a":{"_placeholder":true,"num":0}}]',
        b"\x01",
    ]


# Failures.


async def test_a_refusal_is_answered_and_not_logged(
    client: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    client.deliver("decline", [], 5)
    await idle(client)

    assert sent(client) == ['435[{"ok":false,"code":"Declined"}]']
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_cannot_be_read_is_refused_in_its_turn(
    client: Connection, diary: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    client.deliver("note", ["before"], 5)
    client.deliver("note", [UNREADABLE, "dropped"], 6)
    client.deliver("note", [UNREADABLE], None)
    client.deliver("note", ["next"], 7)
    await idle(client)

    before, refusal, following = sent(client)
    assert (before, following) == ('435[{"noted":"before"}]', '437[{"noted":"next"}]')
    assert json.loads(refusal.removeprefix("436"))[0] == {
        "ok": False,
        "code": "VALIDATION_ERROR",
        "error": "the payload is nested too deeply",
    }
    assert diary[1:] == [("note", "before"), ("note", "next")]
    assert caplog.text == ""


async def test_a_consumer_may_refuse_in_its_own_words_what_cannot_be_read(diary: list[Any]) -> None:
    class Strict(Diarist):
        async def unreadable(self, event: str, why: str) -> Any:
            raise Declined(why)

    client = connect(Strict.as_asgi(diary=diary))
    client.deliver("note", [UNREADABLE], 5)
    await idle(client)

    assert sent(client) == ['435[{"ok":false,"code":"Declined"}]']
    assert diary[1:] == [("refused", "note", "Declined")]


async def test_a_bug_is_answered_logged_and_stops_nothing(
    client: Connection, diary: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    client.deliver("fail", [], 5)
    client.deliver("note", ["next"], 6)
    await idle(client)

    assert sent(client) == ['435[{"ok":false,"code":"RuntimeError"}]', '436[{"noted":"next"}]']
    assert "event fail failed" in caplog.text
    assert "a bug" in caplog.text


async def test_an_answer_that_cannot_be_written_is_a_bug_like_any_other(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("odd", [], 5)
    client.deliver("note", ["next"], 6)
    await idle(client)

    assert sent(client) == ['435[{"ok":false,"code":"TypeError"}]', '436[{"noted":"next"}]']


async def test_a_refusal_that_fails_itself_still_answers(diary: list[Any]) -> None:
    class Clumsy(Diarist):
        async def refused(self, event: str, error: Exception) -> Any:
            raise RuntimeError("even this")

    client = connect(Clumsy.as_asgi(diary=diary))
    client.deliver("decline", [], 5)
    client.deliver("note", ["next"], 6)
    await idle(client)

    answer, following = sent(client)
    assert answer.startswith('435[{"ok":false')
    assert "even this" not in answer
    assert following == '436[{"noted":"next"}]'


async def test_a_beginning_that_fails_does_not_stop_the_consumer(diary: list[Any]) -> None:
    class Stumbling(Diarist):
        async def connected(self) -> None:
            raise RuntimeError("stumbles")

    client = connect(Stumbling.as_asgi(diary=diary))
    client.deliver("note", ["still"], 6)
    await idle(client)

    assert sent(client) == ['436[{"noted":"still"}]']


# Floods.


async def test_what_does_not_fit_into_the_inbox_is_refused_at_once(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("wait", [], None)
    await until(lambda: "waiting" in diary)
    for number in range(INBOX_LIMIT):
        client.deliver("note", [number], number)

    client.deliver("note", ["too much"], 999)
    await until(lambda: sent(client))

    assert sent(client) == [
        '43999[{"ok":false,"code":"RATE_LIMITED","error":"too many events","retryAfterMs":1000}]'
    ]
    diarist(client).gate.set()
    await idle(client)
    assert len(sent(client)) == 1 + INBOX_LIMIT
    assert ("note", "too much") not in diary


async def test_what_waits_for_a_consumer_is_bounded_in_bytes_but_for_one_event_of_any_size(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("wait", [], None)
    await until(lambda: "waiting" in diary)
    client.deliver("note", ["large"], None, size_bytes=10 * INBOX_BYTES)

    client.deliver("note", ["too much"], 2, size_bytes=1)
    client.inboxes[0].dispatch({"type": "diary.entry", "words": "dropped"}, size_bytes=1)
    await until(lambda: sent(client))
    diarist(client).gate.set()
    await idle(client)
    client.deliver("note", ["again"], None, size_bytes=INBOX_BYTES)
    await idle(client)

    assert [item[:3] for item in sent(client)] == ["432"]
    assert '"code":"RATE_LIMITED"' in str(sent(client)[0])
    assert diary[-2:] == [("note", "large"), ("note", "again")]


async def test_a_client_that_sends_too_fast_hears_when_to_come_again(diary: list[Any]) -> None:
    client = connect(Diarist.as_asgi(diary=diary), pace=Pace(burst=3, interval_s=10.0))

    for number in range(5):
        client.deliver("note", [number], number)
    await idle(client)

    accepted = [text for text in sent(client) if "noted" in text]
    refused = sorted(text for text in sent(client) if "RATE_LIMITED" in text)
    assert accepted == [f'43{number}[{{"noted":{number}}}]' for number in range(3)]
    assert [text[:3] for text in refused] == ["433", "434"]
    for text in refused:
        wait_ms = int(text.rpartition(":")[2].rstrip("}]"))
        assert 9_000 < wait_ms <= 10_000


class Clock:
    """The monotonic clock, moved by a test."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that paces events."""
    made = Clock()
    monkeypatch.setattr(connection, "time", made)
    return made


def test_the_steady_pace_is_never_refused(diary: list[Any], clock: Clock) -> None:
    client = connect(Diarist.as_asgi(diary=diary), pace=Pace(burst=2, interval_s=0.5))

    waits = []
    for _ in range(20):
        waits.append(client.spend())
        clock.now += 0.5

    assert waits == [0.0] * 20


def test_a_pause_earns_no_more_than_the_burst(diary: list[Any], clock: Clock) -> None:
    client = connect(Diarist.as_asgi(diary=diary), pace=Pace(burst=4, interval_s=0.5))
    clock.now += 3_600

    waits = [client.spend() for _ in range(6)]

    assert waits[:4] == [0.0] * 4
    assert waits[4:] == pytest.approx([0.5, 0.5])


# Group messages.


async def test_a_group_message_reaches_its_handler_between_events(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("note", [1], None)
    client.inboxes[0].dispatch({"type": "diary.entry", "words": "hello"})
    client.deliver("note", [2], None)
    await idle(client)

    assert diary[1:] == [("note", 1), ("told", "hello"), ("note", 2)]


@pytest.mark.parametrize("kind", ["diary.bug", "diary.unknown", "_private"])
async def test_a_group_message_that_cannot_be_handled_stops_nothing(
    client: Connection, diary: list[Any], kind: str
) -> None:
    client.deliver("note", [1], None)
    client.inboxes[0].dispatch({"type": kind})
    client.deliver("note", [2], 6)
    await idle(client)

    assert sent(client) == ['436[{"noted":2}]']


async def test_a_message_to_its_channel_name_finds_the_consumer(
    client: Connection, diary: list[Any], channel_layer: RoomChannelLayer
) -> None:
    client.deliver("note", [1], None)
    await idle(client)
    member = channel_layer.here().members[diarist(client).channel_name]

    member.dispatch({"type": "diary.entry", "words": "for you"})
    await idle(client)

    assert diary[-1] == ("told", "for you")


# Farewell.


async def test_every_consumer_is_told_once_that_the_client_left(
    client: Connection, diary: list[Any], channel_layer: RoomChannelLayer
) -> None:
    client.deliver("note", [1], None)
    client.deliver("other", [2], None)

    await client.hang_up()
    await client.hang_up()

    assert diary[-2:] in (
        ["diarist disconnected", "other disconnected"],
        ["other disconnected", "diarist disconnected"],
    )
    assert diary.count("diarist disconnected") == 1
    assert channel_layer.here().members == {}


async def test_what_arrived_before_the_end_is_answered_first(
    client: Connection, diary: list[Any]
) -> None:
    client.deliver("wait", [], None)
    client.deliver("note", [1], None)
    await until(lambda: "waiting" in diary)
    leaving = asyncio.create_task(client.hang_up())
    await asyncio.sleep(0)

    assert client.deliver("note", ["late"], None) is False
    diarist(client).gate.set()
    await leaving

    assert diary[2:] == [("wait", None), ("note", 1), "diarist disconnected"]


async def test_a_handler_that_never_ends_is_stopped_and_the_consumer_still_told(
    client: Connection, diary: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "FAREWELL_TIMEOUT_S", 0.05)
    client.deliver("wait", [], None)
    await until(lambda: "waiting" in diary)

    await client.hang_up()

    assert diary[-1] == "diarist disconnected"
    assert client.inboxes[0].task is None


async def test_a_farewell_that_fails_stops_no_other(
    diary: list[Any], channel_layer: RoomChannelLayer
) -> None:
    class Sulking(Diarist):
        async def disconnected(self) -> None:
            raise RuntimeError("no")

    client = connect(Sulking.as_asgi(diary=diary), Other.as_asgi(diary=diary))
    client.deliver("note", [1], None)
    client.deliver("other", [1], None)

    await client.hang_up()

    assert diary[-1] == "other disconnected"
    assert channel_layer.here().members == {}


async def test_a_connection_without_events_leaves_without_a_word(
    client: Connection, diary: list[Any]
) -> None:
    await client.hang_up()

    assert diary == []


# Who answers what.


def test_two_consumers_with_the_same_event_refuse_to_start(diary: list[Any]) -> None:
    class Rival(Diarist):
        events = frozenset({"note", "else"})

    with pytest.raises(ValueError, match="note"):
        owners_of([Diarist.as_asgi(diary=diary), Rival.as_asgi(diary=diary)])


def test_only_event_consumers_answer_events() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(TypeError, match="as_asgi"):
        owners_of([application])


async def test_another_channel_layer_is_refused(client: Connection) -> None:
    from channels.layers import InMemoryChannelLayer, channel_layers

    before = channel_layers.set("default", InMemoryChannelLayer())
    try:
        with pytest.raises(TypeError, match="RoomChannelLayer"):
            client.deliver("note", [], None)
    finally:
        channel_layers.set("default", before)
