"""Builds live talk from stores and settings; the only file of the gateway that does."""

from django.conf import settings
from django.utils.module_loading import import_string

from readrealm.kernel.clock import now_ms
from readrealm.settings.provider import ProviderEnvironment
from readrealm.stores import redis
from speech.gateway.quota import Quota
from speech.gateway.quota_store import ValkeyDesk
from speech.gateway.services import GatewayService
from speech.realtime import providers
from speech.realtime.client import Deadlines, RealtimeClient
from speech.realtime.link import Sdk
from speech.realtime.protocol import Dialect, SessionSpec
from speech.realtime.providers import Provider, TokenSource

DEADLINES = Deadlines(connect=5.0, configure=5.0, send=20.0)
"""A reader waits for the first two; the third leaves time for sound that came all at once."""


def build_from_settings() -> GatewayService:
    """Live talk with what Django's settings name; nobody is called yet.

    Raises:
        ProviderUnavailable: Azure shall answer, and nothing says how we prove who we are.
    """
    talk: ProviderEnvironment = settings.LIVE_TALK
    provider = provider_from(talk, engine=settings.REALTIME_ENGINE_ADDRESS)
    quota = Quota(minutes_per_day=talk.minutes_per_day, sessions=talk.sessions)

    sdk = Sdk(provider)

    def call(spec: SessionSpec) -> RealtimeClient:
        return RealtimeClient(provider, spec, deadlines=DEADLINES, sdk=sdk)

    return GatewayService(
        call=call,
        desk=ValkeyDesk(redis.client(), quota, clock=now_ms),
        books=import_string(settings.BOOKS)(),
        voice=talk.voice,
        transcription_model=provider.transcription_model,
        largest_frame_bytes=talk.frame_bytes,
        largest_audio_bytes=talk.audio_bytes,
    )


def provider_from(talk: ProviderEnvironment, *, engine: str) -> Provider:
    """The provider that the environment chooses.

    Args:
        engine: address of the local engine.
    """
    dialect = Dialect(talk.protocol)
    match talk.name:
        case "azure":
            return providers.azure(
                talk.azure_endpoint or "",
                talk.azure_deployment or "",
                key=talk.azure_key or "",
                token=None if talk.azure_key else _token_source(talk),
                dialect=dialect,
                transcription_deployment=talk.azure_transcription,
            )
        case "openai":
            return providers.openai(
                talk.openai_model,
                key=talk.openai_key or "",
                base_url=talk.openai_url,
                dialect=dialect,
            )
        case _:
            return providers.local(engine, token=settings.REALTIME_ENGINE_TOKEN or "")


def _token_source(talk: ProviderEnvironment) -> TokenSource:
    # Brings an HTTP client along, which a worker otherwise starts without.
    from speech.realtime.entra import ClientCredentials, default_credential

    if talk.azure_tenant and talk.azure_client and talk.azure_secret:
        return ClientCredentials(
            tenant=talk.azure_tenant, client=talk.azure_client, secret=talk.azure_secret
        )
    return default_credential()
