"""What a worker reports of one stream: speech, words, and what could not be done."""

from typing import Protocol

from msgspec import UNSET

from readrealm.kernel.errors import public_face
from speech.routes.pipeline import LongSilence, SpeechBegan, SpeechEnded
from speech.routes.work_events import (
    ProcessingFailed,
    Report,
    ReportActivity,
    ReportFailure,
    ReportTranscription,
    Transcription,
    VoiceActivity,
)
from speech.routes.work_store import Tenure

MOST_OF_AN_ERROR = 300
"""Characters of an error that the owner is told."""


class Reporter(Protocol):
    """The way to the server."""

    def tell(self, report: Report) -> None:
        """Report if there is a connection now; what comes too late is of no use."""

    async def deliver(self, report: Report) -> None:
        """Report, again and again until it has been taken.

        Raises:
            LostTenure: the server knows of a newer tenure.
        """


class StreamReports:
    """Reports in the name of one tenure. What is interim or of the moment is told once, what
    lasts is delivered."""

    def __init__(self, tenure: Tenure, reporter: Reporter) -> None:
        self._tenure, self._reporter = tenure, reporter
        self._told_failures: set[str] = set()

    def activity(self, happening: SpeechBegan | SpeechEnded | LongSilence) -> None:
        """Tell that speech has begun or ended, or that nobody has spoken for long."""
        silence = happening.silence_ms if isinstance(happening, LongSilence) else UNSET
        activity = VoiceActivity(
            session_id=self._tenure.session_id,
            speaking=isinstance(happening, SpeechBegan),
            at_ms=happening.at_ms,
            silence_ms=silence,
        )
        self._reporter.tell(ReportActivity(**self._signed(), result=activity))

    def interim(self, seq: int, text: str, *, start_ms: int, end_ms: int) -> None:
        """Tell what an utterance that goes on says so far."""
        self._reporter.tell(self._text(seq, text, start_ms=start_ms, end_ms=end_ms, is_final=False))

    async def final(
        self, seq: int, text: str, *, start_ms: int, end_ms: int, speaker: str | None = None
    ) -> None:
        """Deliver what an utterance said; raises as `Reporter.deliver`."""
        await self._reporter.deliver(
            self._text(seq, text, start_ms=start_ms, end_ms=end_ms, is_final=True, speaker=speaker)
        )

    async def failure(self, seq: int, error: Exception) -> None:
        """Deliver what could not be done, once for each reason; raises as `Reporter.deliver`."""
        code, text = public_face(error)
        if text in self._told_failures:
            return
        self._told_failures.add(text)
        failed = ProcessingFailed(
            session_id=self._tenure.session_id,
            seq=seq,
            code=code,
            error=text[:MOST_OF_AN_ERROR],
        )
        await self._reporter.deliver(ReportFailure(**self._signed(), result=failed))

    def _text(
        self,
        seq: int,
        text: str,
        *,
        start_ms: int,
        end_ms: int,
        is_final: bool,
        speaker: str | None = None,
    ) -> ReportTranscription:
        result = Transcription(
            session_id=self._tenure.session_id,
            seq=seq,
            text=text,
            is_final=is_final,
            start_ms=start_ms,
            end_ms=end_ms,
            speaker=speaker or UNSET,
        )
        return ReportTranscription(**self._signed(), result=result)

    def _signed(self) -> dict[str, int]:
        return {"stream": self._tenure.number, "term": self._tenure.term}
