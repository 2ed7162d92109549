"""The ear of a session: sound in, turns of the user out. Decides; waits for nothing."""

from dataclasses import dataclass, field

import numpy as np

from speech.audio.pcm import SampleCutter, Samples, from_samples, to_samples
from speech.audio.resample import Resampler
from speech.audio.turns import TurnDetector, TurnRule, TurnStarted, TurnStopped
from speech.audio.voice import RATE_HZ, Detector
from speech.realtime.conversation import new_id
from speech.realtime.refusals import ProtocolRefusal

WIRE_HZ = 24_000

MAX_TURN_S = 60
"""A longer turn is ended, and what follows is a new one."""

LEAST_COMMIT_MS = 100
_KEPT_SAMPLES = 6 * RATE_HZ
"""Sound from before a turn; more than the longest prefix padding."""


@dataclass(slots=True, eq=False)
class Turn:
    """What the user says in one go, at `RATE_HZ`."""

    item_id: str = field(default_factory=lambda: new_id("item"))
    new: bytearray = field(default_factory=bytearray)
    """Sound (s16le) that nobody has taken yet."""
    heard: bytearray = field(default_factory=bytearray)
    """Sound that has been taken."""
    ended: bool = False
    dropped: bool = False
    """The client has cleared it away."""

    def take(self, most: int | None = None) -> bytes:
        """What is new, if anything; at most so many bytes of it."""
        new = bytes(self.new[:most])
        self.heard += new
        del self.new[:most]
        return new

    @property
    def seconds(self) -> float:
        return (len(self.new) + len(self.heard)) / 2 / RATE_HZ


@dataclass(frozen=True, slots=True)
class Began:
    turn: Turn
    start_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    turn: Turn
    end_ms: int


class Ear:
    """Listens to one session.

    With a rule it finds turns by itself; without one a turn lasts from the first sound to
    the commit.
    """

    def __init__(self, detector: Detector, rule: TurnRule | None) -> None:
        self._cutter = SampleCutter()
        self._resampler = Resampler(WIRE_HZ, RATE_HZ)
        self._detector = TurnDetector(detector, rule or TurnRule())
        self._by_itself = rule is not None
        self._kept: Samples = np.zeros(0, np.float32)
        self._clock = 0
        self._taken = 0
        self._uncommitted = 0
        self.turn: Turn | None = None
        """The turn that is being spoken."""

    def retune(self, rule: TurnRule | None) -> None:
        """Listen by another rule; a turn goes on unless turns are found differently from now on."""
        if self._by_itself != (rule is not None):
            self.clear()
        self._by_itself = rule is not None
        if rule is not None:
            self._detector.retune(rule)

    def hear(self, pcm: bytes) -> list[Began | Ended]:
        """Take sound (24 kHz s16le, cut anywhere); what it makes certain, in order."""
        samples = self._resampler.feed(to_samples(self._cutter.feed(pcm)))
        self._kept = np.concatenate([self._kept, samples])
        self._clock += len(samples)
        self._uncommitted += len(samples)
        found = self._found(samples) if self._by_itself else []
        if not self._by_itself and self.turn is None and len(samples):
            self._begin(self._clock - len(samples))
        if self.turn is not None:
            self._take(self._clock)
            if self.turn.seconds >= MAX_TURN_S:
                found.append(self._end(self._clock))
                self._detector.forget()
        self._forget_old()
        return found

    def commit(self) -> Turn:
        """The turn that the client ends; an empty one if nobody was speaking.

        Raises:
            ProtocolRefusal: less than 100 ms came since the last one.
        """
        waiting_ms = self._uncommitted * 1000 // RATE_HZ
        if waiting_ms < LEAST_COMMIT_MS:
            raise ProtocolRefusal(
                f"expected at least {LEAST_COMMIT_MS} ms of audio, but the buffer has {waiting_ms}",
                reason="input_audio_buffer_commit_empty",
            )
        if self.turn is None:
            self._uncommitted = 0
            return Turn(ended=True)
        self._detector.forget()
        return self._end(self._clock).turn

    def clear(self) -> None:
        """Throw away what has not been committed."""
        if self.turn is not None:
            self.turn.dropped = self.turn.ended = True
        self.turn = None
        self._detector.forget()
        self._taken = self._clock
        self._uncommitted = 0

    def _found(self, samples: Samples) -> list[Began | Ended]:
        found: list[Began | Ended] = []
        for event in self._detector.feed(samples):
            match event:
                case TurnStarted(start):
                    found.append(Began(self._begin(start), event.start_ms))
                case TurnStopped(end):
                    found.append(self._end(end))
        return found

    def _begin(self, start: int) -> Turn:
        self._taken = max(start, self._taken)
        self.turn = Turn()
        return self.turn

    def _end(self, end: int) -> Ended:
        turn = self.turn or Turn()
        self._take(end)
        turn.ended = True
        self.turn, self._uncommitted = None, self._clock - end
        return Ended(turn, end * 1000 // RATE_HZ)

    def _take(self, until: int) -> None:
        """Give the turn its sound up to a moment; what is before it has been given."""
        first = self._clock - len(self._kept)
        if self.turn is not None and until > self._taken:
            part = self._kept[max(0, self._taken - first) : until - first]
            self.turn.new += from_samples(part)
            self._taken = until

    def _forget_old(self) -> None:
        if len(self._kept) > 2 * _KEPT_SAMPLES:
            self._kept = self._kept[-_KEPT_SAMPLES:].copy()
