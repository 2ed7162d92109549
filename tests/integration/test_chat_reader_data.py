"""All that is kept about one reader: exported whole, erased without a trace, live in the rooms."""

# Fixtures are imported, and named again by the tests that use them.
# ruff: noqa: F401, F811

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.test import Client

from chat.entries import COLLECTION
from chat.history import ChatMessage
from chat.moderation_documents import ACTS, REPORTS, SANCTIONS
from chat.repository import RoomLogs
from chat.rules import Draft, Edit, ReactionSwitch, Removal
from readrealm.kernel.identity import Identity
from readrealm.stores import mongo
from tests.conftest import StartServer
from tests.integration.test_admin import (
    LIST,
    MOBY_DICK,
    START,
    database,
    keep,
    message,
    moderator,
    page,
)
from tests.integration.test_admin_desk import act, sanction
from tests.integration.test_admin_moderation import report, said
from tests.integration.test_moderation import Reader, reader
from tests.support.stores import SessionStores

BEN = Identity(user_id="8", username="Ben", authenticated=True)
SECRETS = ("Ada", "a whale I saw", "the first wording", "my own note")
"""What must not be found anywhere after Ada was erased."""


async def _live(user_id: str) -> dict[str, Any]:
    """Ada writes, edits, deletes and reacts; Ben answers and reacts. Gives ids by name."""
    ada = Identity(user_id=user_id, username="Ada", authenticated=True)
    logs = RoomLogs(mongo.async_database())
    ids: dict[str, Any] = {}

    async def say(name: str, who: Identity, content: str, **more: Any) -> None:
        draft = Draft(book_id=MOBY_DICK, author=who, content=content, **more)
        ids[name] = (await logs.append(draft)).message.id

    await say("edited", ada, "the first wording", client_msg_id="c1")
    here = {"book_id": MOBY_DICK}
    await logs.change(Edit(message_id=ids["edited"], actor=ada, content="a whale I saw", **here))
    await say("deleted", ada, "a whale I saw, gone")
    await logs.change(Removal(message_id=ids["deleted"], actor=ada, by="author", **here))
    await say("hidden", ada, "a whale I saw, rude")
    await logs.change(Removal(message_id=ids["hidden"], actor=BEN, by="moderator", **here))
    await say("ben", BEN, "hello")
    for who, wanted, on in (
        (ada, "ben", True),
        (BEN, "ben", True),
        (BEN, "edited", True),
    ):
        await logs.change(
            ReactionSwitch(message_id=ids[wanted], actor=who, emoji="🐋", on=on, **here)
        )
    await logs.close()
    await mongo.aclose()
    return ids


@pytest.fixture
def ada(database: Any) -> User:
    """An account with something of every kind."""
    user: User = User.objects.create_user("ada", email="ada@example.org", password="x")
    user.first_name = "Ada"
    user.save()
    return user


@pytest.fixture
def ids(ada: User, database: Any) -> dict[str, str]:
    found: dict[str, str] = asyncio.run(_live(str(ada.pk)))
    own = {"userId": str(ada.pk), "username": "Ada"}
    database[REPORTS].insert_one(
        report(found["ben"], by=str(ada.pk)) | own | {"note": "my own note"}
    )
    database[SANCTIONS].insert_many(
        [sanction(**own), sanction(**own, until=START, measure="timeout")]
    )
    database[ACTS].insert_many(
        [act(**own, moderatorId="999"), act(moderatorId=str(ada.pk), username="Ben", userId="8")]
    )
    LogEntry.objects.create(
        user=ada,
        content_type=ContentType.objects.get_for_model(ChatMessage),
        object_id=found["edited"],
        object_repr="message 1 of Ada in room 2701",
        action_flag=CHANGE,
    )
    return found


