"""What `manage.py check` says about chat. Asks no store."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from readrealm.kernel.ratelimit import Rate

LAYER = "readrealm.socketio_bridge.layer.RoomChannelLayer"


@register("chat")
def check_rate(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """CHAT_RATE is a rate, or None."""
    rate = getattr(settings, "CHAT_RATE", None)
    if rate is None or isinstance(rate, Rate):
        return []
    return [Error("CHAT_RATE must be a Rate or None.", id="chat.E001")]


@register("chat")
def check_layer(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Rooms need the bridge's channel layer: others do not number what they carry."""
    backend = settings.CHANNEL_LAYERS.get("default", {}).get("BACKEND")
    if backend and issubclass(import_string(backend), import_string(LAYER)):
        return []
    return [Error(f"The default channel layer must be {LAYER}.", id="chat.E002")]


@register(Tags.security, deploy=True)
def check_rate_in_earnest(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Outside of load tests, readers are limited."""
    if getattr(settings, "CHAT_RATE", None) is not None:
        return []
    return [
        Warning(
            "CHAT_RATE is off: a reader can write as fast as the store takes it.",
            hint="Set CHAT_RATE, for example to 10/10s.",
            id="chat.W001",
        )
    ]
