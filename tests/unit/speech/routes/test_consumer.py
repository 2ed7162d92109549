"""Every request is answered once, in the envelope, under its own name, whatever was sent."""

import base64
from typing import Any

import pytest

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.identity import Identity
from readrealm.kernel.wire import plain
from speech.routes.audio import MAX_CHUNK_BYTES, Kept
from speech.routes.consumer import MOST_SESSIONS
from speech.routes.events import REQUESTS
from tests.unit.speech.routes.fakes import NOW, Figures, Socket, Store, connected, routes

SOUND = base64.b64encode(b"sound").decode()
READER = Identity(user_id="7", username="Ada", authenticated=True)
STAFF = Identity(user_id="1", username="Staff", authenticated=True, is_staff=True)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def socket(store: Store) -> Socket:
    return await connected(routes(store))


async def streaming(socket: Socket, session: str = "s1") -> None:
    await socket.say("session:start", {"sessionId": session})
    await socket.say("audio:start", {"sessionId": session})
    socket.emitted.clear()


def chunk(**changed: Any) -> dict[str, Any]:
    return {"sessionId": "s1", "seq": 1, "base64": SOUND, "mimeType": "audio/webm"} | changed


def without(payload: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != key}


NEEDS_SESSION = [
    name
    for name, request in REQUESTS.items()
    if "session_id" in request.payload.__struct_fields__ and name != "session:start"
]

