"""Bytes and text of the protocols, against other people's parsers."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from socketio import packet
from websockets.frames import OP_BINARY, OP_TEXT, Frame
from websockets.streams import StreamReader

from readrealm.socketio_bridge.packets import (
    MAX_ATTACHMENTS,
    MAX_JSON_DEPTH,
    RECORD_SEPARATOR,
    UNREADABLE,
    BadPacket,
    Json,
    Packet,
    event_text,
    join_payload,
    split_payload,
    websocket_frame,
)

settings.register_profile("bridge", deadline=None, max_examples=60)
settings.load_profile("bridge")

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
JSON_VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
"""JSON as both sides of a connection can say it."""


# Frames.


def parse_frame(data: bytes) -> Frame:
    """A frame as the `websockets` library reads it; all bytes belong to it."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        next(parsing)
    except StopIteration as end:
        frame: Frame = end.value
    assert next(iter(reader.read_to_eof(1)), None) is None
    return frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000])
@pytest.mark.parametrize("kind", [bytes, str])
def test_a_frame_of_any_size_is_read_by_another_parser(size: int, kind: type) -> None:
    content = b"\xff" * size if kind is bytes else "x" * size

    frame = parse_frame(websocket_frame(content))

    assert frame.opcode == (OP_BINARY if kind is bytes else OP_TEXT)
    assert frame.fin
    assert (frame.rsv1, frame.rsv2, frame.rsv3) == (False, False, False)
    assert bytes(frame.data) == (content if isinstance(content, bytes) else content.encode())


@given(st.text(max_size=300))
@example("\u00fc" * 63)
def test_the_length_of_a_text_frame_counts_its_bytes(text: str) -> None:
    assert bytes(parse_frame(websocket_frame(text)).data) == text.encode()


# Payloads.

TEXT_PACKETS = st.text().filter(lambda text: RECORD_SEPARATOR not in text and text[:1] != "b")


@given(st.lists(TEXT_PACKETS | st.binary(), min_size=1))
def test_a_payload_is_split_into_what_was_joined(packets: list[str | bytes]) -> None:
    assert split_payload(join_payload(packets)) == packets


def test_a_payload_is_what_the_protocol_document_shows() -> None:
    assert join_payload(["4hello", "2", b"\x01\x02\x03\x04"]) == b"4hello\x1e2\x1ebAQIDBA=="


@pytest.mark.parametrize("body", [b"b!!!!", b"4\xff", b"4ok\x1ebAQ", b"b AQ=="])
def test_a_payload_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(BadPacket):
        split_payload(body)


@given(st.binary(max_size=60))
def test_any_body_is_split_or_refused(body: bytes) -> None:
    try:
        packets = split_payload(body)
    except BadPacket:
        return
    assert len(packets) == body.count(b"\x1e") + 1


# JSON.


@given(JSON_VALUES)
def test_what_is_written_is_read_back_here_and_elsewhere(value: Any) -> None:
    text = Json.dumps(value)

    assert json.loads(text) == value
    assert Json.loads(text) == value


@given(JSON_VALUES)
def test_json_of_others_is_read(value: Any) -> None:
    assert Json.loads(json.dumps(value)) == value


def test_ready_json_is_spliced_in() -> None:
    ready = msgspec.Raw(b'{"a": [1,  2]}')

    assert Json.dumps(["event", ready]) == '["event",{"a": [1,  2]}]'


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[1,NaN]", '{"a":Infinity}'])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadPacket):
        Json.loads(text)


