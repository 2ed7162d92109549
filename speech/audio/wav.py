"""Reads WAV as a stream: the header, then samples until the bytes end. Writes its header.

The length in the header is not believed, for whoever streams does not know it yet. A chunk
may also be a WAV file of its own; its header is read anew.

Format: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF).
"""

import struct

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track
from speech.audio.pcm import SAMPLE_BYTES

MAX_HEADER_BYTES = 65_536

HEADER_BYTES = 44
"""Of a file that `wav_header` begins."""

UNKNOWN_LENGTH = 0xFFFFFFFF - HEADER_BYTES
"""Written where the length is not known yet: the largest one, as programs that stream do."""

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE

CODECS = {
    (PCM, 8): Codec.PCM_U8,
    (PCM, 16): Codec.PCM_S16,
    (PCM, 24): Codec.PCM_S24,
    (PCM, 32): Codec.PCM_S32,
    (FLOAT, 32): Codec.PCM_F32,
}


def wav_header(samples_bytes: int = UNKNOWN_LENGTH, *, rate_hz: int) -> bytes:
    """The header of mono s16le."""
    form = struct.pack("<IHHIIHH", 16, PCM, 1, rate_hz, rate_hz * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return (
        b"RIFF"
        + struct.pack("<I", samples_bytes + HEADER_BYTES - 8)
        + (b"WAVEfmt " + form + b"data" + struct.pack("<I", samples_bytes))
    )


class WavDemuxer:
    """A `speech.audio.codecs.Demuxer` for one WAV stream."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._track: Track | None = None
        self._in_samples = False

    def lost(self) -> None:
        """Nothing to find: samples have no marks. A frame that was cut stays cut."""

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        if self._in_samples and chunk[:4] != b"RIFF":
            return [Packet(chunk)] if chunk else []
        if self._in_samples:
            self._header.clear()
            self._in_samples = False
        self._header += chunk
        found = self._read()
        if len(self._header) > MAX_HEADER_BYTES:
            raise UnsupportedMedia("the WAV stream has no sound in its first bytes")
        return found

    def _read(self) -> list[Track | Packet]:
        at = 12
        while at + 8 <= len(self._header):
            name, size = struct.unpack_from("<4sI", self._header, at)
            if name == b"data":
                return self._start(bytes(self._header[at + 8 :]), size)
            if at + 8 + size > len(self._header):
                return []
            if name == b"fmt ":
                self._track = _track(bytes(self._header[at + 8 : at + 8 + size]))
            at += 8 + size + size % 2
        return []

    def _start(self, samples: bytes, size: int) -> list[Track | Packet]:
        if self._track is None:
            raise UnsupportedMedia("the WAV stream does not say how its samples are coded")
        self._in_samples = True
        self._header.clear()
        # What follows the samples of a whole file (its tags) is not sound.
        sound = samples[:size] if len(samples) > size > 0 else samples
        return [self._track, Packet(sound)] if sound else [self._track]


def _track(form: bytes) -> Track:
    if len(form) < 16:
        raise UnsupportedMedia("the WAV header is damaged")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == EXTENSIBLE and len(form) >= 26:
        tag = struct.unpack_from("<H", form, 24)[0]
    codec = CODECS.get((tag, bits))
    if codec is None:
        raise UnsupportedMedia("WAV sound must be PCM of 8 to 32 bits, or 32 bit float")
    return Track(codec, rate_hz, channels)
