"""What is kept about the interviews of one reader: handed out, or erased.

See `readrealm.reader_data`, which calls this.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from asgiref.sync import sync_to_async

from readrealm.kernel.identity import Identity
from readrealm.reader_data import Progress, Reader
from speech.interviews import live_store
from speech.interviews.owners import Owner
from speech.models import InterviewResult, ReaderKnowledge

AT_ONCE = 100
"""Results that one step erases."""


class InterviewReaderData:
    """A `readrealm.reader_data.ReaderData`."""

    name = "interviews"
    sections: Sequence[str] = ("results", "knowledge")

    async def holdings(self, reader: Reader) -> Mapping[str, int]:
        return {
            "results": await _results(reader).acount(),
            "knowledge": await _knowledge(reader).acount(),
        }

    async def export(self, reader: Reader, section: str) -> AsyncIterator[Mapping[str, Any]]:
        rows = _results(reader) if section == "results" else _knowledge(reader)
        column = "report" if section == "results" else "knowledge"
        async for content in rows.values_list(column, flat=True).aiterator():
            yield content

    async def erase(
        self, reader: Reader, *, by: Identity, closes_account: bool, progress: Progress
    ) -> None:
        """An interview that goes on is broken off first, for it would leave a result."""
        owner = _owner(reader)
        if owner is None:
            return
        progress("live", await sync_to_async(live_store.forget)(owner))
        while ids := [pk async for pk in _results(reader).values_list("pk", flat=True)[:AT_ONCE]]:
            count, _ = await InterviewResult.objects.filter(pk__in=ids).adelete()
            progress("results", count)
        count, _ = await _knowledge(reader).adelete()
        progress("knowledge", count)


def _owner(reader: Reader) -> Owner | None:
    """None for an id under which nobody can be interviewed."""
    if not (reader.user_id.isascii() and reader.user_id.isdecimal()):
        return None
    return Owner(int(reader.user_id), is_account=not reader.is_guest)


def _results(reader: Reader) -> Any:
    owner, results = _owner(reader), InterviewResult.objects.order_by("completed_at", "pk")
    if owner is None:
        return results.none()
    if owner.is_account:
        return results.filter(user_id=owner.user_id)
    return results.filter(user=None, claimed_id=owner.user_id)


def _knowledge(reader: Reader) -> Any:
    owner = _owner(reader)
    if owner is None or not owner.is_account:
        return ReaderKnowledge.objects.none()
    return ReaderKnowledge.objects.filter(user_id=owner.user_id)
