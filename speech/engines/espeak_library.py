"""Speaks its standard input with the espeak-ng library of the package espeakng-loader.

``python espeak_library.py VOICE WORDS_PER_MINUTE``, where no espeak-ng program is installed.
Writes what that program writes: a WAV header without a length, then s16le samples as they
are made. A program of its own because the library speaks for one caller at a time, cannot
be interrupted from outside and is under the GPL. Imports nothing of ours.
"""

import ctypes
import importlib
import struct
import sys
from typing import Any

SYNCHRONOUS = 2
BUFFER_MS = 100
RATE_PARAMETER = 1
UTF8, PHONEMES, END_PAUSE = 1, 0x100, 0x1000
UNKNOWN_LENGTH = 0x7FFFF000

Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def header(rate_hz: int) -> bytes:
    """The WAV header of mono s16le whose length nobody knows yet."""
    form = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", UNKNOWN_LENGTH + 36)
        + b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", UNKNOWN_LENGTH)
    )


def speak(library: ctypes.CDLL, text: bytes) -> None:
    """Write the sound of the text; it ends early when nobody reads any more."""
    output = sys.stdout.buffer

    def write(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: object) -> int:
        try:
            if count > 0:
                output.write(ctypes.string_at(samples, 2 * count))
                output.flush()
        except OSError:
            return 1
        return 0

    callback = Callback(write)
    library.espeak_SetSynthCallback(callback)
    flags = UTF8 | PHONEMES | END_PAUSE
    library.espeak_Synth(text + b"\0", len(text) + 1, 0, 1, 0, flags, None, None)


def main() -> int:
    loader: Any = importlib.import_module("espeakng_loader")
    voice, words_per_minute = sys.argv[1], int(sys.argv[2])
    library = ctypes.CDLL(loader.get_library_path())
    data = loader.get_data_path().encode()
    rate_hz = library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, 0)
    if rate_hz <= 0 or library.espeak_SetVoiceByName(voice.encode()):
        sys.stderr.write("espeak-ng has no such voice\n")
        return 1
    library.espeak_SetParameter(RATE_PARAMETER, words_per_minute, 0)
    sys.stdout.buffer.write(header(rate_hz))
    speak(library, sys.stdin.buffer.read())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
