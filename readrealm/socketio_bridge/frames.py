"""The server's end of the WebSocket protocol (RFC 6455) without a socket: bytes in, messages out.

No extension is offered, so no reserved bit may be set; what a client sends must be masked.
"""

import base64
import binascii
import hashlib
from enum import IntEnum

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part
    from websockets.utils import apply_mask


class Opcode(IntEnum):
    """Frame types of RFC 6455, section 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


PROTOCOL_ERROR, NOT_UTF8, TOO_LARGE = 1002, 1007, 1009
"""Close codes for what a client got wrong (RFC 6455, section 7.4.1)."""

NO_CODE = 1005
"""Stands for a close frame without a code; never sent."""

FIN, MASKED = 0x80, 0x80
WHOLE_TEXT = FIN | 1
"""First byte of nearly every frame: a text in one piece."""

LIMIT = b"max-message-bytes:"
"""Begins the ping of `limit_frame`."""

TEXT = Opcode.TEXT
KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Message = tuple[Opcode, str | bytes]
"""``TEXT`` with text, or ``BINARY``, ``CLOSE``, ``PING`` or ``PONG`` with bytes."""


class FrameError(Exception):
    """The client broke the protocol; ``code`` is what the connection is closed with."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def accept_key(key: bytes) -> bytes | None:
    """The answer to ``Sec-WebSocket-Key``; None for a key that is not 16 bytes in Base64."""
    try:
        if len(base64.b64decode(key, validate=True)) != 16:
            return None
    except binascii.Error:
        return None
    return base64.b64encode(hashlib.sha1(key + KEY_SUFFIX, usedforsecurity=False).digest())


def control_frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """A frame of at most 125 bytes of payload."""
    return bytes((FIN | opcode, len(payload))) + payload


def limit_frame(max_bytes: int) -> bytes:
    """A ping that tells a relay between us and the client how large a message may be."""
    return control_frame(Opcode.PING, b"%s%d" % (LIMIT, max_bytes))


def told_limit(ping: bytes) -> int | None:
    """What a ping tells of the largest message; None for every other ping."""
    number = ping[len(LIMIT) :] if ping.startswith(LIMIT) else b""
    return int(number) if number.isdigit() else None


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; a reason that is too long is cut."""
    if code == NO_CODE:
        return control_frame(Opcode.CLOSE)
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return control_frame(Opcode.CLOSE, code.to_bytes(2, "big") + text)


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455, section 7.4, and the IANA registry)."""
    return code in range(1000, 1004) or code in range(1007, 1015) or code in range(3000, 5000)


def close_code(payload: bytes) -> int:
    """The code of a close frame's payload.

    Raises:
        FrameError: half a code, one that may not be sent, or a reason that is not UTF-8.
    """
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not may_be_sent(code):
        raise FrameError(PROTOCOL_ERROR, "a close code that may not be sent")
    _text(payload[2:])
    return code


class FrameReader:
    """Reads what one client sends.

    Attributes:
        max_bytes: of a message, over all of its fragments; may be changed at any time.
    """

    __slots__ = ("_buffer", "_kind", "_needed", "_parts", "_size", "max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._buffer = bytearray()
        self._needed = 2
        """Bytes that the frame at the start of the buffer has, as far as that is known."""
        self._kind: Opcode | None = None
        """What the fragments belong to; None between messages."""
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes; the messages that they complete, in order.

        Raises:
            FrameError: after which nothing more can be read.
        """
        messages: list[Message] = []
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return messages
            data = bytes(self._buffer)
        start = 0
        while (frame := self._next_frame(data, start)) is not None:
            first, payload, start = frame
            message = self._take(first, payload)
            if message is not None:
                messages.append(message)
        self._buffer = bytearray(data[start:])
        return messages

    def _next_frame(self, buffer: bytes, start: int) -> tuple[int, bytes, int] | None:
        """First byte, payload and end of the frame at ``start``; None while it is incomplete."""
        have = len(buffer) - start
        self._needed = 2
        if have < 2:
            return None
        first, second = buffer[start], buffer[start + 1]
        size, head = second & 0x7F, 2
        if size > 125:
            width = 2 if size == 126 else 8
            head += width
            if have < head:
                self._needed = head
                return None
            size = int.from_bytes(buffer[start + 2 : start + head], "big")
        self._check_head(first, second, size)
        end = start + head + 4 + size
        if len(buffer) < end:
            self._needed = end - start
            return None
        mask = buffer[start + head : start + head + 4]
        return first, apply_mask(buffer[start + head + 4 : end], mask), end

    def _check_head(self, first: int, second: int, size: int) -> None:
        if first & 0x70 or not second & MASKED:
            raise FrameError(PROTOCOL_ERROR, "reserved bits, or no mask")
        if first & 0x08 and (size > 125 or not first & FIN):
            raise FrameError(PROTOCOL_ERROR, "a control frame that is long or a fragment")
        if self._size + size > self.max_bytes:
            raise FrameError(TOO_LARGE, "the message is too large")

    def _take(self, first: int, payload: bytes) -> Message | None:
        if first == WHOLE_TEXT and self._kind is None:
            return TEXT, _text(payload)
        number = first & 0x0F
        if number == Opcode.CONTINUATION:
            if self._kind is None:
                raise FrameError(PROTOCOL_ERROR, "a continuation of nothing")
        elif number in (Opcode.TEXT, Opcode.BINARY):
            if self._kind is not None:
                raise FrameError(PROTOCOL_ERROR, "a message inside a message")
            self._kind = Opcode(number)
        elif number in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            return Opcode(number), payload
        else:
            raise FrameError(PROTOCOL_ERROR, "an unknown frame type")
        return self._add(payload, is_last=bool(first & FIN))

    def _add(self, payload: bytes, *, is_last: bool) -> Message | None:
        if not is_last:
            if payload:
                self._parts.append(payload)
                self._size += len(payload)
            return None
        kind, self._kind = self._kind, None
        if self._parts:
            payload = b"".join([*self._parts, payload])
            self._parts, self._size = [], 0
        if kind is Opcode.TEXT:
            return Opcode.TEXT, _text(payload)
        return Opcode.BINARY, payload


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameError(NOT_UTF8, "text that is not UTF-8") from None
