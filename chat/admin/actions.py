"""What can be done with chosen messages and their authors, through `chat.moderation` only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from chat.acts import LONGEST_REASON
from chat.admin.desk import HOUR_MS, author_of, carry_out, log_change, reason_of
from chat.history import ChatMessage
from chat.history_query import MessageQuerySet
from chat.moderation import ModerationService
from readrealm.credentials import account_of
from readrealm.kernel.errors import AppError, StoreUnavailable
from readrealm.kernel.identity import Identity

MOST_AT_ONCE = 100
"""Messages that one action is about."""

DURATIONS: dict[str, tuple[str, int]] = {
    "1h": ("1 hour", HOUR_MS),
    "1d": ("1 day", 24 * HOUR_MS),
    "7d": ("7 days", 7 * 24 * HOUR_MS),
    "30d": ("30 days", 30 * 24 * HOUR_MS),
}
"""How long a timeout takes, by what a form says."""

Outcome = bool | AppError
"""Whether something changed, or why it could not."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the moderator says about an action."""

    moderator: Identity
    reason: str
    duration: str
    """A key of `DURATIONS`."""


Act = Callable[[ModerationService, ChatMessage, Form], Awaitable[bool]]


# ------------------------------------------------------------------ the actions


@admin.action(description="Hide from readers", permissions=["hide"])
def hide(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Take messages out of sight."""
    return _act(model_admin, request, queryset, act=_hide, done="hidden")


@admin.action(description="Restore for readers", permissions=["hide"])
def restore(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Bring back what moderators hid."""
    return _act(model_admin, request, queryset, act=_restore, done="restored")


@admin.action(description="Purge: forget the text for good…", permissions=["purge"])
def purge(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Forget texts, after a question."""
    return _ask(
        model_admin, request, queryset, name="purge", then=partial(_act, act=_purge, done="purged")
    )


@admin.action(description="Time the author out of the room…", permissions=["sanction"])
def time_out(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Keep authors out of the rooms of the messages for some time, after a question."""
    then = partial(_act, act=_time_out, done="timed out", once_per=_reader_and_room)
    return _ask(model_admin, request, queryset, name="time_out", then=then)


@admin.action(description="Ban the author from every room…", permissions=["sanction"])
def ban(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Keep authors out of every room, after a question."""
    then = partial(_act, act=_ban, done="banned", once_per=_reader)
    return _ask(model_admin, request, queryset, name="ban", then=then)


@admin.action(description="End bans and timeouts of the author", permissions=["sanction"])
def unban(model_admin: ModelAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Let authors in again."""
    return _act(model_admin, request, queryset, act=_unban, done="let in again", once_per=_reader)


ACTIONS = (hide, restore, purge, time_out, ban, unban)

QUESTIONS: dict[str, tuple[str, str]] = {
    "purge": (
        "Purge these messages?",
        "Readers see that a message was here. Its text, its former texts and its reactions are "
        "deleted and cannot be brought back.",
    ),
    "time_out": (
        "Time these readers out?",
        "They leave the room of the message now, and cannot come in until the time is over.",
    ),
    "ban": (
        "Ban these readers?",
        "They leave every room now, and cannot come in until somebody ends the ban. A guest can "
        "come back under another name; signed-in readers cannot.",
    ),
}
"""By the name of an action: the heading of its question, and what it means."""


async def _hide(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    return await desk.hide(
        message.book_id, message.pk, moderator=form.moderator, reason=form.reason
    )


async def _restore(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    return await desk.restore(
        message.book_id, message.pk, moderator=form.moderator, reason=form.reason
    )


async def _purge(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    return await desk.purge(
        message.book_id, message.pk, moderator=form.moderator, reason=form.reason
    )


async def _time_out(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    await desk.time_out(
        author_of(message),
        book_id=message.book_id,
        duration_ms=DURATIONS[form.duration][1],
        moderator=form.moderator,
        reason=form.reason,
    )
    return True


async def _ban(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    await desk.ban(author_of(message), moderator=form.moderator, reason=form.reason)
    return True


async def _unban(desk: ModerationService, message: ChatMessage, form: Form) -> bool:
    lifted = await desk.unban(author_of(message), moderator=form.moderator, reason=form.reason)
    return lifted > 0


# ------------------------------------------------------------------ how


def _reader(message: ChatMessage) -> Any:
    return message.user_id, message.authenticated


def _reader_and_room(message: ChatMessage) -> Any:
    return message.user_id, message.authenticated, message.book_id


def _act(
    model_admin: ModelAdmin,
    request: HttpRequest,
    queryset: MessageQuerySet,
    *,
    act: Act,
    done: str,
    once_per: Callable[[ChatMessage], Any] | None = None,
) -> HttpResponse | None:
    """Do it for each message, or once for each of its authors; say and log what became of it."""
    chosen = _chosen(model_admin, request, queryset)
    form = _form(model_admin, request)
    if not chosen or form is None:
        return None
    if once_per is not None:
        chosen = list({once_per(message): message for message in chosen}.values())
    outcomes = carry_out(partial(_each, chosen=chosen, act=act, form=form))
    changed = [
        message for message, outcome in zip(chosen, outcomes, strict=True) if outcome is True
    ]
    log_change(
        request, changed, f"{done.capitalize()}." + (f" {form.reason}" if form.reason else "")
    )
    _say(model_admin, request, outcomes, done=done)
    return _way_back(request, chosen)


async def _each(
    desk: ModerationService, *, chosen: Sequence[ChatMessage], act: Act, form: Form
) -> list[Outcome]:
    async def one(message: ChatMessage) -> Outcome:
        try:
            return await act(desk, message, form)
        except StoreUnavailable:
            raise
        except AppError as refusal:
            return refusal

    return list(await asyncio.gather(*(one(message) for message in chosen)))


def _ask(
    model_admin: ModelAdmin,
    request: HttpRequest,
    queryset: MessageQuerySet,
    *,
    name: str,
    then: Callable[..., HttpResponse | None],
) -> HttpResponse | None:
    """Ask whether it is meant, with room for a reason; go on when that was answered."""
    if "confirmed" in request.POST:
        return then(model_admin, request, queryset)
    chosen = _chosen(model_admin, request, queryset)
    if not chosen:
        return None
    title, meaning = QUESTIONS[name]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "meaning": meaning,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "chosen": chosen,
        "action": name,
        "durations": DURATIONS if name == "time_out" else {},
        "longest_reason": LONGEST_REASON,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "back_to_message": "back_to_message" in request.POST,
    }
    return TemplateResponse(request, "admin/chat/chatmessage/confirm.html", context)


def _chosen(
    model_admin: ModelAdmin, request: HttpRequest, queryset: MessageQuerySet
) -> list[ChatMessage]:
    chosen = list(queryset[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        text = f"Choose at most {MOST_AT_ONCE} messages. Nothing was changed."
        model_admin.message_user(request, text, messages.ERROR)
        return []
    return chosen


def _form(model_admin: ModelAdmin, request: HttpRequest) -> Form | None:
    duration = request.POST.get("duration", "1h")
    reason = reason_of(model_admin, request)
    if reason is None:
        return None
    if duration not in DURATIONS:
        model_admin.message_user(request, "Choose a duration of the list.", messages.ERROR)
        return None
    return Form(moderator=account_of(request.user), reason=reason, duration=duration)


def _say(
    model_admin: ModelAdmin, request: HttpRequest, outcomes: Sequence[Outcome], *, done: str
) -> None:
    changed = sum(outcome is True for outcome in outcomes)
    same = sum(outcome is False for outcome in outcomes)
    if changed:
        model_admin.message_user(request, f"{changed} {done}.", messages.SUCCESS)
    if same:
        model_admin.message_user(request, f"{same} left as it was.", messages.INFO)
    for reason in {str(outcome) for outcome in outcomes if isinstance(outcome, AppError)}:
        model_admin.message_user(request, f"Not {done}: {reason}.", messages.WARNING)


def _way_back(request: HttpRequest, chosen: Sequence[ChatMessage]) -> HttpResponse | None:
    """To the message when the action began there; None: to the list."""
    if "back_to_message" not in request.POST or len(chosen) != 1:
        return None
    return HttpResponseRedirect(reverse("admin:chat_chatmessage_change", args=[chosen[0].pk]))
