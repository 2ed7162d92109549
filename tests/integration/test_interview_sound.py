"""The sound of a turn in a real Valkey: whole or not there, bounded, and gone after a while."""

import pytest

from readrealm.stores import redis
from speech.interviews import sound_store
from speech.interviews.sound_store import EXPIRY_S, MOST_TURN_BYTES, ValkeySounds
from tests.support.stores import SessionStores

KEY = f"{sound_store.PREFIX}s1:1"


@pytest.fixture
async def sounds(stores: SessionStores) -> ValkeySounds:
    return ValkeySounds(redis.client())


async def test_pieces_come_back_as_one_whole_on_another_worker(
    sounds: ValkeySounds, stores: SessionStores
) -> None:
    first, second = bytes(range(256)) * 10, b"\x00\xff\r\n" * 100
    assert await sounds.put("s1", 1, first, at_byte=0)
    assert await sounds.put("s1", 1, second, at_byte=len(first))

    assert await ValkeySounds(redis.client()).get("s1", 1) == first + second
    assert await sounds.get("s1", 2) == b""
    assert EXPIRY_S - 60 < stores.redis.ttl(KEY) <= EXPIRY_S


async def test_a_piece_that_is_put_twice_is_there_once(sounds: ValkeySounds) -> None:
    assert await sounds.put("s1", 1, b"ab", at_byte=0)
    for _ in range(2):
        assert await sounds.put("s1", 1, b"cd", at_byte=2)

    assert await sounds.get("s1", 1) == b"abcd"


async def test_a_hole_ends_the_turn(sounds: ValkeySounds, stores: SessionStores) -> None:
    assert await sounds.put("s1", 1, b"abcd", at_byte=0)
    stores.redis.delete(KEY)

    assert not await sounds.put("s1", 1, b"ef", at_byte=4)
    assert await sounds.get("s1", 1) == b""


async def test_a_turn_that_is_too_long_is_not_kept_in_part(sounds: ValkeySounds) -> None:
    assert await sounds.put("s1", 1, b"ab", at_byte=0)

    assert not await sounds.put("s1", 1, b"cd", at_byte=MOST_TURN_BYTES - 1)

    assert await sounds.get("s1", 1) == b""


async def test_a_worker_keeps_only_so_much_until_older_sound_is_gone(
    stores: SessionStores,
) -> None:
    now = [0.0]
    sounds = ValkeySounds(redis.client(), most_bytes=6, clock=lambda: now[0])
    assert await sounds.put("s1", 1, b"abcd", at_byte=0)
    assert not await sounds.put("s2", 1, b"abcd", at_byte=0)
    assert await sounds.put("s1", 1, b"ef", at_byte=4)

    now[0] = EXPIRY_S + 1
    assert await sounds.put("s2", 1, b"abcd", at_byte=0)
    await sounds.forget("s2", 1)
    assert await sounds.put("s3", 1, b"abcdef", at_byte=0)
    assert await sounds.get("s2", 1) == b""
