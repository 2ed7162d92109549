import math

import numpy as np
import pytest

from speech.audio.levels import SILENCE_DBFS, dbfs, peak, rms
from tests.unit.speech.audio.recordings import tone

NOTHING = np.zeros(0, np.float32)


def test_a_full_scale_sine_has_3_01_db_less_than_full_scale():
    assert dbfs(rms(tone(1_000, 1, amplitude=1.0))) == pytest.approx(-3.01, abs=0.01)


def test_half_the_amplitude_is_6_02_db_less():
    assert dbfs(0.5) == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("amplitude", [0.0, -1.0, 1e-9])
def test_silence_has_a_level_and_not_minus_infinity(amplitude):
    assert dbfs(amplitude) == SILENCE_DBFS


def test_nothing_is_silent():
    assert rms(NOTHING) == peak(NOTHING) == 0.0


def test_the_peak_counts_both_directions():
    assert peak(np.array([0.1, -0.7, 0.2], np.float32)) == pytest.approx(0.7)


def test_many_samples_do_not_lose_precision():
    assert rms(np.full(1_000_000, 0.1, np.float32)) == pytest.approx(0.1, rel=1e-6)
    assert not math.isnan(rms(np.zeros(3, np.float32)))
