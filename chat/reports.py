"""What readers show to the moderators. Knows no socket and no MongoDB."""

from dataclasses import dataclass
from typing import Protocol

from chat.events import LONGEST_NOTE, LONGEST_REPORT_REASON, ReportMessage
from chat.ports import Log
from chat.rules import Visitor
from readrealm.kernel.clock import Clock
from readrealm.kernel.identity import Identity
from readrealm.kernel.text import clean


class Reports(Protocol):
    """Where reports wait for moderators."""

    async def report(self, command: ReportMessage, *, by: Identity, at_ms: int) -> bool:
        """Keep a report; False when this reader has reported this message before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """Takes reports."""

    log: Log
    reports: Reports
    clock: Clock

    async def report(self, command: ReportMessage, visitor: Visitor) -> None:
        """Show a message to the moderators; a second report by the same reader changes nothing.

        Raises:
            InvalidInput: a reason or a note that may not be kept.
            NotFound: there is no such message.
        """
        await self.log.find(command.book_id, command.message_id)
        await self.reports.report(
            ReportMessage(
                book_id=command.book_id,
                message_id=command.message_id,
                reason=clean(command.reason, name="reason", longest=LONGEST_REPORT_REASON),
                note=clean_note(command.note),
            ),
            by=visitor.identity,
            at_ms=self.clock(),
        )


def clean_note(text: str | None) -> str | None:
    """A reader's note as it is kept; None when nothing is said.

    Raises:
        InvalidInput: too long, or with control characters.
    """
    return clean(text, name="note", longest=LONGEST_NOTE) if text and text.strip() else None
