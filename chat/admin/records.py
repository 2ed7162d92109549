"""Sanctions and the moderation log in Django's own change lists, read-only but for lifting."""

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from chat.acts import Act, Subject
from chat.admin.desk import carry_out
from chat.admin.filters import TimeFilter
from chat.admin.rooms import BY_READER, RoomAdmin
from chat.moderation import ModerationService
from chat.moderation_documents import ModerationLog
from chat.records import ImposedSanction, ModeratorAct
from chat.sanctions import Measure
from chat.templatetags.books import short_title
from readrealm.credentials import account_of
from readrealm.document_admin import DocumentQuerySet, answered_in_time
from readrealm.document_admin.filters import ChoiceFilter, Choices
from readrealm.kernel.errors import AppError, StoreUnavailable

EVERYWHERE = "every room"

MOST_MODERATORS = 100
"""Names beside the log."""


class SanctionStateFilter(ChoiceFilter):
    """Whether it keeps the reader out at present."""

    title, parameter_name, lookup = "state", "state", "state"
    values = (("holds", "holds now"), ("over", "ended by itself"), ("lifted", "lifted"))


class MeasureFilter(ChoiceFilter):
    title, parameter_name, lookup = "measure", "measure", "measure"
    values = tuple((str(measure), str(measure)) for measure in Measure)


class ActFilter(ChoiceFilter):
    """What was done."""

    title, parameter_name, lookup = "action", "act", "act"
    values = tuple((str(act), str(act)) for act in Act)


class ModeratorFilter(ChoiceFilter):
    """Who did it; everybody who ever did anything."""

    title, parameter_name, lookup = "moderator", "moderator", "moderator_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        acts = ModerationLog.objects
        with answered_in_time():
            # Along the index, from one moderator to the next, however much each has done.
            ids = acts.distinct("moderator_id")[:MOST_MODERATORS]
            newest = [acts(moderator_id=each).order_by("-at").first() for each in ids]
        found = [(act.moderator_id, act.moderator_name) for act in newest if act]
        return sorted(found, key=lambda each: each[1].casefold())


class ActTimeFilter(TimeFilter):
    """Acts since a moment."""

    lookup = "at__gte"


class RecordAdmin(RoomAdmin):
    """Records are neither added nor changed nor deleted here."""

    search_fields = ("username",)  # shows the box; `get_search_results` says what it does
    search_help_text = f"A name, words of the reason, or {BY_READER}id for everything of one reader"

    @admin.display(description="Reader")
    def reader(self, record: Any) -> SafeString:
        place = reverse("admin:chat_chatmessage_changelist")
        wanted = urlencode({"q": f"{BY_READER}{record.user_id}"})
        guest = "" if record.authenticated else " (guest)"
        return format_html('<a href="{}?{}">{}</a>{}', place, wanted, record.username, guest)

    @admin.display(description="Room")
    def room(self, record: Any) -> str:
        return EVERYWHERE if record.book_id is None else short_title(record.room_title)

    @admin.display(description="Until (UTC)")
    def ends(self, record: Any) -> str:
        return _moment(record.until) if record.until else "–"


@admin.action(description="Lift the chosen sanctions", permissions=["sanction"])
def lift(model_admin: Any, request: HttpRequest, queryset: DocumentQuerySet) -> None:
    """Let readers in again where these sanctions kept them out."""
    chosen = list(queryset[: model_admin.list_per_page])
    holding = [sanction for sanction in chosen if sanction.state == "holds"]
    moderator, lifted = account_of(request.user), 0

    async def work(desk: ModerationService, sanction: ImposedSanction) -> bool:
        return await desk.lift(
            sanction.pk,
            Subject(reader=(sanction.user_id, sanction.authenticated), username=sanction.username),
            book_id=sanction.book_id,
            moderator=moderator,
        )

    for sanction in holding:
        try:
            lifted += carry_out(partial(work, sanction=sanction))
        except StoreUnavailable:
            raise
        except AppError as refusal:
            model_admin.message_user(request, f"Not lifted: {refusal}.", messages.WARNING)
    if lifted:
        model_admin.message_user(request, f"{lifted} lifted.", messages.SUCCESS)
    if lifted < len(chosen):
        model_admin.message_user(
            request, f"{len(chosen) - lifted} did not hold any more.", messages.INFO
        )


@admin.register(ImposedSanction)
class SanctionAdmin(RecordAdmin):
    """Bans and timeouts, those that are over included."""

    list_display = ("time", "reader", "measure", "room", "ends", "reason", "state_badge")
    list_display_links = ("time",)
    list_filter = (SanctionStateFilter, MeasureFilter)
    ordering = ("-created_at",)
    sortable_by = ("time",)
    actions = (lift,)
    fields = readonly_fields = (
        "time", "reader", "measure", "room", "ends", "reason", "state_badge", "lifted_at",
        "moderator_id", "user_id",
    )  # fmt: skip

    def has_sanction_permission(self, request: HttpRequest) -> bool:
        """Whether the user may lift."""
        return bool(request.user.has_perm("chat.sanction_reader"))

    @admin.display(description="Imposed (UTC)", ordering="created_at")
    def time(self, sanction: ImposedSanction) -> str:
        return _moment(sanction.created_at)

    @admin.display(description="State")
    def state_badge(self, sanction: ImposedSanction) -> SafeString:
        return format_html('<span class="state state-{0}">{0}</span>', sanction.state)


@admin.register(ModeratorAct)
class ModerationLogAdmin(RecordAdmin):
    """Everything that moderators did; nobody can change it."""

    list_display = ("time", "moderator_name", "act", "reader", "room", "about", "ends", "reason")
    list_display_links = ("time",)
    list_filter = (ActFilter, ModeratorFilter, ActTimeFilter)
    ordering = ("-at",)
    sortable_by = ("time",)
    actions = None
    fields = readonly_fields = (
        "time", "moderator_name", "act", "reader", "room", "about", "ends", "reason", "user_id",
    )  # fmt: skip

    @admin.display(description="Time (UTC)", ordering="at")
    def time(self, act: ModeratorAct) -> str:
        return _moment(act.at)

    @admin.display(description="Message")
    def about(self, act: ModeratorAct) -> SafeString | str:
        if not act.message_id:
            return "–"
        place = reverse("admin:chat_chatmessage_change", args=[act.message_id])
        return format_html('<a href="{}">message</a>', place)


def _moment(moment: datetime) -> str:
    return date_format(moment, "j M Y, H:i:s")
