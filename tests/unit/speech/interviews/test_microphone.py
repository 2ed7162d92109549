"""Whatever a browser sends becomes the same speech at the same moments."""

from collections.abc import Callable

import numpy as np
import pytest

from readrealm.kernel.errors import PayloadTooLarge, UnsupportedMedia
from speech.audio.containers import Container
from speech.audio.pcm import SAMPLE_BYTES, from_samples
from speech.audio.resample import Resampler
from speech.engines.detector import SileroDetector
from speech.interviews.fluency import words
from speech.interviews.metrics import measure
from speech.interviews.microphone import LONGEST_PIECE_S, Chunk, Microphone
from speech.interviews.timeline import Span, Timeline, Turn, TurnEnd
from tests.unit.speech.audio.muxing import cut, mp4_aac, ogg, wav, webm
from tests.unit.speech.audio.recordings import (
    labels,
    media_recorder_chunks,
    needs_recordings,
    recorded_pcm,
    recording,
)
from tests.unit.speech.interviews.stage import LoudDetector, loud, silence

START_MS = 1_700_000_000_000
RATE_HZ = 16_000


def hear(
    sound: bytes, *, chunk_ms: int = 100, rate_hz: int = RATE_HZ, detector: type = LoudDetector
) -> tuple[list[Span], Microphone]:
    """The stretches of voice of a turn that is streamed in real time; moments since its start."""
    microphone = Microphone(detector)
    microphone.begin_turn()
    step = rate_hz * chunk_ms // 1000 * SAMPLE_BYTES
    found: dict[int, Span] = {}
    for at in range(0, len(sound), step):
        part = sound[at : at + step]
        now_ms = START_MS + (at + len(part)) // SAMPLE_BYTES * 1000 // rate_hz
        for span in microphone.feed(Chunk(part, rate_hz, now_ms)).speech:
            found[span.start_ms] = span
    for span in microphone.end_turn().speech:
        found[span.start_ms] = span
    moved = [Span(span.start_ms - START_MS, span.end_ms - START_MS) for span in found.values()]
    return moved, microphone


@pytest.mark.parametrize("chunk_ms", [20, 100, 1_000, 10_000])
def test_speech_is_where_its_samples_are_whatever_the_chunks(chunk_ms: int) -> None:
    sound = silence(0.512) + loud(1.984) + silence(1.024) + loud(0.992) + silence(0.5)

    spans, _ = hear(sound, chunk_ms=chunk_ms)

    assert spans == [Span(512, 2_496), Span(3_520, 4_512)]


@needs_recordings
def test_the_vector_of_the_contract() -> None:
    """8.6: an utterance behind 0.5 s of silence, and two copies with 2.0 s between them."""
    utterance = recorded_pcm("austen_0880.wav")
    sound = silence(0.5) + utterance + silence(2.0) + utterance + silence(0.5)

    found = [hear(sound, chunk_ms=size, detector=SileroDetector)[0] for size in (20, 100, 1_000)]

    assert found[0] == found[1] == found[2]
    assert found[0]
    middle_ms = 500 + len(utterance) // 32 + 1_000
    first = [span for span in found[0] if span.end_ms < middle_ms]
    second = [span for span in found[0] if span.start_ms > middle_ms]
    assert len(first) + len(second) == len(found[0])
    shift_ms = len(utterance) // 32 + 2_000
    # Windows of 32 ms begin elsewhere in the second copy.
    assert second[0].start_ms - first[0].start_ms == pytest.approx(shift_ms, abs=64)
    assert second[-1].end_ms - first[-1].end_ms == pytest.approx(shift_ms, abs=64)


@needs_recordings
def test_edges_are_within_150_ms_of_the_labels() -> None:
    (known,) = [label for label in labels() if label["file"] == "vad_train.wav"]
    wanted = known["speech_segments"]
    labelled = recorded_pcm("vad_train.wav")[: round(known["labelled_until"] * 32_000)]

    spans, _ = hear(labelled, detector=SileroDetector)

    assert [(span.start_ms / 1000, span.end_ms / 1000) for span in spans] == [
        pytest.approx(tuple(segment), abs=0.15) for segment in wanted
    ]


def test_a_tone_and_noise_are_no_speech() -> None:
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    tone = (0.5 * np.sin(2 * np.pi * 150 * seconds)).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 0.2, 3 * RATE_HZ).astype(np.float32)

    for samples in (tone, noise):
        assert hear(from_samples(samples), detector=SileroDetector)[0] == []


