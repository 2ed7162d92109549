"""Headers that programs read, and labels that only a model gives."""

import io
import wave

from speech.engines.diariser import SpeakerTurn
from speech.routes.recording_files import wav_header
from speech.routes.recordings import speakers_of


def test_a_header_with_a_length_is_a_wav_file() -> None:
    with wave.open(io.BytesIO(wav_header(32_000) + bytes(32_000))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() == 16_000


def test_a_text_gets_the_voice_it_overlaps_with_most() -> None:
    texts = [
        {"startMs": 10_000, "endMs": 12_000},
        {"startMs": 12_500, "endMs": 15_000},
        {"startMs": 90_000, "endMs": 91_000},
    ]
    turns = [SpeakerTurn(0.0, 2.6, 1), SpeakerTurn(2.6, 6.0, 0)]

    named = list(speakers_of(texts, turns, offset_ms=10_000))

    assert named == [(texts[0], "speaker_1"), (texts[1], "speaker_0")]


def test_without_turns_nobody_is_named() -> None:
    assert list(speakers_of([{"startMs": 0, "endMs": 9}], [], offset_ms=0)) == []
