"""What the environment may say about live talk."""

import pytest

from readrealm.settings.env import WrongSetting
from readrealm.settings.provider import read
from readrealm.settings.voice_table import TALK


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for setting in TALK:
        for name in (setting.name, *setting.also):
            monkeypatch.delenv(name, raising=False)


def test_readers_talk_with_the_local_engine():
    talk = read()

    assert (talk.name, talk.protocol, talk.voice) == ("local", "ga", "alloy")
    assert (talk.minutes_per_day, talk.sessions, talk.frame_bytes) == (120, 4, 100_000_000)
    assert talk.audio_bytes == 75_000_000


@pytest.mark.parametrize("names", ["AZURE_REALTIME_%s", "AZURE_API_REALTIME_%s"])
def test_azure_answers_when_its_end_point_is_named(monkeypatch, names):
    model = "MODEL" if "API" in names else "DEPLOYMENT"
    monkeypatch.setenv(names % "ENDPOINT", "https://books.openai.azure.com/openai")
    monkeypatch.setenv(names % "KEY", "k")
    monkeypatch.setenv(names % model, "talk")

    talk = read()

    assert talk.name == "azure"
    assert talk.azure_endpoint == "books.openai.azure.com"
    assert (talk.azure_key, talk.azure_deployment) == ("k", "talk")


def test_openai_answers_when_its_key_is_there_and_nothing_else_is_said(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    assert read().name == "openai"

    monkeypatch.setenv("VOICE_PROVIDER", "local")
    assert read().name == "local"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOICE_PROVIDER", "parrot"),
        ("REALTIME_PROTOCOL", "beta"),
        ("VOICE_NAME", "two words"),
        ("AZURE_REALTIME_ENDPOINT", "http://books.openai.azure.com"),
        ("AZURE_REALTIME_ENDPOINT", "https://"),
        ("AZURE_TENANT_ID", "../other"),
        ("OPENAI_REALTIME_URL", "ws://example.org/v1"),
        ("OPENAI_REALTIME_URL", "ftp://example.org/v1"),
        ("VOICE_MINUTES_PER_DAY", "0"),
        ("VOICE_SESSIONS_PER_READER", "many"),
        ("VOICE_FRAME_BYTES", "100000001"),
        ("VOICE_AUDIO_BYTES", "75000001"),
        ("VOICE_AUDIO_BYTES", "4799"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(WrongSetting, match=name):
        read()


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"VOICE_PROVIDER": "azure"}, "AZURE_REALTIME_ENDPOINT"),
        ({"AZURE_REALTIME_ENDPOINT": "books.openai.azure.com"}, "AZURE_REALTIME_DEPLOYMENT"),
        ({"VOICE_PROVIDER": "openai"}, "OPENAI_API_KEY"),
    ],
)
def test_what_the_provider_needs_must_be_there(monkeypatch, variables, missing):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(WrongSetting, match=missing):
        read()


def test_secrets_are_not_shown(monkeypatch):
    for name in ("AZURE_REALTIME_KEY", "AZURE_CLIENT_SECRET", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "do-not-show")

    assert "do-not-show" not in repr(read())
