"""Chat in Django's admin."""

from chat.admin.catalogue import BookAdmin, WatchWordAdmin
from chat.admin.messages import ChatMessageAdmin
from chat.admin.records import ModerationLogAdmin, SanctionAdmin

__all__ = [
    "BookAdmin",
    "ChatMessageAdmin",
    "ModerationLogAdmin",
    "SanctionAdmin",
    "WatchWordAdmin",
]
