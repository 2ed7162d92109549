"""The sound of a turn is kept in order and as a whole, or not at all."""

from speech.interviews.sound_keeping import PIECE_BYTES, NoSounds, SoundKeeper
from tests.unit.speech.interviews.stage import MemorySounds


class Turn:
    """A turn whose sound comes bit by bit."""

    def __init__(self) -> None:
        self.pcm = b""

    def take(self, byte: int, most_bytes: int) -> bytes:
        return self.pcm[byte : byte + most_bytes]


def keeper(sounds: MemorySounds | NoSounds, turn: Turn) -> SoundKeeper:
    return SoundKeeper(sounds, "s1", turn.take)


async def test_what_comes_is_kept_once_and_in_order() -> None:
    sounds, turn = MemorySounds(), Turn()
    one = keeper(sounds, turn)
    await one.begin(1)
    for part in (b"ab", b"", b"cd"):
        turn.pcm += part
        await one.keep()
        await one.keep()

    assert sounds.kept == {("s1", 1): b"abcd"}


async def test_much_sound_is_kept_piece_by_piece() -> None:
    sounds, turn = MemorySounds(), Turn()
    one = keeper(sounds, turn)
    await one.begin(1)
    turn.pcm = bytes(range(256)) * (PIECE_BYTES // 100)

    await one.keep()

    assert sounds.kept["s1", 1] == turn.pcm


async def test_a_store_that_comes_back_gets_what_it_missed() -> None:
    sounds, turn = MemorySounds(), Turn()
    one = keeper(sounds, turn)
    await one.begin(1)
    sounds.is_away = True
    turn.pcm = b"ab"
    await one.keep()
    sounds.is_away = False
    turn.pcm = b"abcd"
    await one.keep()

    assert sounds.kept == {("s1", 1): b"abcd"}


async def test_a_store_that_forgot_the_beginning_keeps_nothing_of_the_turn() -> None:
    sounds, turn = MemorySounds(), Turn()
    one = keeper(sounds, turn)
    await one.begin(1)
    turn.pcm = b"ab"
    await one.keep()
    sounds.kept.clear()
    for turn.pcm in (b"abcd", b"abcdef"):
        await one.keep()

    assert sounds.kept == {}


async def test_a_turn_goes_on_behind_what_another_worker_kept() -> None:
    sounds, turn = MemorySounds(), Turn()
    sounds.kept["s1", 3] = b"abcd"
    one = keeper(sounds, turn)

    assert await one.resume(3) == b"abcd"
    turn.pcm = b"abcdef"
    await one.keep()

    assert sounds.kept == {("s1", 3): b"abcdef"}


async def test_nothing_is_kept_behind_a_beginning_that_is_missing() -> None:
    for is_away in (False, True):
        sounds, turn = MemorySounds(), Turn()
        sounds.is_away = is_away
        one = keeper(sounds, turn)
        assert await one.resume(3) == b""
        sounds.is_away = False
        turn.pcm = b"ef"
        await one.keep()
        assert sounds.kept == {}


async def test_the_next_turn_forgets_the_one_before() -> None:
    sounds, turn = MemorySounds(), Turn()
    one = keeper(sounds, turn)
    await one.begin(1)
    turn.pcm = b"ab"
    await one.keep()
    one.end()
    turn.pcm = b"abcd"
    await one.keep()
    assert sounds.kept == {("s1", 1): b"ab"}

    turn.pcm = b"xy"
    await one.begin(2)
    await one.keep()
    assert sounds.kept == {("s1", 2): b"xy"}
    await one.forget()
    assert sounds.kept == {}


async def test_without_a_place_for_sound_nothing_is_asked_twice() -> None:
    turn = Turn()
    one = keeper(NoSounds(), turn)
    await one.begin(1)
    turn.pcm = b"ab"
    await one.keep()
    assert await one.resume(1) == b""
