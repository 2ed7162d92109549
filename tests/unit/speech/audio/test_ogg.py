import itertools

import pytest

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Packet, Track
from speech.audio.ogg import OggDemuxer, checksum
from tests.unit.speech.audio.muxing import mux, ogg
from tests.unit.speech.audio.recordings import tone

STREAM = ogg(tone(440, 1))


def pages(stream: bytes) -> list[bytes]:
    return [b"OggS" + part for part in stream.split(b"OggS")[1:]]


def test_the_checksum_is_that_of_the_format():
    page = pages(STREAM)[0]
    assert checksum(page[:22] + bytes(4) + page[26:]).to_bytes(4, "little") == page[22:26]


def test_packets_have_times_that_follow_one_another():
    track, *packets = OggDemuxer().feed(STREAM)
    assert isinstance(track, Track)
    times = [packet.at_s for packet in packets if isinstance(packet, Packet)]
    assert len(times) >= 50
    steps = [after - before for before, after in itertools.pairwise(times[:-1])]
    assert steps == pytest.approx([0.02] * len(steps))


def test_a_page_with_a_wrong_checksum_is_not_believed():
    broken = bytearray(STREAM)
    at = STREAM.index(pages(STREAM)[3]) + 60
    broken[at] ^= 1
    whole = OggDemuxer().feed(STREAM)
    assert 0 < len(OggDemuxer().feed(bytes(broken))) < len(whole)


def test_a_packet_whose_beginning_was_lost_is_left_out():
    first, second, *rest = pages(STREAM)
    demuxer = OggDemuxer()
    demuxer.feed(first + second + rest[0])
    demuxer.lost()
    later = demuxer.feed(b"".join(rest[2:]))
    assert later
    assert all(isinstance(packet, Packet) for packet in later)


def test_only_opus_is_taken():
    with pytest.raises(UnsupportedMedia):
        OggDemuxer().feed(mux(tone(440, 1), "ogg", "flac", {}))
