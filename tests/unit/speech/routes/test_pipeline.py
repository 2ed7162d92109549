"""Sound of one stream: what is found in it does not depend on how it came."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from readrealm.kernel.errors import AppError, UnsupportedMedia
from speech.audio.pcm import Samples, from_samples
from speech.routes.configuration import PipelineConfig, effective
from speech.routes.pipeline import (
    LONGEST_UTTERANCE_MS,
    LongSilence,
    SoundPipeline,
    Speaking,
    SpeechBegan,
    SpeechEnded,
    Utterance,
)
from tests.unit.speech.audio import muxing
from tests.unit.speech.audio.recordings import silence, tone

CONFIG = PipelineConfig.of(effective({}))
PCM = "audio/pcm"


class LoudIsSpeech:
    """A detector that takes what is loud for speech."""

    def probability(self, window: Samples) -> float:
        return 1.0 if float(np.abs(window).mean()) > 0.05 else 0.0

    def reset(self) -> None:
        """Nothing is remembered."""


def pipeline(config: PipelineConfig = CONFIG, **options: Any) -> SoundPipeline:
    return SoundPipeline(LoudIsSpeech, config, **options)


def heard(
    sound: bytes, size: int, *, config: PipelineConfig = CONFIG, mime: str = PCM
) -> list[Any]:
    made = pipeline(config)
    found = [event for part in muxing.cut(sound, size) for event in made.hear(part, mime)]
    return found + made.finish()


def kinds(found: Sequence[Any], *wanted: type) -> list[Any]:
    return [event for event in found if isinstance(event, wanted)]


TALK = np.concatenate(
    [silence(1), tone(200, 1), silence(0.2), tone(300, 0.5), silence(2), tone(250, 1.5)]
)


@pytest.mark.parametrize("size", [320, 3_200, 32_000, 1_000_001])
def test_utterances_are_found_where_they_are_however_the_sound_is_cut(size: int) -> None:
    found = heard(from_samples(TALK), size)

    first, second = kinds(found, Utterance)
    assert first.start_ms == pytest.approx(700, abs=35)  # with 300 ms of what was before it
    assert first.end_ms == pytest.approx(2_700, abs=35)
    assert second.end_ms == pytest.approx(6_200, abs=35)
    activity = kinds(found, SpeechBegan, SpeechEnded)
    assert [type(event) for event in activity] == [SpeechBegan, SpeechEnded] * 2
    assert activity[0].at_ms == pytest.approx(1_000, abs=35)
    assert first.pcm == kinds(heard(from_samples(TALK), 9_998), Utterance)[0].pcm


def test_what_goes_on_adds_up_to_the_utterance() -> None:
    found = heard(from_samples(TALK), 32_000)
    first = kinds(found, Utterance)[0]
    going_on = [event for event in kinds(found, Speaking) if event.start_ms == first.start_ms]

    joined = b"".join(event.pcm for event in going_on)

    assert len(joined) > 0.8 * len(first.pcm)
    assert first.pcm.startswith(joined[: len(first.pcm)])


def test_interim_sound_comes_in_pieces_as_long_as_the_configuration_says() -> None:
    short = replace(CONFIG, chunk_ms=250)

    found = heard(from_samples(tone(200, 4)), 128_000, config=short)

    assert {len(event.pcm) for event in kinds(found, Speaking)[1:]} == {8_000}


def test_the_offset_moves_every_time() -> None:
    made = pipeline(offset_ms=60_000)
    found = made.hear(from_samples(TALK), PCM) + made.finish()

    assert kinds(found, SpeechBegan)[0].at_ms == pytest.approx(61_000, abs=35)
    assert made.sound_ms == 6_200


def test_a_long_silence_is_told_once() -> None:
    impatient = replace(CONFIG, silence_timeout_ms=1_000)
    sound = np.concatenate([tone(200, 1), silence(5), tone(200, 1), silence(3)])

    found = kinds(heard(from_samples(sound), 3_200, config=impatient), LongSilence)

    assert len(found) == 2
    assert found[0].at_ms == pytest.approx(3_000, abs=1_100)


def test_an_endless_utterance_is_cut() -> None:
    found = kinds(heard(from_samples(tone(200, 70)), 32_000), Utterance)

    assert len(found) == 3
    assert all(each.end_ms - each.start_ms <= LONGEST_UTTERANCE_MS + 1_000 for each in found)


def test_without_voice_detection_everything_is_an_utterance() -> None:
    deaf = replace(CONFIG, vad_enabled=False)

    found = heard(from_samples(silence(40)), 32_000, config=deaf)

    assert [(each.start_ms, each.end_ms) for each in kinds(found, Utterance)] == [
        (0, 30_000),
        (30_000, 40_000),
    ]
    assert kinds(found, SpeechBegan, SpeechEnded) == []


def test_another_threshold_holds_for_the_next_chunk() -> None:
    made = pipeline()
    assert kinds(made.hear(from_samples(tone(200, 1)), PCM), SpeechBegan)
    made.finish()

    strict = pipeline(replace(CONFIG, rule=replace(CONFIG.rule, threshold=1.1)))
    assert kinds(strict.hear(from_samples(tone(200, 1)), PCM), SpeechBegan) == []
    strict.retune(CONFIG)
    assert kinds(strict.hear(from_samples(tone(200, 1)), PCM), SpeechBegan)


def test_lost_raw_chunks_are_as_long_as_the_configuration_says() -> None:
    made = pipeline()
    made.hear(from_samples(tone(200, 1)), PCM)
    made.lost(2)
    made.hear(from_samples(tone(200, 1)), PCM)

    assert made.sound_ms == 4_000


def test_a_container_knows_by_itself_how_long_a_lost_chunk_was() -> None:
    chunks = muxing.cut(muxing.webm(tone(200, 6)), 8_000)
    whole, holed = pipeline(), pipeline()
    for chunk in chunks:
        whole.hear(chunk, "audio/webm")
    for number, chunk in enumerate(chunks):
        if number == 2:
            continue
        if number == 3:
            holed.lost(1)
        holed.hear(chunk, "audio/webm")

    assert holed.sound_ms == pytest.approx(whole.sound_ms, abs=70)


def test_what_is_no_sound_is_refused_once_and_a_new_header_begins_anew() -> None:
    made = pipeline()
    with pytest.raises(UnsupportedMedia):
        made.hear(b"this is no sound at all", "audio/webm")

    assert made.hear(b"nor is this, and nobody says so", "audio/webm") == []
    assert made.hear(muxing.webm(tone(200, 3)), "audio/webm") != []


@pytest.mark.parametrize(
    ("mime", "expected_ms"),
    [
        ("audio/pcm", 1_000),
        ("audio/PCM; Rate=8000", 2_000),
        ('audio/x-raw;rate="32000"', 500),
        ("audio/raw;channels=2", 500),
        ("audio/wav", 1_000),
    ],
)
def test_parameters_describe_raw_samples(mime: str, expected_ms: int) -> None:
    made = pipeline()
    made.hear(from_samples(silence(1)), mime)
    made.finish()

    assert made.sound_ms == pytest.approx(expected_ms, abs=2)


@pytest.mark.parametrize("mime", ["audio/pcm;rate=x", "audio/pcm;rate=1", "audio/pcm;channels=99"])
def test_parameters_that_make_no_sense_are_refused(mime: str) -> None:
    with pytest.raises(AppError):
        pipeline().hear(b"\0\0", mime)


def test_a_takeover_finds_the_same() -> None:
    chunks = muxing.cut(muxing.ogg(TALK), 4_000)
    first, second = pipeline(), pipeline()
    before = [event for chunk in chunks[:3] for event in first.hear(chunk, "audio/ogg")]

    again = [event for chunk in chunks for event in second.hear(chunk, "audio/ogg")]

    assert again[: len(before)] == before