@needs_recordings
def test_metrics_of_joined_recordings_are_right() -> None:
    """Two utterances with known silences: time, pauses and rates within a tenth."""
    one, two = recorded_pcm("lj001-0002.wav"), recorded_pcm("austen_0880.wav")
    texts = {label["file"]: label["transcript"] for label in labels()}
    text = f"{texts['lj001-0002.wav']} {texts['austen_0880.wav']}"
    sound = silence(1) + one + silence(1.5) + two + silence(1)
    alone = [
        hear(silence(1) + part + silence(1), detector=SileroDetector)[0] for part in (one, two)
    ]
    inner_pauses = sum(len(spans) - 1 for spans in alone)
    speaking_ms = sum(span.length_ms for spans in alone for span in spans)

    spans, _ = hear(sound, detector=SileroDetector)
    turn = Turn(
        started_ms=0,
        ended_ms=len(sound) // 32,
        ended_by=TurnEnd.HAND,
        speech=tuple(spans),
        text=text,
    )
    metrics = measure(Timeline(duration_ms=turn.ended_ms, turns=(turn,)), [], questions_asked=1)

    assert metrics.pause_count == inner_pauses + 1
    assert metrics.speaking_time == pytest.approx(speaking_ms / 1000, rel=0.1)
    assert metrics.wpm == pytest.approx(len(words(text)) / (speaking_ms / 60_000), rel=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_keep_their_durations(rate_hz: int) -> None:
    seconds = np.arange(2 * rate_hz) / rate_hz
    tone = (0.9 * np.sin(2 * np.pi * 300 * seconds)).astype(np.float32)
    quiet = np.zeros(rate_hz, np.float32)
    sound = from_samples(np.concatenate([quiet, tone, quiet]))

    (span,), _ = hear(sound, rate_hz=rate_hz)

    assert span.start_ms == pytest.approx(1_000, abs=70)
    assert span.length_ms == pytest.approx(2_000, abs=70)


def test_an_odd_byte_waits_for_its_other_half() -> None:
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    sound = silence(0.512) + loud(1.024) + silence(0.5)
    pieces = [sound[:8_001], sound[8_001:30_002], sound[30_002:45_005], sound[45_005:]]
    found: list[Span] = []
    for number, piece in enumerate(pieces, start=1):
        now_ms = START_MS + number
        found += microphone.feed(Chunk(piece, RATE_HZ, now_ms)).speech

    (piece,) = (microphone.end_turn(), microphone.take_pieces())[1]
    assert loud(1.024) in piece


def test_sound_that_was_lost_is_no_voice() -> None:
    """Voice before a hole ends there, and the clock goes on behind it."""
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    spans: dict[int, Span] = {}
    for at_ms in (1_000, 7_000):
        for span in microphone.feed(Chunk(loud(1), RATE_HZ, START_MS + at_ms)).speech:
            spans[span.start_ms] = span
    for span in microphone.end_turn().speech:
        spans[span.start_ms] = span

    lengths = [span.length_ms for span in spans.values()]
    starts = [span.start_ms - START_MS for span in spans.values()]
    assert starts == [0, 6_000]
    assert lengths == pytest.approx([1_000, 1_000], abs=32)


@pytest.mark.parametrize("mux", [webm, ogg, mp4_aac])
def test_containers_are_decoded_wherever_they_are_cut(mux: object) -> None:
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = (0.9 * np.sin(2 * np.pi * 300 * seconds)).astype(np.float32)
    quiet = np.zeros(RATE_HZ, np.float32)
    stream = mux(np.concatenate([quiet, tone, quiet]))  # type: ignore[operator]
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    spans: dict[int, Span] = {}
    for chunk in cut(stream, 977):
        for span in microphone.feed(Chunk(chunk, RATE_HZ, START_MS)).speech:
            spans[span.start_ms] = span
    for span in microphone.end_turn().speech:
        spans[span.start_ms] = span

    assert sum(span.length_ms for span in spans.values()) >= 1_800


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_a_wav_file_is_read_at_its_own_rate_without_its_header(rate_hz: int) -> None:
    """Whatever rate the event names, which is that of raw samples."""
    sound = np.concatenate([np.zeros(rate_hz), np.full(2 * rate_hz, 0.9), np.zeros(rate_hz)])
    file = wav(from_samples(sound.astype(np.float32)), rate_hz)
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    spans: dict[int, Span] = {}
    for number, chunk in enumerate(cut(file, rate_hz // 2 + 1), start=1):
        now_ms = START_MS + 250 * number
        for span in microphone.feed(Chunk(chunk, RATE_HZ, now_ms)).speech:
            spans[span.start_ms] = span
    for span in microphone.end_turn().speech:
        spans[span.start_ms] = span

    (piece,) = microphone.take_pieces()
    assert microphone.container is Container.WAV
    assert sum(span.length_ms for span in spans.values()) == pytest.approx(2_000, abs=70)
    assert len(piece) / 32_000 == pytest.approx(3, abs=0.1)


def test_a_recording_is_followed_through_the_turns_of_an_interview() -> None:
    """Its header comes once, long before the turn that matters."""
    chunks = media_recorder_chunks("chromium_webm_opus")
    microphone = Microphone(LoudDetector)
    for number, chunk in enumerate(chunks[:2], start=1):
        assert microphone.feed(Chunk(chunk, RATE_HZ, START_MS + number * 1_000)).speech == ()
    microphone.begin_turn()
    microphone.feed(Chunk(chunks[2], RATE_HZ, START_MS + 3_000))

    assert microphone.container is Container.WEBM
    assert len(microphone.sound_from(0, most_bytes=1 << 20)) > 24_000


def test_the_rest_of_a_recording_is_not_taken_for_samples() -> None:
    chunks = media_recorder_chunks("chromium_webm_opus")
    microphone = Microphone(LoudDetector, container=Container.WEBM)
    microphone.begin_turn()

    with pytest.raises(UnsupportedMedia):
        microphone.feed(Chunk(chunks[1], RATE_HZ, START_MS))


def test_a_recording_that_is_begun_again_is_read_again() -> None:
    chunks = media_recorder_chunks("chromium_webm_opus")
    microphone = Microphone(LoudDetector, container=Container.WEBM)
    microphone.begin_turn()
    for chunk in (*chunks[:2], *chunks[:2]):
        microphone.feed(Chunk(chunk, RATE_HZ, START_MS))

    assert len(microphone.sound_from(0, most_bytes=1 << 20)) > 4 * 24_000


@pytest.mark.parametrize("wrap", [lambda pcm, _: pcm, wav], ids=["raw", "wav"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_chunks_of_exactly_ten_seconds_are_heard_to_their_last_sample(
    rate_hz: int, wrap: Callable[[bytes, int], bytes]
) -> None:
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    chunk = wrap(bytes(10 * rate_hz * SAMPLE_BYTES), rate_hz)
    for number in (1, 2, 3):
        microphone.feed(Chunk(chunk, rate_hz, START_MS + number * 10_000))

    heard = len(microphone.sound_from(0, most_bytes=1 << 20)) // SAMPLE_BYTES
    # What the resampler holds back, once or, where each chunk is a file, each time.
    assert 30 * RATE_HZ - 3 * 0.03 * RATE_HZ <= heard <= 30 * RATE_HZ
    assert rate_hz != RATE_HZ or heard == 30 * RATE_HZ


@pytest.mark.parametrize("wrap", [lambda pcm, _: pcm, wav], ids=["raw", "wav"])
def test_more_sound_than_a_chunk_may_hold_is_refused_and_leaves_nothing(
    wrap: Callable[[bytes, int], bytes],
) -> None:
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()

    with pytest.raises(PayloadTooLarge):
        microphone.feed(Chunk(wrap(loud(10.2), RATE_HZ), RATE_HZ, START_MS))

    assert microphone.sound_from(0, most_bytes=1 << 20) == b""
    assert microphone.end_turn().speech == ()
    assert microphone.take_pieces() == []


def test_a_recogniser_gets_what_was_voiced_and_a_little_around_it() -> None:
    _, microphone = hear(silence(10) + loud(2.016) + silence(15))

    (piece,) = microphone.take_pieces()

    assert len(piece) / 32_000 == pytest.approx(3.0, abs=0.1)
    assert microphone.take_pieces() == []


def test_a_long_answer_is_cut_where_nobody_speaks() -> None:
    _, microphone = hear((loud(49.984) + silence(1.024)) * 4, chunk_ms=1_000)

    pieces = microphone.take_pieces()

    assert len(pieces) == 2
    assert all(len(piece) <= LONGEST_PIECE_S * 32_000 for piece in pieces)
    assert (pieces[0][-200:], pieces[1][:200]) == (bytes(200), bytes(200))


def test_an_answer_without_a_pause_is_cut_all_the_same() -> None:
    _, microphone = hear(loud(250), chunk_ms=1_000)

    lengths = [len(piece) / 32_000 for piece in microphone.take_pieces()]

    assert lengths == pytest.approx([120, 120, 10], abs=0.1)


@needs_recordings
def test_raw_samples_of_a_recording_survive_resampling() -> None:
    samples = recording("austen_0880.wav")
    resampler = Resampler(16_000, 48_000)
    at_48 = from_samples(np.concatenate([resampler.feed(samples), resampler.finish()]))

    raw, _ = hear(from_samples(samples), detector=SileroDetector)
    other, _ = hear(at_48, rate_hz=48_000, detector=SileroDetector)

    assert len(raw) == len(other)
    for one, two in zip(raw, other, strict=True):
        assert two.start_ms == pytest.approx(one.start_ms, abs=64)
        assert two.end_ms == pytest.approx(one.end_ms, abs=64)
