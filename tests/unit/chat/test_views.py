"""The catalogue and the rooms as pages, with rooms in memory."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client

from chat import views
from chat.events import GetMessages, Member, Message, MessagesPage, PresentMembers
from chat.models import Book
from chat.services import Welcome
from readrealm.kernel.errors import StoreUnavailable
from tests.unit.chat.test_views_conversation import message

pytestmark = pytest.mark.django_db


class FakeRooms:
    """Rooms in memory, or out of reach."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        """Oldest first, of every room."""
        self.members: dict[int, list[Member]] = {}
        self.is_away = False
        self.asked: list[GetMessages] = []

    async def welcome(self, book_id: int) -> Welcome:
        self._require()
        return Welcome(messages=self.messages[-50:][::-1], head=len(self.messages))

    async def read(self, command: GetMessages) -> MessagesPage:
        self._require()
        self.asked.append(command)
        before = [one for one in self.messages if one.seq < (command.before_seq or 0)]
        return MessagesPage(
            messages=before[-command.limit :][::-1],
            events=[],
            head_seq=len(self.messages),
            has_more=len(before) > command.limit,
        )

    async def presence(self, book_id: int) -> PresentMembers:
        self._require()
        members = self.members.get(book_id, [])
        return PresentMembers(count=len(members), members=members)

    async def present_in(self, book_ids: Sequence[int]) -> dict[int, int]:
        self._require()
        return {book_id: len(self.members.get(book_id, [])) for book_id in book_ids}

    def _require(self) -> None:
        if self.is_away:
            raise StoreUnavailable


class FakeTalks:
    """What is said of talking with a book; some have no text."""

    async def mark(self, book_id: int) -> str:
        return "its text is away" if book_id == 11 else ""


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> FakeRooms:
    fake = FakeRooms()
    monkeypatch.setattr(apps.get_app_config("chat"), "service", fake)
    return fake


@pytest.fixture(autouse=True)
def books() -> None:
    Book.objects.create(pk=2701, title="Moby Dick; or, The Whale", author="Herman Melville")
    Book.objects.create(pk=11, title="Alice’s Adventures in Wonderland", author="Lewis Carroll")
    Book.objects.create(pk=1727, title="The Odyssey", author="Homer")


def titles(page: str) -> list[str]:
    return re.findall(r'class="book-title">([^<]*)<', page)


def texts(page: str) -> list[str]:
    shown = page.split("<template")[0]
    return re.findall(r'data-text dir="auto">(.*?)</div>', shown, re.DOTALL)


def config(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="room-config"[^>]*>(.*?)</script>', page)
    assert found
    value: dict[str, Any] = json.loads(found[1])
    return value


def get(client: Client, path: str, *, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


# ------------------------------------------------------------------ catalogue


def test_the_catalogue_shows_every_room_in_the_order_of_a_shelf(
    client: Client, rooms: FakeRooms
) -> None:
    assert titles(get(client, "/")) == [
        "Alice’s Adventures in Wonderland",
        "Moby Dick",
        "The Odyssey",
    ]


def test_rooms_with_readers_come_first_and_say_how_many(client: Client, rooms: FakeRooms) -> None:
    rooms.members[2701] = [Member(user_id="7", username="Ada"), Member(user_id="8", username="Ben")]

    page = get(client, "/")

    assert titles(page)[0] == "Moby Dick"
    assert "2 readers here" in page
    assert "Readers are here now" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("moby", ["Moby Dick"]),
        ("MELVILLE", ["Moby Dick"]),
        ("melville  whale", ["Moby Dick"]),
        ("melville alice", []),
        ("o", ["Alice’s Adventures in Wonderland", "Moby Dick", "The Odyssey"]),
        ("   ", ["Alice’s Adventures in Wonderland", "Moby Dick", "The Odyssey"]),
    ],
)
def test_search_finds_every_word_in_title_or_author(
    client: Client, rooms: FakeRooms, query: str, found: list[str]
) -> None:
    assert titles(client.get("/", {"q": query}).content.decode()) == found


def test_a_query_is_shown_as_text(client: Client, rooms: FakeRooms) -> None:
    page = client.get("/", {"q": "<script>alert(1)</script>"}).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_catalogue_opens_while_nobody_can_tell_who_is_where(
    client: Client, rooms: FakeRooms
) -> None:
    rooms.is_away = True

    page = get(client, "/")

    assert len(titles(page)) == 3
    assert "Who is where cannot be told right now" in page


@pytest.mark.parametrize("path", ["/", "/books/2701/"])
def test_without_the_relational_store_a_page_says_so(
    client: Client, rooms: FakeRooms, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    class Away:
        def filter(self, *_: object, **__: object) -> None:
            raise DatabaseError

    monkeypatch.setattr(Book, "objects", Away())

    assert "cannot be reached right now" in get(client, path, status=503)


# ------------------------------------------------------------------ room


def test_a_room_can_be_read_without_scripts_oldest_message_first(
    client: Client, rooms: FakeRooms
) -> None:
    rooms.messages = [message(seq, f"21T09:{seq:02}:00", content=f"n{seq}") for seq in (1, 2, 3)]

    page = get(client, "/books/2701/")

    assert texts(page) == ["n1", "n2", "n3"]
    assert "Saturday 21 November 2026" in page
    assert page.count('class="day"') == 2  # the second is the template's


def test_what_readers_wrote_is_never_markup(client: Client, rooms: FakeRooms) -> None:
    hostile = "</script><img src=x onerror=alert(1)>"
    rooms.messages = [message(1, "21T09:00:00", content=hostile, username=hostile)]

    page = get(client, "/books/2701/")

    assert hostile not in page
    assert "<img" not in page
    assert config(page)["messages"][0]["content"] == hostile


def test_a_removed_message_is_a_muted_line(client: Client, rooms: FakeRooms) -> None:
    rooms.messages = [message(1, "21T09:00:00", content="", deleted_by="moderator")]

    assert texts(get(client, "/books/2701/")) == ["A moderator removed this message."]


def test_the_page_tells_its_script_what_it_needs(client: Client, rooms: FakeRooms) -> None:
    rooms.messages = [message(1, "21T09:00:00")]

    told = config(get(client, "/books/2701/"))

    assert told["bookId"] == 2701
    assert told["reader"] is None
    assert told["guests"] is True
    assert told["hasOlder"] is False
    assert told["messages"][0]["_id"] == rooms.messages[0].id


def test_a_signed_in_reader_is_known_to_the_page(client: Client, rooms: FakeRooms) -> None:
    user = User.objects.create_user("ada", password="x")  # type: ignore[no-untyped-call]
    rooms.messages = [message(1, "21T09:00:00", user_id=str(user.pk))]
    client.force_login(user)

    page = get(client, "/books/2701/")

    expected = {"userId": str(user.pk), "username": "ada", "isGuest": False}
    assert config(page)["reader"] == expected
    assert "message is-own" in page
    assert "Log out" in page


def test_where_sockets_need_an_account_guests_are_not_asked_for_a_name(
    client: Client, rooms: FakeRooms, settings: Any
) -> None:
    settings.SOCKET_AUTH = "required"

    assert config(get(client, "/books/2701/"))["guests"] is False


def test_an_empty_room_invites_to_say_the_first_word(client: Client, rooms: FakeRooms) -> None:
    page = get(client, "/books/2701/")

    assert re.search(r"data-empty >No one has written here yet. Say the first word.", page)


def test_who_is_here_is_named(client: Client, rooms: FakeRooms) -> None:
    rooms.members[2701] = [Member(user_id="g", username="Cleo", is_guest=True)]

    page = get(client, "/books/2701/")

    assert "1 reader here" in page
    assert ">Cleo</span>" in page


def test_a_room_opens_while_its_conversation_is_out_of_reach(
    client: Client, rooms: FakeRooms
) -> None:
    rooms.is_away = True

    page = get(client, "/books/2701/")

    assert "Moby Dick" in page
    assert "The conversation cannot be reached right now" in page
    assert re.search(r"data-empty hidden>", page)


def test_fifty_messages_have_a_way_to_the_older_ones(client: Client, rooms: FakeRooms) -> None:
    rooms.messages = [message(seq, "21T09:00:00", content=f"n{seq}") for seq in range(1, 81)]

    newest = get(client, "/books/2701/")
    assert texts(newest) == [f"n{seq}" for seq in range(31, 81)]
    link = re.search(r'href="(\?before=\d+)"', newest)
    assert link

    older = get(client, "/books/2701/" + link[1])
    assert texts(older) == [f"n{seq}" for seq in range(1, 31)]
    assert config(older)["isPaged"] is True
    assert "?before=" not in older


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 40, "²"])
def test_a_before_that_is_no_number_is_ignored(
    client: Client, rooms: FakeRooms, before: str
) -> None:
    page = client.get("/books/2701/", {"before": before}).content.decode()

    assert config(page)["isPaged"] is False


def test_a_book_that_is_not_in_the_catalogue_has_a_room_as_well(
    client: Client, rooms: FakeRooms
) -> None:
    page = get(client, "/books/42/")

    assert "Book 42" in page
    assert 'content="noindex"' in page
    assert 'content="noindex"' not in get(client, "/books/2701/")


@pytest.mark.parametrize("book_id", ["0", str(2**53), "9" * 40])
def test_an_id_outside_of_the_contract_has_no_room(
    client: Client, rooms: FakeRooms, book_id: str
) -> None:
    assert "There is no such page" in get(client, f"/books/{book_id}/", status=404)


def test_every_inline_script_has_the_nonce_of_the_policy(client: Client, rooms: FakeRooms) -> None:
    answer = client.get("/books/2701/")

    nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    assert nonce
    scripts: Sequence[str] = re.findall(r"<script([^>]*)>[^<]", answer.content.decode())
    executed = [tag for tag in scripts if "application/json" not in tag]
    assert executed
    assert all(f'nonce="{nonce[1]}"' in tag for tag in executed)
    assert " style=" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/books/2701/"])
def test_pages_are_asked_for_anew_and_take_no_other_methods(
    client: Client, rooms: FakeRooms, path: str
) -> None:
    cached = client.get(path)["Cache-Control"]

    assert "private" in cached
    assert "no-cache" in cached
    assert client.post(path).status_code == 405


def test_the_fake_rooms_offer_what_the_pages_ask_for() -> None:
    rooms: views.Rooms = FakeRooms()

    assert rooms


@pytest.mark.parametrize(
    ("path", "mark"), [("/books/2701/", ""), ("/books/11/", "its text is away")]
)
def test_the_doors_to_a_talk_say_before_what_is_missing(
    client: Client, rooms: FakeRooms, settings: Any, path: str, mark: str
) -> None:
    settings.TALK_IS_OFFERED, settings.TALK = True, f"{__name__}.FakeTalks"

    doors = re.findall(r'<a class="[^"]*" href="[^"]*/voice/".*?</a>', get(client, path), re.DOTALL)

    shown = [" ".join(re.sub("<[^>]*>", " ", door).split()) for door in doors]
    assert shown == ["", f"Talk with this book {mark}".strip()]
    labels = [re.findall(r'aria-label="([^"]*)"', door) for door in doors]
    assert labels[0] == [f"Talk with this book, {mark}" if mark else "Talk with this book"]
    assert labels[1] == (labels[0] if mark else [])


def test_where_no_talk_is_offered_nobody_is_asked_about_it(
    client: Client, rooms: FakeRooms, settings: Any
) -> None:
    settings.TALK_IS_OFFERED, settings.TALK = False, "nowhere.Nothing"

    assert "voice-door" not in get(client, "/books/11/")
