"""Moderators' actions and the review queue in Django's admin, on real stores."""

# Fixtures are imported, and named again by the tests that use them.
# ruff: noqa: F401, F811

import re
from html import unescape
from typing import Any

import pytest
from bson import ObjectId
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from chat.admin.actions import MOST_AT_ONCE
from chat.entries import COLLECTION
from chat.moderation_documents import ACTS, REPORTS, SANCTIONS
from tests.integration.test_admin import (
    ALICE,
    LIST,
    MOBY_DICK,
    START,
    database,
    keep,
    message,
    moderator,
    page,
    profiled,
)

pytestmark = pytest.mark.django_db

REVIEW = f"{LIST}review/"


def act(client: Client, action: str, *chosen: str, **more: str) -> str:
    """Do something with messages; what the page that follows says."""
    form = {"action": action, "_selected_action": list(chosen), "index": "0", **more}
    answer = client.post(LIST, form, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def said(html: str) -> list[str]:
    """The notes at the top of a page."""
    return re.findall(r'<li class="(?:success|info|warning|error)">(.*?)</li>', html, re.DOTALL)


def states(database: Any) -> list[str]:
    found = database[COLLECTION].find({"kind": "message"}).sort("seq")
    return [each["state"] for each in found]


def acts(database: Any) -> list[tuple[str, str]]:
    return [(each["act"], each["moderatorName"]) for each in database[ACTS].find().sort("_id")]


def report(wanted: str, *, by: str, minute: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "messageId": ObjectId(wanted),
        "bookId": MOBY_DICK,
        "userId": by,
        "authenticated": True,
        "username": f"reader {by}",
        "reason": "spam",
        "note": None,
        "createdAt": START.replace(minute=minute),
        "isOpen": True,
    } | fields


class TestActions:
    def test_messages_are_hidden_and_restored_and_everything_is_logged(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        one, two, three = keep(database, message(1), message(2), message(3, state="hidden"))

        html = act(moderator, "hide", one, two, three)

        assert said(html) == ["2 hidden.", "1 left as it was."]
        assert states(database) == ["hidden", "hidden", "hidden"]
        assert acts(database) == [("hide", "mo"), ("hide", "mo")]
        kinds = [each["kind"] for each in database[COLLECTION].find({"bookId": MOBY_DICK})]
        assert kinds.count("deletion") == 2
        logged = LogEntry.objects.order_by("pk")
        assert {entry.object_id for entry in logged} == {one, two}
        assert {entry.get_change_message() for entry in logged} == {"Hidden."}

        act(moderator, "restore", one, reason="it was a quotation")

        assert states(database) == ["visible", "hidden", "hidden"]
        assert "Restored. it was a quotation" in page(moderator, f"{LIST}{one}/history/")
        record = page(moderator, f"{LIST}{one}/change/").split("On record about Ada")[1]
        shown = re.findall(r"<strong>(\w+)</strong> by mo", record.split("</section>")[0])
        assert shown == ["restore", "hide", "hide"]
        assert "it was a quotation" in record

    def test_purging_is_asked_about_and_then_leaves_no_text(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        (wanted,) = keep(database, message(1, content="a secret"))

        question = act(moderator, "purge", wanted)

        assert "Purge these messages?" in question
        assert f'value="{wanted}"' in question
        assert states(database) == ["visible"]
        assert database[ACTS].count_documents({}) == 0

        assert said(act(moderator, "purge", wanted, confirmed="yes", reason="personal")) == [
            "1 purged."
        ]
        assert states(database) == ["hidden"]
        assert "a secret" not in str(list(database[COLLECTION].find()))
        assert "(the text was purged)" in page(moderator, f"{LIST}{wanted}/change/")
        assert said(act(moderator, "restore", wanted)) == [
            "Not restored: the text of this message was purged."
        ]

    def test_a_timeout_is_for_the_room_of_the_message_and_as_long_as_was_said(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        chosen = keep(
            database,
            message(1),
            message(2),
            message(3, bookId=ALICE, seq=1),
            message(4, userId="8", username="Bob", authenticated=False),
        )
        assert 'name="duration"' in act(moderator, "time_out", *chosen)

        html = act(
            moderator, "time_out", *chosen, confirmed="yes", duration="7d", reason="slow down"
        )

        assert said(html) == ["3 timed out."]
        found = list(database[SANCTIONS].find())
        assert {(each["userId"], each["authenticated"], each["bookId"]) for each in found} == {
            ("7", True, ALICE),
            ("7", True, MOBY_DICK),
            ("8", False, MOBY_DICK),
        }
        assert {each["reason"] for each in found} == {"slow down"}
        assert {(each["until"] - each["createdAt"]).total_seconds() for each in found} == {
            7 * 24 * 3600
        }

    def test_a_ban_is_ended_again(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        chosen = keep(database, message(1), message(2))

        assert said(act(moderator, "ban", *chosen, confirmed="yes")) == ["1 banned."]
        (ban,) = database[SANCTIONS].find()
        assert (ban["bookId"], ban["until"], ban["isLifted"]) == (None, None, False)

        assert said(act(moderator, "unban", chosen[0])) == ["1 let in again."]
        assert said(act(moderator, "unban", chosen[0])) == ["1 left as it was."]
        assert database[SANCTIONS].find_one()["isLifted"] is True
        assert [name for name, _ in acts(database)] == ["ban", "unban", "unban"]

    def test_the_ai_is_not_kept_out(self, moderator: Client, database: Any) -> None:
        (wanted,) = keep(database, message(1, userId="ai", authenticated=False, isAi=True))

        html = act(moderator, "ban", wanted, confirmed="yes")

        assert said(html) == ["Not banned: the AI cannot be kept out."]
        assert database[SANCTIONS].count_documents({}) == database[ACTS].count_documents({}) == 0

    @pytest.mark.parametrize(
        "more", [{"duration": "forever"}, {"reason": "x" * 201}, {"reason": "\x07"}]
    )
    def test_a_form_that_makes_no_sense_changes_nothing(
        self,
        moderator: Client,
        database: Any,
        more: dict[str, str],
    ) -> None:
        (wanted,) = keep(database, message(1))

        html = act(moderator, "time_out", wanted, confirmed="yes", **more)

        assert len(said(html)) == 1
        assert database[SANCTIONS].count_documents({}) == database[ACTS].count_documents({}) == 0

    def test_so_many_at_once_and_no_more(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        ids = keep(database, *(message(seq) for seq in range(1, MOST_AT_ONCE + 2)))

        html = act(moderator, "hide", ids[0], select_across="1")

        assert said(html) == [f"Choose at most {MOST_AT_ONCE} messages. Nothing was changed."]
        assert set(states(database)) == {"visible"}

    def test_what_began_at_a_message_leads_back_to_it(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        (wanted,) = keep(database, message(1))
        before = page(moderator, f"{LIST}{wanted}/change/")
        assert 'value="hide"' in before
        assert 'value="restore"' not in before

        html = act(moderator, "hide", wanted, back_to_message="yes")

        assert "The conversation around it" in html
        assert 'value="restore"' in html

    def test_each_permission_allows_its_own_actions_only(
        self,
        client: Client,
        database: Any,
    ) -> None:
        (wanted,) = keep(database, message(1))
        watcher = User.objects.create_user("watcher", password="x", is_staff=True)
        watcher.user_permissions.add(Permission.objects.get(codename="view_chatmessage"))
        client.force_login(watcher)

        for action in ("hide", "purge", "time_out", "ban"):
            act(client, action, wanted, confirmed="yes")
        assert "Hide from readers" not in page(client)
        assert client.get(REVIEW).status_code == 403
        assert (states(database), acts(database)) == (["visible"], [])

        watcher.user_permissions.add(Permission.objects.get(codename="hide_message"))
        act(client, "ban", wanted, confirmed="yes")
        act(client, "hide", wanted)
        assert [name for name, _ in acts(database)] == ["hide"]


class TestReview:
    def test_the_most_reported_comes_first_with_all_that_a_judgement_needs(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        ids = keep(database, *(message(seq, userId=str(seq)) for seq in range(1, 21)))
        database[REPORTS].insert_many(
            [
                report(ids[2], by="90", minute=1),
                report(ids[9], by="91", minute=3, reason="rude", note="third time"),
                report(ids[9], by="92", minute=4),
                report(ids[4], by="93", minute=0),
                report(ids[6], by="94", isOpen=False),
            ]
        )
        database[SANCTIONS].insert_one(
            {
                "userId": "10",
                "authenticated": True,
                "username": "Ada",
                "measure": "timeout",
                "bookId": MOBY_DICK,
                "until": START,
                "reason": "earlier",
                "createdAt": START,
                "moderatorId": "1",
                "isLifted": False,
            }
        )

        html = page(moderator, REVIEW)

        assert re.findall(r'<h2 id="case-(\w+)">', html) == [ids[9], ids[4], ids[2]]
        assert "2 reports" in html
        first = html.split("</article>")[0]
        assert "third time" in first
        assert "rude" in first
        assert "earlier" in first
        for seq in range(5, 16):
            assert f">line {seq}<" in first
        assert ">line 16<" not in first
        assert "chat/review.js" in html

    def test_each_case_has_its_own_material(self, moderator: Client, database: Any) -> None:
        rooms = [
            message(
                number,
                bookId=room,
                userId=f"{room}",
                authenticated=room != ALICE,
                content=f"{room} line {number}",
            )
            for room in (MOBY_DICK, ALICE)
            for number in range(1, 31)
        ]
        # The account that has the id of the guest wrote as well.
        ids = keep(database, *rooms, message(99, bookId=7, userId=str(ALICE), content="not me"))
        database[REPORTS].insert_many(
            [
                report(ids[10], by="90", note="of the whale"),
                report(ids[40], by="91", minute=1, note="of the rabbit"),
                *(report(ids[10], by=str(100 + n), minute=n) for n in range(30)),
            ]
        )

        moby, alice, _ = page(moderator, REVIEW).split("</article>")

        assert "31 reports" in moby
        assert moby.count("<strong>spam</strong>") == 20
        assert "of the rabbit" not in moby
        assert "of the rabbit" in alice
        for case, room in ((moby, MOBY_DICK), (alice, ALICE)):
            around, lately = case.split("<details>")
            shown = re.findall(r'<div class="message-text">(\d+) line (\d+)<', around)
            assert shown == [(str(room), str(number)) for number in range(6, 17)]
            shown = re.findall(r'<div class="message-text">(\d+) line (\d+)<', lately)
            assert shown == [(str(room), str(number)) for number in range(30, 10, -1)]
        assert "not me" not in alice

    def test_ten_cases_are_as_many_questions_as_one_and_all_of_them_bounded(
        self, moderator: Client, database: Any, profiled: Any
    ) -> None:
        ids = keep(
            database,
            *(message(seq, userId=str(seq % 12), seq=seq) for seq in range(1, 2_001)),
        )

        def questions() -> int:
            profiled.database.command("profile", 0)
            asked = list(
                profiled.find(
                    {"op": {"$in": ["query", "command"]}, "command.$db": {"$exists": True}}
                )
            )
            for each in asked:
                assert "COLLSCAN" not in each.get("planSummary", ""), each
                assert each.get("docsExamined", 0) <= 1_000, each
                assert not each.get("usedDisk", False), each
            profiled.database.drop_collection("system.profile")
            profiled.database.command("profile", 2)
            return len(asked)

        database[REPORTS].insert_one(report(ids[1_000], by="90"))
        questions()
        page(moderator, REVIEW)
        one = questions()
        database[REPORTS].insert_many(
            report(wanted, by="91", minute=1) for wanted in ids[100:1_900:200]
        )
        questions()
        page(moderator, REVIEW)

        assert questions() == one == 7

    def test_the_list_can_be_narrowed_to_what_is_reported(
        self,
        moderator: Client,
        database: Any,
    ) -> None:
        ids = keep(database, message(1), message(2))
        database[REPORTS].insert_one(report(ids[0], by="90"))

        html = page(moderator, reported="open")

        assert "line 1" in html
        assert "line 2" not in html
        assert moderator.get(LIST, {"reported": "x"}).status_code == 302

    @pytest.mark.parametrize(
        ("judgement", "state", "done", "hours"),
        [
            ("keep", "visible", ["keep"], None),
            ("dismiss", "visible", ["dismiss"], None),
            ("hide", "hidden", ["hide"], None),
            ("hide_1h", "hidden", ["timeout", "hide"], 1),
            ("hide_1d", "hidden", ["timeout", "hide"], 24),
            ("hide_7d", "hidden", ["timeout", "hide"], 168),
            ("ban", "hidden", ["ban", "hide"], None),
        ],
    )
    def test_a_judgement_ends_the_case(
        self,
        moderator: Client,
        database: Any,
        judgement: str,
        state: str,
        done: list[str],
        hours: int | None,
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_many([report(wanted, by="90"), report(wanted, by="91")])

        form = {"message": wanted, "judgement": judgement, "reason": "seen"}
        answer = moderator.post(REVIEW, form, follow=True)

        html = answer.content.decode()
        assert "Nothing waits to be judged." in html
        assert [name for name, _ in acts(database)] == done
        assert states(database) == [state]
        assert database[REPORTS].count_documents({"isOpen": True}) == 0
        found = list(database[SANCTIONS].find())
        lasting = [(each["until"] - each["createdAt"]).total_seconds() for each in found if hours]
        assert lasting == ([hours * 3600] if hours else [])
        (entry,) = LogEntry.objects.all()
        assert entry.get_change_message().endswith(": seen")

    @pytest.mark.parametrize(
        "form",
        [
            {"message": "0" * 24, "judgement": "hide"},
            {"message": "x", "judgement": "hide"},
            {"judgement": "hide"},
            {"message": "known", "judgement": "burn"},
            {"message": "known", "judgement": "hide", "reason": "x" * 201},
        ],
    )
    def test_what_makes_no_sense_judges_nothing(
        self,
        moderator: Client,
        database: Any,
        form: dict[str, str],
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="90"))
        named = {k: v.replace("known", wanted) for k, v in form.items()}

        assert moderator.post(REVIEW, named, follow=True).status_code == 200

        assert acts(database) == []
        assert database[REPORTS].count_documents({"isOpen": True}) == 1

    def test_a_sanction_needs_its_permission(
        self,
        client: Client,
        database: Any,
    ) -> None:
        (wanted,) = keep(database, message(1))
        database[REPORTS].insert_one(report(wanted, by="90"))
        user = User.objects.create_user("judge", password="x", is_staff=True)
        codenames = ["view_chatmessage", "hide_message"]
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)

        assert 'value="ban"' not in page(client, REVIEW)
        answer = client.post(REVIEW, {"message": wanted, "judgement": "ban"})

        assert answer.status_code == 403
        assert states(database) == ["visible"]
