"""What moderators do: on record first, then done, then told to whom it concerns."""

from typing import Any

import pytest

from chat.acts import Act, LogRecord, Subject, Verdict
from chat.events import (
    ChatMessage,
    MessageDeleted,
    MessageRestored,
    ModerationNotice,
)
from chat.moderation import LONGEST_TIMEOUT_MS, ModerationService
from chat.rules import Edit, Removal, Visitor
from chat.sanctions import Measure, ReaderKey, Sanction, Seats, require_free
from readrealm.kernel.errors import Forbidden, InvalidInput, InvalidState, StoreUnavailable
from readrealm.kernel.identity import Identity
from tests.unit.chat.fakes import (
    ADA,
    BOOK,
    GUEST,
    MODERATOR,
    NOW_MS,
    Heard,
    MemoryLogs,
    chat,
)

HOUR_MS = 3_600_000
ADA_READS = Subject(reader=("1", True), username="Ada")


class MemoryRecords:
    """Records in lists, over the logs whose texts they may forget."""

    def __init__(self, logs: MemoryLogs) -> None:
        self.logs = logs
        self.acts: list[LogRecord] = []
        self.sanctions: list[Sanction] = []
        self.open_reports: dict[str, int] = {}
        """How many, by message."""
        self.verdicts: list[tuple[str, Verdict]] = []
        self.purged: set[str] = set()
        self.is_away = False

    async def write(self, record: LogRecord) -> None:
        if self.is_away:
            raise StoreUnavailable
        self.acts.append(record)

    async def impose(self, sanction: Sanction, *, at_ms: int, by: Identity) -> None:
        self.sanctions.append(sanction)

    async def lift(self, reader: ReaderKey, *, at_ms: int) -> int:
        held = [sanction for sanction in self.sanctions if sanction.reader == reader]
        self.sanctions = [sanction for sanction in self.sanctions if sanction not in held]
        return len(held)

    async def close_reports(self, message_id: str, verdict: Verdict, *, at_ms: int) -> int:
        self.verdicts.append((message_id, verdict))
        return self.open_reports.pop(message_id, 0)

    async def scrub(self, book_id: int, message_id: str, *, at_ms: int) -> None:
        self.purged.add(message_id)

    async def is_purged(self, book_id: int, message_id: str) -> bool:
        return message_id in self.purged


class Told:
    """What the sockets of readers were told."""

    def __init__(self) -> None:
        self.notices: list[tuple[ReaderKey, ModerationNotice]] = []

    async def notify(self, reader: ReaderKey, notice: ModerationNotice) -> None:
        self.notices.append((reader, notice))


class Room:
    """A room with one message by Ada, and the moderators' desk."""

    def __init__(self) -> None:
        self.logs, self.heard, self.told = MemoryLogs(), Heard(), Told()
        self.records = MemoryRecords(self.logs)
        self.desk = ModerationService(
            messages=self.logs,
            log=self.logs,
            broadcast=self.heard,
            records=self.records,
            notices=self.told,
            clock=lambda: NOW_MS,
        )

    async def said(self, content: str = "Call me Ishmael.", author: Identity = ADA) -> str:
        service = chat(messages=self.logs)
        command = ChatMessage(
            book_id=BOOK, user_id=author.user_id, username=author.username, content=content
        )
        return (await service.say(command, Visitor(sid="s", identity=author))).id


@pytest.fixture
def room() -> Room:
    return Room()


