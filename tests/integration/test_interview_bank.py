"""The question bank in the store: loaded, edited, imported, exported, and what the admin allows."""

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from readrealm.kernel.errors import InvalidInput, PayloadTooLarge
from speech.interviews.catalogue import digest, load_shipped, question_of, read_bank
from speech.interviews.imports import COLUMNS, carry_out, export_bank, plan, read_file
from speech.interviews.owners import Owner
from speech.interviews.questions import load_bank
from speech.interviews.results import keep
from speech.models import InterviewQuestion, InterviewResult, InterviewTopic
from tests.unit.speech.interviews.rehearsal import Rehearsal

pytestmark = pytest.mark.django_db


ROW = {
    "id": "whales-1",
    "topic": "WHALES",
    "subtopic": "blubber",
    "difficulty": "easy",
    "concepts": "blubber=fat; oil",
    "question": "What is blubber, and what did whalers make of it in the days of sail?",
    "expected_answer": "Blubber is the fat of a whale. Whalers boiled it down to oil for lamps.",
    "key_terms": "fat=blubber; oil; lamp=lamps",
}


def as_csv(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def imported(content: bytes, name: str = "questions.csv") -> int:
    return carry_out(plan(read_file(name, content)))


# ------------------------------------------------------------------------ loading


def test_the_store_gives_the_bank_that_ships() -> None:
    added, renewed = load_shipped()
    shipped, stored = load_bank(), read_bank()

    assert (added, renewed) == (len(list(shipped.questions)), 0)
    assert {question.id: question.text for question in stored.questions} == {
        question.id: question.text for question in shipped.questions
    }
    assert stored.topics == shipped.topics


def test_loading_again_changes_nothing() -> None:
    load_shipped()

    assert load_shipped() == (0, 0)


def test_loading_never_overwrites_an_edit() -> None:
    load_shipped()
    question = InterviewQuestion.objects.get(identifier="dbms-keys-1")
    question.text = "What is a primary key, and why does a table of customers need one?"
    question.save()
    # As if a later release shipped another text.
    InterviewQuestion.objects.filter(pk=question.pk).update(shipped_digest="of an earlier release")

    assert load_shipped() == (0, 0)
    question.refresh_from_db()
    assert question.text.startswith("What is a primary key, and why does a table of customers")


def test_what_nobody_edited_is_renewed() -> None:
    load_shipped()
    question = InterviewQuestion.objects.get(identifier="dbms-keys-1")
    shipped_text = question.text
    question.text = "What did an earlier release ask about the keys of a table here?"
    question.save()
    question.shipped_digest = digest(question_of(question))
    question.save()

    assert load_shipped() == (0, 1)
    question.refresh_from_db()
    assert question.text == shipped_text


def test_only_what_is_in_use_is_asked() -> None:
    load_shipped()
    InterviewTopic.objects.filter(name="OS").update(is_active=False)
    InterviewQuestion.objects.filter(identifier="dbms-keys-1").update(is_active=False)

    bank = read_bank()

    assert "OS" not in bank.topics
    assert "dbms-keys-1" not in {question.id for question in bank.questions}


def test_an_empty_store_leaves_the_bank_that_ships() -> None:
    assert read_bank().topics == load_bank().topics


# ------------------------------------------------------------------------ files


def test_a_csv_file_becomes_questions() -> None:
    other = {**ROW, "id": "whales-2", "question": ROW["question"].replace("What is", "Tell me of")}

    assert imported(as_csv(ROW, {**other, "concepts": "oil"})) == 2

    bank = read_bank()
    first, second = bank.topic("WHALES").questions
    assert [term.wordings for term in first.key_terms] == [
        ("fat", "blubber"),
        ("oil",),
        ("lamp", "lamps"),
    ]
    assert [concept.name for concept in second.concepts] == ["oil"]


def test_an_export_can_be_imported_and_says_the_same() -> None:
    load_shipped()
    content = json.dumps(export_bank()).encode()

    found = plan(read_file("questions.json", content))

    assert found.errors == ()
    assert {step.effect for step in found.steps} == {"unchanged"}
    assert carry_out(found) == 0


def test_a_changed_question_keeps_its_place_in_the_store() -> None:
    imported(as_csv(ROW))
    before = InterviewQuestion.objects.get(identifier="whales-1").pk

    found = plan(read_file("x.csv", as_csv({**ROW, "difficulty": "hard"})))
    carry_out(found)

    assert [step.effect for step in found.steps] == ["changed"]
    row = InterviewQuestion.objects.get(identifier="whales-1")
    assert (row.pk, row.difficulty) == (before, "hard")


def test_a_file_with_an_error_changes_nothing() -> None:
    found = plan(read_file("x.csv", as_csv(ROW, {**ROW, "id": "bad", "difficulty": "brutal"})))

    assert [step.question.id for step in found.steps] == ["whales-1"]
    (error,) = found.errors
    assert error.startswith("question 2 (bad): ")
    with pytest.raises(InvalidInput):
        carry_out(found)
    assert not InterviewQuestion.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": "Too short?"}, "length >= 40"),
        ({"question": "x" * 301}, "length <= 300"),
        ({"expected_answer": ""}, "length >= 1"),
        ({"key_terms": "one; two"}, "length >= 3"),
        ({"concepts": ""}, "length >= 2"),
        ({"id": "a.b"}, "regex"),
    ],
)
def test_a_question_that_cannot_be_asked_is_named(change: dict[str, str], message: str) -> None:
    (error,) = plan(read_file("x.csv", as_csv({**ROW, **change}))).errors

    assert message in error


