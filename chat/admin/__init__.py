"""Chat in Django's admin."""

from chat.admin.messages import ChatMessageAdmin

__all__ = ["ChatMessageAdmin"]
