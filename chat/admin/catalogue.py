"""Books and watch words in Django's admin; both are in the relational store."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.models import Book, WatchWord


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    """The catalogue. A title that ReadRealm ships with is set right again at the next start."""

    list_display = ("title", "author", "year", "language", "maturity", "id")
    list_filter = ("maturity", "language")
    search_fields = ("title", "author", "id")
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The number is the room: it cannot become another book's."""
        return ("id",) if obj else ()


@admin.register(WatchWord)
class WatchWordAdmin(admin.ModelAdmin):
    """The watch list: what has one of its words is put into the review queue, and nothing else
    happens to it. Every worker goes by the list as it is."""

    list_display = ("word", "note", "added_at")
    search_fields = ("word", "note")
    fields = ("word", "note")
    list_per_page = 100