def everything(database: Any) -> str:
    """All documents of all collections."""
    return str([list(database[name].find()) for name in database.list_collection_names()])


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.django_db
class TestExport:
    def test_it_has_everything_that_is_kept(self, ada: User, ids: dict[str, str]) -> None:
        exported = json.loads(run("export_reader", "ada"))

        assert exported["format"] == "readrealm-reader-data"
        assert exported["account"]["email"] == "ada@example.org"
        assert exported["reader"] == {"userId": str(ada.pk), "isGuest": False}
        chat = exported["chat"]
        assert [each["content"] for each in chat["messages"]] == [
            "a whale I saw",
            "a whale I saw, gone",
            "a whale I saw, rude",
        ]
        (former,) = chat["messages"][0]["formerTexts"]
        assert former["content"] == "the first wording"
        assert [each["state"] for each in chat["messages"]] == [
            "visible",
            "deleted by you",
            "hidden by a moderator",
        ]
        assert [(each["emoji"], each["on"]) for each in chat["reactions"]] == [("🐋", True)]
        assert [each["note"] for each in chat["reports"]] == ["my own note"]
        assert len(chat["sanctions"]) == 2
        assert len(chat["moderationLog"]) == 1
        assert len(chat["actsAsModerator"]) == 1
        assert chat["presentIn"] == []

    def test_other_readers_are_not_in_it(self, ids: dict[str, str]) -> None:
        exported = run("export_reader", "ada")

        assert "hello" not in exported
        assert "Ben" not in exported
        assert '"Mo"' not in exported

    def test_a_long_history_is_complete_and_in_order(self, ada: User, database: Any) -> None:
        keep(database, *(message(n, userId=str(ada.pk)) for n in range(1, 1_003)))
        # Many at one moment.
        database[COLLECTION].update_many({"seq": {"$lt": 500}}, {"$set": {"createdAt": START}})

        texts = [
            each["content"] for each in json.loads(run("export_reader", "ada"))["chat"]["messages"]
        ]

        assert len(texts) == 1_002
        assert set(texts) == {f"line {n}" for n in range(1, 1_003)}
        assert texts[499:] == [f"line {n}" for n in range(500, 1_003)]

    def test_a_file_is_complete_or_not_there_and_private(
        self, ids: dict[str, str], tmp_path: Any
    ) -> None:
        place = tmp_path / "ada.json"

        run("export_reader", "ada", "--output", str(place))

        assert json.loads(place.read_text())["account"]["name"] == "ada"
        assert place.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [place]
        with pytest.raises(CommandError, match="no account is called nobody"):
            run("export_reader", "nobody", "--output", str(tmp_path / "nobody.json"))
        assert list(tmp_path.iterdir()) == [place]

    def test_an_account_that_is_not_there_is_refused(self, database: Any) -> None:
        with pytest.raises(CommandError, match="there is no such account"):
            run("export_reader", "--id", "4711")


