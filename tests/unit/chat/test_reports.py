"""What readers report, over stand-ins for the stores."""

import pytest

from chat.events import LONGEST_NOTE, LONGEST_REPORT_REASON, ChatMessage, ReportMessage
from chat.reports import ReportDesk
from chat.rules import Visitor
from readrealm.kernel.errors import InvalidInput, NotFound
from readrealm.kernel.identity import Identity
from tests.unit.chat.fakes import ADA, BOB, BOOK, GUEST, NOW_MS, MemoryLogs, chat


class MemoryReports:
    """Reports by message and reader."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Identity], ReportMessage] = {}

    async def report(self, command: ReportMessage, *, by: Identity, at_ms: int) -> bool:
        is_new = (command.message_id, by) not in self.kept
        self.kept.setdefault((command.message_id, by), command)
        return is_new


class Desk:
    """The desk of a room with one message by Ada."""

    def __init__(self) -> None:
        self.logs, self.reports = MemoryLogs(), MemoryReports()
        self.desk = ReportDesk(log=self.logs, reports=self.reports, clock=lambda: NOW_MS)

    async def said(self) -> str:
        command = ChatMessage(book_id=BOOK, user_id="1", username="Ada", content="hello")
        visitor = Visitor(sid="s", identity=ADA)
        return (await chat(messages=self.logs).say(command, visitor)).id

    async def report(
        self, message_id: str, *, reader: Identity = BOB, reason: str = "spam", note: str = ""
    ) -> None:
        command = ReportMessage(book_id=BOOK, message_id=message_id, reason=reason, note=note)
        await self.desk.report(command, Visitor(sid="s", identity=reader))


async def test_a_report_is_kept_once_per_reader() -> None:
    desk = Desk()
    message_id = await desk.said()
    for reader in (BOB, BOB, GUEST):
        await desk.report(message_id, reader=reader, note=" twice ")

    assert list(desk.reports.kept) == [(message_id, BOB), (message_id, GUEST)]
    assert [kept.note for kept in desk.reports.kept.values()] == ["twice", "twice"]


async def test_what_is_not_there_cannot_be_reported() -> None:
    desk = Desk()

    with pytest.raises(NotFound):
        await desk.report("0" * 24)
    assert desk.reports.kept == {}


async def test_an_empty_note_is_none() -> None:
    desk = Desk()
    await desk.report(await desk.said(), note="  ")

    assert [kept.note for kept in desk.reports.kept.values()] == [None]


@pytest.mark.parametrize(
    ("reason", "note"), [("  ", ""), ("a\x00b", ""), ("spam", "a\x00b"), ("spam", "é" * 1_001)]
)
async def test_what_may_not_be_kept_is_refused(reason: str, note: str) -> None:
    assert LONGEST_NOTE == 1_000
    desk = Desk()
    message_id = await desk.said()

    with pytest.raises(InvalidInput):
        await desk.report(message_id, reason=reason, note=note)
    assert desk.reports.kept == {}


@pytest.mark.parametrize("field", ["reason", "note"])
@pytest.mark.parametrize("excess", [1, 1_000, 100_000])
async def test_whoever_says_too_much_is_told_the_limit(field: str, excess: int) -> None:
    longest = {"reason": LONGEST_REPORT_REASON, "note": LONGEST_NOTE}[field]
    desk = Desk()
    message_id = await desk.said()

    with pytest.raises(InvalidInput, match=f"^{field} must have at most {longest} characters$"):
        await desk.report(message_id, **{field: "x" * (longest + excess)})

    assert desk.reports.kept == {}