def test_the_same_question_twice_is_an_error() -> None:
    twice = plan(read_file("x.csv", as_csv(ROW, ROW)))
    namesake = plan(read_file("x.csv", as_csv(ROW, {**ROW, "id": "whales-9"})))

    assert twice.errors == ("whales-1: the id is there twice",)
    assert namesake.errors == ("whales-9: asks the same as whales-1",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.json", b"{"),
        ("x.json", b"[" * 5_000),
        ("x.json", b"7"),
        ("x.json", b'{"topics": 7}'),
        ("x.json", b'{"topics": [7]}'),
        ("x.json", b'{"topics": []}'),
        ("x.json", b'{"topics": [{"subtopics": [{"questions": 7}]}]}'),
        ("x.csv", b"id,topic\n1,2\n"),
        ("x.csv", b""),
        ("x.csv", b"\xff\xfe\x00"),
    ],
)
def test_what_is_no_file_of_questions_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_file(name, content)


def test_a_question_that_is_no_object_is_an_error() -> None:
    content = b'{"name": "A", "title": "A", "subtopics": [{"name": "b", "questions": [7]}]}'

    found = plan(read_file("x.json", content))

    assert (found.steps, len(found.errors)) == ((), 1)


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(PayloadTooLarge):
        read_file("x.csv", b"x" * 1_000_001)


# ------------------------------------------------------------------------ admin


