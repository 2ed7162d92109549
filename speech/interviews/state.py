"""The whole state of one interview as plain data: what is stored so that it can go on elsewhere.

Moments are Unix time in milliseconds. Decides nothing.
"""

import enum
from dataclasses import dataclass, field
from typing import Any

import msgspec

from speech.interviews.course import Course
from speech.interviews.evaluation import Assessment
from speech.interviews.knowledge import Knowledge
from speech.interviews.questions import Difficulty, Question, Term
from speech.interviews.timeline import Turn
from speech.interviews.transcription import HeardHow
from speech.interviews.turn import OpenTurn

SILENT_ANSWER = "[User remained silent]"


class Phase(enum.Enum):
    INTERVIEWER = "interviewer"
    """The question is being read out."""
    USER = "user"
    """The reader's turn."""
    PROCESSING = "processing"
    """The answer is heard again, judged, and followed by the next question or by the result."""
    DONE = "done"


class Reason(enum.Enum):
    """Why an interview ended."""

    COMPLETED = "completed"
    TIME_LIMIT = "time_limit"
    STOPPED = "stopped"
    DISCONNECTED = "disconnected"
    ABANDONED = "abandoned"
    """Left or replaced: there is no result."""


class Step(enum.Enum):
    """What is being waited for while PROCESSING."""

    TRANSCRIBE = "transcribe"
    EVALUATE = "evaluate"
    PHRASE = "phrase"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits and waiting times, all in milliseconds where the name does not say otherwise."""

    duration_limit_ms: int = 1_800_000
    max_questions: int = 15
    silence_timeout_ms: int = 15_000
    """Silence that ends a turn."""
    grace_ms: int = 60_000
    """How long a lost connection may stay away."""
    second_ms: int = 1_000
    """Between two timer updates."""
    transcribe_ms: int = 240_000
    """For the careful pass over a turn, besides twice its length: longer than answers wait for a
    recogniser and than it takes, so that only one that is lost is done without."""
    evaluate_ms: int = 10_000
    phrase_ms: int = 5_000
    store_ms: int = 5_000
    """For one attempt to store; doubled for each further one."""
    longest_store_ms: int = 60_000
    words_questions: bool = False
    """Whether a language model may word questions."""
    introduces: bool = False
    """Whether the first question goes out under a name of its own, for old clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A question as it was put, independent of later changes to the bank."""

    id: str
    topic: str
    subtopic: str
    concepts: tuple[Term, ...]
    difficulty: Difficulty
    text: str
    expected_answer: str
    key_terms: tuple[Term, ...]
    curveball: bool = False

    @classmethod
    def of(cls, question: Question) -> "AskedQuestion":
        return cls(
            id=question.id,
            topic=question.topic,
            subtopic=question.subtopic,
            concepts=question.concepts,
            difficulty=question.difficulty,
            text=question.text,
            expected_answer=question.expected_answer,
            key_terms=question.key_terms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that was judged."""

    question: AskedQuestion
    turn: int
    """Number of the turn in which it was given."""
    text: str
    silent: bool
    heard_by: str
    heard_how: HeardHow | None = None
    """None if a worker of an earlier version judged it."""
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class Job:
    """The one piece of work that is being waited for."""

    id: int
    step: Step
    due_ms: int
    attempt: int = 1


@dataclass(slots=True, kw_only=True)
class InterviewState:
    session_id: str
    user_id: int
    rules: Rules
    stress: bool
    started_ms: int
    touched_ms: int
    """The latest moment the interview was told of."""
    next_second_ms: int
    course: Course
    knowledge: Knowledge
    question: AskedQuestion
    questions_asked: int = 1
    upcoming: AskedQuestion | None = None
    """Chosen, but not asked yet."""
    phase: Phase = Phase.INTERVIEWER
    turn: OpenTurn | None = None
    turns: list[Turn] = field(default_factory=list)
    """Closed turns, in order, on the time line of the interview."""
    answers: list[Answer] = field(default_factory=list)
    answers_told: int = 0
    job: Job | None = None
    jobs: int = 0
    """Jobs so far; ids are never used again."""
    away_since_ms: int | None = None
    """Since when no socket of the reader is there."""
    media_refused: bool = False
    ending: Reason | None = None
    """Why no further question will be asked."""
    ended_ms: int | None = None
    left: bool = False
    """Whether the reader wants to hear no more."""
    result: dict[str, Any] | None = None
    """The interview_complete event, once it is stored."""

    @property
    def open_turn(self) -> OpenTurn | None:
        """The reader's turn, while it is."""
        return self.turn if self.phase is Phase.USER else None

    def touch(self, now_ms: int) -> None:
        """Time has come so far; it never runs backwards, even if the clock does."""
        self.touched_ms = max(self.touched_ms, now_ms)

    def awaits(self, step: Step) -> bool:
        return self.job is not None and self.job.step is step

    def start_job(self, step: Step, wait_ms: int, *, attempt: int = 1) -> Job:
        """Await a piece of work for so long, and no other any more."""
        self.jobs += 1
        self.job = Job(self.jobs, step, self.touched_ms + wait_ms, attempt)
        return self.job

    def finish_job(self, job: int, step: Step, now_ms: int) -> bool:
        """Whether this is the work that is being awaited; then it no longer is."""
        if self.job is None or (self.job.id, self.job.step) != (job, step):
            return False
        self.touch(now_ms)
        self.job = None
        return True

    def as_dict(self) -> dict[str, Any]:
        """As plain dictionaries, lists, strings and numbers."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "InterviewState":
        """Raises:
        msgspec.ValidationError: it was stored by an incompatible version.
        """
        return msgspec.convert(plain, cls)
