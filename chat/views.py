"""The catalogue and the rooms as pages, readable before a script runs and while stores are away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from chat.conversation import items
from chat.events import GetMessages, Message, MessagesPage, PresentMembers
from chat.models import HIGHEST_BOOK_ID, Book
from chat.rules import HISTORY_PAGE
from chat.services import Welcome
from chat.vocabulary import COMMANDS
from readrealm.credentials import account_of
from readrealm.kernel.errors import StoreUnavailable
from readrealm.kernel.wire import plain

STORE_DEADLINE_S = 3.0
"""After this long a page is shown without what was asked for."""

LONGEST_QUERY = 100

Answer = TypeVar("Answer")
View = Callable[..., Awaitable[HttpResponse]]


class Rooms(Protocol):
    """What pages ask of the rooms; `chat.services.ChatService` in earnest."""

    async def welcome(self, book_id: int) -> Welcome: ...

    async def read(self, command: GetMessages) -> MessagesPage: ...

    async def presence(self, book_id: int) -> PresentMembers: ...

    async def present_in(self, book_ids: Sequence[int]) -> dict[int, int]: ...


class Talks(Protocol):
    """What a page says of talking with a book."""

    async def mark(self, book_id: int) -> str:
        """What is good to know before, in a few words; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Room:
    """A book in the catalogue, and how many readers are in its room."""

    book: Book
    present: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Rooms under one heading."""

    title: str
    rooms: Sequence[Room]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a conversation."""

    messages: Sequence[Message]
    """Oldest first."""
    has_older: bool


def page(view: View) -> View:
    """A view that is always asked for anew, and says so when the relational store is away."""

    async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            # Templates ask for the user, and may not wait for the store themselves.
            request.user = await request.auser()
            return await view(request, *args, **kwargs)
        except DatabaseError:
            return render(request, "503.html", status=503)

    decorated: View = require_safe(cache_control(private=True, no_cache=True)(answer))
    return decorated


@page
async def catalogue(request: HttpRequest) -> HttpResponse:
    """Every room, or those whose title or author contains every word of ``?q=``."""
    query = " ".join(request.GET.get("q", "").split())[:LONGEST_QUERY]
    books = sorted([book async for book in _matching(query)], key=lambda book: book.shelf_mark)
    present = await _or_none(_rooms().present_in([book.pk for book in books]))
    rooms = [Room(book, (present or {}).get(book.pk, 0)) for book in books]
    shelves = [
        Shelf("Readers are here now", [room for room in rooms if room.present]),
        Shelf("Found" if query else "All rooms", [room for room in rooms if not room.present]),
    ]
    return render(
        request,
        "chat/catalogue.html",
        {
            "query": query,
            "shelves": [shelf for shelf in shelves if shelf.rooms],
            "is_away": present is None,
        },
    )


@page
async def room(request: HttpRequest, book_id: int) -> HttpResponse:
    """A book's room: its newest messages, or those before ``?before=`` in the log."""
    if not 1 <= book_id <= HIGHEST_BOOK_ID:
        raise Http404
    book = await Book.objects.filter(pk=book_id).afirst()
    before_seq = _whole_number(request.GET.get("before", ""))
    stretch = await _or_none(_stretch(book_id, before_seq=before_seq))
    presence = await _or_none(_rooms().presence(book_id))
    account = account_of(request.user) if request.user.is_authenticated else None
    shown = stretch or Stretch([], has_older=False)
    return render(
        request,
        "chat/room.html",
        {
            "book": book or Book(id=book_id, title=f"Book {book_id}"),
            "is_listed": book is not None,
            "talk_mark": await _talks().mark(book_id) if settings.TALK_IS_OFFERED else "",
            "items": items(shown.messages, user_id=account.user_id if account else None),
            "has_older": shown.has_older,
            "oldest_seq": shown.messages[0].seq if shown.messages else 0,
            "is_paged": before_seq is not None,
            "is_away": stretch is None,
            "present": presence and presence.count,
            "members": presence.members if presence else [],
            "config": {
                "bookId": book_id,
                "reader": account
                and {"userId": account.user_id, "username": account.username, "isGuest": False},
                "guests": settings.SOCKET_AUTH == "optional",
                "canReport": "reportMessage" in COMMANDS,
                "messages": [plain(message) for message in shown.messages],
                "hasOlder": shown.has_older,
                "isPaged": before_seq is not None,
            },
        },
    )


def _talks() -> Talks:
    talks: Talks = import_string(settings.TALK)()
    return talks


def _rooms() -> Rooms:
    rooms: Rooms = apps.get_app_config("chat").service
    return rooms


def _matching(query: str) -> Any:
    wanted = Q()
    for word in query.split():
        wanted &= Q(title__icontains=word) | Q(author__icontains=word)
    return Book.objects.filter(wanted)


async def _stretch(book_id: int, *, before_seq: int | None) -> Stretch:
    if before_seq is None:
        newest = (await _rooms().welcome(book_id)).messages
        return Stretch(newest[::-1], has_older=len(newest) >= HISTORY_PAGE)
    asked = GetMessages(book_id=book_id, before_seq=before_seq, limit=HISTORY_PAGE)
    found = await _rooms().read(asked)
    return Stretch(found.messages[::-1], has_older=found.has_more)


async def _or_none(asked: Awaitable[Answer]) -> Answer | None:
    """An answer of the rooms, unless their stores are away."""
    try:
        async with asyncio.timeout(STORE_DEADLINE_S):
            return await asked
    except (StoreUnavailable, TimeoutError):
        return None


def _whole_number(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST_BOOK_ID))
    return min(int(text), HIGHEST_BOOK_ID) if is_number else None
