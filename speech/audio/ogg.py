"""Reads Ogg as a recorder streams it: one Opus track, cut anywhere.

Pages carry a checksum, so missing bytes are noticed without being told, and a position, so
the hole is as long as it was.

Format: RFC 3533 (Ogg), RFC 7845 (Opus in Ogg).
"""

import struct

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track, opus_seconds

CAPTURE = b"OggS"
HEADER = struct.Struct("<4sBBqIIIB")
CONTINUED, FIRST = 1, 2
MAX_PACKET_BYTES = 65_536
MAX_HEADER_BYTES = 65_536
POSITION_HZ = 48_000
NO_POSITION = -1


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def checksum(page: bytes) -> int:
    """The checksum of a page whose own checksum field is zero (RFC 3533, section 6)."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


class OggDemuxer:
    """A `speech.audio.codecs.Demuxer` for one Ogg stream of Opus."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._partial = b""
        self._next_page: int | None = None
        self._headers_left = 2
        self._unread_bytes = 0

    def lost(self) -> None:
        self._buffer.clear()
        self._partial = b""
        self._next_page = None

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        self._buffer += chunk
        self._unread_bytes += len(chunk)
        found: list[Track | Packet] = []
        while (page := self._page()) is not None:
            self._read(page, found)
        if self._headers_left and self._unread_bytes > MAX_HEADER_BYTES:
            raise UnsupportedMedia("the Ogg stream does not begin with Opus headers")
        return found

    def _page(self) -> bytes | None:
        """The next whole page with a right checksum, whatever lies before it."""
        while (at := self._buffer.find(CAPTURE)) >= 0:
            del self._buffer[:at]
            if len(self._buffer) < HEADER.size:
                return None
            segments = self._buffer[HEADER.size - 1]
            table_end = HEADER.size + segments
            if len(self._buffer) < table_end:
                return None
            end = table_end + sum(self._buffer[HEADER.size : table_end])
            if len(self._buffer) < end:
                return None
            page = bytes(self._buffer[:end])
            if (
                checksum(page[:22] + b"\0\0\0\0" + page[26:])
                == struct.unpack_from("<I", page, 22)[0]
            ):
                del self._buffer[:end]
                return page
            del self._buffer[: len(CAPTURE)]
        # The capture pattern itself may be cut.
        del self._buffer[: max(0, len(self._buffer) - len(CAPTURE) + 1)]
        return None

    def _read(self, page: bytes, found: list[Track | Packet]) -> None:
        _, _, flags, position, _, number, _, segments = HEADER.unpack_from(page)
        if flags & FIRST:
            # Also a recorder that was started again.
            self._headers_left, self._partial = 2, b""
        elif self._next_page is not None and number != self._next_page:
            self._partial = b""
        self._next_page = number + 1
        packets = self._packets(page, segments, continued=bool(flags & CONTINUED))
        while self._headers_left and packets:
            self._header(packets.pop(0), found)
        if packets:
            found.extend(_timed(packets, position))

    def _packets(self, page: bytes, segments: int, *, continued: bool) -> list[bytes]:
        packets, packet = [], self._partial if continued else b""
        # The first part of a packet that was lost makes the rest of it useless.
        orphan = continued and not self._partial
        at = HEADER.size + segments
        for length in page[HEADER.size : HEADER.size + segments]:
            packet += page[at : at + length]
            at += length
            if length == 255:
                continue
            if not orphan:
                packets.append(packet)
            packet, orphan = b"", False
        self._partial = b"" if orphan or len(packet) > MAX_PACKET_BYTES else packet
        return packets

    def _header(self, packet: bytes, found: list[Track | Packet]) -> None:
        if self._headers_left == 2:
            if not packet.startswith(b"OpusHead") or len(packet) < 19:
                raise UnsupportedMedia("Ogg sound must be Opus")
            found.append(Track(Codec.OPUS, POSITION_HZ, packet[9], packet))
        self._headers_left -= 1
        self._unread_bytes = 0


def _timed(packets: list[bytes], position: int) -> list[Packet]:
    """Packets with their times; the position of a page is where its last packet ends."""
    if position == NO_POSITION:
        return [Packet(packet) for packet in packets]
    at_s = position / POSITION_HZ - sum(map(opus_seconds, packets))
    timed = []
    for packet in packets:
        timed.append(Packet(packet, at_s))
        at_s += opus_seconds(packet)
    return timed
