"""The settings of chat, typed; the only file of the slice that reads Django's."""

from dataclasses import dataclass

from django.conf import settings

from readrealm.kernel.ratelimit import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What an operator can decide about rooms."""

    rate: Rate | None
    """Messages of one reader, and apart from them their changes, reactions and typing signs;
    None: as many as they like."""


def chat_settings() -> ChatSettings:
    """The settings as they are now."""
    return ChatSettings(rate=settings.CHAT_RATE)
