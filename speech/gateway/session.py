"""One session of live talk: what the client must be told, and what the provider. Pure.

It is told what happened and answers with what to do, in order. It knows no socket, no clock and
no event loop; `pump.py` does the waiting. The order of everything is that of the wire contract.
"""

import enum
from collections.abc import Iterator

from speech.audio.pcm import SAMPLE_BYTES, BlockCutter
from speech.gateway.events import SESSION_START, SESSION_STARTED, AudioControl, SessionStatus, State
from speech.gateway.exchange import Exchange
from speech.gateway.steps import Append, Commit, Respond, Step, Tell
from speech.realtime import events as realtime

BLOCK_BYTES = 4_800
"""100 ms: the provider is fed whole blocks only."""


class Phase(enum.Enum):
    OPENING = enum.auto()
    ACTIVE = enum.auto()
    DRAINING = enum.auto()
    ENDED = enum.auto()


class Session:
    """From ``start`` to the end; a restart is a new one."""

    def __init__(self) -> None:
        self.phase = Phase.OPENING
        self._exchange = Exchange()
        self._blocks = BlockCutter(BLOCK_BYTES)
        self._uncommitted = 0
        """Blocks since the provider last took a turn."""
        self._is_confirmed = False
        self._is_committing = False
        """Our own commit is on its way."""

    @property
    def is_drained(self) -> bool:
        """Whether nothing is due from the provider."""
        return not self._is_committing and self._exchange.is_settled

    # ------------------------------------------------------------------ begin and end

    def begin(self) -> Iterator[Step]:
        """The provider is about to be called."""
        yield Tell("state", State.WORKING)

    def refuse(self, error: str) -> Iterator[Step]:
        """The provider cannot be had; the session has never been."""
        self.phase = Phase.ENDED
        yield Tell("error", error)
        yield Tell("state", State.READY_TO_START)

    def open(self) -> Iterator[Step]:
        """The provider has taken the configuration."""
        self.phase = Phase.ACTIVE
        yield Tell("audio", SESSION_START)
        yield Tell("audioControl", AudioControl(type="sessionStart"))
        yield Tell("sessionStatus", SessionStatus(active=True))

    def stop(self) -> Iterator[Step]:
        """The client has said enough: flush, then wait until `is_drained`, but not for ever."""
        self.phase = Phase.DRAINING
        yield Tell("state", State.WORKING)
        rest = self._blocks.rest()
        whole = len(rest) - len(rest) % SAMPLE_BYTES
        if whole:
            yield Append(rest[:whole])
        if not self._uncommitted:
            return  # An empty commit is an error at the provider.
        self._uncommitted = 0
        self._is_committing = True
        yield Commit()
        if self._exchange.is_speaking:
            # A commit of ours is not answered unless that is asked for.
            self._exchange.expect_answer()
            yield Respond()

    def close(self) -> Iterator[Step]:
        """The provider is gone after `stop`; nothing of this session follows."""
        self.phase = Phase.ENDED
        yield Tell("state", State.READY_TO_START)
        yield Tell("sessionStatus", SessionStatus(active=False))
        yield Tell("done")

    def drop(self, error: str) -> Iterator[Step]:
        """It ends without having been asked to."""
        self.phase = Phase.ENDED
        yield Tell("error", error)
        yield Tell("state", State.READY_TO_START)
        yield Tell("sessionStatus", SessionStatus(active=False))

    # ------------------------------------------------------------------ the client

    def hear(self, pcm: bytes) -> Iterator[Step]:
        """Sound of the reader; every block that it completes goes on."""
        for block in self._blocks.feed(pcm):
            self._uncommitted += 1
            yield Append(block)

    def played(self, ms: int, item_id: str | None, *, now_ms: int) -> Iterator[Step]:
        """The client has played so much of an answer."""
        yield from self._exchange.played(ms, item_id, now_ms=now_ms)

    # ------------------------------------------------------------------ the provider

    def take(self, event: realtime.Event, *, now_ms: int) -> Iterator[Step]:
        """An event of the provider."""
        match event:
            case realtime.SessionCreated() | realtime.SessionUpdated():
                yield from self._confirm()
            case realtime.AudioCommitted(item_id=turn_id):
                self._uncommitted = 0
                self._exchange.commit(turn_id, is_answered=not self._is_committing)
                self._is_committing = False
            case realtime.Failure(error=error) if error.code == "input_audio_buffer_commit_empty":
                self._is_committing = False
            case _:
                yield from self._exchange.take(event, now_ms=now_ms)

    def lose(self) -> Iterator[Step]:
        """The provider was lost, and is being called again."""
        self._uncommitted = 0
        self._is_committing = False
        yield from self._exchange.lose()
        if self.phase is Phase.ACTIVE:
            yield Tell("audioControl", AudioControl(type="reconnecting"))
            yield Tell("state", State.WORKING)
        else:
            self._exchange.forget()

    def regain(self) -> Iterator[Step]:
        """There is a provider again, who remembers; an answer that is due is asked for anew."""
        if self.phase is Phase.ACTIVE:
            yield Tell("state", State.READY_TO_STOP)
            if self._exchange.is_answer_due:
                yield Respond()

    def _confirm(self) -> Iterator[Step]:
        if not self._is_confirmed:
            self._is_confirmed = True
            yield Tell("state", State.READY_TO_STOP)
            yield Tell("transcript", SESSION_STARTED)
