import sys
from types import SimpleNamespace

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.diariser import SherpaDiariser, SpeakerTurn, label


async def test_there_is_no_label_without_a_model(tmp_path):
    diariser = SherpaDiariser(segmentation_model=None, embedding_model=None)
    with pytest.raises(ProviderUnavailable, match="sherpa-onnx"):
        await diariser.diarise(bytes(32_000))


@pytest.mark.parametrize("missing", ["segmentation", "embedding"])
def test_the_model_that_is_missing_is_named(missing, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: SimpleNamespace())
    there = tmp_path / "model.onnx"
    there.write_bytes(b"x")
    models = {"segmentation_model": there, "embedding_model": there}
    SherpaDiariser(**models).check()
    for absent in (None, tmp_path / "nowhere.onnx"):
        diariser = SherpaDiariser(**models | {f"{missing}_model": absent})
        with pytest.raises(ProviderUnavailable, match=missing):
            diariser.check()


class FakeSherpa:
    """Finds as many voices as it is asked for, and three by itself."""

    asked: list[int] = []  # noqa: RUF012 - one list for the test

    def __getattr__(self, name):
        return lambda **fields: SimpleNamespace(**fields)

    def OfflineSpeakerDiarization(self, config):  # noqa: N802 - the package's name
        clusters = config.clustering.num_clusters
        self.asked.append(clusters)
        count = 3 if clusters == -1 else clusters
        parts = [SimpleNamespace(start=n, end=n + 1, speaker=n % count) for n in range(6)]
        found = SimpleNamespace(sort_by_start_time=lambda: parts)
        return SimpleNamespace(process=lambda samples: found)


@pytest.mark.parametrize(
    ("at_least", "at_most", "voices"), [(1, 4, 3), (1, 2, 2), (4, 6, 4), (2, 2, 2)]
)
def test_the_number_of_voices_stays_within_what_is_expected(monkeypatch, at_least, at_most, voices):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", FakeSherpa())
    turns = label(bytes(32_000), "s", "e", at_least=at_least, at_most=at_most)
    assert len({turn.speaker for turn in turns}) == voices
    assert turns[0] == SpeakerTurn(0, 1, 0)
