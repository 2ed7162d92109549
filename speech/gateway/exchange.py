"""Turns and answers of one session, as the provider tells of them. Pure.

The reader's turns come in through recognition, the answers go out as words and sound; whoever
speaks while an answer is heard interrupts it, and the provider then learns how far it was heard.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from speech.gateway.answer import Answer, decoded_size
from speech.gateway.events import (
    CLEAR,
    RESPONSE_ENDED,
    SPEECH_STARTED,
    USER_PREFIX,
    AudioControl,
    TranscriptDelta,
)
from speech.gateway.steps import Cancel, DropSound, Step, Tell, Truncate
from speech.realtime import events as realtime
from speech.realtime.shapes import ErrorDetail, Response

RECOGNITION_FAILED = "Your words could not be recognised. Please say them again."
ANSWER_FAILED = "The answer could not be given. Please ask again."
PROVIDER_ERROR = "The speech service reported an error; the session goes on."
PROVIDER_BUSY = "The speech service is busy. Please wait a moment and ask again."

BENIGN = frozenset(
    {
        "response_cancel_not_active",
        "item_truncate_invalid_item_id",
        "conversation_already_has_active_response",
    }
)
"""Errors of the protocol which only tell that the provider was quicker than we."""

_UserEvent: TypeAlias = (
    realtime.TranscriptDelta | realtime.TranscriptCompleted | realtime.TranscriptFailed
)
_Part: TypeAlias = (
    realtime.AudioDelta
    | realtime.AnswerDelta
    | realtime.AnswerDone
    | realtime.TextDelta
    | realtime.TextDone
)


class Exchange:
    """
    Attributes:
        is_speaking: the provider hears the reader.
        is_answer_due: a turn was taken, and its answer has not begun.
    """

    def __init__(self) -> None:
        self.is_speaking = False
        self.is_answer_due = False
        self._answer: Answer | None = None
        self._interrupted: tuple[str, int] | None = None
        """The item that was truncated last, and where."""
        self._unknown: dict[str, str] = {}
        """Turns whose last word is not known yet, with the words so far."""

    @property
    def is_settled(self) -> bool:
        """Whether no words and no answer are due."""
        is_answering = self._answer is not None and not self._answer.is_over
        return not (self.is_answer_due or self._unknown or is_answering)

    def expect_answer(self) -> None:
        """What the reader is saying was ended, and an answer asked for."""
        self.is_speaking = False
        self.is_answer_due = True

    def commit(self, turn_id: str, *, is_answered: bool) -> None:
        """The provider has taken a turn, and answers it by itself or not."""
        self._unknown.setdefault(turn_id, "")
        self.is_answer_due |= is_answered

    def played(self, ms: int, item_id: str | None, *, now_ms: int) -> Iterator[Step]:
        """The client has played so much of an answer; less than we thought, if it was interrupted,
        is told on."""
        answer = self._answer
        played_id = answer.item_id if answer is not None and item_id is None else item_id
        if self._interrupted is not None and self._interrupted[0] == played_id:
            if ms < self._interrupted[1]:
                self._interrupted = played_id, ms
                yield Truncate(played_id, ms)
        elif answer is not None and answer.item_id == played_id and not answer.is_muted:
            answer.report(ms, now_ms=now_ms)

    def lose(self) -> Iterator[Step]:
        """The provider has forgotten everything but what both have said to the end."""
        answer = self._answer
        if answer is not None and not answer.is_over:
            self.is_answer_due = not answer.is_muted
            yield from self._silence()
            yield from self._end(answer)
        for turn_id, text in self._unknown.items():
            # Nobody has kept the sound of it, so it cannot be answered either.
            self.is_answer_due = False
            if text:
                yield _line("user", text, turn_id, final=True)
        self._unknown.clear()
        self._answer = self._interrupted = None
        self.is_speaking = False

    def forget(self) -> None:
        """Nothing is expected any more."""
        self.is_answer_due = False

    def take(self, event: realtime.Event, *, now_ms: int) -> Iterator[Step]:
        """An event about a turn or an answer; others are passed over."""
        match event:
            case realtime.SpeechStarted(item_id=turn_id):
                yield from self._interrupt(turn_id, now_ms=now_ms)
            case realtime.SpeechStopped():
                self.is_speaking = False
            case realtime.ResponseCreated(response=response):
                self.is_answer_due = False
                self._answer = Answer(response.id)
            case realtime.ResponseDone(response=response):
                yield from self._finish(response)
            case realtime.Failure(error=error):
                yield from _failure(error)
            case (
                realtime.TranscriptDelta()
                | realtime.TranscriptCompleted()
                | realtime.TranscriptFailed()
            ):
                yield from self._user_line(event)
            case (
                realtime.AudioDelta()
                | realtime.AnswerDelta()
                | realtime.AnswerDone()
                | realtime.TextDelta()
                | realtime.TextDone()
            ):
                yield from self._part(event, now_ms=now_ms)

    # ------------------------------------------------------------------ the reader

    def _interrupt(self, turn_id: str, *, now_ms: int) -> Iterator[Step]:
        """The reader speaks: silence first, then the provider learns how far it was heard."""
        self.is_speaking = True
        self.is_answer_due = False  # Whoever goes on speaking has not finished the question.
        self._unknown.setdefault(turn_id, "")
        answer = self._answer if self._answer and not self._answer.is_muted else None
        yield Tell("transcript", SPEECH_STARTED)
        yield from self._silence()
        if answer is None:
            return
        if not answer.is_over:
            yield Cancel(answer.response_id)
        if answer.item_id and not answer.is_heard(now_ms=now_ms):
            self._interrupted = answer.item_id, answer.played_ms(now_ms=now_ms)
            yield Truncate(*self._interrupted)

    def _silence(self) -> Iterator[Step]:
        if self._answer is not None:
            self._answer.is_muted = True
        yield DropSound()
        yield Tell("audio", CLEAR)
        yield Tell("audioControl", AudioControl(type="clear"))

    def _user_line(self, event: _UserEvent) -> Iterator[Step]:
        turn_id = event.item_id
        match event:
            case realtime.TranscriptDelta(delta=delta):
                self._unknown[turn_id] = self._unknown.get(turn_id, "") + delta
                yield _line("user", delta, turn_id)
                return
            case realtime.TranscriptCompleted(transcript=said):
                text = said.strip()
                if text:
                    yield Tell("transcript", f"{USER_PREFIX}{text}\n")
                if text or self._unknown.get(turn_id):
                    yield _line("user", text, turn_id, final=True)
            case realtime.TranscriptFailed():
                yield Tell("error", RECOGNITION_FAILED)
                if words := self._unknown.get(turn_id):
                    yield _line("user", words, turn_id, final=True)
        self._unknown.pop(turn_id, None)

    # ------------------------------------------------------------------ the answer

    def _part(self, event: _Part, *, now_ms: int) -> Iterator[Step]:
        answer = self._answer
        if answer is None or event.response_id != answer.response_id or answer.is_muted:
            return
        if event.item_id != answer.item_id:
            answer = self._answer = answer.next_item(event.item_id)
            yield Tell("audioControl", AudioControl(type="answerStart", item_id=event.item_id))
        match event:
            case realtime.AudioDelta(delta=sound):
                answer.send(decoded_size(sound), now_ms=now_ms)
                yield Tell("audio", sound)
            case realtime.AnswerDelta(delta=text) | realtime.TextDelta(delta=text):
                answer.text += text
                yield Tell("transcript", text)
                yield _line("assistant", text, answer.item_id)
            case realtime.AnswerDone(transcript=text) | realtime.TextDone(text=text):
                answer.text = text

    def _finish(self, response: Response) -> Iterator[Step]:
        if response.status == "failed":
            details = response.status_details
            is_busy = details is not None and _is_busy(details.error)
            yield Tell("error", PROVIDER_BUSY if is_busy else ANSWER_FAILED)
        answer = self._answer
        if answer is not None and answer.response_id == response.id and not answer.is_over:
            yield from self._end(answer)
        else:
            yield Tell("transcript", RESPONSE_ENDED)

    def _end(self, answer: Answer) -> Iterator[Step]:
        answer.is_over = True
        if answer.item_id:
            yield _line("assistant", answer.text, answer.item_id, final=True)
            yield Tell("audioControl", AudioControl(type="answerEnd", item_id=answer.item_id))
        yield Tell("transcript", RESPONSE_ENDED)


def _line(
    role: Literal["user", "assistant"], text: str, turn_id: str, *, final: bool = False
) -> Tell:
    delta = TranscriptDelta(role=role, text=text, turn_id=turn_id, final=final)
    return Tell("transcriptDelta", delta)


def _failure(error: ErrorDetail) -> Iterator[Step]:
    """The text of a provider is for its operator, not for readers."""
    if error.code in BENIGN or error.param == "audio_end_ms":
        return
    yield Tell("error", PROVIDER_BUSY if _is_busy(error) else PROVIDER_ERROR)


def _is_busy(error: ErrorDetail | None) -> bool:
    return error is not None and "rate_limit" in (error.code or "")
