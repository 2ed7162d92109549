"""Raw PCM: signed 16 bit little endian mono, as bytes, as Base64 and as numbers.

A stream may be cut anywhere, also inside a sample and inside a block; nothing is lost at a
cut. Knows no container, no rate and no wire.
"""

import base64
import binascii
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from readrealm.kernel.errors import InvalidBase64

SAMPLE_BYTES = 2
FULL_SCALE = 32_768.0
"""The integer that stands for amplitude 1.0."""

Samples = NDArray[np.float32]
"""Mono amplitudes, one dimension, nominally -1.0 to 1.0."""

_LITTLE_ENDIAN = np.dtype("<i2")


def decode_base64(text: object) -> bytes:
    """The bytes of strict Base64 (RFC 4648, section 4): padded, standard alphabet, no spaces.

    Raises:
        InvalidBase64: not text, empty, or anything that a lenient decoder would guess about.
    """
    if not isinstance(text, str) or not text:
        raise InvalidBase64("the audio must be Base64 text that is not empty")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise InvalidBase64("the audio is not valid Base64") from None


def encode_base64(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode("ascii")


def to_samples(pcm: bytes) -> Samples:
    """Amplitudes of whole s16le samples.

    Raises:
        ValueError: an odd number of bytes; `SampleCutter` mends a stream that is cut so.
    """
    return (np.frombuffer(pcm, _LITTLE_ENDIAN) / FULL_SCALE).astype(np.float32)


def from_samples(samples: Samples) -> bytes:
    """The nearest s16le samples; what is beyond full scale is clipped, never wrapped."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    return np.clip(scaled, -32_768, 32_767).astype(_LITTLE_ENDIAN).tobytes()


def duration_ms(byte_count: int, *, rate_hz: int) -> int:
    """Whole milliseconds that so many bytes of s16le mono last."""
    return byte_count * 1000 // (SAMPLE_BYTES * rate_hz)


def byte_count(milliseconds: int, *, rate_hz: int) -> int:
    """Bytes of s16le mono that last so long, rounded down to whole samples."""
    return milliseconds * rate_hz // 1000 * SAMPLE_BYTES


class SampleCutter:
    """Gives back whole samples; the odd byte at a cut waits for its other half."""

    __slots__ = ("_odd",)

    def __init__(self) -> None:
        self._odd = b""

    def feed(self, pcm: bytes) -> bytes:
        """Everything that is complete, possibly nothing."""
        joined = self._odd + pcm if self._odd else pcm
        whole = len(joined) - len(joined) % SAMPLE_BYTES
        self._odd = bytes(joined[whole:])
        return bytes(joined[:whole])


class BlockCutter:
    """Cuts a byte stream into blocks of one size; the rest waits.

    Args:
        block_bytes: size of every block, at least 1.
    """

    __slots__ = ("_block_bytes", "_waiting")

    def __init__(self, block_bytes: int) -> None:
        if block_bytes < 1:
            raise ValueError("a block has at least one byte")
        self._block_bytes = block_bytes
        self._waiting = bytearray()

    def feed(self, pcm: bytes) -> Iterator[bytes]:
        """Every block that ``pcm`` completes. Must be consumed before the next call."""
        self._waiting += pcm
        while len(self._waiting) >= self._block_bytes:
            block = bytes(self._waiting[: self._block_bytes])
            del self._waiting[: self._block_bytes]
            yield block

    def rest(self) -> bytes:
        """What has not filled a block; the cutter is empty afterwards."""
        rest = bytes(self._waiting)
        self._waiting.clear()
        return rest
