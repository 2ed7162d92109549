"""Streams of recorders: cut anywhere, with holes, and hostile ones."""

import struct

import numpy as np
import pytest

from readrealm.kernel.errors import PayloadTooLarge, UnsupportedMedia
from speech.audio.codecs import Codec
from speech.audio.containers import Container, StreamDecoder, raw_pcm, sniff
from speech.audio.pcm import from_samples
from tests.unit.speech.audio import muxing
from tests.unit.speech.audio.recordings import media_recorder_chunks, noise, silence, tone

STREAMS = {
    "webm": muxing.webm,
    "ogg": muxing.ogg,
    "mp4 aac": muxing.mp4_aac,
    "mp4 opus": muxing.mp4_opus,
}
SECONDS = 4
PIPS = muxing.pips(SECONDS)


@pytest.fixture(scope="module", params=STREAMS, ids=str)
def stream(request):
    return STREAMS[request.param](PIPS)


def decoded(chunks, **options):
    """The sound of chunks; None stands for one that was lost, and is told."""
    decoder = StreamDecoder(**options)
    parts = [decoder.lost() if chunk is None else decoder.feed(chunk) for chunk in chunks]
    return np.concatenate([*parts, decoder.finish()]), decoder


def pip_at(sound, second: float) -> float:
    """The pitch of the sound around a moment."""
    part = sound[int(second * 16_000) :][:1_600]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 16_000))
    return float(np.argmax(spectrum))


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", Container.WEBM),
        (b"OggS\x00\x02", Container.OGG),
        (b"\x00\x00\x00\x1cftypiso5", Container.MP4),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", Container.WAV),
        (b"RIFF\x24\x00\x00\x00AVI LIST", None),
        (b"\x00\x01" * 8, None),
        (b"", None),
    ],
)
def test_a_container_is_known_by_its_first_bytes(head, container):
    assert sniff(head) is container


def test_every_container_gives_the_sound_that_went_in(stream):
    sound, decoder = decoded([stream])
    assert decoder.silence_ms == 0
    assert len(sound) == pytest.approx(SECONDS * 16_000, abs=1_000)
    for number in range(2 * SECONDS):
        assert pip_at(sound, number / 2) == pytest.approx(400 + 90 * number, abs=15)


@pytest.mark.parametrize("size", [4_000, 777, 1])
def test_it_does_not_matter_where_a_stream_is_cut(stream, size):
    whole, _ = decoded([stream])
    assert np.array_equal(decoded(muxing.cut(stream, size))[0], whole)


