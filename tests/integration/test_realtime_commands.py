"""``manage.py realtime_engine`` and ``manage.py import_book``, as an operator runs them."""

import asyncio
import io
import os
import signal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chat.models import Book
from readrealm.kernel.errors import StoreUnavailable
from speech.realtime import providers
from speech.realtime.client import RealtimeClient
from speech.realtime.events import ResponseDone
from speech.realtime.protocol import SessionSpec
from tests.support.processes import PYTHON

pytestmark = pytest.mark.timeout(180)

ROOT = Path(__file__).parents[2]

STORY = "CHAPTER I. The Lamp\n\n" + "The lamp was lit by the keeper of the tower. " * 30


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def story(tmp_path):
    source = tmp_path / "story.txt"
    source.write_text("Title: The Tower\n\nAuthor: Ann Keeper\n\n" + STORY)
    return source


@pytest.mark.django_db
def test_a_book_is_imported_with_a_progress_bar(data_dir, story):
    out, err = run("import_book", "7", str(story))
    assert "The Tower: 1 chapters, 2 passages" in out
    assert "2/2 passages" in err
    assert (data_dir / "books" / "7.npz").is_file()
    assert (data_dir / "books" / "7.txt").read_text() == story.read_text()


@pytest.mark.django_db
def test_an_imported_book_is_listed_under_the_title_of_its_text(data_dir, story):
    out, _ = run("import_book", "7", str(story))
    again, _ = run("import_book", "7", str(story))

    assert str(Book.objects.get(pk=7)) == "The Tower by Ann Keeper"
    assert "It is listed in the catalogue as number 7" in out
    assert "listed" not in again


@pytest.mark.django_db
def test_a_text_without_a_title_lists_no_book(data_dir, story):
    story.write_text(STORY)
    _, err = run("import_book", "7", str(story))

    assert "The text tells no title" in err
    assert not Book.objects.filter(pk=7).exists()


class CatalogueAway:
    def enter(self, book_id, *, title, author):
        raise StoreUnavailable


def test_without_the_catalogue_the_text_is_kept_and_the_operator_told(data_dir, story, settings):
    settings.BOOKS = f"{__name__}.CatalogueAway"

    with pytest.raises(CommandError, match="its title is not"):
        run("import_book", "7", str(story))

    assert (data_dir / "books" / "7.npz").is_file()


@pytest.mark.parametrize(
    "arguments", [("7", "nowhere.txt"), ("0", "story.txt"), ("7", "empty.txt")]
)
def test_what_cannot_be_imported_is_a_clear_error(data_dir, tmp_path, arguments):
    (tmp_path / "story.txt").write_text(STORY)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(CommandError):
        run("import_book", arguments[0], str(tmp_path / arguments[1]))
    assert not (data_dir / "books" / "7.npz").exists()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "nonsense", "127.0.0.1:99999"])
def test_the_engine_refuses_to_listen_for_others(address):
    with pytest.raises(CommandError):
        run("realtime_engine", "--listen", address)


async def test_the_engine_runs_answers_and_stops_when_it_is_told(tmp_path):
    engine = await asyncio.create_subprocess_exec(
        *(PYTHON, "manage.py", "realtime_engine", "--listen", "127.0.0.1:0"),
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(engine.stdout.readline(), 120)).decode()
        address = line.split()[-1]
        assert address.startswith("127.0.0.1:")
        spec = SessionSpec(instructions="", book_id=7)
        async with RealtimeClient(providers.local(address), spec) as client:
            await client.respond()
            async with asyncio.timeout(60):
                done = await anext(e async for e in client if isinstance(e, ResponseDone))
        assert done.response.status == "completed"
        engine.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(engine.wait(), 30) == 0
    finally:
        if engine.returncode is None:
            engine.kill()
            await engine.wait()
