"""What moderators have beside the messages: claims, the watch list, sanctions, the log, books."""

# Fixtures are imported, and named again by the tests that use them.
# ruff: noqa: F401, F811

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.contrib.auth.models import Group, User
from django.test import Client

from chat.casework import CLAIM_MS
from chat.models import Book, WatchWord
from chat.moderation_documents import ACTS, CLAIMS, REPORTS, SANCTIONS
from chat.records import ImposedSanction, ModeratorAct
from readrealm.document_admin import NotInSql
from tests.integration.test_admin import (
    LIST,
    MOBY_DICK,
    START,
    database,
    keep,
    message,
    moderator,
    page,
    texts,
)
from tests.integration.test_admin_moderation import REVIEW, report, said, states

pytestmark = pytest.mark.django_db

SANCTION_LIST = "/admin/chat/imposedsanction/"
LOG = "/admin/chat/moderatoract/"
WORDS = "/admin/chat/watchword/"
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def bea(database: Any) -> Client:
    """The browser of a second moderator."""
    user = User.objects.create_user("bea", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Moderators"))
    browser = Client()
    browser.force_login(user)
    return browser


def flag(wanted: str, *words: str, **fields: Any) -> dict[str, Any]:
    return report(wanted, by="") | {
        "username": "Watch list",
        "isFlag": True,
        "words": list(words),
        "rev": 1,
        **fields,
    }


def sanction(**fields: Any) -> dict[str, Any]:
    return {
        "userId": "7",
        "authenticated": True,
        "username": "Ada",
        "measure": "ban",
        "bookId": None,
        "until": None,
        "reason": "rude",
        "createdAt": START,
        "moderatorId": "1",
        "isLifted": False,
    } | fields


def act(**fields: Any) -> dict[str, Any]:
    return {
        "at": START,
        "act": "hide",
        "moderatorId": "1",
        "moderatorName": "Mo",
        "reason": "rude",
        "userId": "7",
        "authenticated": True,
        "username": "Ada",
        "bookId": MOBY_DICK,
        "messageId": None,
        "until": None,
    } | fields


def submit(client: Client, address: str = REVIEW, **form: Any) -> str:
    answer = client.post(address, form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


class TestClaims:
    def test_a_case_that_is_being_worked_on_shows_so_and_cannot_be_decided_by_another(
        self, moderator: Client, bea: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="9"))

        assert "You are working on this case until" in submit(
            moderator, message=wanted, claim="take"
        )
        html = page(bea, REVIEW)
        assert "<strong>mo</strong> is working on this case until" in html
        assert 'name="judgement"' not in html
        refused = submit(bea, message=wanted, judgement="hide")

        assert said(refused)[0].startswith("Not done: mo is working on this case until ")
        assert states(database) == ["visible"]
        assert said(submit(moderator, message=wanted, judgement="hide")) == [
            "Hidden after reports."
        ]
        assert database[CLAIMS].count_documents({}) == 0

    def test_it_can_be_taken_over_or_given_back_and_ends_by_itself(
        self, moderator: Client, bea: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="9"))
        submit(moderator, message=wanted, claim="take")

        submit(bea, message=wanted, claim="take_over")
        assert "<strong>bea</strong> is working" in page(moderator, REVIEW)
        submit(bea, message=wanted, claim="release")
        assert "Nobody is working on this case." in page(moderator, REVIEW)

        submit(bea, message=wanted, claim="take")
        past = datetime.now(UTC) - timedelta(seconds=1)
        database[CLAIMS].update_one({}, {"$set": {"until": past}})
        assert "Nobody is working on this case." in page(moderator, REVIEW)
        assert "You are working" in submit(moderator, message=wanted, claim="take")

    def test_a_case_that_somebody_decided_meanwhile_is_not_decided_again(
        self, moderator: Client, bea: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="9"))
        page(moderator, REVIEW)

        submit(bea, message=wanted, judgement="keep")
        refused = submit(moderator, message=wanted, judgement="ban")

        assert said(refused)[0].startswith("Not done: bea kept the message at ")
        assert "Nothing was changed" in said(refused)[0]
        assert database[SANCTIONS].count_documents({}) == 0
        assert database[ACTS].count_documents({}) == 1

    def test_a_script_is_answered_in_json(
        self, moderator: Client, bea: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="9"))
        form = {"message": wanted, "claim": "take"}

        assert moderator.post(REVIEW, form, **JSON).json() == {"ok": True, "error": ""}
        answer = bea.post(REVIEW, form, **JSON).json()

        assert answer["ok"] is False
        assert answer["error"].startswith("mo is working")

    def test_what_makes_no_sense_takes_nothing(self, moderator: Client, database: Any) -> None:
        (wanted,) = keep(database, message(1))

        submit(moderator, message="nonsense", claim="take")
        submit(moderator, message=wanted, claim="steal")
        submit(moderator, message=wanted, claim="take")

        assert database[CLAIMS].count_documents({}) == 0

    def test_mongodb_forgets_claims_that_ended(self, database: Any) -> None:
        (index,) = (
            each for name, each in database[CLAIMS].index_information().items() if name == "ended"
        )

        assert (index["key"], index["expireAfterSeconds"]) == ([("until", 1)], 0)


