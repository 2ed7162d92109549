"""What moderators do, each act through here: kept on record first, then done, then told to whom
it concerns. Knows no admin, no socket and no MongoDB."""

from dataclasses import dataclass
from typing import Protocol

from msgspec import UNSET

from chat.acts import Act, LogRecord, Subject, Verdict, clean_reason
from chat.events import Message, ModerationNotice
from chat.ports import Broadcast, Log, Messages
from chat.rules import Change, Removal, Restoration
from chat.sanctions import Measure, ReaderKey, Sanction
from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import InvalidInput, InvalidState
from readrealm.kernel.identity import Identity

LONGEST_TIMEOUT_MS = 365 * 24 * 3_600_000


class Records(Protocol):
    """Where sanctions and the record of acts are kept, reports end, and texts are forgotten."""

    async def write(self, record: LogRecord) -> None:
        """Put an act on record, durably."""
        ...

    async def impose(self, sanction: Sanction, *, at_ms: int, by: Identity) -> None: ...

    async def lift(self, reader: ReaderKey, *, at_ms: int) -> int:
        """End every sanction of a reader; how many held."""
        ...

    async def lift_one(self, sanction_id: str, *, at_ms: int) -> bool:
        """End one sanction; whether it held."""
        ...

    async def close_reports(self, message_id: str, verdict: Verdict, *, at_ms: int) -> int:
        """End the open reports of a message; how many there were."""
        ...

    async def scrub(self, book_id: int, message_id: str, *, at_ms: int) -> None:
        """Forget every text of a message that nobody sees, for good."""
        ...

    async def is_purged(self, book_id: int, message_id: str) -> bool: ...


