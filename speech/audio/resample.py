"""Changes the sample rate of a stream. Knows no bytes and no container."""

import numpy as np
import soxr

from speech.audio.pcm import Samples


class Resampler:
    """A band-limited resampler for one mono stream.

    The output does not depend on how the input is cut: it computes in 32 bit floats, for
    soxr's integer path does depend on it by up to 2 steps. About 20 ms stay inside until
    `finish`.

    Args:
        from_hz: rate of what is fed.
        to_hz: rate of what comes out. Equal rates pass the samples through.
    """

    __slots__ = ("_stream",)

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if from_hz < 1 or to_hz < 1:
            raise ValueError("a sample rate is at least 1 Hz")
        self._stream = (
            None
            if from_hz == to_hz
            else soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
        )

    def feed(self, samples: Samples) -> Samples:
        """What can be computed so far, possibly nothing."""
        if self._stream is None or not len(samples):
            return samples
        resampled: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples))
        return resampled

    def finish(self) -> Samples:
        """The rest of the stream. Nothing may be fed afterwards."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        resampled: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        return resampled