class TestFlags:
    def test_a_flagged_message_is_in_the_queue_with_its_word_after_the_reported_ones(
        self, moderator: Client, database: Any
    ) -> None:
        one, two = keep(database, message(1, content="a whale"), message(2))
        database[REPORTS].insert_many([flag(one, "whale", "sea"), report(two, by="9", minute=5)])

        html = page(moderator, REVIEW)

        reported, flagged = html.split("</article>")[:2]
        assert "1 report" in reported
        assert "flagged" not in reported.split("<article")[1]
        assert "<strong>whale</strong>, <strong>sea</strong>" in flagged
        assert "report" not in flagged.split("<h2")[1].split("</h2>")[0]

    def test_a_decision_ends_it(self, moderator: Client, database: Any) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(flag(wanted, "whale"))

        submit(moderator, message=wanted, judgement="dismiss")

        assert "Nothing waits to be judged." in page(moderator, REVIEW)
        assert database[REPORTS].find_one()["verdict"] == "dismissed"

    def test_the_history_can_be_narrowed_to_what_was_flagged(
        self, moderator: Client, database: Any
    ) -> None:
        one, two, three = keep(database, message(1), message(2), message(3))
        database[REPORTS].insert_many(
            [flag(one, "whale"), report(two, by="9"), flag(three, "sea", isOpen=False)]
        )

        assert texts(page(moderator, reported="flagged")) == ["line 3", "line 1"]
        assert texts(page(moderator, reported="open")) == ["line 2", "line 1"]

    def test_the_message_shows_who_said_what_about_it(
        self, moderator: Client, database: Any
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_many(
            [flag(wanted, "whale"), report(wanted, by="9", note="look", isOpen=False)]
        )

        html = page(moderator, f"{LIST}{wanted}/change/").split("Reports and flags")[1]

        assert "whale" in html
        assert "reader 9" in html
        assert "look" in html


class TestTheWatchList:
    def test_moderators_keep_it_and_none_is_shipped(self, moderator: Client, database: Any) -> None:
        assert WatchWord.objects.count() == 0

        submit(moderator, f"{WORDS}add/", word="Whale", note="spoils the end")
        assert "Whale" in page(moderator, WORDS)

        word = WatchWord.objects.get()
        submit(moderator, f"{WORDS}{word.pk}/change/", word="kraken", note="")
        assert [each.word for each in WatchWord.objects.all()] == ["kraken"]
        submit(moderator, f"{WORDS}{word.pk}/delete/", post="yes")
        assert WatchWord.objects.count() == 0

    @pytest.mark.parametrize("word", ["...", "WHÁLE", "  whale  "])
    def test_what_finds_nothing_or_the_same_is_refused(
        self, moderator: Client, database: Any, word: str
    ) -> None:
        WatchWord.objects.create(word="whale")

        html = submit(moderator, f"{WORDS}add/", word=word, note="")

        assert "errorlist" in html
        assert WatchWord.objects.count() == 1


class TestSanctions:
    def test_each_is_shown_with_its_state(self, moderator: Client, database: Any) -> None:
        future = datetime.now(UTC) + timedelta(days=1)
        database[SANCTIONS].insert_many(
            [
                sanction(username="Ada"),
                sanction(username="Ben", measure="timeout", bookId=MOBY_DICK, until=future),
                sanction(username="Cleo", until=START),
                sanction(username="Dan", isLifted=True, liftedAt=START),
            ]
        )

        html = page(moderator, SANCTION_LIST)

        for name in ("Ada", "Ben", "Cleo", "Dan"):
            assert name in html
        assert html.count("state-holds") == 2
        assert html.count("state-over") == 1
        assert html.count("state-lifted") == 1
        assert "Moby Dick" in html
        assert "Cleo" not in page(moderator, SANCTION_LIST, state="holds")
        assert "Cleo" in page(moderator, SANCTION_LIST, state="over")
        assert "Dan" in page(moderator, SANCTION_LIST, state="lifted")
        assert (
            "Ada" not in page(moderator, SANCTION_LIST, measure="timeout").split("result_list")[1]
        )
        assert "Ben" in page(moderator, SANCTION_LIST, q="ben")
        assert "Ben" in page(moderator, SANCTION_LIST, q="user:7")

    def test_one_is_lifted_and_the_others_stay(self, moderator: Client, database: Any) -> None:
        kept = database[SANCTIONS].insert_many(
            [sanction(), sanction(bookId=MOBY_DICK), sanction(until=START)]
        )
        chosen = [str(kept.inserted_ids[1]), str(kept.inserted_ids[2])]

        html = submit(moderator, SANCTION_LIST, action="lift", index="0", _selected_action=chosen)

        assert said(html) == ["1 lifted.", "1 did not hold any more."]
        held = [each["isLifted"] for each in database[SANCTIONS].find().sort("_id")]
        assert held == [False, True, False]
        (entry,) = database[ACTS].find()
        assert (entry["act"], entry["bookId"], entry["moderatorName"]) == ("unban", MOBY_DICK, "mo")

    def test_lifting_needs_its_permission(self, client: Client, database: Any) -> None:
        from django.contrib.auth.models import Permission

        user = User.objects.create_user("looker", password="x", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_imposedsanction"))
        client.force_login(user)
        chosen = str(database[SANCTIONS].insert_one(sanction()).inserted_id)

        assert "Lift the chosen" not in page(client, SANCTION_LIST)
        client.post(SANCTION_LIST, {"action": "lift", "_selected_action": [chosen]})

        assert database[SANCTIONS].find_one()["isLifted"] is False


class TestTheLog:
    def test_it_is_narrowed_by_moderator_action_reader_and_time(
        self, moderator: Client, database: Any
    ) -> None:
        database[ACTS].insert_many(
            [
                act(username="Ada"),
                act(username="Ben", act="ban", moderatorId="2", moderatorName="Bea", userId="8"),
                act(username="Cleo", at=datetime.now(UTC), reason="spoiler"),
            ]
        )

        def names(**asked: str) -> set[str]:
            rows = page(moderator, LOG, **asked).split('id="result_list"')
            return {name for name in ("Ada", "Ben", "Cleo") if name in rows[-1]}

        assert names() == {"Ada", "Ben", "Cleo"}
        assert names(moderator="2") == {"Ben"}
        assert names(act="ban") == {"Ben"}
        assert names(q="user:7") == {"Ada", "Cleo"}
        assert names(q="SPOILER") == {"Cleo"}
        assert names(since="24h") == {"Cleo"}

    @pytest.mark.parametrize("address", [LOG, SANCTION_LIST])
    def test_nobody_can_change_it(self, client: Client, database: Any, address: str) -> None:
        log_id = database[ACTS].insert_one(act()).inserted_id
        sanction_id = database[SANCTIONS].insert_one(sanction()).inserted_id
        wanted = f"{address}{log_id if address == LOG else sanction_id}/"
        client.force_login(User.objects.create_superuser("root", password="x"))

        refused = [
            client.get(f"{address}add/"),
            client.post(f"{wanted}change/", {"reason": "x"}),
            client.get(f"{wanted}delete/"),
            client.post(f"{wanted}delete/", {"post": "yes"}),
        ]

        assert [answer.status_code for answer in refused] == [403] * len(refused)
        assert "rude" in page(client, f"{wanted}change/")
        assert "delete_selected" not in page(client, address)

    @pytest.mark.parametrize(
        ("address", "asked"),
        [(LOG, {"reason": "x"}), (LOG, {"act": "x"}), (SANCTION_LIST, {"__raw__": "{}"})],
    )
    def test_no_other_lookup_reaches_the_store(
        self, moderator: Client, database: Any, address: str, asked: dict[str, str]
    ) -> None:
        answer = moderator.get(address, asked)

        assert answer.status_code in {302, 400}

    def test_staff_without_the_permission_see_nothing(self, client: Client, database: Any) -> None:
        client.force_login(User.objects.create_user("staff", password="x", is_staff=True))

        for address in (LOG, SANCTION_LIST, WORDS, "/admin/chat/book/"):
            assert client.get(address).status_code == 403

    @pytest.mark.parametrize("model", [ImposedSanction, ModeratorAct])
    def test_sql_is_never_asked(self, model: Any) -> None:
        with pytest.raises(NotInSql):
            model(id="0" * 24).save()
        with pytest.raises(NotInSql):
            model._base_manager.db_manager()._queryset_class(model).count()


class TestBooks:
    def test_the_catalogue_is_kept_in_the_admin(self, moderator: Client, database: Any) -> None:
        assert "Moby Dick" in page(moderator, "/admin/chat/book/", q="moby")

        form = {
            "title": "Moby Dick; or, The Whale",
            "author": "Herman Melville",
            "year": "1851",
            "language": "en",
            "original_language": "en",
            "maturity": "general",
            "id": "5",
        }
        submit(moderator, f"/admin/chat/book/{MOBY_DICK}/change/", **form)

        assert Book.objects.get(pk=MOBY_DICK).title == "Moby Dick; or, The Whale"
        assert not Book.objects.filter(pk=5).exists()
        assert moderator.get(f"/admin/chat/book/{MOBY_DICK}/delete/").status_code == 403
