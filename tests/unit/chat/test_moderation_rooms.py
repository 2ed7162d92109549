"""What rooms do about readers whom moderators keep out, over stand-ins."""

import asyncio
from typing import Any

import pytest

from chat.events import (
    ChatMessage,
    Done,
    EditMessage,
    Joined,
    ModerationNotice,
    ReactMessage,
    ReportMessage,
    UserLeft,
)
from chat.moderation_notices import GROUP, LayerNotices, NoticeListener
from chat.rules import Visitor
from chat.sanctions import Seats
from chat.upkeep import ChatUpkeep
from readrealm.kernel.errors import Forbidden, RateLimited
from tests.unit.chat.fakes import (
    ADA,
    BOOK,
    NOW_MS,
    Doors,
    Heard,
    MemoryLogs,
    MemoryRoster,
    Reports,
    Spends,
    chat,
)
from tests.unit.chat.test_consumers import HELLO, HERE, Socket, socket, told
from tests.unit.chat.test_upkeep import Log, Logs, Rooms, Roster, until

READER = Visitor(sid="s", identity=ADA)
SAYING = ChatMessage(book_id=BOOK, user_id="1", username="Ada", content="hello")


class TestTheService:
    async def test_who_is_kept_out_neither_speaks_nor_changes_nor_reacts(self) -> None:
        logs = MemoryLogs()
        said = await chat(messages=logs).say(SAYING, READER)
        service = chat(messages=logs, gate=Doors("1"))
        its = {"book_id": BOOK, "message_id": said.id}

        with pytest.raises(Forbidden):
            await service.require_welcome(BOOK, READER)
        with pytest.raises(Forbidden):
            await service.say(SAYING, READER)
        with pytest.raises(Forbidden):
            await service.edit(EditMessage(content="other", **its), READER)
        with pytest.raises(Forbidden):
            await service.react(ReactMessage(emoji="🐋", on=True, **its), READER)

        assert await logs.head(BOOK) == 1
        assert isinstance(service.broadcast, Heard)
        assert isinstance(service.allowance, Spends)
        assert service.broadcast.events == service.allowance.spent == []

    async def test_reports_go_to_the_desk_and_have_an_allowance_of_their_own(self) -> None:
        desk = Reports()
        service = chat(desk=desk, allowance=Spends(1))
        command = ReportMessage(book_id=BOOK, message_id="a" * 24, reason="spam")

        await service.say(SAYING, READER)
        await service.report(command, READER)
        with pytest.raises(RateLimited):
            await service.report(command, READER)

        assert desk.kept == [command]


class TestTheSocket:
    async def test_who_is_kept_out_does_not_get_in(self) -> None:
        bob = await socket(chat(gate=Doors("u2")))

        answer = await bob.send_event("joinRoom", HERE)

        assert answer.code == "FORBIDDEN"
        assert (bob.groups, bob.rooms, told(bob)) == ([], set(), [])

    @pytest.mark.parametrize(
        ("notice", "stays_in"),
        [
            (ModerationNotice(action="timeout", book_id=BOOK), {7}),
            (ModerationNotice(action="timeout", book_id=99), {7, BOOK}),
            (ModerationNotice(action="ban"), set()),
            (ModerationNotice(action="unban"), {7, BOOK}),
        ],
    )
    async def test_a_reader_is_told_and_leaves_the_rooms_that_are_closed(
        self, notice: ModerationNotice, stays_in: set[int]
    ) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        await bob.answer("joinRoom", {**HERE, "bookId": 7})
        before = len(told(bob))

        await bob.reader_moderated({"notice": notice})

        assert bob.heard[-1] == ("moderationNotice", notice)
        assert bob.rooms == stays_in
        assert set(bob.groups) == {f"book_{book_id}" for book_id in stays_in}
        left = {event.book_id for event in told(bob)[before:] if isinstance(event, UserLeft)}
        assert left == {7, BOOK} - stays_in

    async def test_a_roster_that_is_away_keeps_nobody_in(self) -> None:
        roster = MemoryRoster()
        bob = await socket(chat(roster=roster))
        await bob.answer("joinRoom", HERE)
        await bob.answer("joinRoom", {**HERE, "bookId": 7})
        roster.is_away = True

        await bob.reader_moderated({"notice": ModerationNotice(action="ban")})

        assert (bob.rooms, bob.groups) == (set(), [])

    async def test_a_socket_has_its_seat_until_it_is_gone(self) -> None:
        service = chat()
        bob, again = Seated(service), Seated(service)
        for each in (bob, again):
            await each.connected()
            assert isinstance(await each.answer("joinRoom", HERE), Joined)
        notice = ModerationNotice(action="unban")

        assert service.seats.tell(("u2", False), notice) == 2
        await again.disconnected()
        assert service.seats.tell(("u2", False), notice) == 1

        assert bob.inbox.messages == [{"type": "reader.moderated", "notice": notice}] * 2

    async def test_who_never_came_in_goes_without_a_trace(self) -> None:
        await (await socket()).disconnected()

    async def test_a_report_is_acknowledged(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        said = await bob.answer("chatMessage", HELLO)
        report = {"bookId": BOOK, "messageId": said.message.id, "reason": "spam"}

        assert await bob.answer("reportMessage", report) == Done()


class Inbox:
    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        self.messages.append(message)


class Seated(Socket):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.inbox: Any = Inbox()


class Layer:
    """A channel layer with one channel in each group."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.groups: set[str] = set()
        self.is_away = False

    async def new_channel(self, prefix: str) -> str:
        return f"{prefix}1"

    async def group_add(self, group: str, channel: str) -> None:
        self.groups.add(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.groups.discard(group)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.is_away:
            raise ConnectionError
        assert group == GROUP
        await self.queue.put(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        return await self.queue.get()


class Ear:
    def __init__(self) -> None:
        self.heard: list[ModerationNotice] = []

    def be_told(self, notice: ModerationNotice) -> None:
        self.heard.append(notice)


class TestNotices:
    async def test_a_notice_reaches_the_sockets_of_the_reader_and_makes_the_gate_ask(self) -> None:
        layer, seats, ear, expired = Layer(), Seats(), Ear(), []
        seats.take(ADA, ear)
        listener = NoticeListener(layer, seats, expire=lambda: expired.append(list(ear.heard)))
        notice = ModerationNotice(action="timeout", book_id=BOOK, until="x", reason="rest")

        listening = asyncio.create_task(listener.listen())
        await LayerNotices(layer).notify(("1", False), notice)
        await LayerNotices(layer).notify(("1", True), notice)
        await until(lambda: bool(ear.heard))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

        assert ear.heard == [notice]
        assert expired == [[], []]
        assert layer.groups == set()

    async def test_a_layer_that_is_away_stops_nobody(self) -> None:
        layer = Layer()
        layer.is_away = True

        await LayerNotices(layer).notify(("1", True), ModerationNotice(action="ban"))

        assert layer.queue.empty()

    async def test_a_worker_listens_again_when_the_layer_was_lost(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chat.upkeep.LISTEN_AGAIN_S", 0.01)
        times = 0

        async def listen() -> None:
            nonlocal times
            times += 1
            if times < 3:
                raise ConnectionError
            await asyncio.Event().wait()

        upkeep = ChatUpkeep(
            roster=Roster(),
            logs=Logs(),
            log=Log(),
            rooms=Rooms(),
            clock=lambda: NOW_MS,
            listen=listen,
        )
        running = asyncio.create_task(upkeep.run())
        await until(lambda: times == 3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