@pytest.mark.django_db
class TestErasure:
    def test_without_yes_it_only_counts(self, ids: dict[str, str], database: Any) -> None:
        before = everything(database)

        told = run("erase_reader", "ada")

        assert "3  chat.messages" in told
        assert "nothing was erased" in told
        assert everything(database) == before

    def test_nothing_of_the_reader_is_left(
        self, ada: User, ids: dict[str, str], database: Any
    ) -> None:
        told = run("erase_reader", "ada", "--yes", "--close-account")

        assert "records erased" in told
        left = everything(database)
        for secret in SECRETS:
            assert secret not in left
        for kept in (COLLECTION, REPORTS, SANCTIONS, ACTS):
            assert database[kept].count_documents({"userId": str(ada.pk)}) == 0
        assert not User.objects.filter(pk=ada.pk).exists()
        assert not LogEntry.objects.filter(object_repr__contains="Ada").exists()
        # Others keep what is theirs.
        assert "hello" in left
        ben = database[COLLECTION].find_one({"_id": ObjectId(ids["ben"])})
        assert sorted(each["userId"][:7] for each in ben["reactions"]) == ["8", "erased-"]
        # The log of the room has no hole.
        numbers = [each["seq"] for each in database[COLLECTION].find().sort("seq")]
        assert numbers == list(range(1, len(numbers) + 1))
        (entry,) = database[ACTS].find({"act": "erase"})
        assert (entry["moderatorName"], entry["username"]) == ("erase_reader", "Former reader")

    def test_again_there_is_nothing_to_do(self, ids: dict[str, str], database: Any) -> None:
        run("erase_reader", "ada", "--yes")
        before = everything(database)

        assert run("erase_reader", "ada", "--yes") == "there was nothing to erase\n"
        assert everything(database) == before

    def test_what_holds_stays_with_an_account_that_stays(
        self, ada: User, ids: dict[str, str], database: Any
    ) -> None:
        run("erase_reader", "ada", "--yes")

        (holding,) = database[SANCTIONS].find({"userId": str(ada.pk)})
        assert holding["until"] is None
        assert User.objects.filter(pk=ada.pk, is_active=True).exists()

    def test_it_goes_on_after_an_interruption(
        self, ids: dict[str, str], database: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from readrealm.kernel.errors import StoreUnavailable

        change = RoomLogs.change
        calls = iter([False, True])

        async def failing(self: RoomLogs, wanted: Any) -> Any:
            if next(calls, False):
                raise StoreUnavailable
            return await change(self, wanted)

        monkeypatch.setattr(RoomLogs, "change", failing)
        with pytest.raises(BaseException, match=r".*"):
            run("erase_reader", "ada", "--yes")
        run("erase_reader", "ada", "--yes")

        left = str(list(database[COLLECTION].find()))
        assert "whale I saw" not in left
        assert "Ada" not in left

    def test_a_guest_is_not_the_account_of_the_same_id(
        self, ada: User, ids: dict[str, str], database: Any
    ) -> None:
        run("erase_reader", "--guest", str(ada.pk), "--yes")

        assert "a whale I saw" in everything(database)
        with pytest.raises(CommandError, match="no account to close"):
            run("erase_reader", "--guest", "x", "--yes", "--close-account")

    def test_the_account_of_a_moderator_is_not_closed(
        self, ada: User, ids: dict[str, str], database: Any
    ) -> None:
        User.objects.filter(pk=ada.pk).update(is_staff=True)
        before = everything(database)

        with pytest.raises(CommandError, match="staff"):
            run("erase_reader", "ada", "--yes", "--close-account")

        assert everything(database) == before


@pytest.mark.django_db
class TestInTheAdmin:
    def test_data_is_looked_at_exported_and_erased(
        self, moderator: Client, ada: User, ids: dict[str, str], database: Any
    ) -> None:
        place = re.search(
            r'href="(/admin/chat/chatmessage/reader/[^"]+)"',
            page(moderator, f"{LIST}{ids['edited']}/change/"),
        )
        assert place is not None
        html = page(moderator, place[1])
        assert "<td>3</td>" in html
        assert "Delete the account" not in html  # takes a permission of its own

        answer = moderator.post(place[1], {"do": "export"})
        exported = json.loads(b"".join(answer.streaming_content))
        assert exported["account"]["name"] == "ada"
        assert "attachment" in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]

        html = moderator.post(place[1], {"do": "erase"}, follow=True).content.decode()
        assert "Nothing was erased" in said(html)[0]
        assert "a whale I saw" in everything(database)

        form = {"do": "erase", "confirmation": "Erase"}
        html = moderator.post(place[1], form, follow=True).content.decode()
        assert re.fullmatch(r"\d+ records erased\.", said(html)[0])
        assert "whale I saw" not in everything(database)
        (entry,) = database[ACTS].find({"act": "erase"})
        assert entry["moderatorName"] == "mo"
        refused = moderator.post(place[1], {**form, "close": "yes"})
        assert refused.status_code == 403

    def test_it_takes_the_permission(self, client: Client, ada: User) -> None:
        client.force_login(User.objects.create_user("staff", password="x", is_staff=True))

        assert client.get(f"{LIST}reader/?id={ada.pk}").status_code == 403
        assert client.post(f"{LIST}reader/?id={ada.pk}", {"do": "export"}).status_code == 403

    @pytest.mark.parametrize("asked", ["", "?id=", "?id=4711", "?id=x", f"?id={'9' * 200}"])
    def test_who_is_not_there_has_no_page(
        self, moderator: Client, database: Any, asked: str
    ) -> None:
        assert moderator.get(f"{LIST}reader/{asked}").status_code == 404


async def test_rooms_see_the_tombstones_at_once_and_in_order(
    server: StartServer, session_stores: SessionStores
) -> None:
    running = server(workers=2, CHAT_RATE="off")
    async with reader(running, "ada") as ada, reader(running, "ben") as ben:
        mine = (await ada.ask("chatMessage", content="mine"))["message"]
        bens = (await ben.ask("chatMessage", content="yours"))["message"]
        await ada.ask("reactMessage", messageId=bens["_id"], emoji="🐋", on=True)

        told = await asyncio.to_thread(running.manage, "erase_reader", "--guest", "ada", "--yes")
        first = await ben.hear("messageUpdated")
        second = await ben.hear("messageUpdated")
        page = await ben.ask("getMessages", afterSeq=0)

    assert "records erased" in told
    assert (first["seq"], second["seq"]) == (4, 5)
    tombstone = first["message"]
    assert (tombstone["_id"], tombstone["content"]) == (mine["_id"], "")
    assert (tombstone["username"], tombstone["deletedBy"]) == ("Former reader", "author")
    assert second["message"]["content"] == "yours"
    (reaction,) = second["message"]["reactions"]
    assert re.fullmatch("erased-[0-9a-f]{16}", reaction["userId"])
    assert page["headSeq"] == 5
    assert '"ada"' not in json.dumps(page)
