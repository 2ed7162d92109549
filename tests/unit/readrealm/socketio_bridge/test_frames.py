"""The server's end of RFC 6455, against the frames that the `websockets` library writes."""

import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame
from websockets.frames import Opcode as Code
from websockets.streams import StreamReader

from readrealm.socketio_bridge.frames import (
    FrameError,
    FrameReader,
    Message,
    Opcode,
    accept_key,
    close_code,
    close_frame,
    control_frame,
    limit_frame,
    told_limit,
)

LIMIT = 100_000


def masked(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(Code(opcode), data, fin).serialize(mask=True)


def read(data: bytes, *, limit: int = LIMIT) -> list[Message]:
    return FrameReader(limit).feed(data)


# Messages.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, LIMIT])
def test_a_message_of_any_size_is_read(size: int) -> None:
    assert read(masked(2, b"\xff" * size)) == [(Opcode.BINARY, b"\xff" * size)]
    assert read(masked(1, b"x" * size)) == [(Opcode.TEXT, "x" * size)]


MESSAGES = st.lists(
    st.tuples(st.just(Opcode.TEXT), st.text(max_size=200))
    | st.tuples(st.just(Opcode.BINARY), st.binary(max_size=200))
    | st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125)),
    max_size=6,
)


@given(MESSAGES, st.data())
def test_messages_are_read_however_they_are_cut(
    messages: list[Message], data: st.DataObject
) -> None:
    """Into fragments, with control frames between them, and into pieces as a network does."""
    wire = b""
    for opcode, content in messages:
        body = content.encode() if isinstance(content, str) else content
        if opcode in {Opcode.PING, Opcode.PONG}:
            wire += masked(opcode, body)
            continue
        cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=3)))
        edges = [0, *cuts, len(body)]
        parts = [body[start:end] for start, end in pairwise(edges)]
        for number, part in enumerate(parts):
            kind = opcode if number == 0 else Opcode.CONTINUATION
            wire += masked(kind, part, fin=number == len(parts) - 1)
    reader, heard = FrameReader(LIMIT), []

    while wire:
        size = data.draw(st.integers(1, len(wire)))
        heard += reader.feed(wire[:size])
        wire = wire[size:]

    assert heard == messages


def test_a_control_frame_may_come_between_fragments() -> None:
    wire = masked(1, b"hal", fin=False) + masked(9, b"ping") + masked(0, b"lo")

    assert read(wire) == [(Opcode.PING, b"ping"), (Opcode.TEXT, "hallo")]


def test_a_letter_may_be_cut_by_a_fragment() -> None:
    whale = "\U0001f40b".encode()

    assert read(masked(1, whale[:2], fin=False) + masked(0, whale[2:])) == [
        (Opcode.TEXT, "\U0001f40b")
    ]


# What is not allowed.


def with_bits(frame: bytes, first: int) -> bytes:
    return bytes([frame[0] | first]) + frame[1:]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (Frame(Code.TEXT, b"plain").serialize(mask=False), 1002),
        (with_bits(masked(1, b"x"), 0x40), 1002),
        (with_bits(masked(1, b"x"), 0x20), 1002),
        (with_bits(masked(1, b"x"), 0x10), 1002),
        (with_bits(masked(0, b"x"), 0x03), 1002),
        (with_bits(masked(8, b""), 0x03), 1002),
        (masked(0, b"of nothing"), 1002),
        (masked(1, b"a", fin=False) + masked(1, b"b"), 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        (bytes((0x89, 0x80 | 126, 0, 126, 0, 0, 0, 0)) + b"x" * 126, 1002),
        (masked(1, b"\xff"), 1007),
        (masked(1, b"\xed\xa0\x80"), 1007),
        (masked(1, b"\xf0\x9f", fin=False) + masked(0, b"\x90"), 1007),
        (masked(2, b"x" * (LIMIT + 1)), 1009),
        (masked(2, b"x" * LIMIT, fin=False) + masked(0, b"x"), 1009),
        (bytes((0x82, 0x80 | 127)) + b"\xff" * 8, 1009),
    ],
    ids=[
        "not masked",
        "first reserved bit",
        "second reserved bit",
        "third reserved bit",
        "unknown data frame",
        "unknown control frame",
        "continuation of nothing",
        "message in a message",
        "control frame in fragments",
        "long control frame",
        "not UTF-8",
        "a surrogate",
        "half a letter at the end",
        "too large",
        "too large in fragments",
        "absurdly large",
    ],
)
def test_what_breaks_the_protocol_is_named(wire: bytes, code: int) -> None:
    with pytest.raises(FrameError) as caught:
        read(wire)

    assert caught.value.code == code


