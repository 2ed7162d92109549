"""What the environment may say; `tests/integration/test_settings.py` sees a process refuse it."""

import os
import re
from pathlib import Path

import pytest

from readrealm.kernel.ratelimit import Rate
from readrealm.settings.env import WrongSetting, inherited, read
from readrealm.settings.table import SETTINGS

ROOT = Path(__file__).resolve().parents[4]
KEY = "k" * 50


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for setting in SETTINGS:
        for name in (setting.name, *setting.also):
            monkeypatch.delenv(name, raising=False)


def given(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read(root=Path("/srv/readrealm"))


def test_production_needs_nothing_but_a_key(monkeypatch):
    environment = given(monkeypatch, SECRET_KEY=KEY)

    assert (environment.host, environment.port) == ("127.0.0.1", 8000)
    assert environment.data_dir == Path("/srv/readrealm/var")
    assert environment.run_dir == Path("/srv/readrealm/var/run")
    assert environment.chat_rate == Rate(count=10, period_ms=10_000)
    assert (environment.mongodb_url, environment.redis_url) == (None, None)


def test_what_is_not_said_is_safe(monkeypatch):
    environment = given(monkeypatch, SECRET_KEY=KEY)

    assert environment.debug is False
    assert environment.https is True
    assert environment.socket_auth == "required"
    assert environment.trust_proxy_headers is False
    assert environment.cors_origins == ()
    assert environment.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert environment.log_format == "json"


def test_development_is_open_and_readable(monkeypatch):
    environment = given(monkeypatch, DEBUG="true")

    assert environment.secret_key is None
    assert environment.https is False
    assert environment.socket_auth == "optional"
    assert environment.log_format == "console"


def test_without_a_key_production_does_not_start(monkeypatch):
    with pytest.raises(WrongSetting, match=r"^SECRET_KEY: not set while DEBUG is off; allowed: "):
        given(monkeypatch)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "::1"}, True),
        ({"SECRET_KEY": KEY}, False),
        ({"HOST": "0.0.0.0", "SECRET_KEY": KEY}, False),
    ],
)
def test_auto_is_development_only_on_a_loopback_address_without_a_key(
    monkeypatch, variables, expected
):
    assert given(monkeypatch, DEBUG="auto", **variables).debug is expected


def test_auto_on_an_open_address_needs_a_key(monkeypatch):
    with pytest.raises(WrongSetting, match="SECRET_KEY"):
        given(monkeypatch, DEBUG="auto", HOST="0.0.0.0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "not a host"),
        ("PORT", "99999"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("MONGODB_URL", "mongodb://a/?w=1"),
        ("REDIS_URL", "memory://"),
        ("DATABASE_URL", "mysql://a/b"),
        ("SECRET_KEY", "short"),
        ("DEBUG", "maybe"),
        ("HTTPS", "maybe"),
        ("ALLOWED_HOSTS", "a.example,b example"),
        ("CSRF_TRUSTED_ORIGINS", "a.example"),
        ("CORS_ORIGIN", "null"),
        ("SOCKET_AUTH", "never"),
        ("SOCKETS_PER_ADDRESS", "0"),
        ("SOCKETS_PER_USER", "-1"),
        ("HANDSHAKE_RATE", "10"),
        ("CHAT_RATE", "fast"),
        ("TRUST_PROXY_HEADERS", "2"),
        ("DRAIN_S", "-1"),
        ("METRICS_TOKEN", "short"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("WORKER_ID", "w-1"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(monkeypatch, name, value):
    with pytest.raises(WrongSetting) as refusal:
        given(monkeypatch, **{"DEBUG": "true", name: value})

    text = str(refusal.value)
    allowed = next(setting.allowed for setting in SETTINGS if setting.name == name)
    assert text.startswith(f"{name}: ")
    assert text.endswith(f"; allowed: {allowed}")
    assert "\n" not in text


@pytest.mark.parametrize("name", ["SECRET_KEY", "MONGODB_URL", "REDIS_URL", "METRICS_TOKEN"])
def test_a_refusal_never_quotes_a_secret(monkeypatch, name):
    with pytest.raises(WrongSetting) as refusal:
        given(monkeypatch, **{"DEBUG": "true", name: "x://u:hunter2"})

    assert "hunter2" not in str(refusal.value)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    environment = given(monkeypatch, SECRET_KEY=KEY, PORT="", REDIS_URL="  ", CORS_ORIGIN="")

    assert (environment.port, environment.redis_url, environment.cors_origins) == (8000, None, ())


def test_the_other_spelling_of_the_mongodb_url_is_read(monkeypatch):
    assert given(monkeypatch, DEBUG="1", MONGO_URL="mongodb://b/x").mongodb_url == "mongodb://b/x"
    first = given(monkeypatch, DEBUG="1", MONGO_URL="mongodb://b/x", MONGODB_URL="mongodb://a/x")
    assert first.mongodb_url == "mongodb://a/x"


def test_every_page_may_open_sockets_only_for_a_developer(monkeypatch):
    assert given(monkeypatch, DEBUG="true", CORS_ORIGIN="*").cors_origins == ("*",)
    with pytest.raises(WrongSetting, match="CORS_ORIGIN"):
        given(monkeypatch, DEBUG="false", SECRET_KEY=KEY, CORS_ORIGIN="*")


def test_several_origins_have_commas_between(monkeypatch):
    environment = given(
        monkeypatch, DEBUG="1", CORS_ORIGIN="https://a.example, http://b.example:81"
    )

    assert environment.cors_origins == ("https://a.example", "http://b.example:81")


def test_a_child_inherits_everything_but_the_changes(monkeypatch):
    monkeypatch.setenv("PORT", "1")

    child = inherited(PORT="2", RUN_DIR="/run/x")

    assert (child["PORT"], child["RUN_DIR"], child["PATH"]) == ("2", "/run/x", os.environ["PATH"])


KNOWN = {
    "readrealm/settings/env.py",
    "readrealm/socketio_bridge/daphne.py",  # writes WORKER_ID for the application it imports
}


def test_nothing_else_reads_a_variable_by_name():
    access = re.compile(r"""os\.environ(\.get\(|\[)\s*["']|getenv\(|from os import .*environ""")
    sources = [
        path for app in ("readrealm", "chat", "speech") for path in (ROOT / app).rglob("*.py")
    ]
    found = {
        str(path.relative_to(ROOT)) for path in sources if access.search(path.read_text("utf-8"))
    }

    assert found <= KNOWN
