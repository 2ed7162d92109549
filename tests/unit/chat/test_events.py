"""The contract of book rooms: what is accepted, what is refused, what is on the wire."""

import math
from typing import Any, get_type_hints

import msgspec
import pytest

from chat import events
from chat.events import Joined, Refused, RoomHead, UserJoined
from chat.vocabulary import COMMANDS, EVENT_NAMES, EVENTS
from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import Contract, parse, plain

ID = "0123456789abcdef01234567"
VALID: dict[str, dict[str, Any]] = {
    "joinRoom": {"bookId": 42, "userId": "u1", "username": "ada"},
    "leaveRoom": {"bookId": 42},
    "chatMessage": {"bookId": 42, "userId": "u1", "username": "ada", "content": "hi"},
    "getMessages": {"bookId": 42},
    "editMessage": {"bookId": 42, "messageId": ID, "content": "hi"},
    "deleteMessage": {"bookId": 42, "messageId": ID},
    "reactMessage": {"bookId": 42, "messageId": ID, "emoji": "🐋", "on": True},
    "getWordings": {"bookId": 42, "messageId": ID},
    "typing": {"bookId": 42, "on": False},
    "reportMessage": {"bookId": 42, "messageId": ID, "reason": "spam", "note": "twice"},
    "getPresence": {"bookId": 42},
}


def read(event: str, payload: Any) -> Any:
    return parse(COMMANDS[event].payload, payload)


def test_the_vocabulary_is_the_documented_one() -> None:
    assert set(COMMANDS) == set(VALID)
    assert set(EVENTS) == {
        *("previousMessages", "userJoined", "userLeft", "newMessage", "exception"),
        *("messageUpdated", "messageDeleted", "messageRestored", "reactionChanged"),
        *("userTyping", "roomHead", "moderationNotice", "serverRestart"),
    }


@pytest.mark.parametrize("event", VALID)
def test_a_documented_payload_is_read(event: str) -> None:
    command = read(event, VALID[event])

    assert {**plain(command), **VALID[event]} == plain(command)


@pytest.mark.parametrize("event", VALID)
def test_what_a_client_invents_is_dropped(event: str) -> None:
    invented = {"_id": ID, "createdAt": "1999", "isAi": True, "seq": 1, "$set": {}, "__v": 0}

    assert read(event, {**VALID[event], **invented}) == read(event, VALID[event])


@pytest.mark.parametrize(
    "payload", [None, [], "text", 7, True, [["bookId", 42]], {}, {"bookId": 4}]
)
@pytest.mark.parametrize("event", ["joinRoom", "chatMessage", "editMessage", "typing"])
def test_what_is_no_complete_object_is_refused(event: str, payload: Any) -> None:
    with pytest.raises(InvalidInput):
        read(event, payload)


@pytest.mark.parametrize("event", VALID)
@pytest.mark.parametrize(
    ("given", "number"),
    [
        (1, 1),
        (42, 42),
        (42.0, 42),
        ("42", 42),
        ("1", 1),
        (2**53 - 1, 2**53 - 1),
        (str(2**53 - 1), 2**53 - 1),
        *[
            (wrong, None)
            for wrong in (
                *(0, -1, 4.5, -0.0, 2**53, 1e300, math.nan, math.inf, 10**40),
                *("042", " 42", "42 ", "4.5", "42.0", "-1", "+1", "0", "", "1e3", "0x2a", "४२"),
                *("9" * 30, "٤٢", True, False, None, [], [42], {}, {"$gt": 0}, b"42"),
            )
        ],
    ],
)
def test_a_book_id_is_a_whole_number_or_its_decimal_text(
    event: str, given: Any, number: int | None
) -> None:
    payload = {**VALID[event], "bookId": given}

    if number is None:
        with pytest.raises(InvalidInput):
            read(event, payload)
    else:
        read_id = read(event, payload).book_id
        assert (read_id, type(read_id)) == (number, int)


@pytest.mark.parametrize(
    ("given", "text"),
    [("u1", "u1"), (7, "7"), ("7", "7"), (0, "0"), (7.5, None), (True, None), (None, None)],
)
def test_an_identity_is_text_or_a_whole_number(given: Any, text: str | None) -> None:
    payload = {**VALID["joinRoom"], "userId": given}

    if text is None:
        with pytest.raises(InvalidInput):
            read("joinRoom", payload)
    else:
        assert read("joinRoom", payload).user_id == text


