"""Readers with an account, and the catalogue that shows where they are."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.conftest import StartServer


def test_a_reader_signs_up_from_a_room_and_is_in_it_under_that_name(
    open_reader: Open, book_id: int
) -> None:
    ada = open_reader().open(book_id)
    ada.sign_up(f"ada-{book_id}")

    expect(ada.page).to_have_url(re.compile(f"/books/{book_id}/$"))
    ada.wait_until_live()
    ada.say("with a name of my own")
    ada.expect_texts("with a name of my own")
    ada.page.reload()

    expect(ada.message("with a name of my own")).to_have_class(re.compile("is-own"))
    expect(ada.message("with a name of my own").locator("[data-name]")).to_have_text(
        f"ada-{book_id}"
    )
    expect(ada.page.locator(".reader-note", has_text="guest")).to_have_count(0)


def test_a_reader_logs_out_and_in_again(open_reader: Open, book_id: int) -> None:
    ada = open_reader().open(book_id)
    ada.sign_up(f"ben-{book_id}").wait_until_live()

    ada.page.get_by_role("button", name="Log out").click()
    expect(ada.page).to_have_url(re.compile("/$"))
    ada.open(book_id)
    ada.page.get_by_role("link", name="Log in").first.click()
    ada.page.get_by_label("Name", exact=True).fill(f"ben-{book_id}")
    ada.page.get_by_label("Password").fill("wrong words")
    ada.page.get_by_role("button", name="Log in").click()
    expect(ada.page.get_by_role("alert")).to_be_visible()
    ada.page.get_by_label("Password").fill("call me ishmael")
    ada.page.get_by_role("button", name="Log in").click()

    expect(ada.page).to_have_url(re.compile(f"/books/{book_id}/$"))
    ada.wait_until_live()


def test_a_guest_can_take_another_name(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")

    ada.page.get_by_role("button", name="another name").click()
    ada.join(book_id, "Adeline")
    ada.say("hello")

    expect(ada.message("hello").locator("[data-name]")).to_have_text("Adeline")


def test_a_guest_is_known_again_on_the_next_visit(open_reader: Open, book_id: int) -> None:
    ada = open_reader().join(book_id, "Ada")
    ada.say("mine")
    ada.expect_texts("mine")

    ada.page.goto("/")
    ada.open(book_id).wait_until_live()

    expect(ada.message("mine")).to_have_class(re.compile("is-own"))


def test_the_catalogue_tells_where_readers_are(open_reader: Open) -> None:
    ada, ben = open_reader().join(1661, "Ada"), open_reader()

    ben.page.goto("/")

    here = ben.page.get_by_role("region", name="Readers are here now")
    expect(here.get_by_role("link", name="The Adventures of Sherlock Holmes")).to_contain_text(
        "1 reader here"
    )
    ada.page.close()


def test_where_an_account_is_needed_a_guest_reads_and_is_told_how_to_write(
    server: StartServer, open_reader: Open, book_id: int
) -> None:
    strict = server(SOCKET_AUTH="required")
    ada = open_reader()

    ada.page.goto(f"{strict.url}/books/{book_id}/")

    expect(ada.page.locator("[data-sign-in]")).to_be_visible()
    expect(ada.composer).to_be_hidden()
    ada.page.locator("[data-sign-in]").get_by_role("link", name="log in").click()
    expect(ada.page.get_by_role("heading", name="Log in")).to_be_visible()


def test_in_earnest_every_script_and_sheet_is_served_under_its_hash(
    server: StartServer, open_reader: Open, book_id: int
) -> None:
    earnest = server(DEBUG="false", HTTPS="false", SECRET_KEY="s" * 64, SOCKET_AUTH="optional")
    ada = open_reader()
    fetched: list[str] = []
    ada.page.on("request", lambda request: fetched.append(request.url))

    ada.page.goto(f"{earnest.url}/books/{book_id}/")
    ada.page.get_by_label("Your name in this room").fill("Ada")
    ada.page.get_by_role("button", name="Join as a guest").click()
    ada.wait_until_live()
    ada.say("in earnest")
    ada.expect_texts("in earnest")

    static = [url.partition("#")[0] for url in fetched if "/static/" in url]
    assert len(static) > 20
    assert [url for url in static if not re.search(r"\.[0-9a-f]{12}\.", url)] == []
