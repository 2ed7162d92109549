"""What `manage.py check --deploy` says about a configuration."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import registry
from django.test import override_settings

from readrealm import checks

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")

SHARED = {
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "readrealm"}},
    "MONGODB_IS_PRIVATE": False,
    "MONGODB_URL": "mongodb://reader:secret@db1,db2/readrealm?replicaSet=rs0",
    "REDIS_IS_PRIVATE": False,
    "REDIS_URL": "rediss://:secret@valkey:6380/0",
}
SAFE: dict[str, Any] = SHARED | {
    "ALLOWED_HOSTS": ["reader.example.org"],
    "CORS_ORIGINS": ("https://app.example.org",),
    "CSRF_TRUSTED_ORIGINS": [],
    "HANDSHAKE_RATE": object(),
    "HOST": "127.0.0.1",
    "METRICS_TOKEN": "a-token-of-some-length",
    "SECRET_KEY": "k" * 60,
    "SECURE_SSL_REDIRECT": True,
    "SOCKETS_PER_ADDRESS": 256,
    "SOCKETS_PER_USER": 32,
    "SOCKET_AUTH": "required",
    "STATICFILES_DIRS": [],
    "TRUST_PROXY_HEADERS": True,
}
"""A production that nothing is to be said about."""

OURS = [
    check
    for check in registry.registry.get_checks(include_deployment_checks=True)
    if check.__module__ == checks.__name__
]


def found(**changes: Any) -> list[str]:
    """The ids of what is said when some settings are otherwise."""
    with override_settings(**SAFE | changes):
        return sorted(str(message.id) for check in OURS for message in check(None))


def test_every_finding_is_explained_to_operators() -> None:
    root = Path(checks.__file__).parents[1]
    said = set(re.findall(r'id="(readrealm\.\w+)"', Path(checks.__file__).read_text()))
    explained = re.findall(r"\| `(readrealm\.\w+)` \|", (root / "docs/operations.md").read_text())

    assert sorted(said) == sorted(explained)
    assert {check.__module__ for check in OURS} == {checks.__name__}


def test_nothing_is_said_about_a_production_that_is_safe() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"STATICFILES_DIRS": [("vendor", Path("/nowhere"))]}, ["readrealm.E001"]),
        ({"SECRET_KEY": "change-me-" * 6}, ["readrealm.E002"]),
        ({"METRICS_TOKEN": "change-me-change-me"}, ["readrealm.E002"]),
        ({"TRUST_PROXY_HEADERS": False}, ["readrealm.E003"]),
        ({"ALLOWED_HOSTS": ["reader.example.org", "*"]}, ["readrealm.E004"]),
        ({"CORS_ORIGINS": ("*",)}, ["readrealm.E005"]),
        ({"REDIS_IS_PRIVATE": True}, ["readrealm.E006", "readrealm.W001"]),
        ({"MONGODB_IS_PRIVATE": True}, ["readrealm.E006", "readrealm.W001"]),
        ({"SOCKET_AUTH": "optional"}, ["readrealm.W002"]),
        ({"SECURE_SSL_REDIRECT": False}, ["readrealm.W004"]),
        ({"HOST": "0.0.0.0"}, ["readrealm.W005"]),
        ({"HOST": "0.0.0.0", "TRUST_PROXY_HEADERS": False}, ["readrealm.E003"]),
        ({"ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"]}, ["readrealm.W006"]),
        ({"CORS_ORIGINS": ("http://app.example.org",)}, ["readrealm.W007"]),
        ({"CSRF_TRUSTED_ORIGINS": ["http://app.example.org"]}, ["readrealm.W007"]),
        ({"HANDSHAKE_RATE": None}, ["readrealm.W008"]),
        ({"SOCKETS_PER_ADDRESS": None, "SOCKETS_PER_USER": None}, ["readrealm.W008"] * 2),
        ({"METRICS_TOKEN": None}, ["readrealm.W009"]),
        ({"MONGODB_URL": "mongodb://reader:secret@db1,db2/readrealm"}, ["readrealm.W010"]),
        ({"MONGODB_URL": "mongodb://db1:27017,db2/?replicaSet=rs0"}, ["readrealm.W011"]),
        ({"MONGODB_URL": "mongodb://127.0.0.1:27017/?replicaSet=rs0"}, []),
        ({"REDIS_URL": "redis://valkey:6379/0"}, ["readrealm.W011"]),
        ({"REDIS_URL": "unix:///run/valkey.sock"}, []),
    ],
)
def test_what_is_unsafe_is_said(changes: dict[str, Any], ids: list[str]) -> None:
    assert found(**changes) == ids


def test_private_stores_for_everything_are_one_machine_and_said_as_that() -> None:
    sqlite = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}

    ids = found(MONGODB_IS_PRIVATE=True, REDIS_IS_PRIVATE=True, DATABASES=sqlite)

    assert ids == ["readrealm.W001"] * 3


def test_a_weaker_write_concern_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for weaker in ({"w": 1}, {"journal": False}):
        monkeypatch.setattr(checks.mongo, "OPTIONS", checks.mongo.OPTIONS | weaker)

        assert found() == ["readrealm.E007"]
