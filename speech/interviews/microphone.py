"""The microphone of one reader: whatever a browser sends, as speech and sound of the current turn.

Decodes containers, resamples, keeps what a cut leaves over, and finds voice on the sample clock.
Moments are Unix time in milliseconds. Computes, so call it off the event loop; one call at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from readrealm.kernel.errors import PayloadTooLarge, UnsupportedMedia
from speech.audio.containers import SNIFF_BYTES, Container, StreamDecoder, raw_pcm, sniff
from speech.audio.pcm import SAMPLE_BYTES, Samples, from_samples, to_samples
from speech.audio.voice import RATE_HZ, Began, Detector, Segment, VoiceActivity
from speech.interviews.events import MAX_CHUNK_S
from speech.interviews.timeline import SampleClock, Span

PADDING_SAMPLES = RATE_HZ // 2
"""Sound that is kept before and behind what was recognised as voice."""

OGG_FLAGS, OGG_BEGINS = 5, 0x02
"""Place and mark of the first page of an Ogg stream (RFC 3533, section 6)."""

LONGEST_PIECE_S = 120
"""Seconds of one piece of sound that a recogniser is given at once."""

LONGEST_TURN_S = 1_800
"""Seconds of one turn that are kept."""

HELD_S, LATE_S = 0.1, 1.0
"""Seconds by which the sound of one chunk may be longer than it should: what a resampler held of
the chunk before, and in compressed sound also what a browser cut too late."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one ``audio_chunk`` brought."""

    payload: bytes
    rate_hz: int
    """Of raw samples; containers say it themselves."""
    arrived_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a chunk, or the end of a turn, made known."""

    speech: tuple[Span, ...] = ()
    """Stretches of voice; one that goes on comes again, with the same start and a later end."""


@dataclass(slots=True)
class _Turn:
    """Voice and sound of one turn."""

    activity: VoiceActivity
    clock: SampleClock = field(default_factory=lambda: SampleClock(RATE_HZ))
    pcm: bytearray = field(default_factory=bytearray)
    voice: list[tuple[int, int]] = field(default_factory=list)
    """Finished stretches of voice, in samples of the turn."""
    base: int = 0
    """Sample of the turn at which ``activity`` began to listen."""
    began: int | None = None
    """Sample of the turn at which a stretch began that goes on."""
    resumed: int = 0
    """Samples that were heard on another worker."""


class Microphone:
    """One stream of sound, and the turn for which it is listened to.

    Args:
        detector: gives a voice detector for one stream.
        container: what the stream was in before, on another worker; the rest of it cannot be
            read without the beginning, and must not be taken for samples.
    """

    def __init__(
        self, detector: Callable[[], Detector], *, container: Container | None = None
    ) -> None:
        self._new_detector = detector
        self._detector: Detector | None = None
        self._decoder: StreamDecoder | None = None
        self._rate_hz = 0
        self._taken, self._given = 0, 0
        self._turn: _Turn | None = None
        self.container = container
        """What the stream is in; None for raw samples."""

    @property
    def voiced_from(self) -> int | None:
        """Byte of the turn's sound from which a recogniser should listen; None before any voice."""
        turn = self._turn
        if turn is None:
            return None
        here = [start for start, _ in turn.voice if start >= turn.resumed]
        first = here[0] if here else turn.began
        return None if first is None else max(turn.resumed, first - PADDING_SAMPLES) * SAMPLE_BYTES

    def sound_from(self, byte: int, *, most_bytes: int) -> bytes:
        """More of the turn's sound, s16le at 16 kHz; empty when there is none yet."""
        return bytes(self._turn.pcm[byte : byte + most_bytes]) if self._turn else b""

    def begin_turn(self) -> None:
        """Listen from now on."""
        if self._detector is None:
            self._detector = self._new_detector()
        self._detector.reset()
        self._turn = _Turn(VoiceActivity(self._detector))

    def resume_turn(self, pcm: bytes) -> None:
        """Go on with a turn behind its sound on another worker (s16le at 16 kHz). Its voice is
        found again for the pass over the whole turn, and not told again."""
        self.begin_turn()
        turn, detector = self._turn, self._detector
        if turn is None or detector is None or not pcm:
            return
        heard = len(pcm) // SAMPLE_BYTES
        found = [*turn.activity.feed(to_samples(pcm)), *turn.activity.finish()]
        turn.voice = [
            (part.start, min(part.end, heard)) for part in found if isinstance(part, Segment)
        ]
        turn.pcm += pcm
        turn.base = turn.resumed = turn.clock.samples = heard
        detector.reset()
        turn.activity = VoiceActivity(detector)

    def feed(self, chunk: Chunk) -> Heard:
        """Take the next chunk; outside of a turn it is only decoded, to stay in the stream.

        Raises:
            UnsupportedMedia: nothing here reads this stream.
            PayloadTooLarge: more than `MAX_CHUNK_S` of sound; the chunk is dropped.
        """
        samples = self._decode(chunk)
        arrived_ms = chunk.arrived_ms - self._held_ms(len(samples), chunk)
        slack_s = HELD_S if self.container in (None, Container.WAV) else LATE_S
        if len(samples) > (MAX_CHUNK_S + slack_s) * RATE_HZ:
            raise PayloadTooLarge(f"an audio chunk holds at most {MAX_CHUNK_S} s")
        turn = self._turn
        if turn is None or not len(samples):
            return Heard()
        speech = self._place(turn, len(samples), arrived_ms)
        room = LONGEST_TURN_S * RATE_HZ * SAMPLE_BYTES - len(turn.pcm)
        turn.pcm += from_samples(samples)[: max(0, room)]
        return Heard(speech=(*speech, *_spans(turn, turn.activity.feed(samples), goes_on=True)))

    def end_turn(self) -> Heard:
        """What the end of the sound makes certain; the sound stays until `take_pieces`."""
        turn = self._turn
        if turn is None:
            return Heard()
        return Heard(speech=tuple(_spans(turn, turn.activity.finish(), goes_on=False)))

    def take_pieces(self) -> list[bytes]:
        """The voiced part of the turn, s16le at 16 kHz, in pieces of at most `LONGEST_PIECE_S`
        that are cut where nobody speaks, if somewhere nobody does; then the turn is forgotten."""
        turn, self._turn = self._turn, None
        if turn is None or not turn.voice:
            return []
        return [
            bytes(turn.pcm[first * SAMPLE_BYTES : last * SAMPLE_BYTES])
            for first, last in _pieces(turn.voice, len(turn.pcm) // SAMPLE_BYTES)
        ]

    def _decode(self, chunk: Chunk) -> Samples:
        begun = _container_begun_by(chunk.payload)
        if begun is not None and not (begun is Container.WAV and self.container is begun):
            self._decoder, self.container = StreamDecoder(), begun
        elif self._decoder is None and self.container is not None:
            raise UnsupportedMedia("the recording goes on without its beginning; start it again")
        elif self._decoder is None or (self.container is None and self._rate_hz != chunk.rate_hz):
            self._decoder = StreamDecoder(raw=raw_pcm(chunk.rate_hz))
            self._rate_hz, self._taken, self._given = chunk.rate_hz, 0, 0
        return self._decoder.feed(chunk.payload)

    def _held_ms(self, samples: int, chunk: Chunk) -> int:
        """How much raw sound is still inside of the resampler: it came with this chunk, too."""
        if self.container is not None:
            return 0
        self._taken += len(chunk.payload)
        self._given += samples
        taken_ms = self._taken * 1000 // (SAMPLE_BYTES * self._rate_hz)
        return max(0, taken_ms - self._given * 1000 // RATE_HZ)

    def _place(self, turn: _Turn, samples: int, now_ms: int) -> list[Span]:
        """Take note of when samples arrive; where sound is missing before them, a stretch of
        voice ends there rather than going on through the hole."""
        anchors = len(turn.clock.anchors)
        before = turn.clock.samples
        turn.clock.arrive(samples, now_ms=now_ms)
        if not anchors or len(turn.clock.anchors) == anchors:
            return []
        ended = _spans(turn, turn.activity.finish(), goes_on=False, last=before)
        if self._detector is not None:
            self._detector.reset()
            turn.activity, turn.base = VoiceActivity(self._detector), before
        return ended


def _container_begun_by(payload: bytes) -> Container | None:
    """The container whose beginning this is; what goes on in one may look alike."""
    found = sniff(payload[:SNIFF_BYTES])
    match found:
        case Container.MP4:
            begins = payload[4:8] == b"ftyp"
        case Container.OGG:
            begins = len(payload) > OGG_FLAGS and bool(payload[OGG_FLAGS] & OGG_BEGINS)
        case _:
            begins = True
    return found if begins else None


def _spans(
    turn: _Turn, found: Iterable[Began | Segment], *, goes_on: bool, last: int | None = None
) -> list[Span]:
    """Stretches of voice as moments.

    Args:
        goes_on: whether one that has begun and not ended is told as well.
        last: no sample at or behind it is meant.
    """
    spans: list[Span] = []
    most = turn.clock.samples if last is None else last
    for event in found:
        turn.began = turn.base + event.start
        if isinstance(event, Segment):
            end = min(turn.base + event.end, most)
            turn.voice.append((turn.began, end))
            spans.append(_span(turn, turn.began, end))
            turn.began = None
    sure = turn.base + turn.activity.voice_end
    if goes_on and turn.began is not None and sure > turn.began:
        spans.append(_span(turn, turn.began, sure))
    return spans


def _span(turn: _Turn, start: int, end: int) -> Span:
    # The end is the moment behind the last sample, and belongs to that sample's anchor.
    last_ms = turn.clock.moment_ms(max(start, end - 1))
    return Span(turn.clock.moment_ms(start), max(last_ms, turn.clock.moment_ms(start)) + 1)


def _pieces(voice: list[tuple[int, int]], samples: int) -> list[tuple[int, int]]:
    """Where to cut: stretches are put together as long as they fit into one piece."""
    most = LONGEST_PIECE_S * RATE_HZ
    pieces: list[tuple[int, int]] = []
    for start, end in voice:
        first, last = max(0, start - PADDING_SAMPLES), min(samples, end + PADDING_SAMPLES)
        if pieces and last - pieces[-1][0] <= most:
            pieces[-1] = (pieces[-1][0], last)
            continue
        if pieces:
            first = max(first, pieces[-1][1])
        pieces += [(cut, min(cut + most, last)) for cut in range(first, last, most)]
    return [(first, last) for first, last in pieces if last > first]
