"""What is done with the sound of one stream: decoded, judged for voice, cut into utterances.

Chunks in, events out; waits for nothing and knows no store, no socket and no recogniser. It
computes: run it in a thread. The same chunks give the same events however often they are fed to a
new pipeline, which is how a worker takes over from a dead one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from readrealm.kernel.errors import UnsupportedMedia
from speech.audio.codecs import Codec, Track
from speech.audio.containers import SNIFF_BYTES, StreamDecoder, raw_pcm, sniff
from speech.audio.pcm import Samples, from_samples
from speech.audio.voice import RATE_HZ, Began, Detector, Segment, VoiceActivity
from speech.routes.configuration import PipelineConfig

PADDING_MS = 300
"""Sound around the voice that belongs to an utterance: words begin softly and end so."""

LONGEST_UTTERANCE_MS = 30_000
"""A longer one is cut. Without voice detection, every utterance is as long."""

RAW = frozenset({"audio/pcm", "audio/l16", "audio/raw", "audio/x-raw", "audio/wav"})


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    at_ms: int


@dataclass(frozen=True, slots=True)
class LongSilence:
    """Nobody has spoken for as long as the configuration says; told once for each silence."""

    at_ms: int
    silence_ms: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """More of an utterance that goes on."""

    start_ms: int
    end_ms: int
    pcm: bytes
    """s16le at `RATE_HZ`; only what is new."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A whole one."""

    start_ms: int
    end_ms: int
    pcm: bytes
    """s16le at `RATE_HZ`."""


Happening = SpeechBegan | SpeechEnded | LongSilence | Speaking | Utterance


class MakeDetector(Protocol):
    def __call__(self) -> Detector:
        """A detector for one stream."""


