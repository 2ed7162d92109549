"""Attempts to log in and to sign up are counted over all workers, and nobody is locked out."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from django.contrib.auth.models import User
from django.test import Client

from readrealm.accounts import throttling
from readrealm.accounts.throttling import address_of, waiting_words
from tests.conftest import StartServer
from tests.support.stores import SessionStores

PASSWORD = "call me ishmael"
LOGIN, SIGN_UP = "/accounts/login/", "/accounts/signup/"


@pytest.fixture
def ada(db: None, clean_stores: SessionStores) -> User:
    user: User = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    return user


def try_in(client: Client, name: str = "ada", password: str = "wrong", **more: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, **more)


class TestLoggingIn:
    def test_after_five_attempts_one_waits_and_is_told_how_long(self, ada: User) -> None:
        client = Client()
        for _ in range(5):
            assert try_in(client).status_code == 200

        answer = try_in(client, password=PASSWORD)

        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        words = re.search(r"Too many attempts\. Please wait \d+ seconds?", answer.content.decode())
        assert words is not None
        assert "_auth_user_id" not in client.session

    def test_another_address_and_another_name_are_not_held_up(self, ada: User) -> None:
        User.objects.create_user("ben", password=PASSWORD)
        for _ in range(6):
            try_in(Client())

        assert try_in(Client(), "ben", PASSWORD).status_code == 302
        assert try_in(Client(REMOTE_ADDR="192.0.2.7"), password=PASSWORD).status_code == 302

    def test_a_name_is_one_name_in_whatever_case(self, ada: User) -> None:
        for name in ("ada", "ADA", " Ada", "aDa ", "ada"):
            try_in(Client(), name)

        assert try_in(Client(), "ada", PASSWORD).status_code == 429

    def test_a_browser_in_which_the_owner_was_before_is_not_held_up_by_others(
        self, ada: User
    ) -> None:
        own = Client()
        assert try_in(own, password=PASSWORD).status_code == 302
        own.post("/accounts/logout/")
        for number in range(60):
            try_in(Client(REMOTE_ADDR=f"192.0.2.{number}"))
        assert try_in(Client(REMOTE_ADDR="192.0.2.200"), password=PASSWORD).status_code == 429

        assert try_in(own, password=PASSWORD).status_code == 302

    def test_a_known_browser_cannot_try_for_ever_or_for_another_name(self, ada: User) -> None:
        User.objects.create_user("ben", password=PASSWORD)
        own = Client()
        try_in(own, password=PASSWORD)
        own.post("/accounts/logout/")

        tries = [try_in(own).status_code for _ in range(11)]
        others = [try_in(own, "ben").status_code for _ in range(6)]

        assert tries[-1] == others[-1] == 429
        assert tries[:9] == [200] * 9

    def test_the_door_of_the_admin_is_counted_with_the_others(self, ada: User) -> None:
        for _ in range(5):
            try_in(Client())

        answer = Client().post("/admin/login/", {"username": "ada", "password": PASSWORD})

        assert answer.status_code == 200
        assert b"Too many attempts" in answer.content

    def test_while_valkey_is_away_everybody_may_try(
        self, ada: User, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1"

        assert [try_in(Client()).status_code for _ in range(6)] == [200] * 6
        assert try_in(Client(), password=PASSWORD).status_code == 302

    def test_what_is_typed_is_not_readable_in_the_store(
        self, ada: User, clean_stores: SessionStores
    ) -> None:
        try_in(Client(), "my secret password")

        keys = [key.decode() for key in clean_stores.redis.keys("*")]
        assert len(keys) == 3
        assert not any("secret" in key or "127.0.0.1" in key for key in keys)


class TestSigningUp:
    def test_so_many_accounts_an_hour_and_only_those_that_were_made_count(
        self, db: None, clean_stores: SessionStores
    ) -> None:
        def sign_up(name: str, password: str = PASSWORD) -> Any:
            form = {"username": name, "password1": password, "password2": password}
            return Client().post(SIGN_UP, form)

        for _ in range(30):
            assert sign_up("ada", "short").status_code == 200
        limit = throttling.SIGN_UP.rate
        assert limit is not None
        made = [sign_up(f"reader-{number}").status_code for number in range(limit.count)]

        answer = sign_up("one-more")

        assert made == [302] * limit.count
        assert answer.status_code == 429
        assert b"Too many attempts" in answer.content
        assert not User.objects.filter(username="one-more").exists()


@pytest.mark.parametrize(
    ("wait_ms", "words"),
    [(1, "1 second "), (1_000, "1 second "), (61_000, "61 seconds "), (91_000, "2 minutes ")],
)
def test_the_waiting_time_is_said_in_whole_units(wait_ms: int, words: str) -> None:
    assert f"wait {words}and" in waiting_words(wait_ms)


@pytest.mark.parametrize(
    ("meta", "trusts", "address"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, False, "192.0.2.1"),
        ({"REMOTE_ADDR": "::ffff:192.0.2.1"}, False, "192.0.2.1"),
        ({"REMOTE_ADDR": "2001:db8:1:2:3::4"}, False, "2001:db8:1:2::/64"),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, False, "10.0.0.1"),
        ({"HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.9"}, True, "192.0.2.9"),
        ({"REMOTE_ADDR": ""}, False, ""),
    ],
)  # fmt: skip
def test_an_address_is_what_one_household_has(
    rf: Any, settings: Any, meta: dict[str, str], trusts: bool, address: str
) -> None:
    settings.TRUST_PROXY_HEADERS = trusts

    assert address_of(rf.get("/", **meta)) == address


def test_workers_count_together(server: StartServer) -> None:
    running = server(workers=2)

    def attempt(_: int) -> int:
        opener = build_opener(HTTPCookieProcessor(CookieJar()))
        with opener.open(running.url + LOGIN, timeout=20) as page:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": "ada", "password": "wrong"}
        request = Request(
            running.url + LOGIN, urlencode(form).encode(), {"Referer": running.url + LOGIN}
        )
        try:
            with opener.open(request, timeout=20) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    # Workers take turns accepting: both see some of the attempts.
    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(attempt, range(12)))

    assert statuses == [200] * 5 + [429] * 7
