"""What book rooms keep about one reader, for export and erasure; see `readrealm.reader_data`."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from bson import ObjectId
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from chat.acts import Act, LogRecord
from chat.entries import Document, State
from chat.events import Member
from chat.history import ChatMessage
from chat.moderation import Records
from chat.ports import Broadcast, Messages
from chat.reader_records import ReaderRecords
from chat.rules import FORMER_READER, Erasure
from chat.sanctions import ReaderKey
from readrealm.kernel.clock import iso_ms, now_ms
from readrealm.kernel.errors import NotFound
from readrealm.kernel.identity import Identity
from readrealm.reader_data import Progress, Reader

AT_ONCE = 20
"""Messages that are erased together: they wait for the journal together."""


class Rooms(Protocol):
    """The rosters, as an export sees them."""

    async def rooms_of(self, member: Member) -> list[int]: ...


class Desk(Protocol):
    """What is used of chat; `chat.wiring.Chat` in earnest."""

    @property
    def logs(self) -> Messages: ...

    @property
    def broadcast(self) -> Broadcast: ...

    @property
    def records(self) -> Records: ...

    @property
    def roster(self) -> Rooms: ...

    def records_of(self, reader: ReaderKey) -> ReaderRecords: ...


Lend = Callable[[], AbstractAsyncContextManager[Desk]]


class ChatReaderData:
    """Messages with their former texts, reactions, reports, sanctions, the moderation log, and
    in which rooms the reader is.

    Args:
        lend: gives chat for one piece of work.
    """

    name = "chat"
    sections: Sequence[str] = (
        "messages",
        "reactions",
        "reports",
        "sanctions",
        "moderationLog",
        "actsAsModerator",
        "presentIn",
    )

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def holdings(self, reader: Reader) -> Mapping[str, int]:
        async with self._lend() as chat:
            return await chat.records_of(_key(reader)).counts()

    async def export(self, reader: Reader, section: str) -> AsyncIterator[Mapping[str, Any]]:
        async with self._lend() as chat:
            records = chat.records_of(_key(reader))
            if section == "presentIn":
                member = Member(user_id=reader.user_id, username="", is_guest=reader.is_guest)
                for book_id in await chat.roster.rooms_of(member):
                    yield {"bookId": book_id}
            elif section == "messages":
                async for message in records.messages():
                    former = []
                    if message.get("editedAt"):
                        former = await records.former_texts(message["_id"])
                    yield _message(message, former)
            elif section == "reactions":
                async for entry in records.entries():
                    if entry["kind"] == "reaction":
                        yield _said(entry, "bookId", "messageId", "createdAt", "emoji", "on")
            else:
                found = (
                    records.acts_as_moderator()
                    if section == "actsAsModerator"
                    else records.kept(section)
                )
                async for record in found:
                    yield _said(record, *FIELDS[section])

    async def erase(
        self, reader: Reader, *, by: Identity, closes_account: bool, progress: Progress
    ) -> None:
        async with self._lend() as chat:
            erasing = _Erasing(chat, _key(reader), progress)
            await erasing.messages()
            await erasing.entries()
            await erasing.remains(also_holding=closes_account or reader.is_guest)
            if erasing.count:
                await erasing.put_on_record(by)


FIELDS: dict[str, tuple[str, ...]] = {
    "reports": (
        "bookId", "messageId", "username", "reason", "note", "createdAt", "isOpen", "verdict",
        "closedAt",
    ),
    "sanctions": (
        "measure", "bookId", "username", "reason", "createdAt", "until", "isLifted", "liftedAt",
    ),
    # Without the moderator, who is a person as well.
    "moderationLog": ("at", "act", "bookId", "messageId", "username", "reason", "until"),
    "actsAsModerator": ("at", "act", "bookId", "messageId", "reason", "until"),
}  # fmt: skip
"""What an export says of a record, by section."""


class _Erasing:
    """One erasure, in steps that can be repeated."""

    def __init__(self, chat: Desk, reader: ReaderKey, progress: Progress) -> None:
        self._chat, self._reader, self._progress = chat, reader, progress
        self._records = chat.records_of(reader)
        self.count = 0

    async def messages(self) -> None:
        """Make a tombstone of every message; the rooms hear it."""
        while found := await self._records.some_messages():
            await _rename_log_entries([str(each["_id"]) for each in found])
            await self._each(found, self._bury)
            self._done("messages", len(found))

    async def entries(self) -> None:
        """Take the reader out of reactions and of what happened to messages."""
        while found := await self._records.some_touched():
            await self._each(found, self._leave)
            self._done("entries", len(found))

    async def remains(self, *, also_holding: bool) -> None:
        """Take the reader out of reports, sanctions and the moderation log."""
        records, at_ms = self._records, now_ms()
        while count := await records.forget_reports(_pseudonym):
            self._done("reports", count)
        while count := await records.forget_sanctions(
            _pseudonym, at_ms=at_ms, also_holding=also_holding
        ):
            self._done("sanctions", count)
        while count := await records.forget_log(_pseudonym):
            self._done("moderationLog", count)

    async def put_on_record(self, by: Identity) -> None:
        """That something was erased, by whom and when, and not whose."""
        await self._chat.records.write(
            LogRecord(
                at_ms=now_ms(),
                act=Act.ERASE,
                moderator=by,
                reason="",
                reader=(_pseudonym(), True),
                username=FORMER_READER,
            )
        )

    async def _each(self, found: Sequence[Document], step: Any) -> None:
        for start in range(0, len(found), AT_ONCE):
            async with asyncio.TaskGroup() as together:
                for each in found[start : start + AT_ONCE]:
                    together.create_task(step(each["bookId"], each["_id"]))

    async def _bury(self, book_id: int, message_id: ObjectId) -> None:
        pseudonym = _pseudonym()
        await self._records.forget_entries(message_id, pseudonym)
        await self._erase(book_id, message_id, pseudonym)

    async def _leave(self, book_id: int, message_id: ObjectId) -> None:
        pseudonym = _pseudonym()
        # The message first: what is left of the entries is where this is found again.
        await self._erase(book_id, message_id, pseudonym)
        await self._records.forget_entries(message_id, pseudonym)

    async def _erase(self, book_id: int, message_id: ObjectId, pseudonym: str) -> None:
        erasure = Erasure(
            book_id=book_id,
            message_id=str(message_id),
            actor=Identity(user_id=pseudonym, username=FORMER_READER, authenticated=True),
            reader=self._reader,
        )
        try:
            kept = await self._chat.logs.change(erasure)
        except NotFound:
            return  # the entry outlived its message
        if kept.event is not None:
            await self._chat.broadcast.publish(kept.event)

    def _done(self, kind: str, count: int) -> None:
        self.count += count
        self._progress(f"chat.{kind}", count)


def _key(reader: Reader) -> ReaderKey:
    return reader.user_id, not reader.is_guest


def _pseudonym() -> str:
    """A user id that nobody can claim or have: with a credential, and no account's."""
    return f"erased-{secrets.token_hex(8)}"


