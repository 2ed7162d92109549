"""The configuration of voice sessions as values: categories, known keys, defaults and ranges.

Asks no store. Keys that are not known here are kept as they come, for pipelines of one's own.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from readrealm.kernel.errors import InvalidValue, UnknownCategory
from speech.audio.voice import WINDOW_MS, VoiceRule

MAX_VALUE_BYTES = 8_192
MAX_UNKNOWN_KEYS = 64
"""Of one category."""

ALL = "all"

Check = Callable[[Any], str | None]
"""What is wrong with a value; None when nothing is."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that something here reads."""

    default: Any
    check: Check


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> str | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and least <= value <= most:
            return None
        return f"must be a whole number from {least} to {most}"

    return check


def _number(least: float, most: float) -> Check:
    def check(value: Any) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and math.isfinite(value) and least <= value <= most:
            return None
        return f"must be a number from {least:g} to {most:g}"

    return check


def _one_of(*names: str) -> Check:
    def check(value: Any) -> str | None:
        return None if value in names else f"must be one of {', '.join(names)}"

    return check


def _name(longest: int = 64) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, str) and 1 <= len(value) <= longest and value.isprintable():
            return None
        return f"must be text of 1 to {longest} characters"

    return check


def _language(value: Any) -> str | None:
    parts = value.split("-") if isinstance(value, str) else [""]
    is_tag = 2 <= len(parts[0]) <= 3 and all(
        part.isascii() and part.isalnum() and len(part) <= 8 for part in parts
    )
    return None if is_tag and parts[0].isalpha() else "must be a language tag such as en or en-US"


LOCAL = "local"
"""The provider that stands for the engine of the server's settings."""

RECOGNISERS = (LOCAL, "pocketsphinx", "vosk", "faster-whisper", "sherpa-onnx")

KNOWN: Mapping[str, Mapping[str, KnownKey]] = {
    "vad": {
        "enabled": KnownKey(True, _switch),
        "threshold": KnownKey(0.5, _number(0, 1)),
        # The detector judges windows of one length only.
        "frameMs": KnownKey(WINDOW_MS, _whole(WINDOW_MS, WINDOW_MS)),
        "minSpeechMs": KnownKey(150, _whole(0, 5_000)),
        "hangoverMs": KnownKey(300, _whole(0, 10_000)),
        "silenceTimeoutMs": KnownKey(15_000, _whole(500, 600_000)),
    },
    "stt": {
        "enabled": KnownKey(True, _switch),
        "provider": KnownKey(LOCAL, _one_of(*RECOGNISERS)),
        "language": KnownKey("en", _language),
        "sampleRate": KnownKey(16_000, _whole(8_000, 192_000)),
        "interimResults": KnownKey(True, _switch),
    },
    "diarization": {
        "enabled": KnownKey(False, _switch),
        "minSpeakers": KnownKey(1, _whole(1, 20)),
        "maxSpeakers": KnownKey(2, _whole(1, 20)),
    },
    "llm": {
        "provider": KnownKey("local", _name()),
        "model": KnownKey("default", _name(128)),
        "temperature": KnownKey(0.7, _number(0, 2)),
        "maxTokens": KnownKey(1_024, _whole(1, 1_000_000)),
    },
    "tts": {
        "provider": KnownKey("local", _name()),
        "voice": KnownKey("alloy", _name()),
        "speed": KnownKey(1.0, _number(0.25, 4)),
        "sampleRate": KnownKey(24_000, _whole(8_000, 192_000)),
    },
    "pipeline": {
        "enabled": KnownKey(True, _switch),
        "maxConcurrentSessions": KnownKey(100, _whole(1, 100_000)),
        "chunkMs": KnownKey(1_000, _whole(20, 10_000)),
        "recordAudio": KnownKey(False, _switch),
    },
}

Stored = Mapping[tuple[str, str], Any]
"""Values that somebody has set, by category and key."""


def require_category(category: str) -> None:
    """Make sure that there is such a category.

    Raises:
        UnknownCategory: there is not.
    """
    if category not in KNOWN:
        raise UnknownCategory(f"the categories are {', '.join(KNOWN)}")


def check_value(category: str, key: str, value: Any) -> None:
    """Make sure that a value may be kept.

    Raises:
        UnknownCategory: no such category.
        InvalidValue: a known key with a value outside its range, or more than 8 KiB of JSON.
    """
    require_category(category)
    if len(encoded(value)) > MAX_VALUE_BYTES:
        raise InvalidValue(f"{category}.{key} may have {MAX_VALUE_BYTES} bytes as JSON")
    known = KNOWN[category].get(key)
    fault = known.check(value) if known else None
    if fault:
        raise InvalidValue(f"{category}.{key} {fault}")


def encoded(value: Any) -> bytes:
    """A value as JSON, which any value of the wire can be.

    Raises:
        InvalidValue: it cannot; binary attachments, for example.
    """
    try:
        # Not by msgspec, which would write bytes and what is no number as something else.
        return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise InvalidValue("the value cannot be written as JSON") from None


def effective(stored: Stored) -> dict[str, dict[str, Any]]:
    """Every category with its defaults, and what was set over them."""
    complete = {
        category: {key: known.default for key, known in keys.items()}
        for category, keys in KNOWN.items()
    }
    for (category, key), value in stored.items():
        if category in complete:
            complete[category][key] = value
    return complete


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """What a processing worker does with sound, typed."""

    vad_enabled: bool
    rule: VoiceRule
    silence_timeout_ms: int
    stt_enabled: bool
    provider: str
    language: str
    raw_rate_hz: int
    """Of raw samples whose media type names none."""
    interim: bool
    diarize: bool
    min_speakers: int
    max_speakers: int
    chunk_ms: int
    """Sound between two interim results, and how long a lost chunk of raw samples was."""

    @classmethod
    def of(cls, config: Mapping[str, Mapping[str, Any]]) -> "PipelineConfig":
        """Read from what `effective` gives."""
        vad, stt, voices = config["vad"], config["stt"], config["diarization"]
        return cls(
            vad_enabled=vad["enabled"],
            rule=VoiceRule.at(
                vad["threshold"],
                min_speech_ms=vad["minSpeechMs"],
                hangover_ms=vad["hangoverMs"],
            ),
            silence_timeout_ms=vad["silenceTimeoutMs"],
            stt_enabled=stt["enabled"],
            provider=stt["provider"],
            language=stt["language"],
            raw_rate_hz=stt["sampleRate"],
            interim=stt["interimResults"],
            diarize=voices["enabled"],
            min_speakers=voices["minSpeakers"],
            max_speakers=max(voices["minSpeakers"], voices["maxSpeakers"]),
            chunk_ms=config["pipeline"]["chunkMs"],
        )
