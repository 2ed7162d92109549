"""The filters beside the list of messages. What a request says is looked up here, and never
handed on by name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest

from chat.history import ChatMessage
from chat.models import HIGHEST_BOOK_ID, Book
from chat.review import flagged_ids, reported_ids
from readrealm.document_admin.filters import ChoiceFilter, Choices, SinceFilter


class RoomFilter(ChoiceFilter):
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

    def conditions(self, chosen: str) -> dict[str, Any]:
        is_number = chosen.isascii() and chosen.isdecimal() and len(chosen) <= 16
        if not is_number or not 1 <= int(chosen) <= HIGHEST_BOOK_ID:
            raise IncorrectLookupParameters
        return {"book_id": int(chosen)}


class StateFilter(ChoiceFilter):
    """Whether readers see the message."""

    title, parameter_name, lookup = "state", "state", "state"
    values = tuple((str(value), str(label)) for value, label in ChatMessage.States.choices)


class AuthorFilter(ChoiceFilter):
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

    def conditions(self, chosen: str) -> dict[str, Any]:
        return dict(self.kinds[chosen][1])


class TimeFilter(SinceFilter):
    """Messages since a moment: some time ago, or an ISO 8601 moment."""

    title = "time"
    parameter_name = "since"
    lookup = "created_at__gte"
    windows: ClassVar[dict[str, tuple[str, timedelta]]] = {
        "1h": ("last hour", timedelta(hours=1)),
        "24h": ("last 24 hours", timedelta(hours=24)),
        "7d": ("last 7 days", timedelta(days=7)),
        "30d": ("last 30 days", timedelta(days=30)),
        "365d": ("last year", timedelta(days=365)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        known = super().lookups(request, model_admin)
        chosen = self.value()
        return (
            [*known, (chosen, f"since {chosen}")] if chosen and chosen not in dict(known) else known
        )

    def conditions(self, chosen: str) -> dict[str, Any]:
        if chosen in self.windows:
            return super().conditions(chosen)
        return {self.lookup: moment(chosen)}


class UntilFilter(ChoiceFilter):
    """Messages up to an ISO 8601 moment; beside the list only while it is in use."""

    title = "end of time"
    parameter_name = "until"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        chosen = self.value()
        return [(chosen, f"until {chosen}")] if chosen else []

    def conditions(self, chosen: str) -> dict[str, Any]:
        return {"created_at__lte": moment(chosen)}

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for choice in super().choices(changelist):
            yield choice | ({"display": "now"} if choice["display"] == "All" else {})


class ReportedFilter(ChoiceFilter):
    """Messages that wait to be judged, and those that have a watch word."""

    title = "reports"
    parameter_name = "reported"
    ids = {"open": reported_ids, "flagged": flagged_ids}  # noqa: RUF012  a table
    values = (("open", "waiting to be judged"), ("flagged", "flagged by the watch list"))

    def conditions(self, chosen: str) -> dict[str, Any]:
        return {"pk__in": self.ids[chosen]()}


FILTERS = (StateFilter, ReportedFilter, TimeFilter, UntilFilter, AuthorFilter, RoomFilter)


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
