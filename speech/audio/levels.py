"""How loud a piece of sound is. Pure arithmetic."""

import math

import numpy as np

from speech.audio.pcm import Samples

SILENCE_DBFS = -120.0
"""Reported for digital silence and for everything below it."""


def rms(samples: Samples) -> float:
    """Root mean square of the amplitudes; 0.0 for no samples."""
    if not len(samples):
        return 0.0
    return math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))


def peak(samples: Samples) -> float:
    """The largest magnitude; 0.0 for no samples."""
    return float(np.max(np.abs(samples))) if len(samples) else 0.0


def dbfs(amplitude: float) -> float:
    """Decibels relative to amplitude 1.0, never below `SILENCE_DBFS`.

    A full-scale sine therefore has an RMS level of -3.01 dBFS (the AES17 convention adds
    3.01 to that).
    """
    if amplitude <= 0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, 20 * math.log10(amplitude))
