"""Turns what a recorder sends, chunk by chunk, into mono samples of one rate.

The container is recognised by its first bytes. A hole in the stream becomes as much silence,
by the container's own clock, so that times stay true. Memory stays bounded by the largest
element that a container may have, whatever arrives. Chunks must come in order and once:
telling duplicates apart needs their numbers, which only the caller has.
"""

import enum
from collections.abc import Callable

import numpy as np

from readrealm.kernel.errors import PayloadTooLarge, UnsupportedMedia
from speech.audio.codecs import (
    Codec,
    Demuxer,
    Packet,
    PacketDecoder,
    Track,
    decoder_of,
)
from speech.audio.mp4 import Mp4Demuxer
from speech.audio.ogg import OggDemuxer
from speech.audio.pcm import Samples
from speech.audio.resample import Resampler
from speech.audio.voice import RATE_HZ
from speech.audio.wav import WavDemuxer
from speech.audio.webm import WebmDemuxer

HOLE_S = 0.1
"""A packet that is later than this has lost others before it; recorders' clocks jitter less.
Where something is known to be missing, the clock is believed without such a margin."""

MAX_HOLE_S = 30.0
"""A longer hole is a clock that was set anew, and is not filled."""

MAX_FEED_S = 600.0
"""A few bytes can be made to claim hours of sound; more than this at once is refused."""

SNIFF_BYTES = 12


class Container(enum.Enum):
    WEBM = "webm"
    OGG = "ogg"
    MP4 = "mp4"
    WAV = "wav"


def sniff(head: bytes) -> Container | None:
    """The container that begins with these bytes; None if no known one does.

    `SNIFF_BYTES` are enough. Raw PCM has no marks, and is what the sender says it is.
    """
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Container.WEBM
    if head.startswith(b"OggS"):
        return Container.OGG
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return Container.WAV
    if head[4:8] in (b"ftyp", b"styp", b"moov", b"moof"):
        return Container.MP4
    return None


class StreamDecoder:
    """Decodes one stream of sound.

    Args:
        rate_hz: rate of the samples that come out.
        raw: how to read the stream if it is in no container; None to refuse it then.
    """

    def __init__(self, *, rate_hz: int = RATE_HZ, raw: Track | None = None) -> None:
        self._rate_hz = rate_hz
        self._raw = raw
        self._head = b""
        self._demuxer: Demuxer | None = None
        self._decoder: PacketDecoder | None = None
        self._resampler: Resampler | None = None
        self._source_hz = 0
        self._due_s: float | None = None
        self._missing = False
        self.container: Container | None = None
        """What was recognised; None before that, and for raw samples."""
        self.silence_ms = 0
        """Silence that stands in for what was lost."""

    def feed(self, chunk: bytes) -> Samples:
        """The sound that the bytes complete, mono, possibly none.

        Raises:
            UnsupportedMedia: this stream can never be decoded.
            PayloadTooLarge: the bytes hold more sound than `MAX_FEED_S`.
        """
        if self._demuxer is None:
            self._head += chunk
            if len(self._head) < SNIFF_BYTES and self._raw is None:
                return _NOTHING
            chunk, self._head = self._head, b""
            self._demuxer = self._recognised(chunk)
        return self._sound(self._demuxer.feed(chunk))

    def lost(self, duration_ms: int = 0) -> Samples:
        """Bytes are missing between the last chunk and the next.

        Args:
            duration_ms: how long the missing sound was. Only raw samples and WAV, which
                have no clock, need it; the others find out by themselves.
        """
        if self._demuxer is not None:
            self._demuxer.lost()
        if self._decoder is not None:
            self._decoder.lost()
            self._missing = True
        has_clock = self.container not in (None, Container.WAV)
        if has_clock or self._resampler is None or duration_ms <= 0:
            return _NOTHING
        return self._silence(min(duration_ms / 1000, MAX_HOLE_S))

    def finish(self) -> Samples:
        """The rest of the sound. Nothing may be fed afterwards."""
        return self._resampler.finish() if self._resampler else _NOTHING

    def _recognised(self, head: bytes) -> Demuxer:
        self.container = sniff(head)
        if self.container is not None:
            return _DEMUXERS[self.container]()
        if self._raw is None:
            raise UnsupportedMedia("the sound is neither WebM, Ogg, MP4 nor WAV")
        self._begin(self._raw)
        return _RawDemuxer()

    def _sound(self, found: list[Track | Packet]) -> Samples:
        parts: list[Samples] = []
        room = round(MAX_FEED_S * self._rate_hz)
        for item in found:
            new = [self._begin(item)] if isinstance(item, Track) else self._packet(item)
            room -= sum(map(len, new))
            if room < 0:
                raise PayloadTooLarge(f"one chunk may hold {MAX_FEED_S:.0f} s of sound")
            parts.extend(new)
        return np.concatenate(parts) if parts else _NOTHING

    def _begin(self, track: Track) -> Samples:
        """Read on with another description; the sound goes on where it was."""
        rest = self._resampler.finish() if self._resampler else _NOTHING
        self._decoder = decoder_of(track)
        self._resampler = None
        self._due_s = None
        return rest

    def _packet(self, packet: Packet) -> list[Samples]:
        if self._decoder is None:
            raise UnsupportedMedia("the stream has sound before its description")
        samples = self._decoder.decode(packet.payload)
        if samples is None:
            self._missing = True
            return []
        if self._resampler is None:
            self._source_hz = self._decoder.rate_hz
            self._resampler = Resampler(self._source_hz, self._rate_hz)
        parts = [self._hole(packet.at_s), self._resampler.feed(samples)]
        if self._due_s is not None:
            self._due_s += len(samples) / self._source_hz
        return [part for part in parts if len(part)]

    def _hole(self, at_s: float | None) -> Samples:
        """Silence up to the time of the next packet, if something is missing before it.

        Each packet is measured against the one before: a recorder's clock and its samples
        drift apart slowly, and that is no hole.
        """
        if at_s is None:
            return _NOTHING
        if self._due_s is None:
            # Clocks may begin anywhere, but those of recorders begin at zero.
            self._due_s = 0.0 if self._missing else at_s
        shortest_s = 0.0 if self._missing else HOLE_S
        hole_s, self._due_s, self._missing = at_s - self._due_s, at_s, False
        return self._silence(hole_s) if shortest_s < hole_s <= MAX_HOLE_S else _NOTHING

    def _silence(self, seconds: float) -> Samples:
        if self._resampler is None:
            return _NOTHING
        self.silence_ms += round(seconds * 1000)
        return self._resampler.feed(np.zeros(round(seconds * self._source_hz), np.float32))


class _RawDemuxer:
    """Samples without a container: every chunk is sound."""

    def lost(self) -> None:
        """Nothing to find."""

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        return [Packet(chunk)] if chunk else []


def raw_pcm(rate_hz: int, *, channels: int = 1, codec: Codec = Codec.PCM_S16) -> Track:
    """The description of samples that come in no container.

    Raises:
        UnsupportedMedia: a rate outside 8000 to 192000 Hz, or more than 8 channels.
    """
    return Track(codec, rate_hz, channels)


_NOTHING: Samples = np.zeros(0, np.float32)

_DEMUXERS: dict[Container, Callable[[], Demuxer]] = {
    Container.WEBM: WebmDemuxer,
    Container.OGG: OggDemuxer,
    Container.MP4: Mp4Demuxer,
    Container.WAV: WavDemuxer,
}