class TestMessages:
    async def test_hiding_is_on_record_and_the_room_hears_it(self, room: Room) -> None:
        wanted = await room.said()

        assert await room.desk.hide(BOOK, wanted, moderator=MODERATOR, reason=" rude ") is True

        (event,) = room.heard.events
        assert event == MessageDeleted(book_id=BOOK, seq=2, message_id=wanted, by="moderator")
        (act,) = room.records.acts
        assert (act.act, act.moderator, act.reason, act.message_id) == (
            Act.HIDE,
            MODERATOR,
            "rude",
            wanted,
        )
        assert (act.reader, act.username, act.at_ms) == (("1", True), "Ada", NOW_MS)

    async def test_hiding_ends_the_reports(self, room: Room) -> None:
        wanted = await room.said()

        await room.desk.hide(BOOK, wanted, moderator=MODERATOR)

        assert room.records.verdicts == [(wanted, Verdict.HIDDEN)]

    async def test_what_its_author_took_back_leaves_the_queue_when_it_is_hidden(
        self, room: Room
    ) -> None:
        wanted = await room.said()
        await room.logs.change(Removal(book_id=BOOK, message_id=wanted, actor=ADA, by="author"))

        assert await room.desk.hide(BOOK, wanted, moderator=MODERATOR) is False

        assert room.records.verdicts == [(wanted, Verdict.HIDDEN)]
        assert room.records.acts == []

    async def test_hiding_twice_is_told_and_recorded_once(self, room: Room) -> None:
        wanted = await room.said()
        await room.desk.hide(BOOK, wanted, moderator=MODERATOR)

        assert await room.desk.hide(BOOK, wanted, moderator=MODERATOR) is False

        assert len(room.heard.events) == len(room.records.acts) == 1

    async def test_what_cannot_be_recorded_is_not_done(self, room: Room) -> None:
        wanted = await room.said()
        room.records.is_away = True

        with pytest.raises(StoreUnavailable):
            await room.desk.hide(BOOK, wanted, moderator=MODERATOR)

        assert room.heard.events == []
        assert not (await room.logs.find(BOOK, wanted)).deleted_by

    async def test_restoring_brings_the_text_back(self, room: Room) -> None:
        wanted = await room.said("Call me Ishmael.")
        await room.desk.hide(BOOK, wanted, moderator=MODERATOR)

        assert await room.desk.restore(BOOK, wanted, moderator=MODERATOR) is True

        event = room.heard.events[-1]
        assert isinstance(event, MessageRestored)
        assert event.message.content == "Call me Ishmael."
        assert [act.act for act in room.records.acts] == [Act.HIDE, Act.RESTORE]

    async def test_what_is_seen_needs_no_restoring(self, room: Room) -> None:
        wanted = await room.said()

        assert await room.desk.restore(BOOK, wanted, moderator=MODERATOR) is False

        assert room.records.acts == []

    async def test_what_its_author_took_back_stays_away(self, room: Room) -> None:
        wanted = await room.said()
        await room.logs.change(Removal(book_id=BOOK, message_id=wanted, actor=ADA, by="author"))

        with pytest.raises(InvalidState):
            await room.desk.restore(BOOK, wanted, moderator=MODERATOR)

    async def test_purging_hides_and_forgets_and_cannot_be_undone(self, room: Room) -> None:
        wanted = await room.said()

        assert await room.desk.purge(BOOK, wanted, moderator=MODERATOR) is True

        assert room.records.purged == {wanted}
        assert isinstance(room.heard.events[0], MessageDeleted)
        with pytest.raises(InvalidState):
            await room.desk.restore(BOOK, wanted, moderator=MODERATOR)
        assert await room.desk.purge(BOOK, wanted, moderator=MODERATOR) is False
        assert [act.act for act in room.records.acts] == [Act.PURGE]

    async def test_what_its_author_took_back_can_be_purged(self, room: Room) -> None:
        wanted = await room.said()
        await room.logs.change(Removal(book_id=BOOK, message_id=wanted, actor=ADA, by="author"))

        assert await room.desk.purge(BOOK, wanted, moderator=MODERATOR) is True

        assert room.heard.events == []
        assert room.records.purged == {wanted}

    async def test_the_author_of_a_hidden_message_cannot_change_it(self, room: Room) -> None:
        wanted = await room.said()
        await room.desk.hide(BOOK, wanted, moderator=MODERATOR)

        with pytest.raises(Exception, match="no such message"):
            await room.logs.change(
                Edit(book_id=BOOK, message_id=wanted, actor=ADA, content="again")
            )

    @pytest.mark.parametrize("reason", ["x" * 201, "a\x00b"])
    async def test_a_reason_that_may_not_be_kept_does_nothing(
        self, room: Room, reason: str
    ) -> None:
        wanted = await room.said()

        with pytest.raises(InvalidInput):
            await room.desk.hide(BOOK, wanted, moderator=MODERATOR, reason=reason)

        assert room.heard.events == room.records.acts == []


