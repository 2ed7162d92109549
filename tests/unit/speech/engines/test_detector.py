import numpy as np
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.voice import WINDOW_SAMPLES
from speech.engines import detector as module
from speech.engines.detector import SileroDetector, model_path
from tests.unit.speech.audio.recordings import needs_recordings, noise, recording, tone


def probabilities(detector, sound):
    whole = len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES
    return [detector.probability(window) for window in sound[:whole].reshape(-1, WINDOW_SAMPLES)]


@needs_recordings
def test_speech_is_likely_and_noise_is_not():
    spoken = probabilities(SileroDetector(), recording("lj001-0002.wav"))
    assert np.mean(np.array(spoken) > 0.5) > 0.6
    for sound in (noise(2), tone(150, 2), tone(1_000, 2)):
        assert max(probabilities(SileroDetector(), sound)) < 0.5


@needs_recordings
def test_two_streams_do_not_disturb_each_other():
    speech, other = recording("harvard_spk1_snt1.wav"), noise(3)
    alone = probabilities(SileroDetector(), speech)
    one, two = SileroDetector(), SileroDetector()
    mixed = []
    for at in range(0, len(alone) * WINDOW_SAMPLES, WINDOW_SAMPLES):
        mixed.append(one.probability(speech[at : at + WINDOW_SAMPLES]))
        two.probability(other[at % 40_000 : at % 40_000 + WINDOW_SAMPLES])
    assert mixed == alone


@needs_recordings
def test_a_detector_that_was_reset_knows_nothing():
    detector = SileroDetector()
    first = probabilities(detector, recording("goforward.wav"))
    detector.reset()
    assert probabilities(detector, recording("goforward.wav")) == first


@pytest.mark.parametrize("length", [0, 511, 513])
def test_a_window_has_its_length(length):
    with pytest.raises(ValueError, match="512"):
        SileroDetector().probability(np.zeros(length, np.float32))


def test_a_missing_model_says_what_to_install(monkeypatch, tmp_path):
    assert model_path().is_file()
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ProviderUnavailable, match="silero-vad"):
        model_path()
