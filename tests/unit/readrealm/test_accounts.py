"""Signing up, in and out."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from readrealm import settings as in_earnest

pytestmark = pytest.mark.django_db

PASSWORD = "call me ishmael"
NEW = {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(autouse=True)
def no_store(settings: Any) -> None:
    """No store in which attempts are counted."""
    settings.REDIS_URL = "redis://127.0.0.1:1"


@pytest.fixture
def ada() -> User:
    user: User = User.objects.create_user("ada", password=PASSWORD)  # type: ignore[no-untyped-call]
    return user


def test_passwords_are_kept_under_a_hash_that_takes_memory() -> None:
    """Not in these tests, whose hashes take no time."""
    assert in_earnest.PASSWORD_HASHERS[0].endswith("ScryptPasswordHasher")


def test_signing_up_makes_an_account_and_logs_in(client: Client) -> None:
    answer = client.post("/accounts/signup/", {**NEW, "next": "/books/2701/"})

    assert answer.status_code == 302
    assert answer["Location"] == "/books/2701/"
    assert client.session["_auth_user_id"] == str(User.objects.get(username="ada").pk)


def test_without_a_place_to_go_to_signing_up_leads_to_the_catalogue(client: Client) -> None:
    assert client.post("/accounts/signup/", NEW)["Location"] == "/"


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/login/"])
def test_nobody_is_led_to_another_site(client: Client, path: str, place: str) -> None:
    if path.endswith("login/"):
        User.objects.create_user("ada", password=PASSWORD)  # type: ignore[no-untyped-call]
    form = {**NEW, "password": PASSWORD, "next": place}

    assert client.post(path, form)["Location"] == "/"


@pytest.mark.parametrize(
    "change",
    [
        {"username": "ADA"},
        {"username": "x" * 65},
        {"username": "two words"},
        {"username": ""},
        {"password2": "something else"},
        {"password1": "12345678", "password2": "12345678"},
        {"password1": "short", "password2": "short"},
    ],
)
def test_a_name_that_is_taken_or_a_weak_password_makes_no_account(
    client: Client, ada: User, change: dict[str, str]
) -> None:
    answer = client.post("/accounts/signup/", {**NEW, "username": "ben", **change})

    assert answer.status_code == 200
    assert b"form-error" in answer.content
    assert User.objects.count() == 1


def test_logging_in_leads_back_to_where_the_reader_was(client: Client, ada: User) -> None:
    form = {"username": "ada", "password": PASSWORD, "next": "/books/11/"}

    assert client.post("/accounts/login/", form)["Location"] == "/books/11/"


def test_a_wrong_password_is_refused_in_the_page(client: Client, ada: User) -> None:
    answer = client.post("/accounts/login/", {"username": "ada", "password": "wrong"})

    assert answer.status_code == 200
    assert b"form-error" in answer.content
    assert "_auth_user_id" not in client.session


def test_logging_out_takes_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)

    assert client.get("/accounts/logout/").status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_who_is_logged_in_needs_no_form(client: Client, ada: User, path: str) -> None:
    client.force_login(ada)

    assert client.get(path + "?next=/books/11/")["Location"] == "/books/11/"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_forms_are_safe_against_posts_of_other_pages(path: str) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(path, NEW)

    assert answer.status_code == 403
    assert b"This form has grown old" in answer.content


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_every_field_has_a_label(client: Client, path: str) -> None:
    page = client.get(path).content.decode()

    for name in ("username", "password" if "login" in path else "password1"):
        assert f'<label for="id_{name}">' in page


WRONG = [
    ("/accounts/login/", {"username": "ada", "password": "wrong words"}, "do not belong together"),
    ("/accounts/signup/", {"username": "ada"}, "Somebody has this name already"),
    ("/accounts/signup/", {"username": "two words"}, "and no spaces"),
    (
        "/accounts/signup/",
        {"username": "queequeg", "password1": "queequeg1", "password2": "queequeg1"},
        "too similar to your name",
    ),
]


def seen(answer: Any) -> str:
    """What a reader of a page reads or hears: its words, without what stands in tags."""
    main = re.search("<main.*?</main>", answer.content.decode(), re.DOTALL)
    assert main
    return html.unescape(re.sub("<[^>]*>", " ", main[0]))


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_who_a_reader_is_has_one_label_and_a_hint(client: Client, path: str) -> None:
    page = client.get(path).content.decode()

    assert re.search(r'<label for="id_username">\s*Name\s*</label>', page)
    field = re.search(r'<input[^>]*name="username"[^>]*>', page)
    assert field
    assert 'autocomplete="username"' in field[0]
    assert 'autocapitalize="none"' in field[0]
    assert 'aria-describedby="id_username_helptext"' in field[0]
    hint = re.search(r'id="id_username_helptext">([^<]*)', page)
    assert hint
    assert "other readers see" in hint[1].lower()
    assert "username" not in seen(client.get(path)).lower()


@pytest.mark.parametrize(("path", "wrong", "words"), WRONG)
def test_what_is_wrong_with_it_is_said_in_the_word_of_the_label(
    client: Client, ada: User, path: str, wrong: dict[str, str], words: str
) -> None:
    shown = seen(client.post(path, {**NEW, **wrong}))

    assert words in shown
    assert "username" not in shown.lower()


def test_the_admin_keeps_the_word_of_its_other_pages(client: Client) -> None:
    assert "Username" in client.get("/admin/login/").content.decode()
