"""Reads WebM as MediaRecorder streams it: no lengths, no index, cut anywhere.

The EBML elements are walked as one flat sequence: a container element is entered by reading
on behind its header, so clusters of unknown size need no special care. When bytes are
missing, reading resumes at the next cluster, or at the next block that is followed by
another one, for a recorder may put half a minute into one cluster.

Format: RFC 8794 (EBML), RFC 9559 (Matroska).
"""

import struct
from dataclasses import dataclass

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track

MAX_HEADER_BYTES = 65_536
"""A stream whose tracks are not known by then is not one that a recorder made."""
MAX_BLOCK_BYTES = 262_144
"""Sound has no larger blocks; a larger size is a sign of missing bytes."""

EBML, SEGMENT, CLUSTER, TRACKS, ENTRY, AUDIO, INFO, GROUP = (
    0x1A45DFA3,
    0x18538067,
    0x1F43B675,
    0x1654AE6B,
    0xAE,
    0xE1,
    0x1549A966,
    0xA0,
)
ENTERED = frozenset({EBML, SEGMENT, CLUSTER, TRACKS, ENTRY, AUDIO, INFO, GROUP})
"""Containers that are read on into."""

TIMESTAMP, SIMPLE_BLOCK, BLOCK = 0xE7, 0xA3, 0xA1
SCALE, NUMBER, CODEC_ID, PRIVATE, RATE, CHANNELS, DEPTH = (
    0x2AD7B1,
    0xD7,
    0x86,
    0x63A2,
    0xB5,
    0x9F,
    0x6264,
)
READ = frozenset({TIMESTAMP, SCALE, NUMBER, CODEC_ID, PRIVATE, RATE, CHANNELS, DEPTH})

STREAMED = frozenset(
    {
        *(EBML, SEGMENT, CLUSTER, GROUP, TIMESTAMP, SIMPLE_BLOCK, BLOCK),
        *(0xEC, 0xBF, 0xA7, 0xAB, 0x9B, 0xFB, 0x75A2, 0x75A1, 0xFA, 0x5854),
        *(0x1C53BB6B, 0x114D9B74, 0x1254C367, 0x1043A770, 0x1941A469),
    }
)
"""What may stand behind the first cluster; anything else there means missing bytes."""


@dataclass(slots=True)
class _Entry:
    """The track description that is being read."""

    number: int = 0
    codec_id: str = ""
    private: bytes = b""
    rate_hz: float = 8000.0
    channels: int = 1
    depth: int = 16

    def track(self) -> Track:
        codecs = {
            ("A_OPUS", 16): Codec.OPUS,
            ("A_PCM/FLOAT/IEEE", 32): Codec.PCM_F32,
            ("A_PCM/INT/LIT", 16): Codec.PCM_S16,
        }
        depth = 16 if self.codec_id == "A_OPUS" else self.depth
        codec = codecs.get((self.codec_id, depth))
        if codec is None:
            raise UnsupportedMedia("WebM sound must be Opus or PCM")
        if not 0 < self.rate_hz < 1e6:  # also refuses what is not a number
            raise UnsupportedMedia("the WebM stream has no sensible sample rate")
        return Track(codec, round(self.rate_hz), self.channels, self.private)


