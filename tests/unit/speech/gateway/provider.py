"""A provider that talks at random, but never says what the protocol does not allow."""

import base64
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from speech.realtime import events as realtime
from speech.realtime.shapes import ErrorDetail, Response, StatusDetails

Draw = Callable[[st.SearchStrategy[Any]], Any]


def sound_of(item_id: str, byte_count: int) -> str:
    """Base64 that begins with the item's id, so that a test can tell whose it is."""
    filler = base64.b64encode(bytes(byte_count)).decode()
    return item_id + filler[: len(filler) - len(item_id)] if byte_count else item_id


class SimulatedProvider:
    """
    Args:
        draw: gives a random value of a strategy.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._number = count(1)
        self._speaking: str | None = None
        self._unknown: list[str] = []
        """Turns that were committed, without their words."""
        self._waits = False
        self._answer: tuple[str, str] | None = None
        self._cancelled: list[tuple[str, str]] = []
        """Answers that were interrupted, and not yet told to be done."""
        self.items: list[str] = []
        """Of all answers so far."""

    def opening(self) -> Iterator[realtime.Event]:
        yield realtime.SessionCreated()
        yield realtime.SessionUpdated()

    def forget(self) -> None:
        """The connection is lost."""
        self._speaking = self._answer = None
        self._unknown, self._cancelled, self._waits = [], [], False

    def next(self) -> Iterator[realtime.Event]:
        """One thing that may happen now."""
        possible = ["stop"] if self._speaking else ["speak"]
        possible += ["part", "part", "done"] if self._answer else []
        possible += ["answer", "answer"] if self._waits and not self._answer else []
        possible += ["late", "late", "cancelled"] if self._cancelled else []
        possible += ["words"] if self._unknown else ["fail"]
        doing = {
            "fail": self._fail,
            "words": self._words,
            "speak": self._speak,
            "stop": self._stop,
            "answer": self._begin,
            "part": self._part,
            "done": self._finish,
            "late": self._late,
            "cancelled": self._cancel,
        }
        return doing[self._draw(st.sampled_from(possible))]()

    def _new(self, kind: str) -> str:
        return f"{kind}{next(self._number):07}"

    def _speak(self) -> Iterator[realtime.Event]:
        self._speaking = self._new("t")
        self._waits = False
        if self._answer is not None:
            self._cancelled.append(self._answer)
            self._answer = None
        yield realtime.SpeechStarted(item_id=self._speaking)

    def _stop(self) -> Iterator[realtime.Event]:
        turn_id, self._speaking = self._speaking or "", None
        self._unknown.append(turn_id)
        self._waits = True
        yield realtime.SpeechStopped(item_id=turn_id)
        yield realtime.AudioCommitted(item_id=turn_id)

    def _words(self) -> Iterator[realtime.Event]:
        turn_id = self._draw(st.sampled_from(self._unknown))
        match self._draw(st.sampled_from(["delta", "completed", "failed"])):
            case "delta":
                yield realtime.TranscriptDelta(item_id=turn_id, delta="call ")
                return
            case "completed":
                said = self._draw(st.sampled_from(["", "call me Ishmael"]))
                yield realtime.TranscriptCompleted(item_id=turn_id, transcript=said)
            case "failed":
                yield realtime.TranscriptFailed(item_id=turn_id)
        self._unknown.remove(turn_id)

    def _current(self) -> tuple[str, str]:
        assert self._answer is not None
        return self._answer

    def _begin(self) -> Iterator[realtime.Event]:
        self._waits = False
        self._answer = self._new("r"), self._new("i")
        self.items.append(self._answer[1])
        yield realtime.ResponseCreated(response=Response(id=self._answer[0]))

    def _part(self) -> Iterator[realtime.Event]:
        yield self._a_part(*self._current())

    def _late(self) -> Iterator[realtime.Event]:
        """What was on its way when the answer was interrupted."""
        yield self._a_part(*self._cancelled[-1])

    def _a_part(self, response_id: str, item_id: str) -> realtime.Event:
        if self._draw(st.booleans()):
            return realtime.AnswerDelta(response_id=response_id, item_id=item_id, delta="word ")
        sound = sound_of(item_id, 4_800 * self._draw(st.integers(1, 9)))
        return realtime.AudioDelta(response_id=response_id, item_id=item_id, delta=sound)

    def _finish(self) -> Iterator[realtime.Event]:
        response_id, _ = self._current()
        self._answer = None
        status = self._draw(st.sampled_from(["completed", "failed", "incomplete"]))
        yield realtime.ResponseDone(response=Response(id=response_id, status=status))

    def _cancel(self) -> Iterator[realtime.Event]:
        response_id, _ = self._cancelled.pop()
        details = StatusDetails(type="cancelled", reason="turn_detected")
        response = Response(id=response_id, status="cancelled", status_details=details)
        yield realtime.ResponseDone(response=response)

    def _fail(self) -> Iterator[realtime.Event]:
        codes = ["response_cancel_not_active", "rate_limit_exceeded", "server_error"]
        yield realtime.Failure(error=ErrorDetail(code=self._draw(st.sampled_from(codes))))
