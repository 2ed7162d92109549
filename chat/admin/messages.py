"""The messages of every room in Django's own change list and change view, read-only."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from chat.admin.actions import ACTIONS
from chat.admin.filters import FILTERS
from chat.admin.readers import address_of, reader_page
from chat.admin.review import review
from chat.admin.rooms import BY_READER, RoomAdmin, RoomChangeList
from chat.excerpts import conversations_around
from chat.history import ChatMessage, former_texts
from chat.history_query import MOST_EXAMINED
from chat.review import acts_about, reports_of
from readrealm.document_admin import DocumentQuerySet
from readrealm.document_admin.model_admin import says_when_away
from readrealm.kernel.clock import iso_ms

LONGEST_IN_LIST = 140
"""Characters of a message that a list shows."""

GUEST = mark_safe(' <span class="quiet">guest</span>')

PURGED = "(the text was purged)"


class MessageChangeList(RoomChangeList):
    """A page of messages, and the way on when there are more."""

    horizon: datetime | None
    """On the last page: up to when messages were looked at, if there are more."""
    continuation: str
    """The address of the list that goes on from there."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        is_last = self.page_num >= self.paginator.num_pages
        self.horizon = self.queryset.horizon() if is_last else None
        if self.horizon is not None:
            parameter = "until" if self.queryset.is_newest_first else "since"
            self.continuation = self.get_query_string({parameter: iso_ms(self.horizon)})


@admin.register(ChatMessage)
class ChatMessageAdmin(RoomAdmin):
    """Chat history. Messages are neither added nor edited nor deleted here: the words are
    their author's."""

    list_display = ("time", "room", "reader", "text", "state_badge")
    list_display_links = ("time",)
    list_filter = FILTERS
    actions = ACTIONS
    sortable_by = ("time",)
    ordering = ("-created_at",)
    search_fields = ("content",)  # shows the box; `get_search_results` says what it does
    search_help_text = (
        f"Words or a name among the newest {MOST_EXAMINED:,} messages, "
        f"{BY_READER}id for everything of one reader, or the id of a message"
    )
    fieldsets = (
        (None, {"fields": ("text_in_full", "state_badge", "room", "reader", "time", "edited_at")}),
        ("In the store", {"classes": ("collapse",), "fields": ("id", "seq", "user_id")}),
    )
    readonly_fields = ("text_in_full", "state_badge", "room", "reader", "time")

    # ------------------------------------------------------------------ who may

    def has_hide_permission(self, request: HttpRequest) -> bool:
        """Whether the user may hide and restore."""
        return bool(request.user.has_perm("chat.hide_message"))

    def has_purge_permission(self, request: HttpRequest) -> bool:
        """Whether the user may forget texts for good."""
        return bool(request.user.has_perm("chat.purge_message"))

    def has_sanction_permission(self, request: HttpRequest) -> bool:
        """Whether the user may time out and ban."""
        return bool(request.user.has_perm("chat.sanction_reader"))

    # ------------------------------------------------------------------ pages

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.review_view)
        reader = self.admin_site.admin_view(self.reader_view)
        return [
            path("review/", view, name="chat_chatmessage_review"),
            path("reader/", reader, name="chat_chatmessage_reader"),
            *super().get_urls(),
        ]

    @says_when_away
    def reader_view(self, request: HttpRequest) -> HttpResponse:
        """All that is kept about one reader; see `chat.admin.readers`."""
        return reader_page(self, request)

    @says_when_away
    def review_view(self, request: HttpRequest) -> HttpResponse:
        """The queue of reports; see `chat.admin.review`."""
        return review(self, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[MessageChangeList]:
        return MessageChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: DocumentQuerySet, search_term: str
    ) -> tuple[DocumentQuerySet, bool]:
        term = search_term.strip()
        if len(term) == 24 and set(term.lower()) <= set("0123456789abcdef"):
            return queryset.filter(pk=term), False
        return super().get_search_results(request, queryset, term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        message = context["original"]
        (conversation,) = conversations_around([message])
        around = {
            "conversation": conversation,
            "former_texts": former_texts(message),
            "acts": self.acts_on(request, message),
            "record": acts_about(message),
            "reports": reports_of(message),
            "reader_address": address_of(
                reverse("admin:chat_chatmessage_reader"),
                user_id=message.user_id,
                is_guest=not message.authenticated,
            ),
        }
        return super().render_change_form(request, context | around, *args, **kwargs)

    def acts_on(self, request: HttpRequest, message: ChatMessage) -> list[tuple[str, str]]:
        """Names and labels of the actions that make sense for a message and are allowed."""
        senseless = "restore" if message.state == ChatMessage.States.VISIBLE else "hide"
        return [
            (name, description)
            for name, (_, _, description) in self.get_actions(request).items()
            if name != senseless
        ]

    # ------------------------------------------------------------------ columns

    @admin.display(description="Time (UTC)", ordering="created_at")
    def time(self, message: ChatMessage) -> str:
        return date_format(message.created_at, "j M Y, H:i:s")

    @admin.display(description="Room")
    def room(self, message: ChatMessage) -> SafeString:
        return format_html(
            '<a href="{}?room={}">{}</a>', _address(), message.book_id, message.room_title
        )

    @admin.display(description="Reader")
    def reader(self, message: ChatMessage) -> SafeString:
        return format_html(
            '<a href="{}?{}">{}</a>{}',
            _address(),
            urlencode({"q": f"{BY_READER}{message.user_id}"}),
            message.username,
            GUEST if message.is_guest else "",
        )

    @admin.display(description="Text")
    def text(self, message: ChatMessage) -> str:
        return Truncator(message.content or PURGED).chars(LONGEST_IN_LIST)

    @admin.display(description="Text")
    def text_in_full(self, message: ChatMessage) -> SafeString:
        return format_html('<div class="message-text">{}</div>', message.content or PURGED)

    @admin.display(description="State")
    def state_badge(self, message: ChatMessage) -> SafeString:
        return format_html(
            '<span class="state state-{0}" title="{1}">{0}</span>',
            message.state,
            message.get_state_display(),
        )


def _address() -> str:
    return reverse("admin:chat_chatmessage_changelist")
