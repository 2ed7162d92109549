import numpy as np
import pytest

from speech.audio.resample import Resampler
from tests.unit.speech.audio.recordings import noise, tone


def resampled(samples, from_hz, to_hz, chunk):
    resampler = Resampler(from_hz, to_hz)
    parts = [resampler.feed(samples[at : at + chunk]) for at in range(0, len(samples), chunk)]
    return np.concatenate([*parts, resampler.finish()])


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(24_000, 16_000), (22_050, 24_000), (48_000, 16_000), (8_000, 16_000)]
)
def test_the_output_is_the_same_bit_for_bit_however_the_input_is_cut(from_hz, to_hz):
    sound = noise(2)
    whole = resampled(sound, from_hz, to_hz, len(sound))
    for chunk in (1_600, 320, 77):
        assert np.array_equal(resampled(sound, from_hz, to_hz, chunk), whole)


def test_a_sound_lasts_as_long_as_before():
    assert len(resampled(tone(440, 1), 16_000, 24_000, 1_000)) == 24_000


def test_a_tone_keeps_its_pitch_and_level():
    out = resampled(tone(1_000, 1), 16_000, 24_000, 320)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert np.argmax(spectrum) == 1_000
    assert np.sqrt(np.mean(out[2_000:-2_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_what_the_lower_rate_cannot_carry_does_not_come_back_as_another_tone():
    sound = (0.5 * np.sin(2 * np.pi * 10_000 * np.arange(24_000) / 24_000)).astype(np.float32)
    out = resampled(sound, 24_000, 16_000, 480)
    assert np.max(np.abs(out[500:-500])) < 0.5 / 1_000  # 60 dB below


def test_equal_rates_pass_through():
    sound = noise(0.1)
    assert np.array_equal(resampled(sound, 16_000, 16_000, 100), sound)


def test_a_rate_is_positive():
    with pytest.raises(ValueError, match="rate"):
        Resampler(0, 16_000)