class Notices(Protocol):
    """How the sockets of one reader hear, on every worker."""

    async def notify(self, reader: ReaderKey, notice: ModerationNotice) -> None:
        """Tell them; does not fail, for the rooms' doors are guarded as well."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationService:
    """Acts of moderators. Every method may raise `StoreUnavailable`; what is on record then may
    not have been done, and can be done again."""

    messages: Messages
    log: Log
    broadcast: Broadcast
    records: Records
    notices: Notices
    clock: Clock

    # ------------------------------------------------------------------ messages

    async def hide(
        self, book_id: int, message_id: str, *, moderator: Identity, reason: str = ""
    ) -> bool:
        """Take a message out of sight; the room hears `messageDeleted`. False when nobody saw
        it before.

        Raises:
            NotFound: there is no such message.
        """
        message = await self.log.find(book_id, message_id)
        if message.deleted_by:
            await self._judge(message, Verdict.HIDDEN)
            return False
        await self._record(Act.HIDE, moderator, reason, message=message)
        removal = Removal(book_id=book_id, message_id=message_id, actor=moderator, by="moderator")
        hidden = await self._change(removal)
        await self._judge(message, Verdict.HIDDEN)
        return hidden

    async def restore(
        self, book_id: int, message_id: str, *, moderator: Identity, reason: str = ""
    ) -> bool:
        """Bring back what a moderator hid; the room hears `messageRestored`. False when readers
        see it already.

        Raises:
            NotFound: there is no such message.
            InvalidState: its author took it back, or it was purged.
        """
        message = await self.log.find(book_id, message_id)
        if not message.deleted_by:
            return False
        if message.deleted_by == "author":
            raise InvalidState("its author took this message back")
        if await self.records.is_purged(book_id, message_id):
            raise InvalidState("the text of this message was purged")
        await self._record(Act.RESTORE, moderator, reason, message=message)
        return await self._change(
            Restoration(book_id=book_id, message_id=message_id, actor=moderator)
        )

    async def purge(
        self, book_id: int, message_id: str, *, moderator: Identity, reason: str = ""
    ) -> bool:
        """Hide a message and forget its text and its former texts for good; a tombstone stays.
        False when that was done before.

        Raises:
            NotFound: there is no such message.
        """
        message = await self.log.find(book_id, message_id)
        if await self.records.is_purged(book_id, message_id):
            await self._judge(message, Verdict.HIDDEN)
            return False
        await self._record(Act.PURGE, moderator, reason, message=message)
        removal = Removal(book_id=book_id, message_id=message_id, actor=moderator, by="moderator")
        await self._change(removal)
        await self.records.scrub(book_id, message_id, at_ms=self.clock())
        await self._judge(message, Verdict.HIDDEN)
        return True

    # ------------------------------------------------------------------ readers

    async def time_out(
        self,
        subject: Subject,
        *,
        book_id: int,
        duration_ms: int,
        moderator: Identity,
        reason: str = "",
    ) -> None:
        """Keep a reader out of one room for some time; their sockets leave it now.

        Raises:
            InvalidInput: not a duration up to `LONGEST_TIMEOUT_MS`.
        """
        if not 0 < duration_ms <= LONGEST_TIMEOUT_MS:
            raise InvalidInput("a timeout takes up to a year")
        await self._sanction(
            subject, Measure.TIMEOUT, moderator, reason, book_id=book_id, lasts_ms=duration_ms
        )

    async def ban(self, subject: Subject, *, moderator: Identity, reason: str = "") -> None:
        """Keep a reader out of every room until `unban`; their sockets leave all now."""
        await self._sanction(subject, Measure.BAN, moderator, reason)

    async def unban(self, subject: Subject, *, moderator: Identity, reason: str = "") -> int:
        """End every ban and timeout of a reader; how many held."""
        record = self._about(subject, Act.UNBAN, moderator, reason)
        await self.records.write(record)
        lifted = await self.records.lift(subject.reader, at_ms=record.at_ms)
        if lifted:
            await self.notices.notify(subject.reader, ModerationNotice(action="unban"))
        return lifted

    async def lift(
        self,
        sanction_id: str,
        subject: Subject,
        *,
        book_id: int | None,
        moderator: Identity,
        reason: str = "",
    ) -> bool:
        """End one sanction of a reader, who may still be kept out by another; whether it held.

        Args:
            book_id: where it holds; None is every room.
        """
        record = self._about(subject, Act.UNBAN, moderator, reason, book_id=book_id)
        await self.records.write(record)
        lifted = await self.records.lift_one(sanction_id, at_ms=record.at_ms)
        if lifted:
            room = UNSET if book_id is None else book_id
            notice = ModerationNotice(book_id=room, action="unban")
            await self.notices.notify(subject.reader, notice)
        return lifted

    async def judge(
        self,
        book_id: int,
        message_id: str,
        *,
        verdict: Verdict,
        moderator: Identity,
        reason: str = "",
    ) -> int:
        """End the reports of a message that stays as it is; how many there were.

        Raises:
            NotFound: there is no such message.
            InvalidInput: hiding is an act of its own, see `hide`.
        """
        acts = {Verdict.KEPT: Act.KEEP, Verdict.DISMISSED: Act.DISMISS}
        if verdict not in acts:
            raise InvalidInput("a message that stays is kept, or its reports are dismissed")
        message = await self.log.find(book_id, message_id)
        await self._record(acts[verdict], moderator, reason, message=message)
        return await self._judge(message, verdict)

    async def _judge(self, message: Message, verdict: Verdict) -> int:
        return await self.records.close_reports(message.id, verdict, at_ms=self.clock())

    # ------------------------------------------------------------------ how

    async def _record(
        self, act: Act, moderator: Identity, reason: str, *, message: Message
    ) -> None:
        author = Subject(reader=(message.user_id, not message.is_guest), username=message.username)
        await self.records.write(
            self._about(
                author, act, moderator, reason, book_id=message.book_id, message_id=message.id
            )
        )

    def _about(
        self,
        subject: Subject,
        act: Act,
        moderator: Identity,
        reason: str,
        *,
        book_id: int | None = None,
        message_id: str | None = None,
        lasts_ms: int | None = None,
    ) -> LogRecord:
        now = self.clock()
        return LogRecord(
            at_ms=now,
            act=act,
            moderator=moderator,
            reason=clean_reason(reason),
            reader=subject.reader,
            username=subject.username,
            book_id=book_id,
            message_id=message_id,
            until_ms=None if lasts_ms is None else now + lasts_ms,
        )

    async def _sanction(
        self,
        subject: Subject,
        measure: Measure,
        moderator: Identity,
        reason: str,
        *,
        book_id: int | None = None,
        lasts_ms: int | None = None,
    ) -> None:
        record = self._about(
            subject, Act(measure), moderator, reason, book_id=book_id, lasts_ms=lasts_ms
        )
        sanction = Sanction(
            reader=subject.reader,
            username=subject.username,
            measure=measure,
            book_id=book_id,
            until_ms=record.until_ms,
            reason=record.reason,
        )
        await self.records.write(record)
        await self.records.impose(sanction, at_ms=record.at_ms, by=moderator)
        await self.notices.notify(subject.reader, sanction.notice())

    async def _change(self, change: Change) -> bool:
        kept = await self.messages.change(change)
        if kept.event is not None:
            await self.broadcast.publish(kept.event)
        return kept.event is not None
