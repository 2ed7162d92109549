"""Defaults, ranges, and what becomes of keys that nobody knows."""

from typing import Any

import pytest

from readrealm.kernel.errors import InvalidValue, UnknownCategory
from speech.routes.configuration import KNOWN, PipelineConfig, check_value, effective


def test_the_defaults_are_those_of_the_contract() -> None:
    assert effective({}) == {
        "vad": {
            "enabled": True,
            "threshold": 0.5,
            "frameMs": 32,
            "minSpeechMs": 150,
            "hangoverMs": 300,
            "silenceTimeoutMs": 15_000,
        },
        "stt": {
            "enabled": True,
            "provider": "local",
            "language": "en",
            "sampleRate": 16_000,
            "interimResults": True,
        },
        "diarization": {"enabled": False, "minSpeakers": 1, "maxSpeakers": 2},
        "llm": {"provider": "local", "model": "default", "temperature": 0.7, "maxTokens": 1_024},
        "tts": {"provider": "local", "voice": "alloy", "speed": 1.0, "sampleRate": 24_000},
        "pipeline": {
            "enabled": True,
            "maxConcurrentSessions": 100,
            "chunkMs": 1_000,
            "recordAudio": False,
        },
    }


@pytest.mark.parametrize(
    ("category", "key"), [(category, key) for category, keys in KNOWN.items() for key in keys]
)
def test_every_default_is_allowed(category: str, key: str) -> None:
    check_value(category, key, KNOWN[category][key].default)


@pytest.mark.parametrize(
    ("category", "key", "value"),
    [
        ("vad", "threshold", -0.01),
        ("vad", "threshold", float("nan")),
        ("vad", "threshold", None),
        ("vad", "frameMs", 30),
        ("vad", "enabled", 1),
        ("stt", "provider", "azure"),
        ("stt", "language", "e"),
        ("stt", "language", "english please"),
        ("stt", "sampleRate", 16_000.5),
        ("llm", "temperature", 2.1),
        ("llm", "model", ""),
        ("tts", "speed", 0.1),
        ("pipeline", "chunkMs", 0),
        ("pipeline", "maxConcurrentSessions", 0),
        ("pipeline", "own", float("inf")),
        ("pipeline", "own", [b"binary"]),
        ("pipeline", "own", "\ud800"),
    ],
)
def test_values_outside_their_range_are_refused(category: str, key: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match=f"{category}.{key}|JSON"):
        check_value(category, key, value)


@pytest.mark.parametrize("value", [None, 0, "text", [1, {"a": None}], {"$where": ""}, 2**60])
def test_keys_of_ones_own_take_any_value(value: Any) -> None:
    check_value("llm", "own", value)

    assert effective({("llm", "own"): value})["llm"]["own"] == value


def test_there_are_six_categories() -> None:
    with pytest.raises(UnknownCategory, match="vad, stt, diarization, llm, tts, pipeline"):
        check_value("all", "enabled", True)


def test_a_pipeline_reads_what_was_set() -> None:
    config = PipelineConfig.of(
        effective({("vad", "threshold"): 0.7, ("stt", "language"): "de", ("x", "y"): 1})
    )

    assert (config.rule.threshold, config.rule.release) == (0.7, pytest.approx(0.55))
    assert config.language == "de"
    assert config.chunk_ms == 1_000
