"""What the environment says about voice, judged like the rest of it."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from readrealm.settings import values
from readrealm.settings.env import ask

RECOGNISERS = ("pocketsphinx", "vosk", "faster-whisper", "sherpa-onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceEnvironment:
    """None stands for "not given"."""

    is_served: bool
    engine_address: str | None
    engine_token: str | None
    llm_base_url: str | None
    llm_model: str
    llm_key: str | None
    stt_engine: str
    stt_model_path: Path | None
    stt_language: str
    stt_processes: int
    tts_model_path: Path | None
    command_broadcast: str
    worker_token: str | None
    retention_days: int
    diarization_segmentation_model: Path | None
    diarization_embedding_model: Path | None
    interview_stt: str
    interview_stt_processes: int
    interview_duration_s: int
    interview_silence_s: int
    interview_grace_s: int
    interview_retention_days: int | None
    interview_intro_question: bool


def read() -> VoiceEnvironment:
    """The voice part of the environment.

    Raises:
        WrongSetting: a value that cannot be used.
    """
    return VoiceEnvironment(
        is_served=ask("VOICE", values.switch, True),
        engine_address=ask("REALTIME_ENGINE_ADDRESS", _here, None),
        engine_token=ask("REALTIME_ENGINE_TOKEN", values.secret(16), None),
        llm_base_url=ask("LLM_BASE_URL", web_url, None),
        llm_model=ask("LLM_MODEL", str, "default"),
        llm_key=ask("LLM_API_KEY", values.secret(1), None),
        stt_engine=ask("STT_ENGINE", values.one_of(*RECOGNISERS), "pocketsphinx"),
        stt_model_path=ask("STT_MODEL_PATH", _existing, None),
        stt_language=ask("STT_LANGUAGE", _language, "en"),
        stt_processes=ask("STT_PROCESSES", values.whole_number(1, 64), 4),
        tts_model_path=ask("TTS_MODEL_PATH", _existing, None),
        command_broadcast=ask("COMMAND_BROADCAST", values.one_of("workers", "all"), "workers"),
        worker_token=ask("VOICE_WORKER_TOKEN", values.secret(16), None),
        retention_days=ask("VOICE_RETENTION_DAYS", values.whole_number(1, 3_650), 30),
        diarization_segmentation_model=ask("DIARIZATION_SEGMENTATION_MODEL", _existing, None),
        diarization_embedding_model=ask("DIARIZATION_EMBEDDING_MODEL", _existing, None),
        interview_stt=ask("INTERVIEW_STT", values.one_of("local", "captions"), "local"),
        interview_stt_processes=ask("INTERVIEW_STT_PROCESSES", values.whole_number(1, 64), 2),
        interview_duration_s=ask("INTERVIEW_DURATION_S", values.whole_number(60, 7_200), 1_800),
        interview_silence_s=ask("INTERVIEW_SILENCE_S", values.whole_number(2, 120), 15),
        interview_grace_s=ask("INTERVIEW_GRACE_S", values.whole_number(1, 600), 60),
        interview_retention_days=ask("INTERVIEW_RETENTION_DAYS", values.limit, None),
        interview_intro_question=ask("INTERVIEW_INTRO_QUESTION", values.switch, False),
    )


def web_url(text: str) -> str:
    """An address of the web. It may hold a password, so it is never quoted."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http:// or https:// URL")
    return text.rstrip("/")


def _here(text: str) -> str:
    """An address that only this machine reaches."""
    if text.startswith("unix:") and len(text) > len("unix:"):
        return text
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("no port")
    try:
        if host != "localhost" and not ip_address(host.strip("[]")).is_loopback:
            raise ValueError
    except ValueError:
        raise ValueError("not a loopback address") from None
    return text


def _existing(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists():
        raise ValueError("not there")
    return path


def _language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise ValueError("not a language tag")
    return text