@pytest.fixture
def admin_client(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def staff_client(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def upload(client: Client, content: bytes, name: str = "x.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("admin:speech_interviewquestion_import"), {"file": file})


def test_an_import_is_shown_before_it_happens(admin_client: Client) -> None:
    shown = upload(admin_client, as_csv(ROW))

    assert b"whales-1" in shown.content
    assert not InterviewQuestion.objects.exists()

    address = reverse("admin:speech_interviewquestion_import")
    admin_client.post(address, {"confirmed": shown.context["signed"]})

    assert InterviewQuestion.objects.get().identifier == "whales-1"


def test_a_preview_that_was_tampered_with_is_not_imported(admin_client: Client) -> None:
    signed = upload(admin_client, as_csv(ROW)).context["signed"]

    address = reverse("admin:speech_interviewquestion_import")
    answer = admin_client.post(address, {"confirmed": signed[:-3] + "abc"})

    assert answer.status_code == 302
    assert not InterviewQuestion.objects.exists()


def test_errors_are_shown_and_cannot_be_confirmed(admin_client: Client) -> None:
    shown = upload(admin_client, as_csv({**ROW, "question": "<script>?"}))

    assert b"question 1 (whales-1)" in shown.content
    assert b'name="confirmed"' not in shown.content
    assert b"<script>?" not in shown.content


def test_who_may_only_look_imports_nothing(client: Client) -> None:
    staff = staff_client(client, "view_interviewquestion")

    assert staff.get(reverse("admin:speech_interviewquestion_changelist")).status_code == 200
    assert upload(staff, as_csv(ROW)).status_code == 403
    assert staff.get(reverse("admin:speech_interviewquestion_export")).status_code == 200


def test_the_export_is_for_those_who_may_look(client: Client) -> None:
    staff = staff_client(client)

    assert staff.get(reverse("admin:speech_interviewquestion_export")).status_code == 403


def test_a_question_can_be_edited_with_its_synonyms(admin_client: Client) -> None:
    imported(as_csv(ROW))
    question = InterviewQuestion.objects.get()
    address = reverse("admin:speech_interviewquestion_change", args=[question.pk])
    terms = list(question.terms.all())
    form: dict[str, Any] = {
        "identifier": "whales-1",
        "subtopic": question.subtopic_id,
        "concepts": [concept.pk for concept in question.concepts.all()],
        "difficulty": "medium",
        "text": question.text,
        "expected_answer": question.expected_answer,
        "is_active": "on",
        "terms-TOTAL_FORMS": 3,
        "terms-INITIAL_FORMS": 3,
    }
    for number, term in enumerate(terms):
        form |= {
            f"terms-{number}-id": term.pk,
            f"terms-{number}-question": question.pk,
            f"terms-{number}-name": term.name,
            f"terms-{number}-synonyms": "train oil, whale oil" if term.name == "oil" else "",
            f"terms-{number}-position": number,
        }

    assert admin_client.get(address).status_code == 200
    answer = admin_client.post(address, form)

    assert answer.status_code == 302, answer.context["errors"]
    assert question.terms.get(name="oil").synonyms == ["train oil", "whale oil"]
    form["concepts"] = []
    assert admin_client.post(address, form).status_code == 200


def test_a_shipped_question_is_retired_rather_than_deleted(admin_client: Client) -> None:
    load_shipped()
    question = InterviewQuestion.objects.get(identifier="os-memory-1")
    chosen = {"_selected_action": [question.pk]}
    address = reverse("admin:speech_interviewquestion_changelist")

    gone = admin_client.post(
        reverse("admin:speech_interviewquestion_delete", args=[question.pk]), {"post": "yes"}
    )
    admin_client.post(address, {"action": "delete_selected", "post": "yes", **chosen})
    admin_client.post(address, {"action": "retire", **chosen})

    assert gone.status_code == 403
    question.refresh_from_db()
    assert not question.is_active


def test_results_are_read_only_and_need_a_permission(client: Client) -> None:
    result = kept_result()
    address = reverse("admin:speech_interviewresult_change", args=[result.pk])
    listed = reverse("admin:speech_interviewresult_changelist")
    staff = staff_client(client, "view_interviewresult")

    page = staff.get(address)

    assert staff.get(listed).status_code == 200
    assert b"&lt;b&gt;an answer&lt;/b&gt;" in page.content
    assert staff.post(address, {"reason": "completed"}).status_code == 403
    assert staff.get(reverse("admin:speech_interviewresult_add")).status_code == 403
    User.objects.get(username="staff").user_permissions.clear()
    assert staff.get(address).status_code == 403


def kept_result() -> InterviewResult:
    rehearsal = Rehearsal().answer("<b>an answer</b> of more than five words, and a bit").stop()
    (stored,) = rehearsal.stored
    keep(Owner(7, is_account=False), stored.result, stored.knowledge)
    return InterviewResult.objects.get()