def test_a_hole_becomes_as_much_silence(stream):
    whole, _ = decoded([stream])
    chunks = muxing.cut(stream, len(stream) // 12)
    chunks[6] = None

    sound, decoder = decoded(chunks)

    assert 100 <= decoder.silence_ms <= 2_000
    assert len(sound) == pytest.approx(len(whole), abs=160)
    for number in (0, 1, 2 * SECONDS - 2):
        assert pip_at(sound, number / 2) == pytest.approx(400 + 90 * number, abs=15)


def test_a_hole_that_nobody_tells_is_noticed(stream):
    whole, _ = decoded([stream])
    chunks = muxing.cut(stream, len(stream) // 12)
    del chunks[5:7]

    sound, decoder = decoded(chunks)

    assert decoder.silence_ms >= 100
    # What stands at the torn place may be read as a few packets that never were.
    assert len(sound) == pytest.approx(len(whole), abs=6_400)


@pytest.mark.parametrize("name", ["chromium_webm_opus", "chromium_mp4_opus"])
class TestMediaRecorder:
    """What Chromium really sends, a chunk a second."""

    def test_the_pips_are_heard_where_they_were_played(self, name):
        sound, decoder = decoded(media_recorder_chunks(name))
        assert decoder.silence_ms == 0
        onset = int(np.argmax(np.abs(sound) > 0.05)) / 16_000
        # The first pip may be cut, for the recorder starts when it is ready.
        heard = [pip_at(sound, onset - 0.03 + number / 2) for number in range(1, 9)]
        assert np.diff(heard) == pytest.approx([100] * 7, abs=20)

    def test_boundaries_inside_elements_do_no_harm(self, name):
        chunks = media_recorder_chunks(name)
        assert not any(chunk.startswith(b"\x1f\x43\xb6\x75") for chunk in chunks[1:])
        whole, _ = decoded(chunks)
        assert np.array_equal(decoded(muxing.cut(b"".join(chunks), 97))[0], whole)

    @pytest.mark.parametrize("missing", [1, 2, 3, 4])
    def test_a_lost_second_is_a_second_of_silence(self, name, missing):
        chunks = media_recorder_chunks(name)
        whole, _ = decoded(chunks)

        sound, decoder = decoded([*chunks[:missing], None, *chunks[missing + 1 :]])

        assert 900 <= decoder.silence_ms <= 2_200
        assert len(sound) == pytest.approx(len(whole), abs=160)
        tail = slice(-12_000, -2_000)
        assert muxing.likeness(sound[tail], whole[tail]) > 0.9

    def test_without_its_first_chunk_a_stream_is_refused(self, name):
        with pytest.raises(UnsupportedMedia):
            decoded(media_recorder_chunks(name)[2:])


def test_a_recorder_that_was_started_again_goes_on():
    once = muxing.webm(PIPS)
    sound, decoder = decoded(muxing.cut(once, 999) + muxing.cut(once, 999))
    assert len(sound) == pytest.approx(2 * SECONDS * 16_000, abs=2_000)
    assert decoder.silence_ms == 0
    assert pip_at(sound, SECONDS + 1.01) == pytest.approx(400 + 90 * 2, abs=15)


def test_samples_without_a_container_are_what_the_sender_says():
    sound = tone(440, 1)
    heard, decoder = decoded(muxing.cut(from_samples(sound), 333), raw=raw_pcm(16_000))
    assert decoder.container is None
    assert np.allclose(heard, sound, atol=1 / 32_768)

    at_8_khz, _ = decoded([from_samples(sound)], raw=raw_pcm(8_000))
    assert len(at_8_khz) == 2 * len(sound)
    swapped, _ = decoded(
        [np.frombuffer(from_samples(sound), "<i2").astype(">i2").tobytes()],
        raw=raw_pcm(16_000, codec=Codec.PCM_S16_BIG),
    )
    assert np.array_equal(swapped, heard)


def test_a_container_is_believed_more_than_its_sender():
    sound, decoder = decoded([muxing.webm(PIPS)], raw=raw_pcm(16_000))
    assert decoder.container is Container.WEBM
    assert len(sound) == pytest.approx(SECONDS * 16_000, abs=1_000)


def test_lost_samples_without_a_clock_are_as_long_as_the_caller_says():
    decoder = StreamDecoder(raw=raw_pcm(16_000))
    parts = [decoder.feed(from_samples(tone(440, 1))), decoder.lost(duration_ms=1_000)]
    parts.append(decoder.feed(from_samples(tone(440, 1))))
    assert len(np.concatenate(parts)) == 48_000
    assert decoder.silence_ms == 1_000


def test_what_nobody_can_read_is_refused_at_once():
    with pytest.raises(UnsupportedMedia):
        StreamDecoder().feed(b"ID3\x04" + bytes(40))


def test_a_few_bytes_wait_until_they_can_be_told():
    decoder = StreamDecoder()
    assert len(decoder.feed(b"\x1a\x45")) == 0
    assert decoder.container is None


@pytest.mark.parametrize("seed", range(6))
def test_garbage_inside_a_stream_is_survived(stream, seed):
    generator = np.random.default_rng(seed)
    broken = bytearray(stream)
    for _ in range(5):
        at = int(generator.integers(1_500, len(broken) - 200))
        broken[at : at + 100] = generator.bytes(100)

    decoder = StreamDecoder()
    length = 0
    for chunk in muxing.cut(bytes(broken), 1_000):
        try:
            length += len(decoder.feed(chunk))
        except UnsupportedMedia:
            return
    assert length <= (SECONDS + 2) * 16_000


@pytest.mark.parametrize("seed", range(6))
def test_bytes_that_only_begin_like_a_container_are_refused_or_empty(seed):
    garbage = np.random.default_rng(seed).bytes(200_000)
    for head in (b"\x1a\x45\xdf\xa3", b"OggS", b"\0\0\0\x18ftypiso5", b"RIFF\0\0\0\0WAVE"):
        with pytest.raises(UnsupportedMedia):
            decoded(muxing.cut(head + garbage, 10_000))


def block(seconds: float, payload: bytes) -> bytes:
    """A cluster of its own with one block at a time."""
    milliseconds = int(seconds * 1_000)
    body = b"\xe7\x88" + struct.pack(">Q", milliseconds)
    body += b"\xa3" + struct.pack(">I", 0x10000000 | len(payload) + 4) + b"\x81\0\0\x80" + payload
    return b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" + body


def webm_head() -> bytes:
    stream = muxing.webm(silence(0.2))
    return stream[: stream.index(b"\x1f\x43\xb6\x75")]


def test_a_clock_that_jumps_far_is_not_followed():
    decoder = StreamDecoder()
    quiet = b"\xf8\xff\xfe"  # 20 ms of Opus
    decoder.feed(webm_head() + block(0, quiet))
    assert len(decoder.feed(block(3_600, quiet))) < 1_600
    assert len(decoder.feed(block(1, quiet))) < 1_600
    assert len(decoder.feed(block(6, quiet))) == pytest.approx(5 * 16_000, abs=1_600)


def test_few_bytes_cannot_be_made_into_hours():
    decoder = StreamDecoder()
    decoder.feed(webm_head())
    bomb = b"".join(block(25 * number, b"\xf8\xff\xfe") for number in range(60))
    with pytest.raises(PayloadTooLarge):
        decoder.feed(bomb)


def test_memory_does_not_grow_with_a_stream_that_never_ends():
    decoder = StreamDecoder()
    once = muxing.webm(noise(2))
    head = once[: once.index(b"\x1f\x43\xb6\x75")]
    decoder.feed(head + block(0, b"\xf8\xff\xfe"))
    endless = b"\xec\x10\x01\x00\x00" + bytes(65_536)  # padding of 64 KiB, over and over
    for _ in range(50):
        decoder.feed(endless)
    held = decoder._demuxer._buffer
    assert len(held) < 100_000