class WebmDemuxer:
    """A `speech.audio.codecs.Demuxer` for one WebM stream; the first sound track counts."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0
        self._header_bytes = 0
        self._begin()

    def _begin(self) -> None:
        self._entry: _Entry | None = None
        self._track: int | None = None
        self._streaming = False
        self._scale_s = 0.001
        self._cluster: int | None = 0
        self._last_relative = 0
        self._cluster_certain = True
        self._searching = False

    def lost(self) -> None:
        self._buffer.clear()
        self._skip = 0
        self._cluster_certain = False
        self._searching = self._streaming

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        self._buffer += chunk
        if not self._streaming:
            self._header_bytes += len(chunk)
        found: list[Track | Packet] = []
        while self._skip_over() and (not self._searching or self._resync()):
            if not self._element(found):
                break
        if not self._streaming and self._header_bytes > MAX_HEADER_BYTES:
            raise UnsupportedMedia("the WebM stream does not begin with its header")
        return found

    def _skip_over(self) -> bool:
        skipped = min(self._skip, len(self._buffer))
        del self._buffer[:skipped]
        self._skip -= skipped
        return self._skip == 0

    def _element(self, found: list[Track | Packet]) -> bool:
        """Read one element; False when the rest of it has yet to come."""
        head = _head(self._buffer, 0)
        if head is None:
            return False
        identity, size, head_bytes = head
        if self._is_nonsense(identity, size):
            self._lose_step()
            return True
        if identity in ENTERED:
            self._enter(identity, found)
            del self._buffer[:head_bytes]
        elif identity in READ or identity in (SIMPLE_BLOCK, BLOCK):
            if size is None or len(self._buffer) < head_bytes + size:
                return False
            payload = bytes(self._buffer[head_bytes : head_bytes + size])
            del self._buffer[: head_bytes + size]
            self._value(identity, payload, found)
        else:
            del self._buffer[:head_bytes]
            self._skip = size or 0
        return True

    def _is_nonsense(self, identity: int, size: int | None) -> bool:
        if self._streaming and identity not in STREAMED:
            return True
        return identity not in ENTERED and (size is None or size > MAX_BLOCK_BYTES)

    def _lose_step(self) -> None:
        if not self._streaming:
            raise UnsupportedMedia("the WebM header cannot be read")
        del self._buffer[:1]
        self._searching, self._cluster_certain = True, False

    def _enter(self, identity: int, found: list[Track | Packet]) -> None:
        if identity == EBML and self._streaming:
            # A recorder that was started again: a new header in the same stream.
            self._begin()
            self._header_bytes = 0
        elif identity == ENTRY:
            self._choose(found)
            self._entry = _Entry()
        elif identity == CLUSTER:
            self._choose(found)
            if self._track is None:
                raise UnsupportedMedia("the WebM stream has no sound track")
            self._streaming = True

    def _choose(self, found: list[Track | Packet]) -> None:
        """Take the track that has been described, if it is the first one with sound."""
        entry, self._entry = self._entry, None
        if entry is not None and self._track is None and entry.codec_id.startswith("A_"):
            found.append(entry.track())
            self._track = entry.number

    def _value(self, identity: int, payload: bytes, found: list[Track | Packet]) -> None:
        if identity in (SIMPLE_BLOCK, BLOCK):
            self._block(payload, found)
        elif identity == TIMESTAMP:
            self._cluster = int.from_bytes(payload, "big")
            self._last_relative, self._cluster_certain = 0, True
        elif identity == SCALE and payload.strip(b"\0"):
            self._scale_s = int.from_bytes(payload, "big") / 1e9
        elif self._entry is not None:
            _describe(self._entry, identity, payload)

    def _block(self, payload: bytes, found: list[Track | Packet]) -> None:
        if not _is_block(payload, self._track):
            return
        relative = struct.unpack_from(">h", payload, 1)[0]
        if relative < self._last_relative and not self._cluster_certain:
            # A new cluster, whose own time was among the missing bytes.
            self._cluster = None
        self._last_relative = relative
        at_s = None if self._cluster is None else (self._cluster + relative) * self._scale_s
        found.append(Packet(payload[4:], at_s))

    def _resync(self) -> bool:
        """Drop bytes up to a place that can be read; False when more bytes are needed."""
        for at in range(len(self._buffer)):
            if self._buffer[at] not in (0x1F, 0x1A, TIMESTAMP, SIMPLE_BLOCK):
                continue
            verdict = self._is_readable(at)
            if verdict is not False:
                del self._buffer[:at]
                self._searching = verdict is None
                return verdict is True
        del self._buffer[:]
        return False

    def _is_readable(self, at: int) -> bool | None:
        """Whether an element begins here; None when only more bytes can tell."""
        head = _head(self._buffer, at)
        if head is None:
            return None
        identity, size, head_bytes = head
        if identity in (CLUSTER, EBML):
            return True
        start = at + head_bytes
        if identity == TIMESTAMP and size is not None and size <= 8:
            # The recorder tends to cut inside the name of a cluster; its time comes next.
            return self._is_followed(start + size, (SIMPLE_BLOCK, GROUP))
        if identity != SIMPLE_BLOCK or size is None or not 5 <= size <= MAX_BLOCK_BYTES:
            return False
        if len(self._buffer) < start + 5:
            return None
        if not _is_block(self._buffer[start : start + 5], self._track):
            return False
        return self._is_followed(start + size, (SIMPLE_BLOCK, GROUP, CLUSTER))

    def _is_followed(self, at: int, by: tuple[int, ...]) -> bool | None:
        head = _head(self._buffer, at)
        return None if head is None else head[0] in by


def _head(buffer: bytearray, at: int) -> tuple[int, int | None, int] | None:
    """Identity, size (None: unknown) and header length of the element; None if it is cut."""
    identity = _number(buffer, at)
    if identity is None:
        return None
    size = _number(buffer, at + identity[1])
    if size is None:
        return None
    mask = (1 << 7 * size[1]) - 1
    unknown = size[0] & mask == mask
    return identity[0], None if unknown else size[0] & mask, identity[1] + size[1]


def _number(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """A variable-length integer with its length marker, and its length in bytes."""
    if at >= len(buffer):
        return None
    length = 9 - buffer[at].bit_length()
    if length > 8:
        # A zero byte begins nothing: the size 1 makes it an unknown element, which is noticed.
        return 0, 1
    if at + length > len(buffer):
        return None
    return int.from_bytes(buffer[at : at + length], "big"), length


def _is_block(payload: bytes | bytearray, track: int | None) -> bool:
    """A block of this track without lacing, which recorders do not use for sound."""
    if len(payload) < 5 or track is None or not 0 < track < 0x7F:
        return False
    return payload[0] == 0x80 | track and payload[3] & 0x06 == 0


def _describe(entry: _Entry, identity: int, payload: bytes) -> None:
    if identity == CODEC_ID:
        entry.codec_id = payload.rstrip(b"\0").decode("ascii", "replace")
    elif identity == PRIVATE:
        entry.private = payload
    elif identity == RATE and len(payload) in (4, 8):
        entry.rate_hz = struct.unpack(">f" if len(payload) == 4 else ">d", payload)[0]
    elif identity == NUMBER:
        entry.number = int.from_bytes(payload, "big")
    elif identity == CHANNELS:
        entry.channels = int.from_bytes(payload, "big")
    elif identity == DEPTH:
        entry.depth = int.from_bytes(payload, "big")
