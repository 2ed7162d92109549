"""What the environment says about live talk: who answers, and how much a reader may have of it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from readrealm.settings import values
from readrealm.settings.env import WrongSetting, ask

PROVIDERS = ("local", "azure", "openai")
OPENAI_URL = "wss://api.openai.com/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEnvironment:
    """None stands for "not given", and for "off" in limits."""

    name: str
    protocol: str
    voice: str
    azure_endpoint: str | None
    azure_deployment: str | None
    azure_transcription: str
    azure_key: str | None = field(repr=False)
    azure_tenant: str | None
    azure_client: str | None
    azure_secret: str | None = field(repr=False)
    openai_key: str | None = field(repr=False)
    openai_model: str
    openai_url: str
    minutes_per_day: int | None
    sessions: int | None
    frame_bytes: int
    audio_bytes: int


def read() -> ProviderEnvironment:
    """The part of the environment about live talk.

    Raises:
        WrongSetting: a value that cannot be used, or one that the chosen provider misses.
    """
    azure_endpoint = ask("AZURE_REALTIME_ENDPOINT", azure_host, None)
    openai_key = ask("OPENAI_API_KEY", values.secret(1), None)
    found = "azure" if azure_endpoint else "openai" if openai_key else "local"
    chosen = ProviderEnvironment(
        name=ask("VOICE_PROVIDER", values.one_of(*PROVIDERS), found),
        protocol=ask("REALTIME_PROTOCOL", values.one_of("ga", "preview"), "ga"),
        voice=ask("VOICE_NAME", _word, "alloy"),
        azure_endpoint=azure_endpoint,
        azure_deployment=ask("AZURE_REALTIME_DEPLOYMENT", _word, None),
        azure_transcription=ask("AZURE_TRANSCRIPTION_DEPLOYMENT", _word, "whisper-1"),
        azure_key=ask("AZURE_REALTIME_KEY", values.secret(1), None),
        azure_tenant=ask("AZURE_TENANT_ID", _word, None),
        azure_client=ask("AZURE_CLIENT_ID", _word, None),
        azure_secret=ask("AZURE_CLIENT_SECRET", values.secret(1), None),
        openai_key=openai_key,
        openai_model=ask("OPENAI_REALTIME_MODEL", _word, "gpt-realtime"),
        openai_url=ask("OPENAI_REALTIME_URL", realtime_url, OPENAI_URL),
        minutes_per_day=ask("VOICE_MINUTES_PER_DAY", values.limit, 120),
        sessions=ask("VOICE_SESSIONS_PER_READER", values.limit, 4),
        frame_bytes=ask(
            "VOICE_FRAME_BYTES", values.whole_number(1_000_000, 100_000_000), 100_000_000
        ),
        audio_bytes=ask("VOICE_AUDIO_BYTES", values.whole_number(4_800, 75_000_000), 75_000_000),
    )
    _require_what_it_needs(chosen)
    return chosen


def azure_host(text: str) -> str:
    """The host of an Azure resource, with or without ``https://`` before it."""
    parts = urlsplit(text if "//" in text else f"//{text}")
    if parts.scheme not in ("", "https", "wss") or not parts.hostname or parts.username:
        raise ValueError("not the https:// end point of a resource")
    return parts.netloc


def realtime_url(text: str) -> str:
    """An address of the protocol; a key is sent there, so it is encrypted or on this machine."""
    parts = urlsplit(text)
    is_safe = parts.scheme in ("wss", "https")
    is_here = parts.scheme in ("ws", "http") and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (is_safe or is_here):
        raise ValueError("not a wss:// URL")
    return text.rstrip("/")


def _require_what_it_needs(chosen: ProviderEnvironment) -> None:
    needed = {
        "azure": {
            "AZURE_REALTIME_ENDPOINT": chosen.azure_endpoint,
            "AZURE_REALTIME_DEPLOYMENT": chosen.azure_deployment,
        },
        "openai": {"OPENAI_API_KEY": chosen.openai_key},
    }
    for name, value in needed.get(chosen.name, {}).items():
        if value is None:
            raise WrongSetting(name, f"missing, and {chosen.name} shall answer readers")


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        raise ValueError("not a name")
    return text
