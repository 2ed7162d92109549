"""Real recognition of real recordings, in processes of its own."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import pytest_asyncio

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import from_samples
from speech.engines.recogniser import Deadlines, Engine, RecogniserPool, RecogniserSpec
from tests.support.processes import descendants
from tests.unit.speech.audio.muxing import cut
from tests.unit.speech.audio.recordings import needs_recordings, recorded_pcm, recording, silence

CHUNK = 3_200
"""100 ms at 16 kHz."""

PATIENT = Deadlines(start=60, wait=60, answer=60)
"""For a machine that is busy with other tests; those of deadlines have their own."""

DEADLINE_S = 20

# One event loop for all: a process that was started on it serves one test after the other.
pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool():
    """One process that all tests share which do not end it."""
    made = RecogniserPool(RecogniserSpec(), processes=1, deadlines=PATIENT)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def own_pool():
    """Up to two processes, none of them started yet."""
    made = RecogniserPool(RecogniserSpec(), processes=2, deadlines=PATIENT)
    yield made
    await made.close()


async def live(pool, name: str, voice: str | None = None):
    async with pool.utterance(voice) as utterance:
        partials = [await utterance.hear(chunk) for chunk in cut(recorded_pcm(name), CHUNK)]
        return await utterance.finish(), partials


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sentence(pool):
    """What is recognised of a clear sentence, and the partials on the way."""
    return await live(pool, "arctic_a0024.wav")


def pids(pool) -> set[int]:
    return {worker._process.pid for worker in [*pool._idle, *pool._busy]}


@needs_recordings
async def test_a_clear_sentence_is_understood_while_it_is_spoken(sentence):
    recognised, partials = sentence
    words = set(recognised.text.split())
    assert {"reports", "from", "the", "north", "which", "chiefly", "people", "buy"} <= words
    assert any(partials[:-5])
    assert recognised.text == recognised.text.lower()


@needs_recordings
async def test_a_stranger_in_noise_is_understood_from_the_first_utterance_on(pool):
    recognised, _ = await live(pool, "jfk.wav")
    said = "what your country can do for you", "what you can do for your country"
    assert all(words in recognised.text for words in said)


@needs_recordings
async def test_who_speaks_softly_is_understood_as_well(pool, sentence):
    soft = from_samples(recording("arctic_a0024.wav") / 8)
    async with pool.utterance() as utterance:
        for chunk in cut(soft, CHUNK):
            await utterance.hear(chunk)
        assert (await utterance.finish()).text == sentence[0].text


@needs_recordings
async def test_words_have_times_that_follow_one_another(sentence):
    recognised, _ = sentence
    assert " ".join(word.text for word in recognised.words) == recognised.text
    for before, after in zip(recognised.words, recognised.words[1:], strict=False):
        assert before.start_s < before.end_s <= after.start_s + 1e-6
    assert recognised.words[-1].end_s <= 4.0


@needs_recordings
async def test_a_stranger_is_understood_the_same_whoever_spoke_before(own_pool):
    await own_pool.start(1)
    fresh, _ = await live(own_pool, "harvard_spk1_snt1.wav")
    await live(own_pool, "lj001-0002.wav")
    await live(own_pool, "goforward.wav")
    again, _ = await live(own_pool, "harvard_spk1_snt1.wav")
    assert again.text == fresh.text
    assert again.voice == fresh.voice


@needs_recordings
async def test_what_was_learnt_of_a_speaker_is_carried_to_the_next_turn(pool):
    first, _ = await live(pool, "lj001-0002.wav")
    carried, partials = await live(pool, "lj001-0004.wav", first.voice)
    assert "predecessors of the true printed book" in carried.text
    # A speaker that is known need not be listened to for a second before recognition begins.
    assert any(partials[:9])


@needs_recordings
async def test_a_whole_utterance_can_be_handed_over_at_once(pool):
    recognised = await pool.transcribe(recorded_pcm("new_home.wav"))
    assert "find a new home in the stars" in recognised.text


@needs_recordings
async def test_a_whole_utterance_is_recognised_the_same_after_a_live_one(own_pool):
    await own_pool.start(1)
    fresh = await own_pool.transcribe(recorded_pcm("lj001-0004.wav"))
    await live(own_pool, "goforward.wav")
    assert await own_pool.transcribe(recorded_pcm("lj001-0004.wav")) == fresh


async def test_silence_and_nothing_are_no_words(pool):
    assert (await pool.transcribe(b"")).text == ""
    async with pool.utterance() as utterance:
        assert (await utterance.finish()).text == ""
    async with pool.utterance() as utterance:
        await utterance.hear(from_samples(silence(0.2)))
        assert len((await utterance.finish()).text) < 10


@needs_recordings
async def test_two_are_recognised_at_the_same_time_and_do_not_mix(own_pool):
    alone = [(await live(own_pool, name))[0].text for name in ("goforward.wav", "new_home.wav")]
    both = await asyncio.gather(live(own_pool, "goforward.wav"), live(own_pool, "new_home.wav"))
    assert [recognised.text for recognised, _ in both] == alone


@pytest.mark.paced
async def test_the_event_loop_is_free_while_a_model_computes(pool):
    await pool.start(1)
    longest = 0.0
    work = asyncio.ensure_future(pool.transcribe(from_samples(silence(30))))
    while not work.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)  # what it takes longer, the loop stood still
        longest = max(longest, time.monotonic() - before)
    await work
    assert longest < 0.3


async def test_who_comes_when_all_are_busy_waits_and_is_then_refused():
    pool = RecogniserPool(
        RecogniserSpec(), processes=1, deadlines=Deadlines(start=60, wait=0.2, answer=60)
    )
    try:
        async with pool.utterance():
            with pytest.raises(ProviderUnavailable, match="busy"):
                await pool.transcribe(b"")
        assert (await pool.transcribe(b"")).text == ""
    finally:
        await pool.close()


async def test_a_process_that_dies_is_replaced(own_pool):
    await own_pool.start(1)
    (pid,) = pids(own_pool)
    async with own_pool.utterance() as utterance:
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ProviderUnavailable, match="died"):
            await utterance.hear(bytes(CHUNK))
    assert (await own_pool.transcribe(b"")).text == ""
    assert pid not in pids(own_pool)


async def test_a_process_that_dies_while_nobody_needs_it_is_replaced(own_pool):
    await own_pool.start(1)
    (worker,) = own_pool._idle
    os.kill(worker._process.pid, signal.SIGKILL)
    await worker._process.wait()
    assert (await own_pool.transcribe(b"")).text == ""


async def test_a_process_that_hangs_is_killed():
    pool = RecogniserPool(RecogniserSpec(), processes=1, deadlines=Deadlines(start=60, answer=0.3))
    try:
        await pool.start()
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ProviderUnavailable, match="in time"):
            async with pool.utterance():
                pass
        await gone(pid)
    finally:
        await pool.close()


async def gone(pid: int) -> None:
    """Come back when a process has ended; of one that is not ours nobody tells us."""
    async with asyncio.timeout(DEADLINE_S):
        while _is_running(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@needs_recordings
async def test_an_utterance_that_is_left_does_not_disturb_the_next(pool):
    await pool.start(1)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05), pool.utterance() as utterance:
            for chunk in cut(recorded_pcm("lj001-0004.wav"), CHUNK):
                await utterance.hear(chunk)
    (pid,) = pids(pool)
    recognised, _ = await live(pool, "new_home.wav")
    assert "home in the stars" in recognised.text
    assert pids(pool) == {pid}


async def test_recognition_comes_after_the_server_that_wants_it(pool):
    await pool.start(1)
    (pid,) = pids(pool)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= min(19, os.nice(0) + 10)


async def test_a_model_that_takes_too_long_leaves_no_process_behind():
    before = descendants(os.getpid())
    pool = RecogniserPool(RecogniserSpec(), processes=1, deadlines=Deadlines(start=0.1))

    with pytest.raises(ProviderUnavailable, match="in time"):
        await pool.start()

    assert descendants(os.getpid()) == before


async def test_no_process_outlives_the_pool():
    pool = RecogniserPool(RecogniserSpec(), processes=2)
    await pool.start()
    started = pids(pool)
    assert len(started) == 2
    await pool.close()
    assert not [pid for pid in started if _is_running(pid)]


async def test_a_process_ends_with_the_one_that_started_it(tmp_path):
    """Whoever is killed cannot tidy up; the end of its pipe must be enough."""
    program = """
import asyncio
from speech.engines.recogniser import RecogniserPool, RecogniserSpec
async def main():
    pool = RecogniserPool(RecogniserSpec(), processes=1)
    await pool.start()
    print(next(iter(pool._idle))._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 30))
    parent.kill()
    await parent.wait()
    await gone(pid)


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ({"engine": Engine.VOSK}, "package"),
        ({"engine": Engine.FASTER_WHISPER}, "package"),
        ({"engine": Engine.SHERPA_ONNX}, "package"),
        ({"language": "de"}, "English only"),
    ],
)
async def test_a_recogniser_that_is_not_there_says_what_is_missing(spec, missing):
    pool = RecogniserPool(RecogniserSpec(**spec))
    with pytest.raises(ProviderUnavailable, match=missing):
        await pool.transcribe(b"")
    await pool.close()
