"""The voice page of a book."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from speech.gateway.prospects import Prospects

HIGHEST_BOOK_ID = 2**53 - 1


@require_safe
@cache_control(private=True, no_cache=True)
async def talk(request: HttpRequest, book_id: int) -> HttpResponse:
    """Talk with a book; whether it is listed or not, for the gateway takes any."""
    if not settings.TALK_IS_OFFERED or not 1 <= book_id <= HIGHEST_BOOK_ID:
        raise Http404
    try:
        # Templates ask for the user, and may not wait for the store themselves.
        request.user = await request.auser()
    except DatabaseError:
        return render(request, "503.html", status=503)
    book = await import_string(settings.BOOKS)().find(book_id)
    needs_account = settings.SOCKET_AUTH == "required" and not request.user.is_authenticated
    context: dict[str, Any] = {
        "book_id": book_id,
        "title": book.title if book else f"Book {book_id}",
        "author": book.author if book else "",
        "is_listed": book is not None,
        "needs_account": needs_account,
        "prospect": await Prospects().of(book_id),
        "config": {"bookId": book_id},
    }
    return render(request, "speech/voice.html", context)
