"""What pages of the admin do with chat: from a thread, for a reason, and on record."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest

from chat.acts import Subject, clean_reason
from chat.casework import Casework
from chat.history import ChatMessage
from chat.moderation import ModerationService
from readrealm.kernel.errors import AppError, InvalidInput, StoreUnavailable

T = TypeVar("T")

DEADLINE_S = 15.0
"""For one piece of work."""

HOUR_MS = 3_600_000


def carry_out(work: Callable[[ModerationService], Awaitable[T]]) -> T:
    """Do something with the use cases of moderation, from a thread; see `with_chat`."""
    return with_chat(lambda chat: work(chat.moderation))


class Desks(Protocol):
    """What the admin uses of chat; `chat.wiring.Chat` in earnest."""

    @property
    def moderation(self) -> ModerationService: ...

    @property
    def casework(self) -> Casework: ...


def with_chat(work: Callable[[Desks], Awaitable[T]]) -> T:
    """Do something with chat, from a thread.

    Raises:
        StoreUnavailable: it did not end within `DEADLINE_S`.
    """

    async def run() -> T:
        try:
            async with asyncio.timeout(DEADLINE_S), apps.get_app_config("chat").lent() as chat:
                return await work(chat)
        except TimeoutError:
            raise StoreUnavailable from None

    done: T = async_to_sync(run)()
    return done


def author_of(message: ChatMessage) -> Subject:
    """Whom a sanction for a message is about.

    Raises:
        InvalidInput: nobody; the AI wrote it.
    """
    if message.is_ai:
        raise InvalidInput("the AI cannot be kept out")
    return Subject(reader=(message.user_id, message.authenticated), username=message.username)


def reason_of(model_admin: ModelAdmin, request: HttpRequest) -> str | None:
    """The reason that a form gives; None, and the user is told, when it may not be kept."""
    try:
        return clean_reason(request.POST.get("reason", ""))
    except AppError as refusal:
        model_admin.message_user(request, f"{refusal}. Nothing was changed.", messages.ERROR)
        return None


def log_change(request: HttpRequest, changed: Sequence[ChatMessage], text: str) -> None:
    """Put it into Django's own log as well, which the history of a message shows."""
    if changed:
        LogEntry.objects.log_actions(
            user_id=request.user.pk, queryset=changed, action_flag=CHANGE, change_message=text
        )
