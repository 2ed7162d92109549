import pytest

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Packet, Track
from speech.audio.mp4 import Mp4Demuxer
from tests.unit.speech.audio.muxing import cut, mp4_aac, mp4_opus
from tests.unit.speech.audio.recordings import media_recorder_chunks, tone

AAC, OPUS = mp4_aac(tone(440, 3)), mp4_opus(tone(440, 3))


@pytest.mark.parametrize(("stream", "codec"), [(AAC, Codec.AAC), (OPUS, Codec.OPUS)])
def test_a_stream_begins_with_its_track_and_goes_on_in_time(stream, codec):
    track, *found = Mp4Demuxer().feed(stream)
    assert isinstance(track, Track)
    assert (track.codec, track.rate_hz, track.channels) == (codec, 48_000, 1)
    times = [packet.at_s for packet in found if isinstance(packet, Packet)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(3.0, abs=0.1)


def test_the_description_of_opus_is_turned_into_that_of_ogg():
    track = Mp4Demuxer().feed(OPUS)[0]
    assert track.private[:10] == b"OpusHead\x01\x01"


def test_reading_resumes_at_the_next_fragment():
    chunks = cut(OPUS, 1_000)
    demuxer = Mp4Demuxer()
    _, *before = demuxer.feed(b"".join(chunks[:8]))
    demuxer.lost()
    after = demuxer.feed(b"".join(chunks[10:]))
    assert after
    assert after[0].at_s > before[-1].at_s + 0.1


def test_the_sizes_of_a_fragment_are_not_believed_beyond_its_bytes():
    stream = bytearray(OPUS)
    at = stream.index(b"trun") + 8
    stream[at : at + 4] = (10**6).to_bytes(4, "big")
    with pytest.raises(UnsupportedMedia):
        Mp4Demuxer().feed(bytes(stream))


def test_chromium_says_its_header_in_the_first_chunk():
    first, second, *_ = media_recorder_chunks("chromium_mp4_opus")
    demuxer = Mp4Demuxer()
    assert [type(found) for found in demuxer.feed(first)] == [Track]
    assert demuxer.feed(second) == [] or isinstance(demuxer.feed(b""), list)


@pytest.mark.parametrize(
    "stream",
    [
        OPUS[: OPUS.index(b"moov") - 4] + OPUS[OPUS.index(b"moof") - 4 :],
        b"\0\0\0\x10ftypiso5\0\0\0\0" + b"\0\0\0\x10moov" + b"\0\0\0\x08trak",
        b"\0\0\0\x10ftypiso5\0\0\0\0" + b"\xff\xff\xff\xffmdat",
    ],
    ids=["no header", "empty header", "endless"],
)
def test_what_is_no_stream_of_fragments_is_refused(stream):
    with pytest.raises(UnsupportedMedia):
        Mp4Demuxer().feed(stream)
