"""Who turns voice into text: the port `Transcriber`, and what can stand behind it.

No transcriber is told the question or the expected answer, for a recogniser that is biased
towards an answer hears it whether it was given or not. Runs no task; whoever calls it waits.
"""

import enum
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from readrealm.kernel.errors import PayloadTooLarge, Unavailable

CAPTIONS = "captions"
"""Who heard, when the browser of the reader did."""

MAX_TURN_CHARACTERS = 50_000
"""Text of one turn: more than anybody says in half an hour."""

BYTES_PER_MS = 32
"""Of s16le mono at 16 kHz."""


class HeardHow(enum.Enum):
    """How the words of an answer were heard."""

    CAPTIONS = "captions"
    """By the browser."""
    WHOLE = "whole"
    """By a recogniser of ours that was given the answer as a whole when it had ended."""
    LIVE = "live"
    """By a recogniser of ours while the reader spoke, at least in part: nobody could hear all of
    the answer again."""
    UNHEARD = "unheard"
    """Not at all: there was voice, and nobody to write down what it said."""
    SILENCE = "silence"
    """Not at all: nothing was said, or nothing that is a word."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The transcriber listens."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What the current phrase sounds like so far; revised until it is final."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """A phrase that will not change any more; the next one starts anew."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The transcriber is away; what was final stays."""


Hearing = Ready | Partial | Final | Failed


class Transcriber(Protocol):
    """Listens to one reader, turn by turn. Every failure is a `Failed`, never an exception."""

    @property
    def name(self) -> str:
        """Who heard, for the result."""

    async def begin_turn(self) -> Sequence[Hearing]:
        """Listen from now on, to a new answer."""

    async def hear(self, pcm: bytes) -> Sequence[Hearing]:
        """Take more of the turn (s16le mono at 16 kHz, whole samples)."""

    async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
        """Take the whole turn again and say with more care what was said.

        A `Final` in the answer replaces everything that was heard in the turn; without one that
        stands.
        """

    async def close(self) -> None:
        """Release what is held; may be called more than once."""


class CaptionTranscriber:
    """Hears nothing itself: the browser does, and sends ``client_transcript``."""

    name = CAPTIONS

    async def begin_turn(self) -> Sequence[Hearing]:
        return (Ready(),)

    async def hear(self, pcm: bytes) -> Sequence[Hearing]:
        return ()

    async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
        return ()

    async def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedTurn:
    """What a `ScriptedTranscriber` hears in one turn."""

    cues: Sequence[tuple[int, Hearing]] = ()
    """(milliseconds of audio after which it is heard, what is heard), in order."""
    final: str | None = None
    """What the careful pass over the whole turn says; None for nothing."""


class ScriptedTranscriber:
    """Hears what a script says, by the amount of audio alone: for tests and rehearsals.

    Args:
        script: one entry a turn; later turns are silent.
    """

    name = "script"

    def __init__(self, script: Sequence[ScriptedTurn]) -> None:
        self._turns = iter(script)
        self._turn = ScriptedTurn()
        self._heard_bytes = 0
        self._next = 0

    async def begin_turn(self) -> Sequence[Hearing]:
        self._turn = next(self._turns, ScriptedTurn())
        self._heard_bytes = self._next = 0
        return (Ready(),)

    async def hear(self, pcm: bytes) -> Sequence[Hearing]:
        self._heard_bytes += len(pcm)
        due = [
            hearing
            for after_ms, hearing in self._turn.cues[self._next :]
            if after_ms * BYTES_PER_MS <= self._heard_bytes
        ]
        self._next += len(due)
        return due

    async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
        return () if self._turn.final is None else (Final(self._turn.final),)

    async def close(self) -> None:
        return None


class Recognised(Protocol):
    @property
    def text(self) -> str: ...


class Utterance(Protocol):
    async def hear(self, pcm: bytes) -> str: ...


class Recogniser(Protocol):
    """What a `RecogniserTranscriber` needs of a recogniser. All raise `ProviderUnavailable`."""

    def utterance(self) -> AbstractAsyncContextManager[Utterance]: ...

    async def transcribe(self, pcm: bytes) -> Recognised: ...


class RecogniserTranscriber:
    """A recogniser of ours: hypotheses while the reader speaks, then a pass over the whole turn.

    Where no process is free for the hypotheses, the careful pass still finds the words.

    Args:
        name: who heard, for the result.
    """

    def __init__(self, recogniser: Recogniser, *, name: str) -> None:
        self._recogniser = recogniser
        self._name = name
        self._holder: AbstractAsyncContextManager[Utterance] | None = None
        self._utterance: Utterance | None = None
        self._text = ""

    @property
    def name(self) -> str:
        return self._name

    async def begin_turn(self) -> Sequence[Hearing]:
        await self.close()
        self._text = ""
        holder = self._recogniser.utterance()
        try:
            self._utterance = await holder.__aenter__()
        except Unavailable:
            return (Failed(),)
        self._holder = holder
        return (Ready(),)

    async def hear(self, pcm: bytes) -> Sequence[Hearing]:
        if self._utterance is None:
            return ()
        try:
            text = await self._utterance.hear(pcm)
        except Unavailable:
            await self.close()
            return (Failed(),)
        if text == self._text:
            return ()
        self._text = text
        return (Partial(text),)

    async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
        await self.close()
        if not pcm:
            return ()
        try:
            return (Final((await self._recogniser.transcribe(pcm)).text),)
        except Unavailable:
            return (Failed(),)

    async def close(self) -> None:
        holder, self._holder, self._utterance = self._holder, None, None
        if holder is not None:
            await holder.__aexit__(None, None, None)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of one turn from one source: what is final, and the phrase that is not yet."""

    final: str = ""
    partial: str = ""

    @property
    def text(self) -> str:
        """Everything so far."""
        return " ".join(part for part in (self.final, self.partial) if part)

    def after(self, text: str, *, is_final: bool) -> "Transcript":
        """With the current phrase as it sounds now.

        Raises:
            PayloadTooLarge: the turn would get longer than `MAX_TURN_CHARACTERS`.
        """
        phrase = " ".join(text.split())
        if len(self.final) + len(phrase) > MAX_TURN_CHARACTERS:
            raise PayloadTooLarge(f"a turn has at most {MAX_TURN_CHARACTERS} characters")
        if not is_final:
            return replace(self, partial=phrase)
        return Transcript(final=replace(self, partial=phrase).text)
