"""What pocketsphinx learns of a speaker; and the adapters of recognisers that are chosen by model
path, against packages that play along."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from speech.audio.pcm import from_samples
from speech.audio.voice import RATE_HZ
from speech.engines.decoders import PocketSphinx, load


class FakeVosk:
    """Ends a sentence after every second chunk, as Kaldi does at a pause."""

    class Model:
        def __init__(self, *, model_path):
            self.path = model_path

    class KaldiRecognizer:
        def __init__(self, model, rate):
            self.count, self.rate = 0, rate

        def SetWords(self, on):  # noqa: N802 - the package's name
            self.words = on

        def AcceptWaveform(self, pcm):  # noqa: N802
            self.count += 1
            return self.count % 2 == 0

        def Result(self):  # noqa: N802
            word = {"word": f"w{self.count}", "start": self.count, "end": self.count + 0.5}
            return json.dumps({"text": f"w{self.count}", "result": [word]})

        def PartialResult(self):  # noqa: N802
            return json.dumps({"partial": "" if self.count % 2 == 0 else f"p{self.count}"})

        def FinalResult(self):  # noqa: N802
            return json.dumps({"text": ""})

    @staticmethod
    def SetLogLevel(level):  # noqa: N802
        pass


class FakeWhisper:
    class WhisperModel:
        def __init__(self, path, *, device, compute_type, cpu_threads, local_files_only):
            assert local_files_only

        def transcribe(self, samples, *, language, word_timestamps):
            words = [SimpleNamespace(word=f" {language}", start=0.0, end=len(samples) / 16_000)]
            return iter([SimpleNamespace(words=words), SimpleNamespace(words=None)]), None


class FakeSherpa:
    class OnlineRecognizer:
        @classmethod
        def from_transducer(cls, *, tokens, encoder, decoder, joiner, num_threads, sample_rate):
            made = cls()
            made.encoder = encoder
            return made

        def create_stream(self):
            return Stream()

        def is_ready(self, stream):
            return stream.waiting >= 1_600

        def decode_stream(self, stream):
            stream.waiting -= 1_600
            stream.decoded += 1

        def get_result(self, stream):
            return f" WORD {stream.decoded} "


class Stream:
    waiting = decoded = 0

    def accept_waveform(self, rate, samples):
        self.waiting += len(samples)

    def input_finished(self):
        pass


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setitem(sys.modules, "vosk", FakeVosk)
    monkeypatch.setitem(sys.modules, "faster_whisper", FakeWhisper)
    monkeypatch.setitem(sys.modules, "sherpa_onnx", FakeSherpa)


CHUNK = bytes(3_200)


def test_vosk_keeps_the_sentences_that_it_ended_itself(tmp_path):
    decoder = load("vosk", str(tmp_path), "en")
    decoder.begin(None)
    assert [decoder.hear(CHUNK) for _ in range(3)] == ["p1", "w2", "w2 p3"]
    result = decoder.finish()
    assert result.text == "w2"
    assert [(word.text, word.start_s) for word in result.words] == [("w2", 2)]
    decoder.begin(None)
    assert decoder.hear(CHUNK) == "p1"


def test_whisper_answers_at_the_end_with_everything_it_heard(tmp_path):
    decoder = load("faster-whisper", str(tmp_path), "de")
    decoder.begin(None)
    assert [decoder.hear(CHUNK) for _ in range(5)] == [""] * 5
    result = decoder.finish()
    assert (result.text, result.words[0].end_s) == ("de", 0.5)
    assert decoder.transcribe(CHUNK).words[0].end_s == 0.1


def test_sherpa_hears_the_silence_that_it_needs_behind_the_last_word(tmp_path):
    for name in ("tokens.txt", "encoder.onnx", "encoder.int8.onnx", "decoder.onnx", "joiner.onnx"):
        (tmp_path / name).write_bytes(b"x" * (1 if "int8" in name else 2))
    decoder = load("sherpa-onnx", str(tmp_path), "en")
    assert decoder._model.encoder.endswith("encoder.int8.onnx")
    decoder.begin(None)
    assert decoder.hear(CHUNK) == "word 1"
    assert decoder.finish().text == "word 7"
    assert decoder.transcribe(CHUNK).text == "word 7"


def test_an_unknown_recogniser_is_a_mistake():
    with pytest.raises(ValueError, match="unknown"):
        load("crystal ball", "", "en")


@pytest.mark.parametrize("seconds", [0.4, 1.0])
@pytest.mark.parametrize("before", [None, ",".join(["7"] * 13)], ids=["built in", "another"])
def test_the_mean_of_a_stranger_has_nothing_of_the_mean_before(seconds, before):
    noise = np.random.default_rng(5).standard_normal(int(seconds * RATE_HZ)) * 0.06
    head = from_samples(noise.astype(np.float32))
    decoder = PocketSphinx()
    decoder.begin(None)
    if before:
        decoder._model.set_cmn(before)

    learnt = decoder._mean(head)

    # A whole utterance is normalised with a mean that the model computes itself.
    decoder.transcribe(head)
    itself = decoder._model.get_cmn(update=False)
    numbers = [[float(number) for number in mean.split(",")] for mean in (learnt, itself)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.25)
