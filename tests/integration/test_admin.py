"""Chat history in Django's admin, over a real MongoDB: what is listed, to whom, at what cost."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, ClassVar

import mongoengine
import pytest
from bson import ObjectId
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from chat import documents
from chat.admin import ChatMessageAdmin
from chat.entries import COLLECTION, Document
from chat.history import ChatMessage
from chat.history_query import MOST_EXAMINED, MOST_FOUND, MessageQuerySet
from chat.models import Book
from readrealm.document_admin import MOST_LISTED, NotInSql
from readrealm.stores import mongo
from readrealm.stores.addresses import DATABASE
from tests.support.stores import SessionStores

pytestmark = pytest.mark.django_db

LIST = "/admin/chat/chatmessage/"
MOBY_DICK, ALICE = 2701, 11
START = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.fixture
def database(clean_stores: SessionStores) -> Any:
    """The database that the admin reads, empty."""
    Book.objects.create(pk=MOBY_DICK, title="Moby Dick", author="Herman Melville")
    Book.objects.create(pk=ALICE, title="Alice’s Adventures", author="Lewis Carroll")
    return clean_stores.mongo[DATABASE]


@pytest.fixture
def moderator(client: Client) -> Client:
    """The browser of somebody in the group that a migration made."""
    user = User.objects.create_user("mo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Moderators"))
    client.force_login(user)
    return client


def message(number: int = 1, /, **fields: Any) -> Document:
    """A stored message; later numbers were written later, a minute each."""
    written = START + timedelta(minutes=number)
    return {
        "_id": ObjectId(),
        "bookId": MOBY_DICK,
        "seq": number,
        "rev": number,
        "kind": "message",
        "userId": "7",
        "authenticated": True,
        "username": "Ada",
        "content": f"line {number}",
        "createdAt": written,
        "updatedAt": written,
        "isAi": False,
        "state": "visible",
    } | fields


def keep(database: Any, *messages: Document) -> list[str]:
    """Put messages where they are kept; their ids."""
    database[COLLECTION].insert_many(messages)
    return [str(each["_id"]) for each in messages]


def page(client: Client, address: str = LIST, **parameters: Any) -> str:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer
    return unescape(answer.content.decode())


def texts(html: str) -> list[str]:
    """The texts that a list shows, from top to bottom."""
    return re.findall(r'<td class="field-text">(.*?)</td>', html, re.DOTALL)


class TestTheList:
    def test_messages_of_every_room_are_listed_newest_first(
        self, moderator: Client, database: Any
    ) -> None:
        keep(
            database,
            message(1, content="Call me Ishmael."),
            message(2, bookId=ALICE, seq=1, content="Curiouser and curiouser!", username="Bob"),
            message(3, bookId=99_999, seq=1, content="Anybody here?", authenticated=False),
        )

        html = page(moderator)

        assert texts(html) == ["Anybody here?", "Curiouser and curiouser!", "Call me Ishmael."]
        assert "Moby Dick" in html
        assert "Book 99999" in html
        assert 'title="visible">visible</span>' in html
        assert html.count("guest</span>") == 1

    def test_a_long_text_is_clipped_and_markup_is_text(
        self, moderator: Client, database: Any
    ) -> None:
        keep(database, message(1, content="<b>" + "w" * 4_000))

        raw = moderator.get(LIST).content.decode()

        assert "&lt;b&gt;www" in raw
        assert "w" * 141 not in raw

    def test_what_is_no_message_is_not_listed(self, moderator: Client, database: Any) -> None:
        (kept,) = keep(database, message(1))
        database[COLLECTION].insert_one(
            {
                **message(2),
                "kind": "edit",
                "messageId": ObjectId(kept),
                "previous": "before",
                "content": "not a message",
            }
        )

        assert texts(page(moderator)) == ["line 1"]

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"room": ALICE}, ["tea"]),
            ({"room": "5"}, []),
            ({"state": "hidden"}, ["spam"]),
            ({"state": "deleted"}, ["oops"]),
            ({"state": "visible"}, ["tea", "whale oil", "whale"]),
            ({"author": "guest"}, ["spam"]),
            ({"author": "account"}, ["oops", "tea", "whale"]),
            ({"author": "ai"}, ["whale oil"]),
            ({"since": "2026-11-01T08:03:00Z"}, ["oops", "spam", "tea"]),
            ({"until": "2026-11-01T08:02:00Z"}, ["whale oil", "whale"]),
            ({"since": "1h"}, []),
            ({"q": "WHALE"}, ["whale oil", "whale"]),
            ({"q": "whale", "author": "ai"}, ["whale oil"]),
            ({"q": "bob"}, ["spam"]),
            ({"q": "user:9"}, ["spam"]),
            ({"q": ".*"}, []),
            ({"room": MOBY_DICK, "state": "hidden"}, ["spam"]),
            ({"room": ALICE, "state": "hidden", "q": "spam"}, []),
            ({"o": "1"}, ["whale", "whale oil", "tea", "spam", "oops"]),
            ({"o": "-1"}, ["oops", "spam", "tea", "whale oil", "whale"]),
        ],
    )
    def test_the_list_can_be_narrowed(
        self, moderator: Client, database: Any, parameters: dict[str, Any], expected: list[str]
    ) -> None:
        keep(
            database,
            message(1, content="whale"),
            message(2, content="whale oil", isAi=True, authenticated=False, userId="ai"),
            message(3, content="tea", bookId=ALICE, seq=1),
            message(
                4, content="spam", authenticated=False, username="Bob", userId="9", state="hidden"
            ),
            message(5, content="oops", state="deleted"),
        )

        assert texts(page(moderator, **parameters)) == expected

    def test_a_message_is_found_by_its_id(self, moderator: Client, database: Any) -> None:
        _, wanted = keep(database, message(1), message(2))

        assert texts(page(moderator, q=f" {wanted} ")) == ["line 2"]
        assert texts(page(moderator, q="0" * 24)) == []

    @pytest.mark.parametrize(
        "parameters",
        [
            {"content__icontains": "whale"},
            {"user_id": "7"},
            {"pk__in": "1"},
            {"__raw__": "{}"},
            {"state__in": "hidden"},
            {"$where": "1"},
            {"_id": "1"},
            {"words": "whale"},
        ],
    )
    def test_no_other_lookup_reaches_the_store(
        self, moderator: Client, database: Any, parameters: dict[str, str]
    ) -> None:
        assert moderator.get(LIST, parameters).status_code == 400

    @pytest.mark.parametrize(
        "parameters",
        [
            {"room": "Moby"},
            {"room": "0"},
            {"room": "9" * 30},
            {"state": "gone"},
            {"author": "bot"},
            {"since": "yesterday"},
            {"until": "x"},
            {"p": "2"},
            {"p": "101"},
        ],
    )
    def test_a_value_that_means_nothing_leads_back_to_the_list(
        self, moderator: Client, database: Any, parameters: dict[str, str]
    ) -> None:
        keep(database, *(message(seq) for seq in range(1, 60)))
        if parameters == {"p": "2"}:
            assert len(texts(page(moderator, **parameters))) == 9
            return

        answer = moderator.get(LIST, parameters)

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")

    def test_pages_follow_each_other_without_a_gap(self, moderator: Client, database: Any) -> None:
        keep(database, *(message(seq) for seq in range(1, 121)))

        shown = [text for number in (1, 2, 3) for text in texts(page(moderator, p=number))]

        assert shown == [f"line {seq}" for seq in range(120, 0, -1)]

    def test_messages_of_one_millisecond_have_one_order(
        self, moderator: Client, database: Any
    ) -> None:
        keep(database, *(message(seq, createdAt=START) for seq in range(1, 101)))

        shown = [text for number in (1, 2) for text in texts(page(moderator, p=number))]

        assert len(set(shown)) == 100

    def test_rooms_are_named_with_one_query(
        self, moderator: Client, database: Any, django_assert_max_num_queries: Any
    ) -> None:
        keep(database, *(message(seq) for seq in range(1, 51)))

        with django_assert_max_num_queries(8):
            page(moderator)


@pytest.fixture
def many(database: Any) -> int:
    """More messages than are listed or looked at; one in four by a guest, the last alone."""
    total = MOST_EXAMINED + 2_000
    keep(
        database,
        *(
            message(
                seq,
                content="the white whale" if seq == 1 else f"line {seq}",
                authenticated=seq % 4 != 0,
                state="hidden" if seq % 1_000 == 0 else "visible",
                userId=str(seq % 1_000),
            )
            for seq in range(1, total + 1)
        ),
    )
    return total


@pytest.fixture
def profiled(database: Any) -> Iterator[Any]:
    """What MongoDB did, in its own account."""
    database.command("profile", 0)
    database.drop_collection("system.profile")
    database.command("profile", 2)
    yield database["system.profile"]
    database.command("profile", 0)
    database.drop_collection("system.profile")


class TestCost:
    def test_a_list_ends_where_counting_off_would_begin_and_leads_on(
        self, moderator: Client, many: int
    ) -> None:
        last = MOST_LISTED // 50

        html = page(moderator, p=last)

        assert f"{MOST_LISTED} chat messages" in html
        assert texts(html)[-1] == f"line {many - MOST_LISTED + 1}"
        address = re.search(r'<a href="(\?until=[^"]+)">Go on', html)
        assert address
        assert texts(page(moderator, LIST + address[1]))[0] == f"line {many - MOST_LISTED + 1}"

    def test_words_are_looked_for_stretch_by_stretch(self, moderator: Client, many: int) -> None:
        html = page(moderator, q="white whale")
        assert texts(html) == []
        address = re.search(r'<a href="(\?q=white\+whale&until=[^"]+)">Go on', html)
        assert address

        assert texts(page(moderator, LIST + address[1])) == ["the white whale"]

    def test_so_many_are_found_at_once_and_no_more(self, moderator: Client, many: int) -> None:
        html = page(moderator, author="guest", p=MOST_FOUND // 50)

        assert f"{MOST_FOUND} chat messages" in html
        assert "Go on from there" in html

    def test_every_list_walks_along_an_index_and_looks_at_a_bounded_number(
        self, moderator: Client, many: int, profiled: Any
    ) -> None:
        lists: list[dict[str, Any]] = [
            {},
            {"p": "100"},
            {"o": "1"},
            {"room": MOBY_DICK},
            {"room": ALICE},
            {"room": MOBY_DICK, "state": "hidden"},
            {"room": MOBY_DICK, "state": "hidden", "since": "2026-11-02", "o": "1"},
            {"room": MOBY_DICK, "state": "visible"},
            {"state": "hidden"},
            {"state": "hidden", "author": "guest"},
            {"state": "visible", "p": "3"},
            {"state": "deleted"},
            {"author": "guest"},
            {"author": "ai"},
            {"since": "2026-11-02", "until": "2026-11-03"},
            {"q": "user:12"},
            {"q": "user:12", "state": "hidden", "room": ALICE},
            {"q": "nowhere to be found", "room": MOBY_DICK},
        ]
        for parameters in lists:
            page(moderator, **parameters)

        asked = list(profiled.find({"ns": f"{DATABASE}.{COLLECTION}", "op": {"$ne": "insert"}}))
        assert len(asked) >= 2 * len(lists)
        for each in asked:
            assert each["planSummary"].startswith("IXSCAN"), each
            assert each["docsExamined"] <= MOST_EXAMINED + 1, each
            assert each["keysExamined"] <= MOST_EXAMINED + 2, each
            assert not each.get("hasSortStage", False), each

    @pytest.mark.parametrize("room", [{}, {"room": MOBY_DICK}])
    def test_removed_messages_are_counted_without_looking_at_any(
        self, moderator: Client, many: int, profiled: Any, room: dict[str, Any]
    ) -> None:
        html = page(moderator, state="hidden", **room)

        assert f"{many // 1_000} chat messages" in html
        asked = list(profiled.find({"ns": f"{DATABASE}.{COLLECTION}", "op": {"$ne": "insert"}}))
        # The count, whether there is more, and the page.
        assert sorted(each["docsExamined"] for each in asked) == [0, 0, many // 1_000]
        for each in asked:
            assert each["keysExamined"] <= many // 1_000 + 1, each

    def test_every_question_has_a_deadline(
        self, moderator: Client, database: Any, profiled: Any
    ) -> None:
        (wanted, *_) = keep(database, *(message(seq) for seq in range(1, 60)))

        page(moderator, q="line")
        page(moderator, p=2)
        page(moderator, f"{LIST}{wanted}/change/")

        asked = list(profiled.find({"ns": f"{DATABASE}.{COLLECTION}", "op": {"$ne": "insert"}}))
        assert len(asked) >= 6
        assert [each for each in asked if "maxTimeMS" not in each["command"]] == []


class TestTheMessage:
    def test_it_is_shown_among_its_neighbours_and_cannot_be_changed(
        self, moderator: Client, database: Any
    ) -> None:
        ids = keep(
            database,
            *(message(seq) for seq in range(1, 21)),
            message(22, bookId=ALICE, seq=10, content="elsewhere"),
        )

        html = page(moderator, f"{LIST}{ids[9]}/change/")

        shown = re.findall(r'<div class="message-text">(.*?)</div></li>', html)
        assert shown == [f"line {seq}" for seq in range(5, 16)]
        assert html.count('aria-current="true"') == 1
        assert 'name="_save"' not in html
        assert not re.search(r'<(input|textarea|select)[^>]*name="(content|state|username)"', html)

    def test_the_text_of_a_removed_message_and_former_texts_are_shown(
        self, moderator: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1, state="hidden", content="after"))
        database[COLLECTION].insert_one(
            {**message(2), "kind": "edit", "messageId": ObjectId(wanted), "previous": "before"}
        )

        html = page(moderator, f"{LIST}{wanted}/change/")

        assert "after" in html
        assert "before</div>" in html
        assert "hidden by a moderator" in html

    @pytest.mark.parametrize("pk", ["0" * 24, "nonsense", "7"])
    def test_one_that_is_not_there_leads_back(
        self, moderator: Client, database: Any, pk: str
    ) -> None:
        assert moderator.get(f"{LIST}{pk}/change/").status_code == 302

    def test_its_history_is_shown(self, moderator: Client, database: Any) -> None:
        (wanted,) = keep(database, message(1))

        assert "message 1 of Ada" in page(moderator, f"{LIST}{wanted}/history/")

    def test_nothing_can_be_added_changed_or_deleted(
        self, moderator: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        moderator.force_login(User.objects.create_superuser("root", password="x"))

        refused = [
            moderator.get(f"{LIST}add/"),
            moderator.post(f"{LIST}add/", {"content": "x"}),
            moderator.post(f"{LIST}{wanted}/change/", {"content": "x", "state": "hidden"}),
            moderator.get(f"{LIST}{wanted}/delete/"),
            moderator.post(f"{LIST}{wanted}/delete/", {"post": "yes"}),
        ]

        assert [answer.status_code for answer in refused] == [403] * len(refused)
        moderator.post(LIST, {"action": "delete_selected", "_selected_action": [wanted]})
        assert "delete_selected" not in page(moderator)
        assert database[COLLECTION].find_one()["content"] == "line 1"


class TestWhoMaySee:
    def test_a_migration_makes_the_group_of_moderators(self) -> None:
        permissions = Group.objects.get(name="Moderators").permissions

        assert set(permissions.values_list("codename", flat=True)) == {
            "view_chatmessage",
            "hide_message",
            "purge_message",
            "sanction_reader",
            "export_reader",
            "erase_reader",
            "view_imposedsanction",
            "view_moderatoract",
            "add_watchword",
            "change_watchword",
            "delete_watchword",
            "view_watchword",
            "add_book",
            "change_book",
            "view_book",
        }
        of_chat = Permission.objects.filter(content_type__app_label="chat")
        kept_back = set(of_chat) - set(permissions.all())
        assert {permission.codename for permission in kept_back} == {"delete_book"}

    def test_staff_without_the_permission_see_nothing(self, client: Client, database: Any) -> None:
        (wanted,) = keep(database, message(1))
        client.force_login(User.objects.create_user("staff", password="x", is_staff=True))

        assert (
            "chat" not in page(client, reverse("admin:index")).casefold().split("content-main")[1]
        )
        own = (f"{wanted}/change/", f"{wanted}/history/", "review/", "reader/?id=7")
        for address in ("", *own):
            assert client.get(f"{LIST}{address}").status_code == 403, address
        for form in ({"action": "hide", "_selected_action": wanted}, {"claim": "take"}):
            assert client.post(LIST, form).status_code == 403
        assert client.post(f"{LIST}review/", {"judgement": "hide"}).status_code == 403
        assert database[COLLECTION].find_one()["state"] == "visible"

    def test_the_permission_without_being_staff_is_not_enough(
        self, client: Client, database: Any
    ) -> None:
        reader = User.objects.create_user("reader", password="x")
        reader.groups.add(Group.objects.get(name="Moderators"))
        client.force_login(reader)

        assert client.get(LIST).status_code == 302


@pytest.fixture
def away(database: Any) -> Iterator[None]:
    """MongoEngine connected to where nobody answers."""
    _connect_to(
        lambda: mongoengine.connect(
            DATABASE,
            host=f"mongodb://127.0.0.1:1/{DATABASE}",
            connect=False,
            serverSelectionTimeoutMS=200,
            uuidRepresentation="standard",
        )
    )
    yield
    _connect_to(mongo.connect)


def _connect_to(connect: Callable[[], Any]) -> None:
    mongo.disconnect()
    connect()
    # Documents remember the collection of the connection before.
    for document in (documents.Message, documents.RoomEvent):
        document._collection = None


class TestWithoutTheStore:
    @pytest.mark.usefixtures("away")
    @pytest.mark.parametrize(
        "path", ["", "?q=whale", f"{'0' * 24}/change/", f"{'0' * 24}/history/"]
    )
    def test_a_page_says_so(self, moderator: Client, path: str) -> None:
        answer = moderator.get(LIST + path)

        assert answer.status_code == 503
        html = answer.content.decode()
        assert "MongoDB, where messages are kept, gave no answer in time" in html
        assert "Log out" in html


class TestNoSql:
    def test_the_router_refuses_every_way_into_sql(self) -> None:
        stored = ChatMessage(pk="0" * 24)

        for ask in (
            lambda: list(ChatMessage._base_manager.all()),
            lambda: ChatMessage._base_manager.create(pk="1"),
            stored.save,
            stored.delete,
            stored.refresh_from_db,
        ):
            with pytest.raises(NotInSql):
                ask()

    def test_other_models_are_left_alone(self) -> None:
        assert User.objects.count() == 0


# ------------------------------------------------------------------ what Django asks for

SURFACE = {
    "__getitem__",
    "__iter__",
    "__len__",
    "_clone",
    "count",
    "filter",
    "get",
    "model",
    "order_by",
    "ordered",
    "query",
}
"""All that the change list and the change view of Django 5.2 touch of a queryset."""


class WatchedQuerySet(MessageQuerySet):
    """Notes the name of everything that code of Django takes from it."""

    seen: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        _note(name)
        return super().__getattribute__(name)

    def __iter__(self) -> Iterator[Any]:
        _note("__iter__")
        return super().__iter__()

    def __len__(self) -> int:
        _note("__len__")
        return super().__len__()

    def __getitem__(self, part: slice) -> Any:
        _note("__getitem__")
        return super().__getitem__(part)


def _note(name: str) -> None:
    caller = sys._getframe(2).f_globals["__name__"]
    # `__class__` is what `isinstance` asks of everything.
    if caller.startswith("django.") and name != "__class__":
        WatchedQuerySet.seen.add(name)


class WatchedAdmin(ChatMessageAdmin):
    actions = ("touch",)

    def get_queryset(self, request: HttpRequest) -> WatchedQuerySet:
        return WatchedQuerySet(self.model)

    def touch(self, request: HttpRequest, queryset: Iterable[ChatMessage]) -> None:
        self.touched = [message.content for message in queryset]


def test_django_asks_for_no_more_than_the_frozen_surface(database: Any) -> None:
    ids = keep(database, *(message(seq) for seq in range(1, 121)))
    watched = WatchedAdmin(ChatMessage, admin.site)
    user = User.objects.create_superuser("root", password="x")
    requests = RequestFactory()
    WatchedQuerySet.seen.clear()

    def shown(
        request: HttpRequest, *args: Any, view: Any = watched.changelist_view
    ) -> HttpResponse:
        request.user = user
        request._messages = CookieStorage(request)
        request._dont_enforce_csrf_checks = True
        answer = view(request, *args)
        return answer.render() if hasattr(answer, "render") else answer

    addresses = ("", "?p=2", "?o=1", "?room=11", "?state=hidden", "?q=line", "?author=ai", "?all=")
    for address in addresses:
        assert shown(requests.get(LIST + address)).status_code == 200
    change = requests.get(f"{LIST}{ids[0]}/change/")
    assert shown(change, ids[0], view=watched.change_view).status_code == 200
    past = requests.get(f"{LIST}{ids[0]}/history/")
    assert shown(past, ids[0], view=watched.history_view).status_code == 200
    chosen = {"action": "touch", "_selected_action": [ids[0], "nonsense"], "index": "0"}
    assert shown(requests.post(LIST, chosen)).status_code == 302

    assert watched.touched == ["line 1"]
    assert WatchedQuerySet.seen == SURFACE
