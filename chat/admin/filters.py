"""The filters beside the list of messages. What a request says is looked up here, and never
handed on by name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils import timezone

from chat.history import ChatMessage
from chat.history_query import MessageQuerySet
from chat.models import HIGHEST_BOOK_ID, Book
from chat.review import flagged_ids, reported_ids

Choices = list[tuple[str, str]]


class RoomFilter(admin.SimpleListFilter):
    """One book's room: one of the catalogue, or any other by its number."""

    title = "room"
    parameter_name = "room"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        books = sorted(Book.objects.all(), key=lambda book: book.shelf_mark)
        known = [(str(book.pk), book.title) for book in books]
        chosen = self.value()
        if chosen and chosen not in dict(known):
            return [(chosen, f"Book {chosen}"), *known]
        return known

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        if chosen is None:
            return queryset
        is_number = chosen.isascii() and chosen.isdecimal() and len(chosen) <= 16
        if not is_number or not 1 <= int(chosen) <= HIGHEST_BOOK_ID:
            raise IncorrectLookupParameters
        return queryset.filter(book_id=int(chosen))


class StateFilter(admin.SimpleListFilter):
    """Whether readers see the message."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(value), str(label)) for value, label in ChatMessage.States.choices]

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in ChatMessage.States.values:
            raise IncorrectLookupParameters
        return queryset.filter(state=chosen)


class AuthorFilter(admin.SimpleListFilter):
    """What kind of author it is; looked for among the newest messages."""

    title = "author"
    parameter_name = "author"
    kinds: dict[str, tuple[str, dict[str, bool]]] = {  # noqa: RUF012  a table
        "account": ("signed-in reader", {"authenticated": True, "is_ai": False}),
        "guest": ("guest", {"authenticated": False, "is_ai": False}),
        "ai": ("AI", {"is_ai": True}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, label) for value, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in self.kinds:
            raise IncorrectLookupParameters
        return queryset.filter(**self.kinds[chosen][1])


class TimeFilter(admin.SimpleListFilter):
    """Messages since a moment: some time ago, or an ISO 8601 moment."""

    title = "time"
    parameter_name = "since"
    field = "created_at__gte"
    windows: dict[str, tuple[str, timedelta]] = {  # noqa: RUF012  a table
        "1h": ("last hour", timedelta(hours=1)),
        "24h": ("last 24 hours", timedelta(hours=24)),
        "7d": ("last 7 days", timedelta(days=7)),
        "30d": ("last 30 days", timedelta(days=30)),
        "365d": ("last year", timedelta(days=365)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        known = [(value, label) for value, (label, _) in self.windows.items()]
        chosen = self.value()
        return (
            [*known, (chosen, f"since {chosen}")] if chosen and chosen not in dict(known) else known
        )

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen in self.windows:
            return queryset.filter(**{self.field: timezone.now() - self.windows[chosen][1]})
        return queryset.filter(**{self.field: moment(chosen)})


class UntilFilter(admin.SimpleListFilter):
    """Messages up to an ISO 8601 moment; beside the list only while it is in use."""

    title = "end of time"
    parameter_name = "until"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        chosen = self.value()
        return [(chosen, f"until {chosen}")] if chosen else []

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(created_at__lte=moment(chosen))

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for choice in super().choices(changelist):
            yield choice | ({"display": "now"} if choice["display"] == "All" else {})


class ReportedFilter(admin.SimpleListFilter):
    """Messages that wait to be judged, and those that have a watch word."""

    title = "reports"
    parameter_name = "reported"
    ids = {"open": reported_ids, "flagged": flagged_ids}  # noqa: RUF012  a table

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("open", "waiting to be judged"), ("flagged", "flagged by the watch list")]

    def queryset(self, request: HttpRequest, queryset: MessageQuerySet) -> MessageQuerySet:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in self.ids:
            raise IncorrectLookupParameters
        return queryset.filter(pk__in=self.ids[chosen]())


FILTERS = (StateFilter, ReportedFilter, TimeFilter, UntilFilter, AuthorFilter, RoomFilter)

PARAMETERS = frozenset(each.parameter_name for each in FILTERS)
"""Everything that the address of a list may ask for, beside page, order and words."""


def moment(text: str) -> datetime:
    """The moment that an address names; without a zone, UTC.

    Raises:
        IncorrectLookupParameters: it names none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise IncorrectLookupParameters from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
