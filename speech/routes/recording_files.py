"""How recordings lie in GridFS: the name of their bucket, and the header of each file."""

import struct

from speech.audio.pcm import SAMPLE_BYTES
from speech.audio.voice import RATE_HZ

BUCKET = "voice_recordings"
HEADER_BYTES = 44
UNKNOWN_LENGTH = 0xFFFFFFFF - HEADER_BYTES


def wav_header(length: int = UNKNOWN_LENGTH) -> bytes:
    """Of 16 kHz mono s16le. A length that is not known yet is written as the largest one, as
    programs that stream do."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    return (
        b"RIFF"
        + struct.pack("<I", length + HEADER_BYTES - 8)
        + (b"WAVEfmt " + form + b"data" + struct.pack("<I", length))
    )
