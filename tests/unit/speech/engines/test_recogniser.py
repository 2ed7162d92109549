import importlib.machinery
import importlib.util

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.recogniser import Engine, RecogniserSpec

FILES = {
    Engine.VOSK: ("am/final.mdl", "conf/mfcc.conf"),
    Engine.FASTER_WHISPER: ("model.bin", "config.json"),
    Engine.SHERPA_ONNX: ("tokens.txt", "encoder-1.onnx", "decoder-1.onnx", "joiner-1.onnx"),
}


@pytest.fixture
def installed(monkeypatch):
    """Every recogniser's package is there, as far as anybody can tell without loading it."""
    spec = importlib.machinery.ModuleSpec("anything", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def folder(tmp_path, names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"model")
    return tmp_path


@pytest.mark.parametrize("engine", FILES)
def test_a_complete_model_is_taken(installed, tmp_path, engine):
    RecogniserSpec(engine=engine, model_path=folder(tmp_path, FILES[engine])).check()


@pytest.mark.parametrize("engine", FILES)
def test_a_missing_package_is_named(tmp_path, engine):
    spec = RecogniserSpec(engine=engine, model_path=folder(tmp_path, FILES[engine]))
    with pytest.raises(ProviderUnavailable, match=engine.value):
        spec.check()


@pytest.mark.parametrize("engine", FILES)
def test_a_path_that_is_no_folder_is_refused_before_anything_could_download(
    installed, tmp_path, engine
):
    for path in (None, tmp_path / "nowhere", tmp_path / "file"):
        (tmp_path / "file").write_text("x")
        with pytest.raises(ProviderUnavailable, match="model folder"):
            RecogniserSpec(engine=engine, model_path=path).check()


@pytest.mark.parametrize("engine", FILES)
def test_a_file_that_is_missing_in_the_folder_is_named(installed, tmp_path, engine):
    *others, last = FILES[engine]
    spec = RecogniserSpec(engine=engine, model_path=folder(tmp_path, others))
    with pytest.raises(ProviderUnavailable, match=last.split("-")[0]):
        spec.check()


@pytest.mark.parametrize(("language", "is_there"), [("en", True), ("en-US", True), ("de", False)])
def test_pocketsphinx_speaks_english_only(language, is_there):
    spec = RecogniserSpec(language=language)
    if is_there:
        spec.check()
    else:
        with pytest.raises(ProviderUnavailable, match="English"):
            spec.check()
