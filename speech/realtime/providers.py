"""Where the other end of the Realtime protocol is, and how it is told who we are. Pure.

Azure, OpenAI, anything compatible and the local engine differ in nothing else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from readrealm.kernel.errors import ProviderUnavailable
from speech.realtime.protocol import Dialect

TokenSource = Callable[[], Awaitable[str]]
"""Gives a fresh access token, such as one of Microsoft Entra (scope
``https://ai.azure.com/.default``)."""

AZURE_PREVIEW_VERSION = "2025-04-01-preview"
OPENAI_URL = "wss://api.openai.com/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One end point of the protocol."""

    name: str
    """For messages and logs."""
    base_url: str
    """``ws://`` or ``wss://``; ``/realtime`` is put behind it."""
    model: str
    key: str = field(default="", repr=False)
    token: TokenSource | None = field(default=None, repr=False)
    """Instead of a key."""
    dialect: Dialect = Dialect.GA
    key_header: str = "Authorization"
    """``Authorization`` sends the key as a bearer token."""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    unix_path: Path | None = None
    transcription_model: str = "whisper-1"
    is_local: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ProviderUnavailable(f"{self.name}: not a ws:// or wss:// URL")
        if parts.scheme == "ws" and (self.key or self.token) and not self._is_here(parts.hostname):
            raise ProviderUnavailable(f"{self.name}: a key is only sent over wss://")

    def _is_here(self, host: str) -> bool:
        return self.unix_path is not None or host in ("localhost", "127.0.0.1", "::1")


def azure(
    endpoint: str,
    deployment: str,
    *,
    key: str = "",
    token: TokenSource | None = None,
    dialect: Dialect = Dialect.GA,
    transcription_deployment: str = "whisper-1",
) -> Provider:
    """Azure OpenAI.

    Args:
        endpoint: ``https://<resource>.openai.azure.com``; only its host counts.
        deployment: name of the deployed realtime model.
        transcription_deployment: Azure wants a deployment here, where OpenAI names a model.

    Raises:
        ProviderUnavailable: neither key nor token, or no usable end point.
    """
    host = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").netloc
    if not key and token is None:
        raise ProviderUnavailable("Azure: a key or an Entra token is needed")
    is_preview = dialect is Dialect.PREVIEW
    query = {"api-version": AZURE_PREVIEW_VERSION, "deployment": deployment} if is_preview else {}
    return Provider(
        name="Azure",
        base_url=f"wss://{host}/openai" + ("" if is_preview else "/v1"),
        model=deployment,
        key=key,
        token=token,
        dialect=dialect,
        key_header="Authorization" if token else "api-key",
        query=query,
        transcription_model=transcription_deployment,
    )


def openai(
    model: str, *, key: str, base_url: str = OPENAI_URL, dialect: Dialect = Dialect.GA
) -> Provider:
    """OpenAI, or a compatible service under another URL (``http`` counts as ``ws``)."""
    headers = {"OpenAI-Beta": "realtime=v1"} if dialect is Dialect.PREVIEW else {}
    return Provider(
        name="OpenAI" if base_url == OPENAI_URL else "the realtime service",
        base_url="ws" + base_url.removeprefix("http") if base_url[:4] == "http" else base_url,
        model=model,
        key=key,
        dialect=dialect,
        headers=headers,
    )


def local(address: str, *, token: str = "") -> Provider:
    """The engine of our own: ``127.0.0.1:8765`` or ``unix:/run/engine.sock``."""
    path = Path(address.removeprefix("unix:")) if address.startswith("unix:") else None
    return Provider(
        name="the local engine",
        base_url=f"ws://{'localhost' if path else address}/v1",
        model="local",
        key=token,
        unix_path=path,
        transcription_model="local",
        is_local=True,
    )
