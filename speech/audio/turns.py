"""Whose turn it is: where one turn of a speaker begins and ends.

The arithmetic of ``server_vad`` in the Realtime protocol: a turn takes a little sound from
before the voice with it, and ends after a silence that is long enough to be an invitation
to answer. Times are samples since the stream began. Knows no model and no wire.
"""

from dataclasses import dataclass

from speech.audio.pcm import Samples
from speech.audio.voice import RATE_HZ, Began, Detector, Segment, VoiceActivity, VoiceRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRule:
    """The parameters of ``server_vad``, with the defaults of the protocol."""

    threshold: float = 0.5
    """Probability at which speech begins, 0 to 1."""
    prefix_padding_ms: int = 300
    """Sound from before the voice that belongs to the turn."""
    silence_duration_ms: int = 500
    """Silence that ends the turn."""

    def voice(self) -> VoiceRule:
        return VoiceRule.at(self.threshold, hangover_ms=self.silence_duration_ms)


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The speaker has begun; the turn's sound begins at ``start`` (samples)."""

    start: int

    @property
    def start_ms(self) -> int:
        return self.start * 1000 // RATE_HZ


@dataclass(frozen=True, slots=True)
class TurnStopped:
    """The speaker has stopped; the turn's sound ends before ``end``, silence included."""

    end: int
    voice_end: int
    """Where the voice itself ended (samples)."""

    @property
    def end_ms(self) -> int:
        return self.end * 1000 // RATE_HZ


class TurnDetector:
    """Turns of one stream of `RATE_HZ` samples, whatever the size of its chunks."""

    __slots__ = ("_activity", "_last_end", "_rule")

    def __init__(self, detector: Detector, rule: TurnRule) -> None:
        self._rule = rule
        self._activity = VoiceActivity(detector, rule.voice())
        self._last_end = 0

    @property
    def speaking(self) -> bool:
        return self._activity.speaking

    @property
    def clock(self) -> int:
        """Samples that have been judged so far."""
        return self._activity.clock

    def retune(self, rule: TurnRule) -> None:
        """Judge by another rule from the next window on; a turn that has begun goes on."""
        self._rule = rule
        self._activity.retune(rule.voice())

    def forget(self) -> None:
        """Drop a turn that has begun, without an event, as when its sound was taken away."""
        self._activity.forget()
        self._last_end = self.clock

    def feed(self, samples: Samples) -> list[TurnStarted | TurnStopped]:
        """What becomes certain with these samples, in order."""
        return [self._turn(event) for event in self._activity.feed(samples)]

    def _turn(self, event: Began | Segment) -> TurnStarted | TurnStopped:
        if isinstance(event, Began):
            padded = event.start - self._rule.prefix_padding_ms * RATE_HZ // 1000
            return TurnStarted(max(padded, self._last_end))
        silence = self._rule.silence_duration_ms * RATE_HZ // 1000
        self._last_end = event.end + silence
        return TurnStopped(self._last_end, event.end)