WRONG_FIELDS: list[tuple[str, str, Any]] = [
    *[("joinRoom", "userId", wrong) for wrong in (7.5, None, [], {})],
    *[("joinRoom", "username", wrong) for wrong in (7, None, {"$ne": 1})],
    *[("chatMessage", "content", wrong) for wrong in (7, None, ["hi"], {})],
    *[("chatMessage", "clientMsgId", wrong) for wrong in ("", "x" * 65, 7, {})],
    *[("chatMessage", "replyTo", wrong) for wrong in ("", "x", ID + "0", ID[:-1], 7, "g" * 24)],
    *[("chatMessage", "bookTitle", wrong) for wrong in ("x" * 1_001, 7)],
    *[("getMessages", "limit", wrong) for wrong in (0, 201, -1, 1.5, "10", None, True)],
    *[("getMessages", "beforeSeq", wrong) for wrong in (-1, 2**53, "1", 1.5)],
    *[("getMessages", "afterSeq", wrong) for wrong in (-1, 2**53, "1", {"$gt": 0})],
    *[("editMessage", "content", wrong) for wrong in (None, 7, {})],
    *[("reportMessage", "reason", wrong) for wrong in (None, 7, {})],
    *[("reportMessage", "note", wrong) for wrong in (7, {})],
    *[("editMessage", "messageId", wrong) for wrong in ("", None, {"$ne": ""}, ID + "\n")],
    *[("deleteMessage", "messageId", wrong) for wrong in (None, 1, ID.encode())],
    *[("reactMessage", "emoji", wrong) for wrong in ("", "🐋" * 17, None, 1)],
    *[("reactMessage", "on", wrong) for wrong in (None, 1, "true")],
    *[("getWordings", "messageId", wrong) for wrong in (None, 1, {"$ne": ""})],
    *[("typing", "on", wrong) for wrong in (None, 0, "false")],
]


@pytest.mark.parametrize(("event", "name", "wrong"), WRONG_FIELDS)
def test_a_field_outside_its_limits_is_refused(event: str, name: str, wrong: Any) -> None:
    with pytest.raises(InvalidInput):
        read(event, {**VALID[event], name: wrong})


@pytest.mark.parametrize(
    ("event", "name"),
    [
        *[("chatMessage", name) for name in ("clientMsgId", "replyTo", "bookTitle")],
        *[("leaveRoom", "username"), ("getMessages", "beforeSeq"), ("getMessages", "afterSeq")],
    ],
)
def test_an_optional_field_may_be_null(event: str, name: str) -> None:
    assert read(event, {**VALID[event], name: None}) == read(event, VALID[event])


def contracts() -> list[type[Contract]]:
    return [
        item
        for item in vars(events).values()
        if isinstance(item, type) and issubclass(item, Contract) and item is not Contract
    ]


@pytest.mark.parametrize("contract", contracts())
def test_every_type_says_what_it_means(contract: type[Contract]) -> None:
    assert contract.__doc__
    assert not contract.__doc__.startswith(contract.__name__ + "(")


@pytest.mark.parametrize("contract", contracts())
def test_every_type_can_be_published_as_a_schema(contract: type[Contract]) -> None:
    schema = msgspec.json.schema(contract)

    assert all("_" not in name.lstrip("_") for name in _properties(schema)), "camelCase on the wire"


def _properties(schema: Any) -> list[str]:
    return [name for each in schema["$defs"].values() for name in each["properties"]]


@pytest.mark.parametrize("event", COMMANDS)
def test_every_command_is_acknowledged_with_ok_and_names_what_follows(event: str) -> None:
    command = COMMANDS[event]

    assert get_type_hints(command.ack)["ok"] is not None
    assert set(command.causes) <= set(EVENTS)


def test_whatever_a_whole_room_hears_names_its_room() -> None:
    for payload, name in EVENT_NAMES.items():
        if name in {"exception", "serverRestart"}:
            continue
        assert "book_id" in payload.__struct_fields__, name


def test_what_is_not_known_is_left_out() -> None:
    refused = plain(Refused(code="FORBIDDEN", error="no"))

    assert refused == {"ok": False, "code": "FORBIDDEN", "error": "no"}
    assert plain(Joined(book_id=42, head_seq=0, members=1)) == {
        "ok": True,
        "bookId": 42,
        "headSeq": 0,
        "members": 1,
    }


def test_additions_leave_the_documented_keys_as_they_are() -> None:
    joined = UserJoined(username="ada", timestamp="t", user_id="u1", book_id=42, members=2)

    assert plain(joined).items() >= {"username": "ada", "timestamp": "t"}.items()
    assert plain(RoomHead(book_id=42, seq=3, members=1)).items() >= {"bookId": 42, "seq": 3}.items()
