"""When a session is replaced by a new one, before its provider ends it. Pure.

Providers end a session at a fixed age, whatever is going on in it (OpenAI and Azure: 60 minutes,
without a warning). So a session that has grown old is replaced in the next lull, when nobody
speaks, nothing is being answered and nothing is heard.
"""

from dataclasses import dataclass

from speech.realtime.events import (
    AudioCommitted,
    AudioDelta,
    Event,
    Failure,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SpeechStarted,
    SpeechStopped,
    TranscriptCompleted,
    TranscriptFailed,
)

SESSION_EXPIRED = "session_expired"
"""Code of the error by which a provider tells that a session has reached its age; it closes the
connection right behind it."""

LIMIT_S = 3_600.0
"""What OpenAI and Azure document."""

OLD_AT = 5 / 6
"""Share of its life after which a session is old: 50 minutes of an hour."""

BYTES_PER_S = 48_000
"""Of the sound of an answer: 24 kHz, 16 bit, mono."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPlan:
    """In seconds."""

    limit: float = LIMIT_S
    """How long a session lives whose provider does not tell."""
    shortest: float = 60.0
    """A provider that tells less has another idea of the time than we, and is not believed."""
    look: float = 0.25
    """How often a lull is looked for, once the session is old."""
    pause: float = 15.0
    """After an attempt that failed."""

    def old_after_s(self, session: SessionCreated, *, now_s: float) -> float:
        """How long from now a session that was just created is as good as new.

        Args:
            now_s: since 1970, as ``expires_at`` is told.
        """
        told = session.session.get("expires_at")
        life_s = told - now_s if isinstance(told, int | float) else 0.0
        return OLD_AT * (life_s if life_s >= self.shortest else self.limit)


class Lull:
    """Whether anything is under way in a session, by what both sides have said.

    Attributes:
        count: grows whenever something happens.
    """

    def __init__(self) -> None:
        self.count = 0
        self._is_speaking = False
        self._is_answer_due = False
        self._unknown: set[str] = set()
        """Turns whose words are not known yet."""
        self._answers: set[str] = set()
        self._heard_until_s = 0.0

    def is_now(self, *, now_s: float) -> bool:
        """Whether nobody speaks, nothing is due, and every answer has been heard if it was played
        as it came."""
        is_busy = self._is_speaking or self._is_answer_due or self._unknown or self._answers
        return not is_busy and now_s >= self._heard_until_s

    def ask(self) -> None:
        """We have ended a turn, or asked for an answer."""
        self.count += 1
        self._is_answer_due = True

    def hush(self) -> None:
        """The reader hears nothing more of what was sent so far."""
        self._heard_until_s = 0.0

    def take(self, event: Event, *, now_s: float) -> None:
        """An event of the provider.

        Args:
            now_s: of a clock that never jumps.
        """
        match event:
            case AudioDelta(delta=sound):
                begun_s = max(now_s, self._heard_until_s)
                self._heard_until_s = begun_s + len(sound) * 3 / 4 / BYTES_PER_S
                return
            case SpeechStarted(item_id=turn_id):
                self._is_speaking, self._is_answer_due = True, False
                self._unknown.add(turn_id)
            case SpeechStopped():
                self._is_speaking, self._is_answer_due = False, True
            case AudioCommitted(item_id=turn_id):
                self._is_speaking = False
                self._unknown.add(turn_id)
            case TranscriptCompleted(item_id=turn_id) | TranscriptFailed(item_id=turn_id):
                self._unknown.discard(turn_id)
            case ResponseCreated(response=response):
                self._is_answer_due = False
                self._answers.add(response.id)
            case ResponseDone(response=response):
                self._answers.discard(response.id)
            case Failure():
                # It may have been the answer that was asked for.
                self._is_answer_due = False
            case _:
                return
        self.count += 1