def test_a_frame_over_the_limit_is_refused_by_its_head() -> None:
    with pytest.raises(FrameError) as caught:
        read(masked(2, b"x" * (LIMIT + 1))[:14])

    assert caught.value.code == 1009


def test_the_limit_may_be_changed_at_any_time() -> None:
    reader = FrameReader(10)
    reader.max_bytes = 20
    assert reader.feed(masked(2, b"x" * 20)) == [(Opcode.BINARY, b"x" * 20)]

    reader.max_bytes = 10
    with pytest.raises(FrameError):
        reader.feed(masked(2, b"x" * 20))


def peer_reads(wire: bytes) -> Frame:
    """One frame of a client as the library reads it on a server.

    Raises:
        ProtocolError, PayloadTooBig: it would not take it either.
    """
    reader = StreamReader()
    reader.feed_data(wire)
    parsing = Frame.parse(reader.read_exact, mask=True, max_size=LIMIT)
    try:
        next(parsing)
    except StopIteration as end:
        frame: Frame = end.value
        frame.check()
        return frame
    raise EOFError


@given(st.binary(min_size=1, max_size=40))
@example(b"\x81\x85\0\0\0\0hello")
def test_any_bytes_are_read_as_another_library_reads_them(wire: bytes) -> None:
    try:
        theirs = peer_reads(wire)
    except (ProtocolError, PayloadTooBig, EOFError):
        assert _first(wire) is None
        return
    ours = _first(wire)
    assert ours is None or ours[0] == theirs.opcode


def _first(wire: bytes) -> Message | None:
    """The first message of the bytes; None when there is none, or the rest spoils it."""
    reader = FrameReader(LIMIT)
    try:
        for end in range(1, len(wire) + 1):
            if messages := reader.feed(wire[end - 1 : end]):
                return messages[0]
    except FrameError:
        pass
    return None


# What it costs.


def test_a_large_message_in_small_pieces_costs_time_in_proportion() -> None:
    wire = masked(2, b"x" * 8_000_000)
    reader, deadline = FrameReader(10_000_000), time.monotonic() + 5
    messages: list[Message] = []

    for start in range(0, len(wire), 128):
        messages += reader.feed(wire[start : start + 128])
        assert time.monotonic() < deadline, f"{start} bytes took more than five seconds"

    assert [len(content) for _, content in messages] == [8_000_000]


def test_fragments_that_say_nothing_cost_nothing() -> None:
    reader = FrameReader(LIMIT)
    reader.feed(masked(1, b"", fin=False))
    wire = masked(0, b"", fin=False) * 1_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            reader.feed(wire)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 100_000


# Closing and opening.


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999])
def test_a_close_code_is_read(code: int) -> None:
    assert close_code(Close(code, "why \u00fc").serialize()) == code


def test_a_close_frame_may_be_empty() -> None:
    assert close_code(b"") == 1005
    assert close_frame(1005) == control_frame(Opcode.CLOSE)


@pytest.mark.parametrize(
    "payload",
    [b"\x03", *[code.to_bytes(2, "big") for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)]],
)
def test_a_close_code_that_may_not_be_sent_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        close_code(payload)

    assert caught.value.code == 1002


def test_a_close_reason_must_be_text() -> None:
    with pytest.raises(FrameError) as caught:
        close_code(b"\x03\xe8\xff")

    assert caught.value.code == 1007


@given(st.sampled_from([1000, 1008, 1012, 4000]), st.text(max_size=200))
def test_a_close_frame_is_read_by_another_parser(code: int, reason: str) -> None:
    text = reason.encode(errors="ignore").decode()

    frame = close_frame(code, text)

    reader = StreamReader()
    reader.feed_data(frame)
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as end:
        next(parsing)
    close = Close.parse(end.value.value.data)
    assert close.code == code
    assert text.startswith(close.reason)


def test_the_answer_to_a_key_is_the_one_of_the_document() -> None:
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("key", [b"", b"short", b"AQID", b"!" * 24, b"dGhlIHNhbXBsZSBub25jZQ"])
def test_a_key_that_is_none_has_no_answer(key: bytes) -> None:
    assert accept_key(key) is None


@pytest.mark.parametrize("max_bytes", [0, 1_000_000, 100_000_000])
def test_a_relay_is_told_how_large_a_message_may_be(max_bytes: int) -> None:
    first, length, payload = (frame := limit_frame(max_bytes))[0], frame[1], frame[2:]

    assert first == 0x80 | Opcode.PING
    assert length == len(payload) <= 125
    assert told_limit(payload) == max_bytes


@pytest.mark.parametrize(
    "ping", [b"", b"hi", b"max-message-bytes:", b"max-message-bytes:-1", b"max-message-bytes:1 "]
)
def test_other_pings_tell_nothing(ping: bytes) -> None:
    assert told_limit(ping) is None
