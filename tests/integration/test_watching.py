"""Watch words over a real MongoDB: what is flagged, once, whoever is killed."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat.acts import Verdict
from chat.log_reader import LogReader
from chat.moderation_documents import REPORTS
from chat.moderation_store import ModerationRecords
from chat.repository import RoomLogs
from chat.rules import Draft, Edit, Place, ReactionSwitch, Removal
from chat.watch_records import PORTION, WatchRecords
from chat.watching import SETTLED_MS, Watcher, unseen
from readrealm.kernel.clock import now_ms
from readrealm.kernel.identity import Identity
from readrealm.settings.storage import SQLITE_FILE
from readrealm.stores import mongo
from tests.support.processes import Program

BOOK = 2701
NOW_MS = 1_795_253_400_123
ADA = Identity(user_id="1", username="Ada", authenticated=True)
BOB = Identity(user_id="2", username="Bob")
MODERATOR = Identity(user_id="9", username="Mo", is_staff=True, authenticated=True)
FIRST_ID, LAST_ID = "0" * 24, "f" * 24

WORKER = """
import asyncio, os, signal, sys, django
django.setup()
from django.apps import apps
from chat.events import ChatMessage
from chat.models import WatchWord
from chat.rules import Visitor
from chat.watch_records import WatchRecords
from readrealm.kernel.identity import Identity

async def live():
    chat = apps.get_app_config("chat").here()
    upkeep = asyncio.create_task(chat.upkeep.run())
    async with asyncio.timeout(20):
        while await WatchRecords(chat.database).mark() is None:
            await asyncio.sleep(0.02)
    ada = Visitor(sid="s", identity=Identity(user_id="1", username="Ada", authenticated=True))
    for number in range(3):
        words = f"{number} whales"
        await chat.service.say(
            ChatMessage(book_id=2701, user_id="1", username="Ada", content=words), ada
        )
    # The last one is kept and told, and the loop has not run since: nothing has looked at it.
    os.kill(os.getpid(), signal.SIGKILL)

