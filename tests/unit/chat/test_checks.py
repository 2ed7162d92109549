"""What `manage.py check` says about chat."""

from typing import Any

import pytest
from django.test import override_settings

from chat import checks
from chat.conf import ChatSettings, chat_settings
from readrealm.kernel.ratelimit import Rate

RATE = Rate(count=10, period_ms=10_000)


def ids(found: list[Any]) -> list[str]:
    return [each.id for each in found]


@pytest.mark.parametrize(
    ("rate", "wrong", "in_earnest"),
    [(RATE, [], []), (None, [], ["chat.W001"]), ("10/10s", ["chat.E001"], [])],
)
def test_a_rate_is_a_rate_and_in_earnest_there_is_one(
    rate: Any, wrong: list[str], in_earnest: list[str]
) -> None:
    with override_settings(CHAT_RATE=rate):
        assert ids(checks.check_rate(None)) == wrong
        assert ids(checks.check_rate_in_earnest(None)) == in_earnest


def test_only_the_layer_of_the_bridge_will_do() -> None:
    assert checks.check_layer(None) == []
    for layers in ({}, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}):
        with override_settings(CHANNEL_LAYERS=layers):
            assert ids(checks.check_layer(None)) == ["chat.E002"]


def test_settings_are_read_when_they_are_asked_for() -> None:
    with override_settings(CHAT_RATE=RATE):
        assert chat_settings() == ChatSettings(rate=RATE)
