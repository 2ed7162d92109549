import struct

import numpy as np
import pytest

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.containers import Container, StreamDecoder
from speech.audio.pcm import from_samples
from tests.unit.speech.audio.muxing import cut
from tests.unit.speech.audio.recordings import tone

SOUND = tone(440, 0.5)


def wav(samples: bytes, *, tag=1, channels=1, rate=16_000, bits=16, length=None, extra=b""):
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, 0, bits) + extra
    size = len(samples) if length is None else length
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"LIST\x04\0\0\0abcd"
        + b"data"
        + struct.pack("<I", size)
        + samples
    )


def decoded(stream, size=1_000):
    decoder = StreamDecoder()
    parts = [decoder.feed(chunk) for chunk in cut(stream, size)]
    assert decoder.container is Container.WAV
    return np.concatenate([*parts, decoder.finish()])


EXTENSIBLE = struct.pack("<HHIHH", 22, 16, 0, 1, 0) + bytes(12)
STEREO = np.repeat(SOUND, 2)
FORMS = {
    "16 bit": wav(from_samples(SOUND)),
    "8 bit": wav(np.rint(SOUND * 128 + 128).astype(np.uint8).tobytes(), bits=8),
    "24 bit": wav(b"".join(struct.pack("<i", int(s * 2**31))[1:] for s in SOUND.tolist()), bits=24),
    "32 bit": wav((SOUND * 2.0**31).astype("<i4").tobytes(), bits=32),
    "float": wav(SOUND.astype("<f4").tobytes(), tag=3, bits=32),
    "stereo": wav(from_samples(STEREO), channels=2),
    "extensible": wav(from_samples(SOUND), tag=0xFFFE, extra=EXTENSIBLE),
    "length unknown": wav(from_samples(SOUND), length=0),
    "length bogus": wav(from_samples(SOUND), length=0x7FFFF000),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [100_000, 1_000, 7, 1])
def test_every_form_is_read_however_it_is_cut(form, size):
    heard = decoded(FORMS[form], size)
    assert len(heard) == len(SOUND)
    assert np.allclose(heard, SOUND, atol=0.01)


def test_another_rate_is_changed_to_ours():
    assert len(decoded(wav(from_samples(SOUND), rate=48_000))) == pytest.approx(
        len(SOUND) / 3, abs=2
    )


def test_each_chunk_may_be_a_file_of_its_own():
    one = wav(from_samples(SOUND))
    decoder = StreamDecoder()
    assert len(decoder.feed(one)) + len(decoder.feed(one)) == 2 * len(SOUND)


def test_what_follows_the_samples_of_a_whole_file_is_not_sound():
    with_tags = wav(from_samples(SOUND)) + b"LIST\x10\0\0\0" + bytes(16)
    assert len(decoded(with_tags, 10**6)) == len(SOUND)


@pytest.mark.parametrize(
    "stream",
    [
        wav(b"\0" * 64, tag=6, bits=8),  # A-law
        wav(b"\0" * 64, bits=12),
        wav(b"\0" * 64, rate=100),
        wav(b"\0" * 64, channels=0),
        b"RIFF\0\0\0\0WAVEdata\x10\0\0\0" + bytes(16),
        b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0ab" + bytes(16),
    ],
)
def test_what_cannot_be_read_is_refused(stream):
    with pytest.raises(UnsupportedMedia):
        decoded(stream)


def test_what_is_not_a_number_does_not_spoil_the_rest():
    samples = np.array([0.5, np.nan, np.inf, -np.inf, 0.25], "<f4")
    heard = decoded(wav(samples.tobytes(), tag=3, bits=32))
    assert heard.tolist() == [0.5, 0.0, 1.0, -1.0, 0.25]
