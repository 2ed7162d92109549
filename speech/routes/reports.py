"""What processing workers report: kept if it is final, then told to the owner of the session."""

from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.errors import Forbidden
from speech.routes.work_events import (
    ProcessingFailed,
    Report,
    ReportActivity,
    ReportFailure,
    ReportTranscription,
    Transcription,
    VoiceActivity,
)


class Transcripts(Protocol):
    """Where final texts are kept; all may raise `StoreUnavailable`."""

    async def holds(self, session_id: str, stream: int, *, term: int) -> bool:
        """Whether this is the newest tenure of the stream."""

    async def keep(self, stream: int, text: Transcription) -> bool:
        """Keep a final text, once for each start; False if it is known, word for word."""


class Audience(Protocol):
    """The sockets that have addressed a session."""

    async def tell(self, result: Transcription | VoiceActivity | ProcessingFailed) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportService:
    """The use cases of ``worker:*``."""

    transcripts: Transcripts
    audience: Audience

    async def receive(self, report: Report) -> None:
        """Pass a report on.

        Raises:
            Forbidden: another worker has taken the stream over.
        """
        match report:
            case ReportTranscription(result=result):
                await self._require_tenure(report, result.session_id)
                if result.is_final and not await self.transcripts.keep(report.stream, result):
                    return
            case ReportActivity(result=activity):
                await self._require_tenure(report, activity.session_id)
            case ReportFailure(result=failed):
                await self._require_tenure(report, failed.session_id)
            case _:
                raise NotImplementedError(type(report))
        await self.audience.tell(report.result)

    async def _require_tenure(self, report: Report, session_id: str) -> None:
        if not await self.transcripts.holds(session_id, report.stream, term=report.term):
            raise Forbidden("another worker has taken this stream over")
