"""The turn of the reader while it goes on: voice, text and absences as they come in.

Moments are Unix time in milliseconds. Knows no question and no other turn.
"""

from dataclasses import dataclass, field

from speech.interviews.timeline import Span, Turn, TurnEnd
from speech.interviews.transcription import CAPTIONS, HeardHow, Transcript

SHORTEST_ANSWER = 5
"""Characters; anything shorter counts as silence."""


@dataclass(slots=True, kw_only=True)
class OpenTurn:
    """The turn that is going on, or is being processed."""

    number: int
    """1 for the first turn."""
    started_ms: int
    last_voice_ms: int
    """When voice or new text was noticed last; the start if never."""
    speech: list[Span] = field(default_factory=list)
    absences: list[Span] = field(default_factory=list)
    captions: Transcript = field(default_factory=Transcript)
    recogniser: Transcript = field(default_factory=Transcript)
    recognised_by: str = ""
    is_heard_again: bool = False
    """Whether a recogniser has heard all of the turn after its end."""
    is_whole: bool = False
    """Whether the recogniser's text is what it heard then."""
    last_text_ms: int | None = None
    outage_told: bool = False
    ended_ms: int | None = None
    ended_by: TurnEnd = TurnEnd.HAND

    @property
    def heard(self) -> Transcript:
        """The text that counts: the browser's captions, where there are any.

        They come from far better recognisers than a small local one, and the reader has seen
        them.
        """
        return self.captions if self.captions.text else self.recogniser

    @property
    def heard_by(self) -> str:
        """Who heard that text; empty without any."""
        if self.captions.text:
            return CAPTIONS
        return self.recognised_by if self.recogniser.text else ""

    @property
    def heard_how(self) -> HeardHow:
        """How the words that count were heard, or why there are none."""
        if self.is_silent:
            is_unheard = self.speech and not self.is_heard_again
            return HeardHow.UNHEARD if is_unheard else HeardHow.SILENCE
        if self.captions.text:
            return HeardHow.CAPTIONS
        return HeardHow.WHOLE if self.is_whole else HeardHow.LIVE

    @property
    def has_nothing(self) -> bool:
        """Neither voice nor text."""
        return not self.speech and not self.heard.text

    @property
    def is_silent(self) -> bool:
        """Whether what was said is too short for an answer."""
        return len(self.heard.text) < SHORTEST_ANSWER

    def hear(self, span: Span, *, now_ms: int) -> None:
        """Note a stretch of voice, clipped to the turn; one that goes on only gets a later end."""
        span = Span(max(span.start_ms, self.started_ms), min(span.end_ms, now_ms))
        if span.length_ms <= 0:
            return
        if self.speech and self.speech[-1].start_ms == span.start_ms:
            span = Span(span.start_ms, max(span.end_ms, self.speech.pop().end_ms))
        self.speech.append(span)
        self.last_voice_ms = max(self.last_voice_ms, span.end_ms)

    def caption(self, text: str, *, is_final: bool, now_ms: int) -> bool:
        """Note what the browser heard; whether there is new text.

        Raises:
            PayloadTooLarge: the turn has too much text.
        """
        before = self.heard.text
        self.captions = self.captions.after(text, is_final=is_final)
        return self._note_text(before, now_ms=now_ms)

    def recognise(self, text: str, *, is_final: bool, by: str, now_ms: int) -> bool:
        """Note what the transcriber heard; whether there is new text.

        Raises:
            PayloadTooLarge: the turn has too much text.
        """
        before = self.heard.text
        self.recogniser, self.recognised_by = self.recogniser.after(text, is_final=is_final), by
        self.is_whole = False
        return self._note_text(before, now_ms=now_ms)

    def hear_again(self, text: str, *, by: str, is_whole: bool) -> None:
        """Put what the pass over the turn heard in the place of what was heard live; where it
        heard nothing, that stands.

        Args:
            is_whole: whether it heard all of the turn.
        """
        self.is_heard_again = is_whole
        if words := " ".join(text.split()):
            self.recogniser, self.recognised_by = Transcript(words), by
            self.is_whole = is_whole

    def _note_text(self, before: str, *, now_ms: int) -> bool:
        """New text is a sign of voice, unless the turn is over."""
        if self.heard.text == before or self.ended_ms is not None:
            return False
        self.last_voice_ms, self.last_text_ms = max(self.last_voice_ms, now_ms), now_ms
        return True

    def silent_until_ms(self, timeout_ms: int) -> int:
        """When so much silence will have passed; absence does not count."""
        absent_ms = sum(
            span.end_ms - max(span.start_ms, self.last_voice_ms)
            for span in self.absences
            if span.end_ms > self.last_voice_ms
        )
        return self.last_voice_ms + timeout_ms + absent_ms

    def present_ms(self, start_ms: int, end_ms: int) -> int:
        """How long the reader was connected between two moments."""
        away = sum(
            max(0, min(span.end_ms, end_ms) - max(span.start_ms, start_ms))
            for span in self.absences
        )
        return max(0, end_ms - start_ms - away)

    def closed(self, origin_ms: int) -> Turn:
        """As part of the time line that begins at ``origin_ms``."""

        def moved(spans: list[Span]) -> tuple[Span, ...]:
            return tuple(Span(span.start_ms - origin_ms, span.end_ms - origin_ms) for span in spans)

        ended_ms = self.started_ms if self.ended_ms is None else self.ended_ms
        return Turn(
            started_ms=self.started_ms - origin_ms,
            ended_ms=ended_ms - origin_ms,
            ended_by=self.ended_by,
            speech=moved(self.speech),
            text=self.heard.final,
            last_text_ms=None if self.last_text_ms is None else self.last_text_ms - origin_ms,
            absences=moved(self.absences),
        )
