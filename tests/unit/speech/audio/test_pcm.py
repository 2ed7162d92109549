import base64

import numpy as np
import pytest

from readrealm.kernel.errors import InvalidBase64
from speech.audio.pcm import (
    BlockCutter,
    SampleCutter,
    byte_count,
    decode_base64,
    duration_ms,
    encode_base64,
    from_samples,
    to_samples,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        7,
        b"AAAA",
        "AAA",  # not padded
        "AAA=A",  # padding inside
        "AA==AA==",  # two texts
        "AA AA",
        "AAAA\n",
        "AA-_",  # the URL alphabet
        "====",
        "ÄÄÄÄ",
        "Session start",
    ],
)
def test_only_strict_base64_is_taken(text):
    with pytest.raises(InvalidBase64):
        decode_base64(text)


def test_base64_comes_back_as_it_went():
    assert decode_base64(encode_base64(bytes(range(256)))) == bytes(range(256))
    assert decode_base64(base64.b64encode(b"a").decode()) == b"a"


def test_integers_survive_the_way_to_floats_and_back():
    every = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    assert from_samples(to_samples(every)) == every


def test_what_is_too_loud_is_clipped_and_not_wrapped():
    loud = np.array([2.0, -2.0, 1.0], np.float32)
    assert np.frombuffer(from_samples(loud), "<i2").tolist() == [32_767, -32_768, 32_767]


def test_half_a_sample_cannot_be_read():
    with pytest.raises(ValueError, match="buffer size"):
        to_samples(b"abc")


@pytest.mark.parametrize("size", [1, 3, 5, 999])
def test_an_odd_byte_waits_for_its_other_half(size):
    stream = bytes(range(250)) * 4
    cutter = SampleCutter()
    parts = [cutter.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert all(len(part) % 2 == 0 for part in parts)
    assert b"".join(parts) == stream


def test_ten_thousand_bytes_are_two_blocks_of_4800_and_400_wait():
    cutter = BlockCutter(4_800)
    assert [len(block) for block in cutter.feed(bytes(10_000))] == [4_800, 4_800]
    assert len(cutter.rest()) == 400
    assert cutter.rest() == b""


@pytest.mark.parametrize("size", [1, 7, 4_799, 4_801])
def test_blocks_do_not_depend_on_how_the_stream_is_cut(size):
    stream = bytes(i % 251 for i in range(24_123))
    cutter = BlockCutter(4_800)
    blocks = [
        block for at in range(0, len(stream), size) for block in cutter.feed(stream[at : at + size])
    ]
    assert b"".join(blocks) + cutter.rest() == stream
    assert {len(block) for block in blocks} == {4_800}


def test_a_block_has_a_size():
    with pytest.raises(ValueError, match="at least one"):
        BlockCutter(0)


def test_bytes_and_milliseconds_agree():
    assert duration_ms(48_000, rate_hz=24_000) == 1_000
    assert byte_count(100, rate_hz=24_000) == 4_800
    assert byte_count(1, rate_hz=22_050) % 2 == 0