class SoundPipeline:
    """One stream, from its first chunk to its last.

    Args:
        make_detector: called once, when voice is to be looked for.
        config: may be changed at any time by `retune`; holds for the next chunk.
        offset_ms: where the stream begins in the session's sound.
    """

    def __init__(
        self, make_detector: MakeDetector, config: PipelineConfig, *, offset_ms: int = 0
    ) -> None:
        self._make_detector, self._config = make_detector, config
        self._offset_ms = offset_ms
        self._decoder: StreamDecoder | None = None
        self._activity: VoiceActivity | None = None
        self._is_broken = False
        self._kept: Samples = np.zeros(0, np.float32)
        """The newest sound: of the utterance that goes on, or what one may begin with."""
        self._clock = 0
        self._judged_from = 0
        """Where the detector's own clock began."""
        self._utterance: int | None = None
        self._told = 0
        self._voice_end = 0
        self._silence_told = False

    @property
    def sound_ms(self) -> int:
        """How long the stream is so far."""
        return self._clock * 1000 // RATE_HZ

    def retune(self, config: PipelineConfig) -> None:
        """Go on with another configuration."""
        was_on, self._config = self._config.vad_enabled, config
        if self._activity is not None and config.vad_enabled:
            self._activity.retune(config.rule)
        if was_on and not config.vad_enabled:
            self._activity = None

    def hear(self, chunk: bytes, mime_type: str) -> list[Happening]:
        """Take the next chunk.

        Raises:
            UnsupportedMedia, PayloadTooLarge: nothing can be made of it, nor of what follows
                until a container begins anew. Raised once; what follows is passed over.
        """
        if self._is_broken or self._decoder is None:
            if self._is_broken and sniff(chunk[:SNIFF_BYTES]) is None:
                return []
            self._decoder = StreamDecoder(raw=raw_track(mime_type, self._config.raw_rate_hz))
            self._is_broken = False
        try:
            samples = self._decoder.feed(chunk)
        except Exception:
            self._is_broken = True
            raise
        return list(self._judge(samples))

    def lost(self, chunks: int) -> list[Happening]:
        """So many chunks will never come; what has a clock finds out by itself how long they
        were, of raw samples each is taken to be as long as ``pipeline.chunkMs``."""
        if self._decoder is None or self._is_broken:
            return []
        return list(self._judge(self._decoder.lost(chunks * self._config.chunk_ms)))

    def finish(self) -> list[Happening]:
        """The stream is over."""
        found: list[Happening] = []
        if self._decoder is not None and not self._is_broken:
            found += self._judge(self._decoder.finish())
        if self._activity is not None:
            for event in self._activity.finish():
                found += self._turn(event)
        if self._utterance is not None:
            found += self._close(self._clock)
        return found

    # ------------------------------------------------------------------ voice

    def _judge(self, samples: Samples) -> Iterator[Happening]:
        step = max(1, self._config.chunk_ms * RATE_HZ // 1000)
        for start in range(0, len(samples), step):
            yield from self._block(samples[start : start + step])

    def _block(self, block: Samples) -> Iterator[Happening]:
        self._kept = np.concatenate([self._kept, block])
        self._clock += len(block)
        if self._config.vad_enabled:
            if self._activity is None:
                self._activity = VoiceActivity(self._make_detector(), self._config.rule)
                self._judged_from = self._clock - len(block)
            for event in self._activity.feed(block):
                yield from self._turn(event)
        elif self._utterance is None:
            self._utterance = self._told = self._clock - len(block)
        if self._utterance is not None:
            yield from self._go_on()
        else:
            yield from self._stay_silent()
        self._forget()

    def _turn(self, event: Began | Segment) -> Iterator[Happening]:
        if isinstance(event, Began):
            start = self._judged_from + event.start
            self._open(start)
            yield SpeechBegan(self._ms(start))
            return
        end = self._judged_from + event.end
        yield SpeechEnded(self._ms(end))
        yield from self._close(end)

    def _open(self, start: int) -> None:
        padded = start - PADDING_MS * RATE_HZ // 1000
        self._utterance = self._told = max(padded, self._voice_end, self._clock - len(self._kept))
        self._silence_told = False

    def _go_on(self) -> Iterator[Happening]:
        start = self._utterance or 0
        if self._clock - start >= LONGEST_UTTERANCE_MS * RATE_HZ // 1000:
            if self._activity is not None and self._activity.speaking:
                self._activity.forget()
                yield SpeechEnded(self._ms(self._clock))
            yield from self._close(self._clock)
            return
        if self._clock > self._told:
            pcm = from_samples(self._between(self._told, self._clock))
            self._told = self._clock
            yield Speaking(self._ms(start), self._ms(self._clock), pcm)

    def _close(self, end: int) -> Iterator[Happening]:
        """End the utterance, with a little of what follows the voice."""
        start, self._utterance = self._utterance, None
        if start is None or end <= start:
            return
        self._voice_end = end
        padded = min(end + PADDING_MS * RATE_HZ // 1000, self._clock)
        yield Utterance(self._ms(start), self._ms(end), from_samples(self._between(start, padded)))

    def _stay_silent(self) -> Iterator[Happening]:
        silence_ms = (self._clock - self._voice_end) * 1000 // RATE_HZ
        if self._silence_told or silence_ms < self._config.silence_timeout_ms:
            return
        self._silence_told = True
        yield LongSilence(self._ms(self._clock), silence_ms)

    def _between(self, start: int, end: int) -> Samples:
        first = self._clock - len(self._kept)
        return self._kept[max(0, start - first) : end - first]

    def _forget(self) -> None:
        """Drop sound that no utterance can begin with any more."""
        lead_ms = self._config.rule.min_speech_ms + PADDING_MS + 100
        oldest = self._clock - lead_ms * RATE_HZ // 1000
        if self._utterance is not None:
            oldest = min(oldest, self._utterance)
        surplus = oldest - (self._clock - len(self._kept))
        if surplus > RATE_HZ:
            self._kept = self._kept[surplus:].copy()

    def _ms(self, at: int) -> int:
        return self._offset_ms + at * 1000 // RATE_HZ


def raw_track(mime_type: str, rate_hz: int) -> Track | None:
    """How to read a stream that is in no container; None for types that have one.

    ``audio/L16`` is big endian (RFC 2586); the others are taken for little endian.
    """
    essence, _, rest = mime_type.partition(";")
    essence = essence.strip().lower()
    if essence not in RAW:
        return None
    named = dict(part.split("=", 1) for part in rest.split(";") if "=" in part)
    parameters = {name.strip().lower(): value.strip(' "') for name, value in named.items()}
    try:
        rate, channels = (
            int(parameters.get("rate", rate_hz)),
            int(parameters.get("channels", 1)),
        )
    except ValueError:
        raise UnsupportedMedia("rate and channels must be numbers") from None
    codec = Codec.PCM_S16_BIG if essence == "audio/l16" else Codec.PCM_S16
    return raw_pcm(rate, channels=channels, codec=codec)
