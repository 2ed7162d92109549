"""Moderation on real stores and real workers: what is kept, and how soon a room feels it."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import socketio
from bson import ObjectId
from websockets.asyncio.client import connect

from chat.acts import Act, LogRecord, Verdict
from chat.entries import COLLECTION
from chat.events import ReportMessage
from chat.gate import STALE_S, SanctionGate
from chat.log_reader import LogReader
from chat.moderation_documents import REPORTS, SANCTIONS, ModerationLog
from chat.moderation_store import ModerationRecords
from chat.repository import RoomLogs
from chat.rules import Draft, Edit, Removal
from chat.sanctions import Measure, Sanction
from readrealm.kernel.errors import Forbidden, StoreUnavailable
from readrealm.kernel.identity import Identity
from readrealm.stores import mongo
from tests.conftest import StartServer
from tests.support.pages import Admin
from tests.support.stores import SessionStores
from tests.support.worker import Server

BOOK = 2701
NOW_MS = 1_795_253_400_123
HOUR_MS = 3_600_000
DEADLINE_S = 10
ADA = Identity(user_id="1", username="Ada", authenticated=True)
BOB = Identity(user_id="2", username="Bob")
MODERATOR = Identity(user_id="9", username="Mo", is_staff=True, authenticated=True)


def sanction(**fields: Any) -> Sanction:
    usual: dict[str, Any] = {
        "reader": ("1", True),
        "username": "Ada",
        "measure": Measure.TIMEOUT,
        "book_id": BOOK,
        "until_ms": NOW_MS + HOUR_MS,
        "reason": "rest",
    }
    return Sanction(**usual | fields)


@pytest.fixture
def records(stores: SessionStores) -> Callable[[], ModerationRecords]:
    """Records in stores that are empty, made on the loop of the test."""
    return lambda: ModerationRecords(mongo.async_database())


class TestRecords:
    async def test_an_act_is_read_back_as_it_was_written(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        written = LogRecord(
            at_ms=NOW_MS,
            act=Act.HIDE,
            moderator=MODERATOR,
            reason="rude",
            reader=("1", True),
            username="Ada",
            book_id=BOOK,
            message_id="0" * 24,
        )

        await records().write(written)
        await records().write(replace(written, act=Act.RESTORE))

        found = await mongo.in_store(lambda: list(ModerationLog.objects.order_by("id")))
        assert [each.act for each in found] == ["hide", "restore"]
        (first, _) = found
        assert (first.moderator_id, first.moderator_name, first.reason) == ("9", "Mo", "rude")
        assert (first.user_id, first.authenticated, first.book_id) == ("1", True, BOOK)
        assert first.at.timestamp() == NOW_MS / 1000

    async def test_what_holds_is_neither_over_nor_lifted(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        here = records()
        lasting = sanction(measure=Measure.BAN, book_id=None, until_ms=None)
        for each in (sanction(), lasting, sanction(until_ms=NOW_MS), sanction(reader=("2", False))):
            await here.impose(each, at_ms=NOW_MS, by=MODERATOR)

        holding = await here.holding(at_ms=NOW_MS)
        assert sorted(holding, key=str) == sorted(
            [sanction(), lasting, sanction(reader=("2", False))], key=str
        )

        assert await here.lift(("1", True), at_ms=NOW_MS) == 2
        assert await here.holding(at_ms=NOW_MS) == [sanction(reader=("2", False))]
        assert await here.holding(at_ms=NOW_MS + HOUR_MS) == []
        assert await mongo.async_database()[SANCTIONS].count_documents({}) == 4

    async def test_a_reader_reports_a_message_once(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        here = records()
        command = ReportMessage(book_id=BOOK, message_id="a" * 24, reason="spam")

        kept = await asyncio.gather(
            *(here.report(command, by=by, at_ms=NOW_MS) for by in (ADA, ADA, ADA, BOB))
        )

        assert sorted(kept) == [False, False, True, True]
        assert await here.close_reports("a" * 24, Verdict.KEPT, at_ms=NOW_MS) == 2
        assert await here.close_reports("a" * 24, Verdict.KEPT, at_ms=NOW_MS) == 0
        assert await here.report(command, by=ADA, at_ms=NOW_MS) is False

    async def test_of_many_who_take_a_case_at_once_exactly_one_has_it(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        here = records()
        who = [Identity(user_id=str(n), username=f"mo {n}", authenticated=True) for n in range(8)]

        claims = await asyncio.gather(
            *(
                here.claim(
                    "a" * 24, by=each, at_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS, take_over=False
                )
                for each in who
            )
        )

        assert len({claim.moderator_id for claim in claims}) == 1

    async def test_purging_leaves_no_text_anywhere(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        logs, here = RoomLogs(mongo.async_database()), records()
        said = (await logs.append(Draft(book_id=BOOK, author=ADA, content="first secret"))).message
        for text in ("second secret", "third secret"):
            await logs.change(Edit(book_id=BOOK, message_id=said.id, actor=ADA, content=text))
        entries = mongo.async_database()[COLLECTION]

        await here.scrub(BOOK, said.id, at_ms=NOW_MS)
        assert (await entries.find_one({"_id": ObjectId(said.id)}))["content"] == "third secret"
        assert await here.is_purged(BOOK, said.id) is False

        await logs.change(
            Removal(book_id=BOOK, message_id=said.id, actor=MODERATOR, by="moderator")
        )
        await here.scrub(BOOK, said.id, at_ms=NOW_MS)

        assert "secret" not in str(await entries.find().to_list())
        assert await here.is_purged(BOOK, said.id) is True
        log = LogReader(mongo.async_database())
        assert len(await log.between(BOOK, after=0, up_to=4)) == 4


class TestTheGate:
    @pytest.mark.paced
    async def test_a_sanction_is_felt_within_a_second_and_ends_by_itself(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        here, now = records(), NOW_MS

        gate = SanctionGate(here.holding, clock=lambda: now)
        await gate.require_free(ADA, BOOK)
        await here.impose(sanction(), at_ms=NOW_MS, by=MODERATOR)

        async def pass_again_and_again() -> None:
            while True:
                await gate.require_free(ADA, BOOK)
                await asyncio.sleep(0.02)

        with pytest.raises(Forbidden, match="rest"):
            await asyncio.wait_for(pass_again_and_again(), timeout=1.2)
        await gate.require_free(ADA, BOOK + 1)
        await gate.require_free(replace(ADA, authenticated=False), BOOK)
        now += HOUR_MS
        await gate.require_free(ADA, BOOK)

    async def test_what_changed_is_felt_at_once_where_it_is_known(
        self, records: Callable[[], ModerationRecords]
    ) -> None:
        here = records()
        gate = SanctionGate(here.holding, clock=lambda: NOW_MS)
        await gate.require_free(ADA, BOOK)
        await here.impose(sanction(), at_ms=NOW_MS, by=MODERATOR)

        gate.expire()

        with pytest.raises(Forbidden):
            await gate.require_free(ADA, BOOK)

    async def test_many_at_once_ask_the_store_once(self) -> None:
        asked = 0

        async def load(*, at_ms: int) -> list[Sanction]:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0)
            return []

        gate = SanctionGate(load, clock=lambda: NOW_MS)

        await asyncio.gather(*(gate.require_free(ADA, BOOK) for _ in range(500)))

        assert asked == 1

    async def test_what_was_known_still_holds_while_the_store_is_away(self) -> None:
        is_away = False

        async def load(*, at_ms: int) -> list[Sanction]:
            if is_away:
                raise StoreUnavailable
            return [sanction()]

        gate = SanctionGate(load, clock=lambda: NOW_MS)
        with pytest.raises(Forbidden):
            await gate.require_free(ADA, BOOK)
        is_away = True
        gate._asked_at -= 2

        with pytest.raises(Forbidden):
            await gate.require_free(ADA, BOOK)
        await gate.require_free(BOB, BOOK)

        gate._known_at -= STALE_S
        with pytest.raises(StoreUnavailable):
            await gate.require_free(BOB, BOOK)

    async def test_without_ever_an_answer_nobody_can_tell(self) -> None:
        async def load(*, at_ms: int) -> list[Sanction]:
            raise StoreUnavailable

        with pytest.raises(StoreUnavailable):
            await SanctionGate(load, clock=lambda: NOW_MS).require_free(ADA, BOOK)


# ------------------------------------------------------------------ live


class Reader:
    """A reader on one socket, with everything that was heard and not looked at yet."""

    def __init__(self, sio: socketio.AsyncClient, user_id: str) -> None:
        self.sio = sio
        self.here = {"bookId": BOOK, "userId": user_id, "username": user_id}
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        sio.on("*", lambda event, data=None: self.heard.put_nowait((event, data)))

    async def ask(self, event: str, **data: Any) -> Any:
        return await self.sio.call(event, {**self.here, **data}, timeout=DEADLINE_S)

    async def hear(self, name: str, *, within_s: float = DEADLINE_S) -> Any:
        async with asyncio.timeout(within_s):
            while True:
                heard, payload = await self.heard.get()
                if heard == name:
                    return payload


@contextlib.asynccontextmanager
async def reader(server: Server, user_id: str) -> AsyncIterator[Reader]:
    sio = socketio.AsyncClient(reconnection=False)
    here = Reader(sio, user_id)
    await sio.connect(server.url, transports=["websocket"], wait_timeout=10)
    try:
        assert (await here.ask("joinRoom"))["ok"]
        yield here
    finally:
        await sio.disconnect()


def in_thread(call: Callable[..., str], *args: str, **more: str) -> asyncio.Future[str]:
    return asyncio.ensure_future(asyncio.to_thread(call, *args, **more))


@pytest.fixture(scope="module")
def moderated(shared_server: StartServer) -> tuple[Server, Admin]:
    """Two workers, and a moderator who has logged in."""
    running = shared_server(workers=2, CHAT_RATE="off")
    return running, Admin(running)


@pytest.mark.paced
async def test_readers_on_every_worker_see_within_a_second_what_a_moderator_does(
    moderated: tuple[Server, Admin],
) -> None:
    running, admin = moderated
    async with contextlib.AsyncExitStack() as stack:
        # Workers take turns accepting: some of four sockets are on each.
        readers = [
            await stack.enter_async_context(reader(running, name)) for name in ("a", "b", "b", "c")
        ]
        ada, bob, bob_again, carl = readers
        said = (await bob.ask("chatMessage", content="rude"))["message"]

        # Hide and restore: everybody hears.
        await in_thread(admin.act, "hide", said["_id"])
        for each in readers:
            deleted = await each.hear("messageDeleted", within_s=1)
            assert (deleted["messageId"], deleted["by"]) == (said["_id"], "moderator")
        (tombstone,) = (await ada.ask("getMessages"))["messages"]
        assert (tombstone["content"], tombstone["deletedBy"]) == ("", "moderator")
        await in_thread(admin.act, "restore", said["_id"])
        for each in readers:
            restored = await each.hear("messageRestored", within_s=1)
            assert restored["message"]["content"] == "rude"

        # Timeout: every socket of the reader leaves, on every worker; others stay.
        await in_thread(
            admin.act, "time_out", said["_id"], confirmed="yes", duration="1d", reason="calm down"
        )
        for each in (bob, bob_again):
            notice = await each.hear("moderationNotice", within_s=1)
            assert (notice["action"], notice["bookId"]) == ("timeout", BOOK)
            assert notice["reason"] == "calm down"
            assert notice["until"]
        assert (await ada.hear("userLeft"))["userId"] == "b"
        assert (await bob.ask("chatMessage", content="again"))["code"] == "NOT_IN_ROOM"
        refused = await bob.ask("joinRoom")
        assert (refused["ok"], refused["code"]) == (False, "FORBIDDEN")
        assert "calm down" in refused["error"]
        assert (await bob.ask("joinRoom", bookId=11))["ok"]
        assert (await carl.ask("chatMessage", content="still here"))["ok"]

        # Ban: every room.
        await in_thread(admin.act, "ban", said["_id"], confirmed="yes")
        assert (await bob.hear("moderationNotice", within_s=1))["action"] == "ban"
        assert (await bob.ask("joinRoom", bookId=11))["code"] == "FORBIDDEN"
        async with connect(f"{running.url.replace('http', 'ws')}/ws/rooms/11/") as plain:
            await plain.send(
                json.dumps({"event": "joinRoom", "id": 1, "data": bob.here | {"bookId": 11}})
            )
            async with asyncio.timeout(DEADLINE_S):
                while "ack" not in (frame := json.loads(await plain.recv())):
                    pass
            assert frame["data"]["code"] == "FORBIDDEN"

        # And back.
        await in_thread(admin.act, "unban", said["_id"])
        assert (await bob.hear("moderationNotice", within_s=1))["action"] == "unban"
        assert (await bob.ask("joinRoom"))["ok"]
        assert (await bob.ask("chatMessage", content="sorry"))["ok"]

        # A reader reports what is left.
        reported = await ada.ask("reportMessage", messageId=said["_id"], reason="spam")
        assert reported == {"ok": True}

    history = admin.get(f"/admin/chat/chatmessage/{said['_id']}/history/")
    assert [word in history for word in ("Hidden.", "Restored.", "Timed out. calm down", "Banned.")]


@pytest.mark.paced
async def test_workers_agree_on_the_watch_list_within_a_second_of_a_change(
    moderated: tuple[Server, Admin], session_stores: SessionStores
) -> None:
    running, admin = moderated
    name = re.search(r"/(server_[^?]+)\?", running.environment["MONGODB_URL"])
    assert name
    reports = session_stores.mongo[name[1]][REPORTS]

    async def until_flagged(*ids: str) -> list[dict[str, Any]]:
        wanted = {"isFlag": True, "messageId": {"$in": [ObjectId(each) for each in ids]}}
        async with asyncio.timeout(2):
            while len(found := list(reports.find(wanted))) < len(ids):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    async with contextlib.AsyncExitStack() as stack:
        # Workers take turns accepting: some of four sockets are on each.
        readers = [await stack.enter_async_context(reader(running, name)) for name in "abcd"]
        # Every worker has read the list before it changes.
        await in_thread(admin.add_watch_word, "squid")
        squids = [await each.ask("chatMessage", content="a squid") for each in readers]
        await until_flagged(*(ack["message"]["_id"] for ack in squids))

        await in_thread(admin.add_watch_word, "Kraken")
        krakens = [await each.ask("chatMessage", content="the KRAKEN wakes") for each in readers]

        found = await until_flagged(*(ack["message"]["_id"] for ack in krakens))
        assert [each["words"] for each in found] == [["Kraken"]] * 4
        assert {each["userId"] for each in found} == {""}

        # Another wording is looked at as well.
        calm = (await readers[0].ask("chatMessage", content="calm"))["message"]
        await readers[0].ask("editMessage", messageId=calm["_id"], content="k r a k e n")
        await until_flagged(calm["_id"])

    assert "flagged</span>" in admin.get("/admin/chat/chatmessage/review/")


async def test_a_sanctioned_reader_cannot_speak_even_when_the_notice_was_missed(
    server: StartServer, session_stores: SessionStores
) -> None:
    running = server(workers=1, CHAT_RATE="off")
    async with reader(running, "b") as bob:
        said = (await bob.ask("chatMessage", content="hello"))["message"]
        database = running.environment["MONGODB_URL"]
        name = re.search(r"/(server_[^?]+)\?", database)
        assert name
        session_stores.mongo[name[1]][SANCTIONS].insert_one(
            {
                "userId": "b",
                "authenticated": False,
                "username": "b",
                "measure": "ban",
                "bookId": None,
                "until": None,
                "reason": "",
                "isLifted": False,
            }
        )
        async with asyncio.timeout(DEADLINE_S):
            while (await bob.ask("chatMessage", content="x"))["ok"]:
                pass

        for event, more in {
            "chatMessage": {"content": "x"},
            "editMessage": {"messageId": said["_id"], "content": "x"},
            "reactMessage": {"messageId": said["_id"], "emoji": "🐋", "on": True},
            "joinRoom": {},
        }.items():
            assert (await bob.ask(event, **more))["code"] == "FORBIDDEN", event
