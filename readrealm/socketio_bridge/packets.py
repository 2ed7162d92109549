"""Bytes and text of the protocols: WebSocket frames, Engine.IO payloads, Socket.IO packets, JSON.

Knows no connection and no event loop.
"""

import base64
import binascii
import json
import re
from typing import Any, ClassVar, Final

import msgspec
from socketio import packet

RECORD_SEPARATOR = "\x1e"
"""Between the packets of one long-polling payload (Engine.IO protocol, version 4)."""

MAX_ATTACHMENTS = 32
"""Binary attachments of one Socket.IO packet; a header that announces more is refused."""

MAX_JSON_DEPTH = 32
"""Nesting of one packet's JSON; deeper ones are refused before they are decoded."""

EnginePacket = str | bytes
"""One Engine.IO packet as a WebSocket carries it: text with its type digit, or binary data."""


class BadPacket(ValueError):
    """What the client sent is not the protocol; its transport is closed."""


class TooDeep(BadPacket):
    """JSON that is nested deeper than `MAX_JSON_DEPTH`.

    A client's event of this kind is refused and closes nothing, for its name can be read.
    """


UNREADABLE: Final = object()
"""In the place of the arguments of an event that is `TooDeep`."""


def websocket_frame(content: EnginePacket) -> bytes:
    """One unmasked, unfragmented, uncompressed WebSocket frame (RFC 6455, section 5.2)."""
    binary = isinstance(content, bytes)
    body = content if isinstance(content, bytes) else content.encode()
    opcode = 0x82 if binary else 0x81
    size = len(body)
    if size < 126:
        return bytes((opcode, size)) + body
    if size < 65_536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + body
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + body


def join_payload(packets: list[EnginePacket]) -> bytes:
    """The body that answers a poll."""
    return RECORD_SEPARATOR.join(
        "b" + base64.b64encode(item).decode() if isinstance(item, bytes) else item
        for item in packets
    ).encode()


def split_payload(body: bytes) -> list[EnginePacket]:
    """The packets of one POST, in order.

    Raises:
        BadPacket: not UTF-8, empty, or a binary packet that is not Base64.
    """
    try:
        parts = body.decode().split(RECORD_SEPARATOR)
        return [
            base64.b64decode(part[1:], validate=True) if part[:1] == "b" else part for part in parts
        ]
    except (UnicodeDecodeError, binascii.Error) as error:
        raise BadPacket("the payload cannot be read") from error


