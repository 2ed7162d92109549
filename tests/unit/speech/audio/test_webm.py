import pytest

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track
from speech.audio.webm import MAX_BLOCK_BYTES, WebmDemuxer
from tests.unit.speech.audio.muxing import cut, mux, webm
from tests.unit.speech.audio.recordings import media_recorder_chunks, tone

STREAM = webm(tone(440, 3))
CLUSTER = b"\x1f\x43\xb6\x75"


def packets(found):
    return [packet for packet in found if isinstance(packet, Packet)]


def test_a_stream_begins_with_its_track():
    track, first, *_ = WebmDemuxer().feed(STREAM)
    assert isinstance(track, Track)
    assert (track.codec, track.channels) == (Codec.OPUS, 1)
    assert track.private.startswith(b"OpusHead")
    assert first.at_s == pytest.approx(0.0, abs=0.01)


def test_times_come_from_cluster_and_block():
    times = [packet.at_s for packet in packets(WebmDemuxer().feed(STREAM))]
    assert STREAM.count(CLUSTER) >= 3
    assert times == sorted(times)
    assert times[-1] == pytest.approx(3.0, abs=0.05)


def test_reading_resumes_in_the_middle_of_a_cluster():
    """A recorder may put half a minute into one, so the next one is too far away."""
    chunks = cut(STREAM[: STREAM.index(CLUSTER, STREAM.index(CLUSTER) + 4)], 400)
    demuxer = WebmDemuxer()
    before = packets(demuxer.feed(b"".join(chunks[:3])))
    demuxer.lost()
    resumed = packets(demuxer.feed(b"".join(chunks[5:])))
    assert len(resumed) > 10
    assert resumed[0].at_s > before[-1].at_s + 0.05


def test_a_time_that_was_lost_with_its_cluster_is_not_guessed():
    second = STREAM.index(CLUSTER, STREAM.index(CLUSTER) + 4)
    third = STREAM.index(CLUSTER, second + 4)
    demuxer = WebmDemuxer()
    demuxer.feed(STREAM[: second - 100])
    demuxer.lost()
    # Reading resumes behind the time of the second cluster.
    found = packets(demuxer.feed(STREAM[second + 40 : third + 500]))
    times = [packet.at_s for packet in found]
    assert times[0] is None
    known = [time for time in times if time is not None]
    assert known[0] == pytest.approx(2.0, abs=0.05)


def test_the_recorder_cuts_inside_the_names_of_elements():
    chunks = media_recorder_chunks("chromium_webm_opus")
    assert [chunk[-1] for chunk in chunks[:3]] == [0xA3, 0xA3, 0xA3] or any(
        chunk[-1:] in (b"\xa3", b"\x1f") for chunk in chunks
    )
    demuxer = WebmDemuxer()
    found = [len(packets(demuxer.feed(chunk))) for chunk in chunks]
    assert sum(found) > 90


def test_a_block_that_claims_to_be_huge_is_a_sign_of_missing_bytes():
    demuxer = WebmDemuxer()
    head = STREAM.index(CLUSTER)
    demuxer.feed(STREAM[:head] + STREAM[head : head + 300])
    huge = b"\xa3" + (0x10000000 | MAX_BLOCK_BYTES + 1).to_bytes(4, "big") + b"\x81\0\0\x80"
    demuxer.lost()
    assert packets(demuxer.feed(huge + STREAM[STREAM.index(CLUSTER, head + 4) :]))


def test_video_and_foreign_codecs_are_refused():
    with pytest.raises(UnsupportedMedia):
        WebmDemuxer().feed(mux(tone(440, 1), "matroska", "flac", {}))


def test_a_header_that_never_ends_is_refused():
    demuxer = WebmDemuxer()
    padding = b"\xec\x42\x00" + bytes(0x200)
    head = b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
    demuxer.feed(head)
    with pytest.raises(UnsupportedMedia):
        demuxer.feed(200 * padding)