BAD: list[tuple[str, Any, str]] = [
    *((event, data, "VALIDATION_ERROR") for event in REQUESTS for data in ("text", [1], 7)),
    *(
        (event, {**chunk(), **about}, "VALIDATION_ERROR")
        for event in NEEDS_SESSION
        for about in (
            {"sessionId": None},
            {"sessionId": 7},
            {"sessionId": ""},
            {"sessionId": "a b"},
            {"sessionId": "s1\n"},
            {"sessionId": "x" * 129},
        )
    ),
    *((event, without(chunk(), "sessionId"), "VALIDATION_ERROR") for event in NEEDS_SESSION),
    *((event, chunk(sessionId="unknown"), "SESSION_NOT_FOUND") for event in NEEDS_SESSION),
    ("session:start", {"sessionId": "x y"}, "VALIDATION_ERROR"),
    ("session:start", {"sessionId": 5}, "VALIDATION_ERROR"),
    ("session:start", {"metadata": "x"}, "VALIDATION_ERROR"),
    ("session:start", {"metadata": {"clientId": 5}}, "VALIDATION_ERROR"),
    ("session:start", {"metadata": {"note": "x" * 257}}, "VALIDATION_ERROR"),
    ("session:start", {"metadata": {"note": "\0"}}, "VALIDATION_ERROR"),
    ("session:start", {"metadata": {str(n): n for n in range(21)}}, "VALIDATION_ERROR"),
    ("audio:start", {"sessionId": "s1", "resume": "yes"}, "VALIDATION_ERROR"),
    ("audio:chunk", without(chunk(), "seq"), "VALIDATION_ERROR"),
    ("audio:chunk", without(chunk(), "base64"), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(seq="1"), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(seq=-1), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(seq=1.5), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(seq=True), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(seq=2**53), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(base64=b"sound"), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(base64=""), "INVALID_BASE64"),
    ("audio:chunk", chunk(base64="not base64"), "INVALID_BASE64"),
    ("audio:chunk", chunk(base64="QUJ"), "INVALID_BASE64"),
    ("audio:chunk", chunk(base64="A" * (MAX_CHUNK_BYTES * 4 // 3 + 8)), "PAYLOAD_TOO_LARGE"),
    ("audio:chunk", chunk(mimeType="video/webm"), "UNSUPPORTED_MEDIA"),
    ("audio:chunk", chunk(mimeType="audio/"), "UNSUPPORTED_MEDIA"),
    ("audio:chunk", chunk(mimeType=""), "VALIDATION_ERROR"),
    ("audio:chunk", chunk(mimeType="audio/" + "x" * 200), "VALIDATION_ERROR"),
    ("config:update", {"key": "threshold", "category": "vad"}, "VALIDATION_ERROR"),
    ("config:update", {"value": 1, "category": "vad"}, "VALIDATION_ERROR"),
    ("config:update", {"key": "threshold", "value": 1}, "VALIDATION_ERROR"),
    ("config:update", {"key": "$set", "value": 1, "category": "vad"}, "VALIDATION_ERROR"),
    ("config:update", {"key": "x", "value": 1, "category": "video"}, "UNKNOWN_CATEGORY"),
    ("config:update", {"key": "threshold", "value": 1.1, "category": "vad"}, "INVALID_VALUE"),
    ("config:update", {"key": "threshold", "value": "1", "category": "vad"}, "INVALID_VALUE"),
    ("config:update", {"key": "threshold", "value": True, "category": "vad"}, "INVALID_VALUE"),
    ("config:update", {"key": "own", "value": "x" * 9_000, "category": "vad"}, "INVALID_VALUE"),
    ("config:update", {"key": "own", "value": b"x", "category": "vad"}, "INVALID_VALUE"),
    (
        "config:update",
        {"key": "enabled", "value": True, "category": "diarization"},
        "PROVIDER_UNAVAILABLE",
    ),
    ("config:get", {"category": "video"}, "UNKNOWN_CATEGORY"),
    ("config:get", {"category": 5}, "VALIDATION_ERROR"),
    ("config:reset", {"category": "video"}, "UNKNOWN_CATEGORY"),
    ("config:reset", {"category": {}}, "VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("event", "data", "code"), BAD)
async def test_what_is_wrong_is_refused_once_on_the_event_of_the_request(
    socket: Socket, store: Store, event: str, data: Any, code: str
) -> None:
    await streaming(socket)
    before = dict(store.sessions), dict(store.values)

    reply = await socket.say(event, data)

    assert socket.emitted == [(REQUESTS[event].response, reply)]
    assert reply["success"] is False
    assert reply["code"] == code
    assert isinstance(reply["error"], str)
    assert isinstance(reply["timestamp"], int)
    assert (dict(store.sessions), dict(store.values)) == before
    assert store.chunks == store.commands == []


GOOD: list[tuple[str, Any]] = [
    ("session:start", None),
    ("session:start", {"sessionId": "A.b-c:d_1", "metadata": {"any": 1, "nested": {}}}),
    ("session:pause", {"sessionId": "s1"}),
    ("session:end", {"sessionId": "s1", "more": "keys"}),
    ("audio:start", {"sessionId": "s1"}),
    ("audio:stop", {"sessionId": "s1"}),
    ("audio:chunk", chunk()),
    ("audio:chunk", without(chunk(), "mimeType")),
    ("config:update", {"category": "vad", "key": "threshold", "value": 0.02}),
    ("config:update", {"category": "llm", "key": "ofOnesOwn", "value": {"$any": [None]}}),
    ("config:get", None),
    ("config:get", {"category": "vad"}),
    ("config:reset", {}),
    ("system:status", None),
    ("system:health", {}),
    ("system:stats", {"ignored": True}),
]


@pytest.mark.parametrize(("event", "data"), GOOD)
async def test_what_is_right_is_answered_once_and_acknowledged_alike(
    socket: Socket, event: str, data: Any
) -> None:
    await streaming(socket)

    reply = await socket.say(event, data)

    assert socket.emitted == [(REQUESTS[event].response, reply)]
    assert reply["success"] is True, reply
    assert reply.keys() == {"success", "data", "timestamp"}


def test_there_are_as_many_routes_as_the_document_counts() -> None:
    asked_for_by_nobody = {"connection:welcome", "command:process"}

    assert len(REQUESTS) + len(asked_for_by_nobody) == 15


async def test_a_refused_chunk_can_be_told_from_others(socket: Socket) -> None:
    reply = await socket.say("audio:chunk", chunk(seq=9))

    assert reply["data"] == {"sessionId": "s1", "seq": 9}


@pytest.mark.parametrize(
    "hostile", [{"sessionId": "x" * 500, "seq": 10**30}, {"sessionId": [], "seq": "x"}, None, "x"]
)
async def test_what_cannot_be_said_again_is_not(socket: Socket, hostile: Any) -> None:
    assert "data" not in await socket.say("audio:chunk", hostile)


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        (Kept.CLOSED, "STREAM_NOT_ACTIVE"),
        (Kept.FULL, "RATE_LIMITED"),
        (Kept.TOO_LONG, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_chunk_that_is_not_kept_is_not_handed_over(
    socket: Socket, store: Store, kept: Kept, code: str
) -> None:
    await streaming(socket)
    store.next_kept = kept

    assert (await socket.say("audio:chunk", chunk()))["code"] == code
    assert store.commands == []


async def test_kept_first_told_second(socket: Socket, store: Store) -> None:
    await socket.say("config:update", {"category": "vad", "key": "threshold", "value": 0.1})

    assert store.calls == ["put", "command configure"]


async def test_a_reset_tells_each_value_that_changed(socket: Socket, store: Store) -> None:
    store.values = {("vad", "threshold"): 0.1, ("vad", "enabled"): True, ("tts", "own"): 1}

    await socket.say("config:reset", {"category": "vad"})
    await socket.say("config:reset", {})

    assert [(command.session_id, command.data) for command in store.commands] == [
        ("global", {"category": "vad", "key": "threshold", "value": 0.5}),
        ("global", {"category": "tts", "key": "own", "value": None}),
    ]
    assert store.values == {}


async def test_only_staff_change_the_configuration_where_accounts_are_needed(store: Store) -> None:
    made = routes(store, staff_only=True)
    reader, staff = await connected(made, account=READER), await connected(made, account=STAFF)
    update = {"category": "vad", "key": "threshold", "value": 0.1}

    assert (await reader.say("config:update", update))["code"] == "FORBIDDEN"
    assert (await reader.say("config:reset"))["code"] == "FORBIDDEN"
    assert (await reader.say("config:get"))["success"]
    assert (await staff.say("config:update", update))["success"]


async def test_an_account_finds_its_session_again_on_another_socket(store: Store) -> None:
    made = routes(store)
    first = await connected(made, "w1.one", account=READER)
    started = await first.say("session:start", {"sessionId": "s1"})
    await first.disconnected()

    second = await connected(made, "w2.two", account=READER)
    again = await second.say("session:start", {"sessionId": "s1"})

    assert again["data"]["startTime"] == started["data"]["startTime"]
    assert again["data"]["transcript"] == []
    assert store.calls == ["attach s1", "left s1", "attach s1", "attach s1"]


async def test_a_guest_is_the_socket_alone(store: Store) -> None:
    made = routes(store)
    await (await connected(made, "w1.one")).say("session:start", {"sessionId": "s1"})

    other = await connected(made, "w1.two")

    assert (await other.say("session:start", {"sessionId": "s1"}))["code"] == "SESSION_EXISTS"
    assert (await other.say("session:pause", {"sessionId": "s1"}))["code"] == "FORBIDDEN"


async def test_a_guest_comes_back_with_the_key_and_only_with_it(store: Store) -> None:
    made = routes(store)
    first = await connected(made, "w1.one")
    key = (await first.say("session:start", {"sessionId": "s1"}))["data"]["resumeKey"]
    await first.disconnected()
    second, account = await connected(made, "w2.two"), await connected(made, account=READER)
    again = {"sessionId": "s1", "resumeKey": key}

    for refused in ({"sessionId": "s1"}, again | {"resumeKey": key[:-1]}):
        assert (await second.say("session:start", refused))["code"] == "SESSION_EXISTS"
    assert (await account.say("session:start", again))["code"] == "SESSION_EXISTS"
    found = await second.say("session:start", again)

    assert found["data"]["resumeKey"] == key
    assert (await second.say("session:pause", {"sessionId": "s1"}))["success"]
    assert (await first.say("session:resume", {"sessionId": "s1"}))["code"] == "FORBIDDEN"


async def test_the_session_of_an_account_has_no_key(store: Store) -> None:
    made = routes(store)
    account, guest = await connected(made, account=READER), await connected(made, "w1.two")

    started = await account.say("session:start", {"sessionId": "s1"})

    assert "resumeKey" not in started["data"]
    for key in ("", "x"):
        taken = await guest.say("session:start", {"sessionId": "s1", "resumeKey": key})
        assert taken["success"] is False


async def test_whoever_addresses_a_session_hears_of_it_until_long_after_its_end(
    socket: Socket,
) -> None:
    await streaming(socket)
    assert len(socket.joined) == 1
    for number in range(12):
        await socket.say("session:start", {"sessionId": f"n{number}"})
        await socket.say("session:end", {"sessionId": f"n{number}"})

    assert socket.routes.upkeep.sessions == ["s1"]
    assert len(socket.joined) == 1 + 8


async def test_a_socket_has_so_many_sessions_at_most(socket: Socket, store: Store) -> None:
    for number in range(MOST_SESSIONS):
        assert (await socket.say("session:start", {"sessionId": f"n{number}"}))["success"]

    assert (await socket.say("session:start"))["code"] == "RATE_LIMITED"


async def test_a_site_has_so_many_sessions_at_most(socket: Socket, store: Store) -> None:
    store.most = 1
    await socket.say("session:start")

    refused = await socket.say("session:start")

    assert refused["code"] == "RATE_LIMITED"
    assert refused["retryAfterMs"] > 0


async def test_sound_is_refused_while_its_processing_is_switched_off(
    socket: Socket, store: Store
) -> None:
    await socket.say("session:start", {"sessionId": "s1"})
    store.is_enabled = False

    refused = await socket.say("audio:start", {"sessionId": "s1"})

    assert refused["code"] == "PROVIDER_UNAVAILABLE"


async def test_the_system_answers_also_when_a_store_does_not(store: Store) -> None:
    figures = Figures()
    figures.is_away = True
    socket = await connected(routes(store, figures))

    health = (await socket.say("system:health"))["data"]
    status = (await socket.say("system:status"))["data"]

    assert health["health"] == "degraded"
    assert health["checks"] == {"redis": False, "mongo": True}
    assert status["connections"] == figures.here
    assert status["status"] == "online"


async def test_a_worker_reports_and_the_owner_is_told_once(store: Store) -> None:
    worker = await connected(routes(store), is_worker=True)
    store.terms["s1", 1] = 3
    text = {
        "sessionId": "s1",
        "seq": 4,
        "text": "call me ishmael",
        "isFinal": True,
        "startMs": 10,
        "endMs": 900,
    }
    report = {"stream": 1, "term": 3, "result": text}

    assert worker.joined == ["workers"]
    assert (await worker.say("worker:transcription", report))["success"]
    assert (await worker.say("worker:transcription", report))["success"]
    assert len(store.told) == 1
    old = await worker.say("worker:transcription", report | {"term": 2})
    assert old["code"] == "FORBIDDEN"
    assert worker.emitted == []


async def test_readers_may_not_report(socket: Socket, store: Store) -> None:
    for event in ("worker:transcription", "worker:vad", "worker:failed"):
        assert (await socket.say(event, {}))["code"] == "FORBIDDEN"
    assert store.told == []


async def test_a_stream_that_was_lost_goes_on_where_it_was_asked_for(store: Store) -> None:
    from dataclasses import replace

    made = routes(store)
    first = await connected(made, "w1.one", account=READER)
    await streaming(first)
    store.sessions["s1"] = replace(store.sessions["s1"], streaming=False, left_stream=True)
    second = await connected(made, "w1.two", account=READER)

    await second.say("audio:start", {"sessionId": "s1", "resume": True})
    assert store.sessions["s1"].stream == 1
    await second.say("audio:stop", {"sessionId": "s1"})
    await second.say("audio:start", {"sessionId": "s1", "resume": True})
    assert store.sessions["s1"].stream == 2
    third = await connected(made, "w1.three", account=READER)
    await third.say("audio:start", {"sessionId": "s1"})
    assert store.sessions["s1"].stream == 3
    assert store.sessions["s1"].stream_sid == "w1.three"


async def test_answers_carry_the_time(socket: Socket) -> None:
    reply = await socket.say("system:status")

    assert reply["data"]["timestamp"] == NOW


async def test_a_chunk_that_cannot_be_read_is_not_taken_for_the_one_before(
    socket: Socket,
) -> None:
    await streaming(socket)
    await socket.say("audio:chunk", chunk())
    socket.emitted.clear()

    with pytest.raises(InvalidInput) as refusal:
        await socket.unreadable("audio:chunk", "nested too deeply")
    envelope = plain(await socket.refused("audio:chunk", refusal.value))

    assert (envelope["success"], envelope["error"]) == (False, "nested too deeply")
    assert not {"data", "sessionId", "seq"} & set(envelope)
    assert socket.emitted == [("audio:chunk:processed", envelope)]
