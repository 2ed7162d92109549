"""What the environment may say about voice."""

import pytest

from readrealm.settings.env import WrongSetting
from readrealm.settings.voice import read
from readrealm.settings.voice_table import ENGINE


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for setting in ENGINE:
        monkeypatch.delenv(setting.name, raising=False)


def test_voice_needs_no_setting():
    environment = read()

    assert environment.stt_engine == "pocketsphinx"
    assert (environment.engine_address, environment.llm_base_url) == (None, None)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8765", "localhost:1", "[::1]:9", "unix:/run/a.sock"]
)
def test_the_engine_may_listen_where_only_this_machine_comes(monkeypatch, address):
    monkeypatch.setenv("REALTIME_ENGINE_ADDRESS", address)

    assert read().engine_address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REALTIME_ENGINE_ADDRESS", "0.0.0.0:8765"),
        ("REALTIME_ENGINE_ADDRESS", "127.0.0.1"),
        ("REALTIME_ENGINE_ADDRESS", "127.0.0.1:70000"),
        ("REALTIME_ENGINE_ADDRESS", "unix:"),
        ("REALTIME_ENGINE_TOKEN", "short"),
        ("LLM_BASE_URL", "ftp://llm.example.org"),
        ("LLM_BASE_URL", "https://"),
        ("STT_ENGINE", "ears"),
        ("STT_MODEL_PATH", "/nowhere/at/all"),
        ("STT_LANGUAGE", "English please"),
        ("STT_PROCESSES", "0"),
        ("TTS_MODEL_PATH", "/nowhere/at/all"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(WrongSetting, match=name):
        read()


def test_a_url_that_may_hold_a_password_is_not_quoted(monkeypatch):
    monkeypatch.setenv("LLM_BASE_URL", "ftp://reader:hidden@llm.example.org")

    with pytest.raises(WrongSetting) as refused:
        read()
    assert "hidden" not in str(refused.value)