@pytest.mark.parametrize("text", ["", "[", "{]", "nope", "'a'", "[1,]", "1 2", "\ufeff1", '"\x00"'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(BadPacket):
        Json.loads(text)


@pytest.mark.parametrize(
    "text",
    ['"\\ud83d"', '["\\udc00\\ud83d"]', '{"\\ud800":1}', "123456789012345678901234567890", "1e400"],
)
def test_what_javascript_takes_is_taken(text: str) -> None:
    assert Json.loads(text) == json.loads(text)


@given(st.text(alphabet=st.characters(codec=None, categories=["Cs", "Lu"]), max_size=8))
@example("\ud83d")
def test_halves_of_surrogate_pairs_are_written_as_javascript_writes_them(text: str) -> None:
    said = json.loads(Json.dumps({"said": text}))["said"]

    # Two halves side by side are one character, in JavaScript as in JSON.
    assert said.encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


BRACKETS = {"[": "]", '{"a":': "}"}


@given(st.lists(st.sampled_from(list(BRACKETS)), min_size=1, max_size=70), st.text(max_size=20))
@example(["["] * MAX_JSON_DEPTH, "[" * 100)
@example(["["] * (MAX_JSON_DEPTH + 1), "")
@example(['{"a":'] * (MAX_JSON_DEPTH + 1), '"\\"')
def test_nesting_is_limited_exactly(opening: list[str], leaf: str) -> None:
    closing = [BRACKETS[bracket] for bracket in reversed(opening)]
    text = "".join([*opening, json.dumps(leaf), *closing])

    if len(opening) <= MAX_JSON_DEPTH:
        assert Json.loads(text) == json.loads(text)
    else:
        with pytest.raises(BadPacket, match="deep"):
            Json.loads(text)


DEEP = "[" * (MAX_JSON_DEPTH + 1)
"""Nested too deeply whatever stands around it; that it never ends is not looked at."""


@pytest.mark.parametrize(
    ("text", "namespace", "ack_id", "name", "attachments"),
    [
        (f'2["say",{DEEP}', None, None, "say", 0),
        (f'212["say",{DEEP}', None, 12, "say", 0),
        (f'2/chat,7["say",{DEEP}', "/chat", 7, "say", 0),
        (f'2/chat?a=1,["say",{DEEP}', "/chat", None, "say", 0),
        (f'2[ "a \\"b\\u00e9[[" ,{DEEP}', None, None, 'a "b\u00e9[[', 0),
        (f'52-/chat,7["say",{DEEP}', "/chat", 7, "say", 2),
    ],
)
def test_of_an_event_that_is_nested_too_deeply_everything_else_is_known(
    text: str, namespace: str | None, ack_id: int | None, name: str, attachments: int
) -> None:
    received = Packet(encoded_packet=text)

    assert received.data == [name, UNREADABLE]
    assert (received.namespace, received.id) == (namespace, ack_id)
    assert received.attachment_count == attachments


def test_attachments_of_an_event_that_is_nested_too_deeply_are_taken_and_dropped() -> None:
    received = Packet(encoded_packet=f'52-["say",{DEEP}')

    assert [received.add_attachment(part) for part in (b"one", b"two")] == [False, True]
    assert received.data == ["say", UNREADABLE]


@pytest.mark.parametrize(
    "text",
    [f'0{{"a":{DEEP}', f"4{DEEP}", f"312[{DEEP}", f"62-[{DEEP}", f"2[{DEEP}", f"2{DEEP}",
     f"2[7,{DEEP}", f'2{{"say":{DEEP}', f'2["a\nb",{DEEP}', f'599-["say",{DEEP}'],
)  # fmt: skip
def test_any_other_packet_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(BadPacket):
        Packet(encoded_packet=text)


def test_an_endless_nesting_costs_nothing() -> None:
    with pytest.raises(BadPacket):
        Json.loads("[" * 1_000_000)


# Socket.IO packets.

NAMESPACES = st.sampled_from(["/", "/custom", "/a-b_c.d"])
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
ARGUMENTS = st.lists(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | st.binary(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def receive(parts: str | list[str | bytes]) -> Packet:
    """A packet as it is read on the other side, with its attachments."""
    header, *attachments = [parts] if isinstance(parts, str) else parts
    assert isinstance(header, str)
    received = Packet(encoded_packet=header)
    for attachment in attachments:
        assert isinstance(attachment, bytes)
        received.add_attachment(attachment)
    return received


@given(NAMESPACES, TEXTS, ARGUMENTS, st.none() | st.integers(0, 2**53))
def test_a_packet_is_read_as_it_was_written(
    namespace: str, name: str, arguments: list[Any], ack_id: int | None
) -> None:
    sent = Packet(packet.EVENT, data=[name, *arguments], namespace=namespace, id=ack_id)

    received = receive(sent.encode())

    assert received.data == [name, *arguments]
    assert (received.namespace or "/", received.id) == (namespace, ack_id)
    assert received.packet_type == sent.packet_type


@given(NAMESPACES, TEXTS, JSON_VALUES)
def test_an_event_around_ready_json_is_the_packet_that_python_socketio_writes(
    namespace: str, name: str, argument: Any
) -> None:
    ready = msgspec.json.encode(argument)

    text = event_text(namespace, name, ready)

    expected = Packet(packet.EVENT, data=[name, msgspec.Raw(ready)], namespace=namespace)
    assert text == "4" + str(expected.encode())


def test_an_event_may_have_no_argument() -> None:
    assert event_text("/custom", 'say "hi"', None) == '42/custom,["say \\"hi\\""]'


@given(
    st.text(alphabet='0123456/-,[]{}"abc_ numplaceholder:\u00b2\u0663\\', max_size=40)
    | st.text(max_size=20)
)
@example("2\u00b2[]")
@example("2" + "1" * 200 + '["a"]')
@example("51-")
@example("")
def test_any_text_is_a_packet_or_refused(text: str) -> None:
    try:
        received = Packet(encoded_packet=text)
    except BadPacket:
        return
    assert 0 <= received.attachment_count <= MAX_ATTACHMENTS
    if received.packet_type in {packet.EVENT, packet.BINARY_EVENT}:
        assert isinstance(received.data[0], str | int)


@given(JSON_VALUES, st.lists(st.binary(max_size=4), min_size=1, max_size=3))
def test_placeholders_are_filled_or_refused(value: Any, attachments: list[bytes]) -> None:
    header = f"5{len(attachments)}-{json.dumps(['event', value])}"
    try:
        receive([header, *attachments])
    except BadPacket:
        return


@pytest.mark.parametrize("number", ["1", "-1", "-3", '"0"', "null", "0.5", "{}", "true", "1e99"])
def test_a_placeholder_must_name_an_attachment_that_came(number: str) -> None:
    with pytest.raises(BadPacket):
        receive([f'51-["event",{{"_placeholder":true,"num":{number}}}]', b"only"])


@pytest.mark.parametrize(
    "text",
    ["", "7", "x", "2", "2{}", '2"a"', "2[]", "2[null]", "2[[]]", "3{}", "3", "5[]", "533-[]"],
)
def test_a_packet_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadPacket):
        Packet(encoded_packet=text)


def test_attachments_are_base64_in_payloads_only() -> None:
    header, attachment = Packet(packet.EVENT, data=["a", b"\x01\x02"]).encode()

    assert attachment == b"\x01\x02"
    body = join_payload(["4" + header, attachment])
    assert body.endswith(b"b" + base64.b64encode(b"\x01\x02"))