@sync_to_async
def _rename_log_entries(message_ids: Sequence[str]) -> None:
    """Take the author's name out of Django's own log of the admin."""
    messages = ContentType.objects.get_for_model(ChatMessage)
    named = LogEntry.objects.filter(content_type=messages, object_id__in=message_ids)
    named.update(object_repr=f"message of a {FORMER_READER.lower()}")


def _message(message: Document, former: Sequence[Document]) -> dict[str, Any]:
    fields = ("bookId", "seq", "username", "content", "createdAt", "editedAt", "replyTo")
    return {
        "id": str(message["_id"]),
        **_said(message, *fields),
        "state": {State.DELETED: "deleted by you", State.HIDDEN: "hidden by a moderator"}.get(
            message["state"], "visible"
        ),
        "formerTexts": [
            {"content": edit.get("previous", ""), "until": iso_ms(edit["createdAt"])}
            for edit in former
        ],
        "reactionsReceived": sorted(each["emoji"] for each in message.get("reactions", [])),
    }


def _said(document: Document, *names: str) -> dict[str, Any]:
    """Some fields of a document, as JSON can say them; without those that are not there."""
    found = {name: document[name] for name in names if document.get(name) is not None}
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return iso_ms(value)
        case ObjectId():
            return str(value)
        case _:
            return value
