"""What the lists of messages and of records have in common: readers, and the rooms they are in."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse

from chat.history import name_rooms
from readrealm.document_admin import DocumentQuerySet
from readrealm.document_admin.model_admin import DocumentAdmin

BY_READER = "user:"
"""Before a user id in the search box: everything of this reader."""

LONGEST_SEARCH = 200


class RoomChangeList(ChangeList):
    """A page of a list with the titles of the rooms."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        name_rooms(self.result_list)


class RoomAdmin(DocumentAdmin):
    """What happened in rooms; none of it is deleted here."""

    away_title = "The store of messages does not answer"
    away_template = "admin/chat/store_away.html"

    class Media:
        css = {"all": ("chat/admin.css",)}  # noqa: RUF012  Django's way

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RoomChangeList]:
        return RoomChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: DocumentQuerySet, search_term: str
    ) -> tuple[DocumentQuerySet, bool]:
        term = search_term.strip()[:LONGEST_SEARCH]
        if not term:
            return queryset, False
        if term.startswith(BY_READER):
            return queryset.filter(user_id=term.removeprefix(BY_READER).strip()), False
        return queryset.filter(words=term), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        name_rooms([context["original"]])
        return super().render_change_form(request, context, *args, **kwargs)