WatchWord.objects.create(word="whales")
asyncio.run(live())
"""


async def words() -> list[str]:
    return ["whale", "whales"]


def survivor(records: WatchRecords, clock: Callable[[], int]) -> Watcher:
    return Watcher(unseen(), words=words, flags=records, past=records, clock=clock)


async def flags() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await mongo.async_database()[REPORTS].find(sort=[("messageId", 1)]).to_list()
    )
    return found


@pytest.mark.usefixtures("stores")
async def test_what_a_worker_said_in_its_last_moment_is_flagged_by_another(
    prepared_folder: Path, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts"
    shutil.copytree(prepared_folder, accounts)
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{accounts / SQLITE_FILE}"}
    worker = Program([sys.executable, "-c", WORKER], environment=environment)
    assert worker.wait(timeout_s=30) == -signal.SIGKILL, worker.output
    worker.end()
    log, records = LogReader(mongo.async_database()), WatchRecords(mongo.async_database())
    said = await log.latest(BOOK, limit=10)
    assert [each.content for each in said] == ["2 whales", "1 whales", "0 whales"]
    assert said[0].id not in {str(flag["messageId"]) for flag in await flags()}

    for _ in range(2):
        await survivor(records, lambda: now_ms() + SETTLED_MS + 2_000).look_again()

    assert [(str(flag["messageId"]), flag["words"]) for flag in await flags()] == [
        (each.id, ["whales"]) for each in reversed(said)
    ]


@pytest.mark.usefixtures("stores")
class TestWatchRecords:
    async def test_a_wording_is_flagged_once_and_a_later_one_opens_the_case_again(self) -> None:
        database = mongo.async_database()
        here, cases, logs = WatchRecords(database), ModerationRecords(database), RoomLogs(database)
        kept = (await logs.append(Draft(book_id=BOOK, author=ADA, content="a whale"))).message

        await here.flag(kept, ["whale"], at_ms=NOW_MS)
        assert await cases.is_open(kept.id)
        assert await cases.close_reports(kept.id, Verdict.KEPT, at_ms=NOW_MS) == 1
        await here.flag(kept, ["whale"], at_ms=NOW_MS)
        assert not await cases.is_open(kept.id)

        edit = Edit(book_id=BOOK, message_id=kept.id, actor=ADA, content="two whales, whale")
        await here.flag((await logs.change(edit)).message, ["whale"], at_ms=NOW_MS)

        assert await cases.is_open(kept.id)
        (flag,) = await flags()
        assert (flag["words"], flag["isFlag"], "verdict" in flag) == (["whale"], True, False)
        await logs.close()

    async def test_a_stretch_has_the_wordings_of_all_rooms_and_nothing_that_is_not_seen(
        self,
    ) -> None:
        logs, here = RoomLogs(mongo.async_database()), WatchRecords(mongo.async_database())
        drafts = [Draft(book_id=room, author=ADA, content=f"in {room}") for room in (11, BOOK)]
        eleven, moby = [(await logs.append(draft)).message for draft in drafts]
        about: dict[str, Any] = {"book_id": BOOK, "message_id": moby.id, "actor": ADA}
        await logs.change(Edit(**about, content="reworded"))
        await logs.change(ReactionSwitch(**about | {"actor": BOB}, emoji="🐋", on=True))
        gone = (await logs.append(Draft(book_id=BOOK, author=BOB, content="gone"))).message
        removal = {"book_id": BOOK, "message_id": gone.id, "actor": MODERATOR}
        await logs.change(Removal(**removal, by="moderator"))

        stretch = await here.stretch(after=FIRST_ID, before=LAST_ID)

        assert stretch is not None
        assert {(each.content, each.rev) for each in stretch.messages} == {
            ("in 11", eleven.seq),
            ("reworded", 2),  # a reaction came later, and is no new wording
        }
        assert await here.stretch(after=stretch.end, before=LAST_ID) is None
        assert await here.stretch(after=FIRST_ID, before=min(eleven.id, moby.id)) is None
        await logs.close()

    async def test_a_case_that_was_judged_stays_closed_when_it_is_looked_at_again(self) -> None:
        database = mongo.async_database()
        here, cases, logs = WatchRecords(database), ModerationRecords(database), RoomLogs(database)
        kept = (await logs.append(Draft(book_id=BOOK, author=ADA, content="a whale"))).message
        await here.flag(kept, ["whale"], at_ms=NOW_MS)
        await cases.close_reports(kept.id, Verdict.KEPT, at_ms=NOW_MS)
        liked = {"book_id": BOOK, "message_id": kept.id, "actor": BOB}
        await logs.change(ReactionSwitch(**liked, emoji="🐋", on=True))

        await here.advance(FIRST_ID)
        await survivor(here, lambda: now_ms() + SETTLED_MS + 2_000).look_again()

        assert not await cases.is_open(kept.id)
        await logs.close()

    async def test_a_long_log_is_looked_at_in_stretches_to_the_end(self) -> None:
        logs, here = RoomLogs(mongo.async_database()), WatchRecords(mongo.async_database())
        count = PORTION + 10
        drafts = [
            Draft(
                book_id=BOOK,
                author=ADA,
                content="a whale" if number in {0, PORTION, count - 1} else "calm sea",
            )
            for number in range(count)
        ]
        await asyncio.gather(*(logs.append(draft) for draft in drafts))
        await here.advance(FIRST_ID)

        await survivor(here, lambda: now_ms() + SETTLED_MS + 2_000).look_again()

        assert len(await flags()) == 3
        await logs.close()

    async def test_the_mark_never_goes_back(self) -> None:
        here = WatchRecords(mongo.async_database())
        early, late = (
            Place(seq=0, at_ms=at_ms).entry_id(bytes(4)).hex() for at_ms in (NOW_MS, NOW_MS + 1_000)
        )

        assert await here.mark() is None
        for mark in (early, late, early):
            await here.advance(mark)

        assert await here.mark() == late
