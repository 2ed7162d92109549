"""What a reader is told before talking with a book: on its page."""

import html
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import AsyncClient

from speech.companion import shelf
from speech.companion.shelf import Holding
from speech.gateway.knowledge import COMPANION, MODEL, Prospect
from speech.gateway.prospects import Prospects

WITH_TEXT, UNREADY, WITHOUT = 2701, 11, 84

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, tmp_path: Path) -> None:
    """An engine of this site's own, with the text of one book, and another one to be indexed."""
    settings.LIVE_TALK = SimpleNamespace(name="local")
    settings.REALTIME_ENGINE_IS_PRIVATE = settings.TALK_IS_OFFERED = True
    settings.LLM_BASE_URL, settings.DATA_DIR = None, tmp_path
    folder = tmp_path / shelf.FOLDER
    folder.mkdir()
    for path in (
        shelf.text_path(folder, WITH_TEXT),
        shelf.index_path(folder, WITH_TEXT),
        shelf.text_path(folder, UNREADY),
    ):
        path.touch()


@pytest.mark.parametrize("book_id", [WITH_TEXT, UNREADY, WITHOUT])
@pytest.mark.parametrize("model_url", [None, "http://127.0.0.1:9/v1"])
async def test_the_page_says_what_will_answer_and_what_will_not(
    async_client: AsyncClient, settings: Any, book_id: int, model_url: str | None
) -> None:
    settings.LLM_BASE_URL = model_url
    expected = await Prospects().of(book_id)

    page = html.unescape((await async_client.get(f"/books/{book_id}/voice/")).content.decode())

    assert expected.offer in page
    assert ("voice-limit" in page) == bool(expected.limit)
    assert expected.limit in page


async def test_each_state_of_a_book_is_told_apart(settings: Any) -> None:
    async def all_three() -> list[Prospect]:
        return [await Prospects().of(book_id) for book_id in (WITH_TEXT, UNREADY, WITHOUT)]

    companion = await all_three()
    settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"
    model = await all_three()

    states = (Holding.INDEX, Holding.TEXT, Holding.NOTHING)
    assert companion == [COMPANION[state] for state in states]
    assert model == [MODEL[state] for state in states]
    assert len(set(companion + model)) == 6
    assert [bool(each.mark) for each in companion] == [False, True, True]
    assert [bool(each.limit) for each in companion] == [False, True, True]
    assert [await Prospects().mark(book_id) for book_id in (WITH_TEXT, WITHOUT)] == [
        "",
        "without its text",
    ]


@pytest.mark.parametrize("name", ["azure", "openai"])
async def test_a_provider_has_the_text_of_no_book(settings: Any, name: str) -> None:
    settings.LIVE_TALK = SimpleNamespace(name=name)

    for book_id in (WITH_TEXT, WITHOUT):
        prospect = await Prospects().of(book_id)
        assert "does not have the text" in prospect.limit
        assert prospect.mark == ""


async def test_nothing_is_claimed_of_books_on_another_machine(settings: Any) -> None:
    settings.REALTIME_ENGINE_IS_PRIVATE = False

    prospect = await Prospects().of(WITHOUT)

    assert (prospect.limit, prospect.mark) == ("", "")
    assert prospect.offer.count("If its text is at hand") == 1