class TestReaders:
    async def test_a_timeout_is_recorded_kept_and_told(self, room: Room) -> None:
        await room.desk.time_out(
            ADA_READS, book_id=BOOK, duration_ms=HOUR_MS, moderator=MODERATOR, reason="rest"
        )

        (sanction,) = room.records.sanctions
        assert (sanction.measure, sanction.book_id, sanction.until_ms) == (
            Measure.TIMEOUT,
            BOOK,
            NOW_MS + HOUR_MS,
        )
        assert [act.act for act in room.records.acts] == [Act.TIMEOUT]
        assert room.records.acts[0].until_ms == NOW_MS + HOUR_MS
        assert room.told.notices == [
            (
                ("1", True),
                ModerationNotice(
                    book_id=BOOK, action="timeout", until="2026-11-21T10:30:00.123Z", reason="rest"
                ),
            )
        ]

    @pytest.mark.parametrize("duration_ms", [0, -1, LONGEST_TIMEOUT_MS + 1])
    async def test_a_timeout_has_a_sensible_duration(self, room: Room, duration_ms: int) -> None:
        with pytest.raises(InvalidInput):
            await room.desk.time_out(
                ADA_READS, book_id=BOOK, duration_ms=duration_ms, moderator=MODERATOR
            )

        assert room.records.acts == []

    async def test_a_ban_is_for_every_room_until_it_is_lifted(self, room: Room) -> None:
        await room.desk.ban(ADA_READS, moderator=MODERATOR, reason="enough")
        (sanction,) = room.records.sanctions
        assert (sanction.book_id, sanction.until_ms) == (None, None)

        assert await room.desk.unban(ADA_READS, moderator=MODERATOR) == 1

        assert [act.act for act in room.records.acts] == [Act.BAN, Act.UNBAN]
        assert [notice for _, notice in room.told.notices] == [
            ModerationNotice(action="ban", reason="enough"),
            ModerationNotice(action="unban"),
        ]

    async def test_a_reader_who_was_not_banned_is_told_nothing(self, room: Room) -> None:
        assert await room.desk.unban(ADA_READS, moderator=MODERATOR) == 0

        assert room.told.notices == []


class TestReports:
    async def test_a_judgement_ends_the_reports_and_leaves_the_message(self, room: Room) -> None:
        wanted = await room.said()
        room.records.open_reports[wanted] = 2

        ended = await room.desk.judge(BOOK, wanted, verdict=Verdict.DISMISSED, moderator=MODERATOR)

        assert ended == 2
        assert [act.act for act in room.records.acts] == [Act.DISMISS]
        assert room.heard.events == []

    async def test_hiding_is_no_judgement_that_leaves_the_message(self, room: Room) -> None:
        wanted = await room.said()

        with pytest.raises(InvalidInput):
            await room.desk.judge(BOOK, wanted, verdict=Verdict.HIDDEN, moderator=MODERATOR)


def sanction(**fields: Any) -> Sanction:
    usual: dict[str, Any] = {
        "reader": ("1", True),
        "username": "Ada",
        "measure": Measure.TIMEOUT,
        "book_id": BOOK,
        "until_ms": NOW_MS + HOUR_MS,
        "reason": "",
    }
    return Sanction(**usual | fields)


class TestSanctions:
    @pytest.mark.parametrize(
        ("fields", "book_id", "now_ms", "is_free"),
        [
            ({}, BOOK, NOW_MS, False),
            ({}, BOOK, NOW_MS + HOUR_MS - 1, False),
            ({}, BOOK, NOW_MS + HOUR_MS, True),
            ({}, BOOK + 1, NOW_MS, True),
            ({"book_id": None}, BOOK + 1, NOW_MS, False),
            ({"until_ms": None}, BOOK, NOW_MS * 2, False),
        ],
    )
    def test_a_sanction_holds_where_and_as_long_as_it_says(
        self, fields: dict[str, Any], book_id: int, now_ms: int, is_free: bool
    ) -> None:
        def ask() -> None:
            require_free([sanction(**fields)], book_id=book_id, now_ms=now_ms)

        if is_free:
            ask()
            return
        with pytest.raises(Forbidden):
            ask()

    def test_a_reader_is_told_until_when_and_why(self) -> None:
        with pytest.raises(Forbidden, match=r"this room .* until 2026-11-21T10:30:00.123Z: rude"):
            require_free([sanction(reason="rude")], book_id=BOOK, now_ms=NOW_MS)
        with pytest.raises(Forbidden, match=r"every room to you$"):
            require_free([sanction(book_id=None, until_ms=None)], book_id=BOOK, now_ms=NOW_MS)


class Seat:
    def __init__(self) -> None:
        self.heard: list[ModerationNotice] = []

    def be_told(self, notice: ModerationNotice) -> None:
        self.heard.append(notice)


class TestSeats:
    def test_every_socket_of_the_reader_is_told_and_no_other(self) -> None:
        seats, one, two, guest = Seats(), Seat(), Seat(), Seat()
        seats.take(ADA, one)
        seats.take(ADA, two)
        seats.take(ADA, two)
        seats.take(GUEST, guest)
        notice = ModerationNotice(action="ban")

        assert seats.tell(("1", True), notice) == 2

        assert (one.heard, two.heard, guest.heard) == ([notice], [notice], [])

    def test_who_has_left_is_not_told(self) -> None:
        seats, one = Seats(), Seat()
        seats.take(ADA, one)
        seats.give_up(ADA, one)
        seats.give_up(ADA, one)

        assert seats.tell(("1", True), ModerationNotice(action="ban")) == 0
