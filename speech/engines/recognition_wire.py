"""What the server and a recognition process say to each other.

Strictly one answer for each request, in order. A message is its length (4 bytes, little
endian) and msgpack. Knows no process and no model.
"""

import struct
from typing import TypeAlias

import msgspec

LENGTH = struct.Struct("<I")
MAX_MESSAGE_BYTES = 16_777_216


class Begin(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Begin an utterance; answered by `Heard`."""

    voice: str | None
    """What an earlier utterance of the same speaker taught; None for a stranger."""


class Hear(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """More of the utterance, 16 kHz s16le; answered by `Heard`."""

    pcm: bytes


class Finish(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The utterance is over; answered by `Recognised`."""


class Forget(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The utterance does not matter any more; answered by `Heard`."""


class Transcribe(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A whole utterance at once, 16 kHz s16le; answered by `Recognised`."""

    pcm: bytes


class Ready(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The model is loaded; said once, unasked."""


class Heard(msgspec.Struct, frozen=True, tag=True, array_like=True):
    text: str
    """The hypothesis so far; later ones may revise every word of it."""


class Word(msgspec.Struct, frozen=True, array_like=True):
    text: str
    start_s: float
    """Since the beginning of the utterance."""
    end_s: float


class Recognised(msgspec.Struct, frozen=True, tag=True, array_like=True):
    text: str
    """Lower case words with single spaces; empty if none was recognised."""
    words: tuple[Word, ...] = ()
    """Empty if the model does not tell times."""
    voice: str | None = None
    """Hand it to the next utterance of the same speaker."""


class Failed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    reason: str


Request: TypeAlias = Begin | Hear | Finish | Forget | Transcribe
Answer: TypeAlias = Ready | Heard | Recognised | Failed

_REQUESTS = msgspec.msgpack.Decoder(Request)
_ANSWERS = msgspec.msgpack.Decoder(Answer)


def pack(message: Request | Answer) -> bytes:
    body = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(body)) + body


def read_request(body: bytes) -> Request:
    request: Request = _REQUESTS.decode(body)
    return request


def read_answer(body: bytes) -> Answer:
    answer: Answer = _ANSWERS.decode(body)
    return answer
