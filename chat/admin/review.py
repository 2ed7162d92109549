"""The queue of reports, and the judgements that empty it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from chat.acts import LONGEST_REASON, Verdict
from chat.admin.desk import HOUR_MS, Desks, author_of, log_change, reason_of, with_chat
from chat.casework import CLAIM_MS
from chat.history import ChatMessage
from chat.moderation import ModerationService
from chat.review import CASES_PER_PAGE, open_cases
from readrealm.credentials import account_of
from readrealm.kernel.errors import AppError, InvalidState, StoreUnavailable
from readrealm.kernel.identity import Identity

Work = Callable[[ModerationService, ChatMessage, Identity, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A way to end a case."""

    label: str
    done: str
    """For the log and the moderator."""
    work: Work
    sanctions: bool = False
    """It needs the permission to sanction as well."""


async def _keep(desk: ModerationService, message: ChatMessage, by: Identity, reason: str) -> None:
    await desk.judge(message.book_id, message.pk, verdict=Verdict.KEPT, moderator=by, reason=reason)


async def _dismiss(
    desk: ModerationService, message: ChatMessage, by: Identity, reason: str
) -> None:
    await desk.judge(
        message.book_id, message.pk, verdict=Verdict.DISMISSED, moderator=by, reason=reason
    )


async def _hide(desk: ModerationService, message: ChatMessage, by: Identity, reason: str) -> None:
    await desk.hide(message.book_id, message.pk, moderator=by, reason=reason)


def _hide_and_time_out(hours: int) -> Work:
    async def work(
        desk: ModerationService, message: ChatMessage, by: Identity, reason: str
    ) -> None:
        # The reader first: who hears of a hidden message could go on meanwhile.
        await desk.time_out(
            author_of(message),
            book_id=message.book_id,
            duration_ms=hours * HOUR_MS,
            moderator=by,
            reason=reason,
        )
        await _hide(desk, message, by, reason)

    return work


async def _hide_and_ban(
    desk: ModerationService, message: ChatMessage, by: Identity, reason: str
) -> None:
    await desk.ban(author_of(message), moderator=by, reason=reason)
    await _hide(desk, message, by, reason)


JUDGEMENTS: dict[str, Judgement] = {
    "keep": Judgement("Keep", "Kept after reports", _keep),
    "dismiss": Judgement("Dismiss reports", "Reports dismissed", _dismiss),
    "hide": Judgement("Hide", "Hidden after reports", _hide),
    "hide_1h": Judgement(
        "Hide, 1 hour out", "Hidden, author timed out for 1 hour", _hide_and_time_out(1), True
    ),
    "hide_1d": Judgement(
        "Hide, 1 day out", "Hidden, author timed out for 1 day", _hide_and_time_out(24), True
    ),
    "hide_7d": Judgement(
        "Hide, 7 days out", "Hidden, author timed out for 7 days", _hide_and_time_out(168), True
    ),
    "ban": Judgement("Hide and ban", "Hidden, author banned", _hide_and_ban, True),
}
"""By what a form says."""

LEAVING = frozenset({"keep", "dismiss"})
"""Judgements that leave the message where it is."""


def review(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The queue; a POST judges one case and shows the queue again.

    Raises:
        PermissionDenied: not for this user.
        StoreUnavailable: no answer in time.
    """
    if not model_admin.has_hide_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return (
            _take(model_admin, request) if "claim" in request.POST else _judge(model_admin, request)
        )
    may_sanction = model_admin.has_sanction_permission(request)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Review reports",
        "opts": model_admin.opts,
        "media": model_admin.media,
        "cases": open_cases(),
        "cases_per_page": CASES_PER_PAGE,
        "moderator_id": str(request.user.pk),
        "claim_minutes": CLAIM_MS // 60_000,
        "judgements": [
            [
                (value, judgement.label)
                for value, judgement in JUDGEMENTS.items()
                if (value in LEAVING) is leaves and (may_sanction or not judgement.sanctions)
            ]
            for leaves in (True, False)
        ],
        "longest_reason": LONGEST_REASON,
    }
    return TemplateResponse(request, "admin/chat/chatmessage/review.html", context)


CLAIMS = frozenset({"take", "take_over", "release"})


def _take(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Have a case, or give it back; a script is answered in JSON, anybody else with the queue."""
    message = model_admin.get_object(request, request.POST.get("message", ""))
    wanted = request.POST["claim"]
    moderator = account_of(request.user)
    if message is None or wanted not in CLAIMS:
        return _claimed(model_admin, request, refusal="Nothing was taken")

    async def work(chat: Desks) -> None:
        if wanted == "release":
            await chat.casework.release(message.pk, moderator=moderator)
        else:
            await chat.casework.take(
                message.pk, moderator=moderator, take_over=wanted == "take_over"
            )

    try:
        with_chat(work)
    except InvalidState as refusal:
        return _claimed(model_admin, request, refusal=str(refusal))
    return _claimed(model_admin, request)


def _claimed(model_admin: ModelAdmin, request: HttpRequest, *, refusal: str = "") -> HttpResponse:
    if request.accepts("text/html"):
        if refusal:
            model_admin.message_user(request, f"{refusal}.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:chat_chatmessage_review"))
    return JsonResponse({"ok": not refusal, "error": refusal})


def _judge(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    judgement = JUDGEMENTS.get(request.POST.get("judgement", ""))
    message = model_admin.get_object(request, request.POST.get("message", ""))
    reason = reason_of(model_admin, request)
    again = HttpResponseRedirect(reverse("admin:chat_chatmessage_review"))
    if judgement is None or message is None:
        model_admin.message_user(request, "Nothing was judged.", messages.WARNING)
        return again
    if judgement.sanctions and not request.user.has_perm("chat.sanction_reader"):
        raise PermissionDenied
    if reason is None:
        return again
    moderator = account_of(request.user)

    async def work(chat: Desks) -> None:
        await chat.casework.take(message.pk, moderator=moderator)
        await judgement.work(chat.moderation, message, moderator, reason)
        await chat.casework.release(message.pk, moderator=moderator)

    try:
        with_chat(work)
    except StoreUnavailable:
        raise
    except AppError as refusal:
        model_admin.message_user(
            request, f"Not done: {refusal}. Nothing was changed.", messages.ERROR
        )
        return again
    log_change(request, [message], judgement.done + (f": {reason}" if reason else ""))
    model_admin.message_user(request, f"{judgement.done}.", messages.SUCCESS)
    return again
