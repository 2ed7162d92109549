"""How recordings lie in GridFS: the name of their bucket, and the header of each file."""

from speech.audio import wav
from speech.audio.voice import RATE_HZ
from speech.audio.wav import HEADER_BYTES, UNKNOWN_LENGTH

__all__ = ["BUCKET", "HEADER_BYTES", "wav_header"]

BUCKET = "voice_recordings"


def wav_header(length: int = UNKNOWN_LENGTH) -> bytes:
    """Of 16 kHz mono s16le."""
    return wav.wav_header(length, rate_hz=RATE_HZ)
