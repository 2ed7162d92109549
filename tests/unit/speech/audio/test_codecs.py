import pytest

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Track, decoder_of, opus_seconds


@pytest.mark.parametrize(
    ("packet", "seconds"),
    [
        (b"\xf8\xff\xfe", 0.02),  # CELT, one frame of 20 ms
        (b"\xf9\0\0", 0.04),  # two frames
        (b"\xfb\x03\0", 0.06),  # three, counted
        (b"\x18\0", 0.06),  # SILK, 60 ms
        (b"\xe0\0", 0.0025),
        (b"\x68\0", 0.02),  # hybrid
        (b"", 0.0),
        (b"\xfb", 0.0),
    ],
)
def test_an_opus_packet_tells_how_long_it_lasts(packet, seconds):
    assert opus_seconds(packet) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "track", [(Codec.OPUS, 48_000, 0), (Codec.OPUS, 48_000, 9), (Codec.PCM_S16, 7_999, 1)]
)
def test_a_track_that_nobody_can_play_is_refused(track):
    with pytest.raises(UnsupportedMedia):
        Track(*track)


@pytest.mark.parametrize("codec", [Codec.OPUS, Codec.AAC])
def test_a_damaged_packet_gives_nothing_and_the_next_one_is_read(codec):
    config = b"\x11\x88" if codec is Codec.AAC else b""
    decoder = decoder_of(Track(codec, 48_000, 1, config))
    damaged = decoder.decode(b"\xff" * 50)
    assert damaged is None or len(damaged) <= 5_760
    if codec is Codec.OPUS:
        assert len(decoder.decode(b"\xf8\xff\xfe")) == 960


def test_a_cut_frame_waits_for_its_other_part_but_not_after_a_loss():
    decoder = decoder_of(Track(Codec.PCM_S16, 16_000, 2))
    assert len(decoder.decode(b"\0\x40\0")) == 0
    assert decoder.decode(b"\x40").tolist() == [0.5]
    decoder.decode(b"\0\x40\0")
    decoder.lost()
    assert decoder.decode(b"\0\x40\0\x40").tolist() == [0.5]
