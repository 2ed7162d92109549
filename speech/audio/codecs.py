"""Packets of sound, as containers carry them, and the decoders that turn them into samples.

Knows no container. Needs PyAV (ffmpeg) for Opus and AAC.
"""

import enum
from dataclasses import dataclass
from typing import Any, Protocol

import av
import numpy as np
from av.error import FFmpegError

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.pcm import Samples


class Codec(enum.Enum):
    OPUS = "opus"
    AAC = "aac"
    PCM_U8 = "u1"
    PCM_S16 = "<i2"
    PCM_S24 = "s24"
    PCM_S32 = "<i4"
    PCM_F32 = "<f4"
    PCM_S16_BIG = ">i2"


@dataclass(frozen=True, slots=True)
class Track:
    """How the packets that follow are to be read."""

    codec: Codec
    rate_hz: int
    channels: int
    private: bytes = b""
    """What the decoder needs besides: ``OpusHead`` or an AudioSpecificConfig."""

    def __post_init__(self) -> None:
        if not 8_000 <= self.rate_hz <= 192_000:
            raise UnsupportedMedia("the sample rate must be 8000 to 192000 Hz")
        if not 1 <= self.channels <= 8:
            raise UnsupportedMedia("the sound must have 1 to 8 channels")


@dataclass(frozen=True, slots=True)
class Packet:
    payload: bytes
    at_s: float | None = None
    """When it is due, in seconds of the container's own clock; None if that is not known."""


class Demuxer(Protocol):
    """Takes the bytes of one container stream, cut anywhere."""

    def feed(self, chunk: bytes) -> list[Track | Packet]:
        """What the bytes complete, in order.

        Raises:
            UnsupportedMedia: this can never be decoded.
        """

    def lost(self) -> None:
        """Bytes are missing here: find the next place where the stream can be read again."""


class PacketDecoder(Protocol):
    rate_hz: int

    def decode(self, payload: bytes) -> Samples | None:
        """The packet's sound in mono; None when the packet is damaged."""

    def lost(self) -> None:
        """Packets are missing here: what waits for its other part waits in vain."""


def decoder_of(track: Track) -> PacketDecoder:
    """A decoder for one track, from its first packet on."""
    if track.codec in (Codec.OPUS, Codec.AAC):
        return CompressedDecoder(track)
    return PcmDecoder(track)


class PcmDecoder:
    """Samples as they are; a frame that is cut waits for its other part."""

    def __init__(self, track: Track) -> None:
        self.rate_hz = track.rate_hz
        self._codec = track.codec
        self._channels = track.channels
        width = 3 if track.codec is Codec.PCM_S24 else np.dtype(track.codec.value).itemsize
        self._frame_bytes = width * track.channels
        self._rest = b""

    def decode(self, payload: bytes) -> Samples:
        joined = self._rest + payload
        whole = len(joined) - len(joined) % self._frame_bytes
        self._rest = joined[whole:]
        frames = _amplitudes(joined[:whole], self._codec).reshape(-1, self._channels)
        return frames[:, 0] if self._channels == 1 else frames.mean(axis=1, dtype=np.float32)

    def lost(self) -> None:
        self._rest = b""


def _amplitudes(raw: bytes, codec: Codec) -> Samples:
    if codec is Codec.PCM_S24:
        padded = np.zeros((len(raw) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return (padded.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    numbers = np.frombuffer(raw, np.dtype(codec.value))
    if codec is Codec.PCM_F32:
        # A float stream may carry anything; infinity would poison every sample after it.
        return np.clip(np.nan_to_num(numbers, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    if codec is Codec.PCM_U8:
        return ((numbers - 128.0) / 128.0).astype(np.float32)
    return (numbers / 2.0 ** (8 * numbers.itemsize - 1)).astype(np.float32)


class CompressedDecoder:
    """Opus or AAC by ffmpeg, mixed down to mono at the codec's own rate."""

    def __init__(self, track: Track) -> None:
        # Opus always decodes at 48 kHz, whatever rate was recorded (RFC 7845, section 5.1).
        self.rate_hz = 48_000 if track.codec is Codec.OPUS else track.rate_hz
        context: Any = av.CodecContext.create(track.codec.value, "r")
        context.sample_rate = self.rate_hz
        context.layout = "mono" if track.channels == 1 else "stereo"
        if track.private:
            context.extradata = track.private
        self._context = context
        self._mono: Any = None

    def decode(self, payload: bytes) -> Samples | None:
        try:
            frames = self._context.decode(av.Packet(payload))
        except FFmpegError:
            return None
        parts = [part for frame in frames for part in self._mixed(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def lost(self) -> None:
        """Nothing waits: a packet is always whole, and the next one is decoded on its own."""

    def _mixed(self, frame: Any) -> list[Samples]:
        if self._mono is None:
            # AAC with spectral band replication tells its real rate only with its first frame.
            self.rate_hz = frame.sample_rate
            self._mono = av.AudioResampler(format="flt", layout="mono", rate=self.rate_hz)
        frame.pts = None
        return [mixed.to_ndarray()[0] for mixed in self._mono.resample(frame)]


_OPUS_FRAME_MS = (
    *(10.0, 20.0, 40.0, 60.0) * 3,
    *(10.0, 20.0) * 2,
    *(2.5, 5.0, 10.0, 20.0) * 4,
)
"""Frame length by configuration number (RFC 6716, table 2)."""


def opus_seconds(packet: bytes) -> float:
    """How long an Opus packet lasts (RFC 6716, section 3.1); 0 for one that is malformed."""
    if not packet:
        return 0.0
    frame_ms = _OPUS_FRAME_MS[packet[0] >> 3]
    match packet[0] & 3:
        case 0:
            frames = 1
        case 1 | 2:
            frames = 2
        case _:
            frames = packet[1] & 0x3F if len(packet) > 1 else 0
    return frames * frame_ms / 1000