class Json:
    """The ``json=`` module for python-socketio: msgspec, and the standard library as oracle.

    python-socketio keeps it on its packet class, so it holds for the whole process.
    `msgspec.Raw` values are spliced in without a second encode.
    """

    JSONDecodeError: ClassVar[type[ValueError]] = json.JSONDecodeError

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Encode; text with unpaired surrogates, which is not UTF-8, goes out in escapes."""
        try:
            return msgspec.json.encode(value).decode()
        except UnicodeEncodeError:
            return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        """Decode; what msgspec refuses is read by the standard library, which takes as much
        as JavaScript does (unpaired surrogates, large numbers) and lets validation answer.

        Raises:
            TooDeep: nested deeper than `MAX_JSON_DEPTH`.
            BadPacket: not JSON at all.
        """
        if _too_deep(text):
            raise TooDeep("the packet is nested too deeply")
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError):
            try:
                return json.loads(text, parse_constant=_refuse_constant)
            except ValueError as error:
                raise BadPacket("the packet is not JSON") from error


def _refuse_constant(name: str) -> Any:
    raise BadPacket(f"{name} is not JSON")


def _too_deep(text: str) -> bool:
    """Whether brackets outside of strings nest deeper than allowed; cheap for shallow text."""
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return False
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


class Packet(packet.Packet):
    """python-socketio's packet with a limit on attachments and placeholders that must fit."""

    json = Json

    def __init__(self, *args: Any, encoded_packet: str | None = None, **options: Any) -> None:
        if encoded_packet == "":
            raise BadPacket("an empty packet")
        super().__init__(*args, encoded_packet=encoded_packet, **options)

    def decode(self, encoded_packet: str) -> int:
        """Read a packet; the result is the number of attachments that must follow.

        Raises:
            BadPacket: not a Socket.IO packet, or one over the limits.
        """
        if encoded_packet[:1] not in _PACKET_TYPES:
            raise BadPacket("unknown packet type")
        try:
            count: int = super().decode(encoded_packet)
        except TooDeep:
            count = self._read_name(encoded_packet)
        except BadPacket:
            raise
        except (ValueError, IndexError, TypeError, RecursionError) as error:
            raise BadPacket("the packet cannot be read") from error
        if count > MAX_ATTACHMENTS:
            raise BadPacket("too many attachments")
        if self.packet_type in _WITH_ARGUMENTS:
            self._check_arguments()
        return count

    def _read_name(self, encoded_packet: str) -> int:
        """Keep an event's name, and `UNREADABLE` for the rest; the result is that of `decode`."""
        head = _EVENT_NAME.match(encoded_packet)
        if head is None:
            raise TooDeep("the packet is nested too deeply")
        self.data = [*Json.loads(f"[{head['name']}]"), UNREADABLE]
        return int(head["attachments"] or 0)

    def _check_arguments(self) -> None:
        """An event is a list that begins with its name; an acknowledgement is a list."""
        if not isinstance(self.data, list):
            raise BadPacket("the arguments must be a list")
        is_event = self.packet_type in {packet.EVENT, packet.BINARY_EVENT}
        if is_event and not (self.data and isinstance(self.data[0], str | int)):
            raise BadPacket("an event needs a name")

    @classmethod
    def reconstruct_binary(cls, data: Any, attachments: list[bytes]) -> Any:
        """Put attachments in the places of their placeholders.

        Raises:
            BadPacket: a placeholder whose number is none of an attachment.
        """
        if isinstance(data, list):
            return [cls.reconstruct_binary(item, attachments) for item in data]
        if not isinstance(data, dict):
            return data
        if data.get("_placeholder") is not True:
            return {key: cls.reconstruct_binary(item, attachments) for key, item in data.items()}
        number = data.get("num")
        if not isinstance(number, int) or not 0 <= number < len(attachments):
            raise BadPacket("a placeholder without its attachment")
        return attachments[number]


EVENT_TYPE = str(packet.EVENT)

MAX_ID_DIGITS = 15
"""Of the ids that clients count up; longer ones take the long way."""

_PACKET_TYPES = frozenset("0123456")
_WITH_ARGUMENTS = frozenset({packet.EVENT, packet.ACK, packet.BINARY_EVENT, packet.BINARY_ACK})

_EVENT_NAME = re.compile(
    r"""(?:2|5(?P<attachments>[0-9]{1,10})-)(?:/[^,]*,)?[0-9]*\[\s*(?P<name>"(?:[^"\\]|\\.)*+")"""
)
"""The beginning of an event's packet, its name included."""


def event_head(text: str) -> tuple[str, int | None, int] | None:
    """Namespace, id and place of the arguments in an EVENT packet of one of the usual forms.

    None for everything else: `Packet` knows what that is.
    """
    start = text.find("[")
    if start < 1 or text[0] != EVENT_TYPE:
        return None
    namespace, number = "/", text[1:start]
    if number[:1] == "/":
        namespace, comma, number = number.partition(",")
        if not comma or "?" in namespace:
            return None
    if not number:
        return namespace, None, start
    if len(number) > MAX_ID_DIGITS or not (number.isascii() and number.isdecimal()):
        return None
    return namespace, int(number), start


def event_text(namespace: str, name: str, arguments: bytes | None) -> str:
    """A Socket.IO EVENT packet as Engine.IO text, around an argument that is JSON already.

    Args:
        arguments: the JSON of the one argument, or None for an event without arguments.
    """
    where = "" if namespace == "/" else namespace + ","
    quoted = msgspec.json.encode(name).decode()
    rest = "" if arguments is None else "," + arguments.decode()
    return f"42{where}[{quoted}{rest}]"
