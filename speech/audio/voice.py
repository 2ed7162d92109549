"""Where speech is in a stream, from the probabilities of a voice detector.

Time is counted in samples since the start of the stream, so the same sound gives the same
segments however it is cut. Knows no model: `Detector` is the port to one.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from speech.audio.pcm import Samples

RATE_HZ = 16_000
"""The rate at which voice is looked for."""

WINDOW_SAMPLES = 512
"""One decision: 32 ms."""

WINDOW_MS = WINDOW_SAMPLES * 1000 // RATE_HZ


class Detector(Protocol):
    """A model that listens to one stream."""

    def probability(self, window: Samples) -> float:
        """How likely the next `WINDOW_SAMPLES` hold speech, 0 to 1."""

    def reset(self) -> None:
        """Forget what was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRule:
    """When a window counts as speech and when a run of windows counts as a segment."""

    threshold: float = 0.5
    """Probability at which speech begins, 0 to 1."""
    release: float = 0.35
    """Probability below which a window inside a segment counts as silent."""
    min_speech_ms: int = 150
    """Shorter bursts are coughs and clicks."""
    hangover_ms: int = 300
    """Silence inside a segment up to this long does not end it."""
    min_return_ms: int = 90
    """Voice that comes back within the hangover for less than this does not prolong the segment:
    a breath or a click behind the last word sounds like speech for a window or two."""

    @classmethod
    def at(
        cls, threshold: float, *, min_speech_ms: int = 150, hangover_ms: int = 300
    ) -> "VoiceRule":
        """The rule for another threshold: silence begins 0.15 below it, as the model advises."""
        return cls(
            threshold=threshold,
            release=max(0.01, threshold - 0.15),
            min_speech_ms=min_speech_ms,
            hangover_ms=hangover_ms,
        )


@dataclass(frozen=True, slots=True)
class Began:
    """A segment is certain; it began at ``start``, somewhat in the past (samples)."""

    start: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Speech from ``start`` up to, not including, ``end`` (samples since the stream began)."""

    start: int
    end: int

    @property
    def start_s(self) -> float:
        return self.start / RATE_HZ

    @property
    def end_s(self) -> float:
        return self.end / RATE_HZ


class Segmenter:
    """Groups the windows of one stream into segments.

    A segment begins with the first window of an unbroken run at or above the threshold that
    lasts `VoiceRule.min_speech_ms`, and ends with its last window that was not silent, once
    the silence after it has lasted longer than `VoiceRule.hangover_ms`. Voice that comes back
    and does not last `VoiceRule.min_return_ms` is neither: it prolongs nothing and ends nothing.
    """

    __slots__ = (
        "_hangover",
        "_min_return",
        "_min_speech",
        "_return_start",
        "_rule",
        "_run_start",
        "_silence",
        "clock",
        "speaking",
        "voice_end",
    )

    def __init__(self, rule: VoiceRule) -> None:
        self._run_start: int | None = None
        self._return_start: int | None = None
        """First sample of voice that may go on; None in silence."""
        self._silence = 0
        self.voice_end = 0
        """Where the voice of the segment that goes on, or of the last one, has been heard to."""
        self.clock = 0
        """Samples heard so far."""
        self.speaking = False
        self.retune(rule)

    def retune(self, rule: VoiceRule) -> None:
        """Judge by another rule from the next window on."""
        self._rule = rule
        self._min_speech = rule.min_speech_ms * RATE_HZ // 1000
        self._hangover = rule.hangover_ms * RATE_HZ // 1000
        self._min_return = rule.min_return_ms * RATE_HZ // 1000

    def forget(self) -> None:
        """Drop a segment that has begun, without an event; the clock goes on."""
        self._run_start, self.speaking = None, False

    def feed(self, probability: float) -> Began | Segment | None:
        """Advance by one window of `WINDOW_SAMPLES`."""
        self.clock += WINDOW_SAMPLES
        return self._inside(probability) if self.speaking else self._outside(probability)

    def finish(self) -> Segment | None:
        """The segment that the end of the stream cuts off, if there is one."""
        return self._close() if self.speaking else None

    def _outside(self, probability: float) -> Began | None:
        if probability < self._rule.threshold:
            self._run_start = None
            return None
        if self._run_start is None:
            self._run_start = self.clock - WINDOW_SAMPLES
        if self.clock - self._run_start < self._min_speech:
            return None
        self.speaking, self.voice_end, self._silence = True, self.clock, 0
        self._return_start = self._run_start
        return Began(self._run_start)

    def _inside(self, probability: float) -> Segment | None:
        if probability < self._rule.release:
            self._return_start = None
            self._silence += WINDOW_SAMPLES
            return self._close() if self._silence > self._hangover else None
        if self._return_start is None:
            self._return_start = self.clock - WINDOW_SAMPLES
        if self.clock - self._return_start >= self._min_return:
            self.voice_end, self._silence = self.clock, 0
        return None

    def _close(self) -> Segment:
        segment = Segment(self._run_start or 0, self.voice_end)
        self._run_start, self.speaking = None, False
        return segment


class VoiceActivity:
    """Segments of one stream of `RATE_HZ` samples, whatever the size of its chunks."""

    __slots__ = ("_detector", "_segmenter", "_waiting")

    def __init__(self, detector: Detector, rule: VoiceRule | None = None) -> None:
        self._detector = detector
        self._segmenter = Segmenter(rule or VoiceRule())
        self._waiting = np.zeros(0, np.float32)

    @property
    def speaking(self) -> bool:
        return self._segmenter.speaking

    @property
    def clock(self) -> int:
        """Samples that have been judged so far."""
        return self._segmenter.clock

    @property
    def voice_end(self) -> int:
        """Where the voice of the segment that goes on has been heard to, so far."""
        return self._segmenter.voice_end

    def retune(self, rule: VoiceRule) -> None:
        """Judge by another rule from the next window on; the clock goes on."""
        self._segmenter.retune(rule)

    def forget(self) -> None:
        """Drop a segment that has begun, without an event; the clock goes on."""
        self._segmenter.forget()

    def feed(self, samples: Samples) -> list[Began | Segment]:
        """What becomes certain with these samples, in order; fewer than a window wait."""
        joined = np.concatenate([self._waiting, samples])
        whole = len(joined) - len(joined) % WINDOW_SAMPLES
        self._waiting = joined[whole:]
        windows = joined[:whole].reshape(-1, WINDOW_SAMPLES)
        found = (self._segmenter.feed(self._detector.probability(window)) for window in windows)
        return [event for event in found if event]

    def finish(self) -> list[Began | Segment]:
        """What the end of the stream makes certain: the rest of a window is judged with silence
        behind it, and a segment that is still open ends."""
        last: list[Began | Segment] = []
        if len(self._waiting):
            last = self.feed(np.zeros(WINDOW_SAMPLES - len(self._waiting), np.float32))
        segment = self._segmenter.finish()
        return [*last, segment] if segment else last
