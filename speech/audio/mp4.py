"""Reads fragmented MP4 as a recorder streams it: AAC or Opus, cut anywhere.

Every fragment names its own time and sizes, so a lost one is noticed and reading resumes at
the next. MP4 files that were written in one piece keep their index where a stream cannot
have it, and are refused.

Format: ISO/IEC 14496-12 (boxes), 14496-1 (descriptors), "Encapsulation of Opus in ISOBMFF".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track

MAX_BOX_BYTES = 4_194_304
"""A fragment is kept until it is whole; a recorder's second of sound has some 16,000 bytes."""

Box = tuple[bytes, memoryview]

_ENTRY_BYTES = 28
"""AudioSampleEntry without its boxes."""


@dataclass(slots=True)
class _Fragment:
    """What a ``moof`` says of the ``mdat`` behind it."""

    at: int | None
    """Decode time of the first sample, in units of the track's time scale."""
    samples: list[tuple[int, int]] = field(default_factory=list)
    """Size in bytes and duration of every sample."""


class Mp4Demuxer:
    """A `speech.audio.codecs.Demuxer` for one fragmented MP4 stream with one sound track."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._time_scale = 0
        self._defaults = (0, 0)
        self._fragment: _Fragment | None = None
        self._searching = False

    def lost(self) -> None:
        self._buffer.clear()
        self._fragment = None
        self._searching = self._time_scale > 0

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        self._buffer += chunk
        found: list[Track | Packet] = []
        while (not self._searching or self._resync()) and (box := self._box()):
            self._read(box, found)
        return found

    def _resync(self) -> bool:
        at = self._buffer.find(b"moof")
        if at < 4:
            # The size stands before the name, and the name itself may be cut.
            del self._buffer[: max(0, len(self._buffer) - 7)]
            return False
        del self._buffer[: at - 4]
        self._searching = False
        return True

    def _box(self) -> Box | None:
        if len(self._buffer) < 8:
            return None
        size, name = struct.unpack_from(">I4s", self._buffer)
        head = 8
        if size == 1:
            if len(self._buffer) < 16:
                return None
            size, head = struct.unpack_from(">Q", self._buffer, 8)[0], 16
        if not head <= size <= MAX_BOX_BYTES or not name.isalnum():
            return self._unreadable()
        if len(self._buffer) < size:
            return None
        content = bytes(self._buffer[head:size])
        del self._buffer[:size]
        return name, memoryview(content)

    def _unreadable(self) -> Box | None:
        if not self._time_scale:
            raise UnsupportedMedia("the MP4 stream does not begin with its header")
        del self._buffer[:8]
        self._searching, self._fragment = True, None
        return (b"free", memoryview(b"")) if self._buffer else None

    def _read(self, box: Box, found: list[Track | Packet]) -> None:
        name, content = box
        if name in (b"moof", b"mdat") and not self._time_scale:
            raise UnsupportedMedia("the MP4 stream does not begin with its header")
        try:
            if name == b"moov":
                found.append(self._header(content))
            elif name == b"moof":
                self._fragment = self._described(content)
            elif name == b"mdat":
                found.extend(self._samples(content))
        except (struct.error, IndexError, KeyError):
            raise UnsupportedMedia("the MP4 stream is damaged") from None

    def _header(self, moov: memoryview) -> Track:
        boxes = dict(_children(moov))
        for name, trak in _children(moov):
            if name != b"trak":
                continue
            media = dict(_children(dict(_children(trak))[b"mdia"]))
            if bytes(media[b"hdlr"][8:12]) == b"soun":
                break
        else:
            raise UnsupportedMedia("the MP4 stream has no sound track")
        if b"mvex" not in boxes:
            raise UnsupportedMedia("only fragmented MP4 can be read as a stream")
        extends = dict(_children(boxes[b"mvex"]))[b"trex"]
        self._defaults = struct.unpack_from(">II", extends, 12)
        version = media[b"mdhd"][0]
        self._time_scale = struct.unpack_from(">I", media[b"mdhd"], 20 if version else 12)[0]
        if not self._time_scale:
            raise UnsupportedMedia("the MP4 stream has no clock")
        table = dict(_children(media[b"minf"]))[b"stbl"]
        return _track(dict(_children(table))[b"stsd"][8:])

    def _described(self, moof: memoryview) -> _Fragment:
        boxes = list(_children(dict(_children(moof))[b"traf"]))
        header = dict(boxes)[b"tfhd"]
        duration, size = self._overrides(header)
        fragment = _Fragment(_decode_time(dict(boxes).get(b"tfdt")))
        for name, run in boxes:
            if name == b"trun":
                fragment.samples.extend(_run(run, duration, size))
        return fragment

    def _overrides(self, tfhd: memoryview) -> tuple[int, int]:
        """Duration and size of samples that do not say it themselves."""
        flags = int.from_bytes(tfhd[1:4], "big")
        at = 8 + 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
        duration, size = self._defaults
        if flags & 0x8:
            duration, at = struct.unpack_from(">I", tfhd, at)[0], at + 4
        if flags & 0x10:
            size = struct.unpack_from(">I", tfhd, at)[0]
        return duration, size

    def _samples(self, mdat: memoryview) -> Iterator[Packet]:
        fragment, self._fragment = self._fragment, None
        if fragment is None:
            return
        at, clock = 0, fragment.at
        for size, duration in fragment.samples:
            if at + size > len(mdat):
                return
            at_s = None if clock is None else clock / self._time_scale
            yield Packet(bytes(mdat[at : at + size]), at_s)
            at += size
            clock = None if clock is None else clock + duration


def _children(content: memoryview) -> Iterator[Box]:
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        if size < 8:
            return
        yield name, content[at + 8 : at + size]
        at += size


def _decode_time(tfdt: memoryview | None) -> int | None:
    if tfdt is None:
        return None
    form = ">Q" if tfdt[0] else ">I"
    time: int = struct.unpack_from(form, tfdt, 4)[0]
    return time


def _run(trun: memoryview, duration: int, size: int) -> Iterator[tuple[int, int]]:
    flags, count = int.from_bytes(trun[1:4], "big"), struct.unpack_from(">I", trun, 4)[0]
    at = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    fields = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    if count * 4 * len(fields) > len(trun) or count > MAX_BOX_BYTES // 8:
        raise UnsupportedMedia("the MP4 stream is damaged")
    for _ in range(count):
        values = dict(zip(fields, struct.unpack_from(f">{len(fields)}I", trun, at), strict=True))
        at += 4 * len(fields)
        yield values.get(0x200, size), values.get(0x100, duration)


def _track(entry: memoryview) -> Track:
    name = bytes(entry[4:8])
    channels = struct.unpack_from(">H", entry, 24)[0]
    rate_hz = struct.unpack_from(">I", entry, 32)[0] >> 16
    boxes = dict(_children(entry[8 + _ENTRY_BYTES :]))
    if name == b"Opus":
        return Track(Codec.OPUS, 48_000, channels, _opus_head(boxes[b"dOps"]))
    if name == b"mp4a":
        return Track(Codec.AAC, rate_hz, channels, _audio_specific_config(boxes[b"esds"]))
    raise UnsupportedMedia("MP4 sound must be AAC or Opus")


def _opus_head(dops: memoryview) -> bytes:
    """The same facts as in Ogg, but there they are little endian and the version is 1."""
    channels, skip, rate_hz, gain = struct.unpack_from(">BHIh", dops, 1)
    mapping = bytes(dops[10:])
    return b"OpusHead" + struct.pack("<BBHIh", 1, channels, skip, rate_hz, gain) + mapping


def _audio_specific_config(esds: memoryview) -> bytes:
    """The payload of the DecoderSpecificInfo (tag 5) inside the descriptors."""
    at = 4
    while at < len(esds):
        tag, size, at = _descriptor(esds, at)
        if tag == 5:
            return bytes(esds[at : at + size])
        # ES_Descriptor and DecoderConfigDescriptor hold further ones behind fixed fields.
        at += {3: 3, 4: 13}.get(tag, size)
    raise UnsupportedMedia("the MP4 stream does not say how its AAC is coded")


def _descriptor(esds: memoryview, at: int) -> tuple[int, int, int]:
    """Tag, size and start of the content; sizes come in groups of seven bits."""
    tag, size = esds[at], 0
    at += 1
    while True:
        size = size << 7 | esds[at] & 0x7F
        at += 1
        if not esds[at - 1] & 0x80:
            return tag, size, at
