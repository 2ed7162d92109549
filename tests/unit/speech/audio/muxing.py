"""Makes streams like those of recorders, with ffmpeg."""

import io
import wave
from typing import Any

import av
import numpy as np

from speech.audio.pcm import Samples

FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "500000",
    "strict": "-2",
}


class _Unseekable:
    """ffmpeg then writes a stream, and goes back to nothing."""

    def __init__(self) -> None:
        self._out = io.BytesIO()

    def write(self, part: bytes) -> int:
        return self._out.write(part)

    def written(self) -> bytes:
        return self._out.getvalue()


def mux(samples: Samples, container: str, codec: str, options: dict[str, str]) -> bytes:
    """The sound (16 kHz mono) as a stream of a container."""
    out = _Unseekable()
    file: Any = av.open(out, "w", format=container, options=options)
    stream = file.add_stream(codec, rate=48_000)
    stream.layout = "mono"
    integers = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(integers[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = 16_000, 0
    wanted = "s16" if codec == "libopus" else "fltp"
    resampler = av.AudioResampler(format=wanted, layout="mono", rate=48_000)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        file.mux(stream.encode(part))
    file.mux(stream.encode(None))
    file.close()
    return out.written()


def webm(samples: Samples) -> bytes:
    return mux(samples, "webm", "libopus", {"live": "1", "cluster_time_limit": "1000"})


def ogg(samples: Samples) -> bytes:
    return mux(samples, "ogg", "libopus", {"page_duration": "200000"})


def mp4_aac(samples: Samples) -> bytes:
    return mux(samples, "mp4", "aac", FRAGMENTED)


def mp4_opus(samples: Samples) -> bytes:
    return mux(samples, "mp4", "libopus", FRAGMENTED)


def wav(pcm: bytes, rate_hz: int) -> bytes:
    """A whole file; s16le mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, rate_hz, 0, "NONE", ""))
        out.writeframes(pcm)
    return file.getvalue()


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def pips(seconds: int) -> Samples:
    """One tone every half second, each of another pitch, so that every moment can be told."""
    sound = np.zeros(seconds * 16_000, np.float32)
    time = np.arange(1_600) / 16_000
    for number in range(2 * seconds):
        pip = 0.4 * np.sin(2 * np.pi * (400 + 90 * number) * time) * np.hanning(1_600)
        sound[number * 8_000 :][:1_600] = pip
    return sound


def likeness(one: Samples, other: Samples) -> float:
    """Correlation of two sounds of the same moments, -1 to 1."""
    length = min(len(one), len(other))
    return float(np.corrcoef(one[:length], other[:length])[0, 1])
