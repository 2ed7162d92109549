"""The wire of the voice interviews: every event, its keys and their units; `outcome` has the parts
of a result.

Names are written as they travel, in ``snake_case``. Times on the wire are seconds. Knows no
state and no rule of an interview.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from readrealm.kernel.text import is_refused
from readrealm.kernel.wire import Coercion, whole_number
from speech.audio.pcm import decode_base64
from speech.interviews.contract import Count, InterviewContract, Seconds, Share
from speech.interviews.outcome import Metrics, QaPair, Range, TimelineTurn

MAX_QUESTIONS = 15
"""Questions of one interview."""

MAX_CHUNK_S = 10
"""Audio that one `AudioChunk` may hold. Its length is known once it is decoded, so the door of
the audio checks it."""

UserId = Annotated[int, Meta(ge=1, le=2**53 - 1)]
"""An integer on the wire; ``"123"`` is accepted too."""


def audio_bytes(value: Any) -> Any:
    """Audio comes as strict Base64 or as binary; empty binary is left to the audio door.

    Raises:
        InvalidBase64: text that is not strict Base64, or is empty.
    """
    return decode_base64(value) if isinstance(value, str) else value


class InterviewCommand(InterviewContract, frozen=True, kw_only=True):
    """Base of what a client says. ``user_id`` must be who the socket speaks for."""

    coercions: ClassVar[Mapping[str, Coercion]] = {"user_id": whole_number}

    user_id: UserId


# ------------------------------------------------------------------------ client to server


class StartInterview(InterviewCommand, frozen=True, kw_only=True):
    """Begin; answered with `AgentNextQuestion` and then `BackendReady`."""

    stress_test: bool = False
    """A sceptical interviewer: curveballs, harder questions, no mercy."""
    resume: bool = False
    """Go on with the interview whose connection was lost less than the grace time ago."""
    topic: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Only questions of this topic of the bank; all topics by default."""
    question_count: Annotated[int, Meta(ge=1, le=MAX_QUESTIONS)] = MAX_QUESTIONS


class InterviewerDone(InterviewCommand, frozen=True, kw_only=True):
    """The question has been read out: the turn of the reader begins."""


class AudioChunk(InterviewCommand, frozen=True, kw_only=True):
    """Microphone audio, best as s16le mono at 16 kHz; may be sent at any time.

    ``audio`` is another name for ``audio_data``, which wins if both are there.
    """

    coercions: ClassVar[Mapping[str, Coercion]] = {
        "user_id": whole_number,
        "audio_data": audio_bytes,
        "audio": audio_bytes,
        "sample_rate": whole_number,
    }

    audio_data: bytes | None = None
    audio: bytes | None = None
    sample_rate: Annotated[int, Meta(ge=8_000, le=48_000)] = 16_000
    """Hz."""

    def __post_init__(self) -> None:
        if not (self.audio_data or self.audio):
            raise ValueError("Object missing required field `audio_data`")

    @property
    def payload(self) -> bytes:
        """The audio, decoded from Base64, never empty."""
        return self.audio_data or self.audio or b""


class ClientTranscript(InterviewCommand, frozen=True, kw_only=True):
    """Captions that the browser recognised: the current phrase, revised until it is final."""

    text: Annotated[str, Meta(max_length=4_000)]
    is_final: bool = False

    def __post_init__(self) -> None:
        if any(map(is_refused, self.text)):
            raise ValueError("`text` must not have control characters")


class UserDoneSpeaking(InterviewCommand, frozen=True, kw_only=True):
    """The reader ends an answer by hand."""


class StopInterview(InterviewCommand, frozen=True, kw_only=True):
    """Finish; answered with `InterviewComplete`, again and again if asked again."""


class LeaveInterview(InterviewCommand, frozen=True, kw_only=True):
    """Give up; nothing is answered."""


class InterviewerAudioChunk(InterviewCommand, frozen=True, kw_only=True):
    """The sound of the question. Nothing is done with it."""


COMMANDS: dict[str, type[InterviewCommand]] = {
    "start_interview": StartInterview,
    "interviewer_done": InterviewerDone,
    "audio_chunk": AudioChunk,
    "client_transcript": ClientTranscript,
    "user_done_speaking": UserDoneSpeaking,
    "stop_interview": StopInterview,
    "leave_interview": LeaveInterview,
    "interviewer_audio_chunk": InterviewerAudioChunk,
}


# ------------------------------------------------------------------------ server to client


class Connected(InterviewContract, frozen=True, kw_only=True):
    """The greeting of every socket."""

    status: Literal["success"] = "success"


class InterviewStarted(InterviewContract, frozen=True, kw_only=True):
    """What was started or resumed; follows `BackendReady`."""

    status: Literal["success"] = "success"
    session_id: str
    topic: str
    difficulty: str
    duration_limit: Count
    """Seconds."""
    max_questions: Count
    stress_test: bool
    resumed: bool = False
    state: Literal["interviewer", "user", "processing"] = "interviewer"


class AgentNextQuestion(InterviewContract, frozen=True, kw_only=True):
    """A question to read out; the client says `InterviewerDone` when that is over."""

    question: str
    number: int
    """1 for the first question."""
    topic: str
    subtopic: str
    difficulty: str
    curveball: bool = False
    """Whether it challenges the previous answer, in a stress test."""


class AgentIntroQuestion(AgentNextQuestion, frozen=True, kw_only=True):
    """The first question under the name that old clients expect, in the place of
    `AgentNextQuestion`; only where the server is set up for them."""


class BackendReady(InterviewContract, frozen=True, kw_only=True):
    """Everything is ready; time begins to run."""

    status: Literal["ready"] = "ready"
    timestamp: float
    """Unix time, seconds."""


class UserTurnStarted(InterviewContract, frozen=True, kw_only=True):
    """The turn of the reader has begun: speak."""

    status: Literal["ready"] = "ready"
    question: str
    timestamp: float
    """Unix time, seconds."""


class LiveTranscript(InterviewContract, frozen=True, kw_only=True):
    """What has been heard of the current answer."""

    text: str
    """Everything of the current answer so far; the end of it may still be revised."""


class TimerUpdate(InterviewContract, frozen=True, kw_only=True):
    """Every second from `BackendReady` to the end."""

    time_remaining: Count
    """Whole seconds until the interview ends by itself."""
    turn_time_elapsed: Seconds
    """Seconds since the turn of the reader began, one decimal; 0 outside of it."""
    silence_elapsed: Seconds
    """Seconds since the last voice in this turn, one decimal; 0 outside of it."""


class ForceStopSpeaking(InterviewContract, frozen=True, kw_only=True):
    """The turn is over: the client may mute its microphone."""

    status: Literal["stop"] = "stop"


class UserAnswerComplete(InterviewContract, frozen=True, kw_only=True):
    """An answer has been evaluated."""

    answer: str
    question: str
    next_question: str | None
    """None when the interview ends here."""
    number: int
    similarity: Share
    keyword_coverage: Share


class InterviewError(InterviewContract, frozen=True, kw_only=True):
    """Something was not done; the interview goes on."""

    error: str
    """Safe to show."""
    code: str
    event: str
    """The command that was refused, or the event that was in the making."""


class InterviewComplete(InterviewContract, frozen=True, kw_only=True):
    """The result; the last event of an interview."""

    success: bool = True
    processing_method: Literal["research_grade_event_driven"] = "research_grade_event_driven"
    transcript: str
    """All answers in order, silent ones left out, a line each."""
    conversation: str
    """``Q: ...``, blank line, ``A: ...``, blank line, and so on."""
    semantic_similarity: Share
    analysis_valid: bool
    """At least one answer that is not silent, and five words."""
    total_duration: Seconds
    speaking_time: Seconds
    total_words: Count
    metrics: Metrics
    qa_pairs: list[QaPair]
    session_id: str
    reason: Literal["completed", "time_limit", "stopped", "disconnected"]
    stress_test: bool
    benchmarks: dict[str, Range]
    """Good ranges by the key of the metric."""
    heard_by: list[str]
    """Engines that turned voice into text."""
    measured_by: list[str]
    """What measured similarity: a sentence embedding model, or ``lexical`` without one."""
    timeline: list[TimelineTurn]
    started_at: float
    """Unix time, seconds."""
    completed_at: float
    """Unix time, seconds."""


EVENTS: dict[str, type[InterviewContract]] = {
    "connected": Connected,
    "interview_started": InterviewStarted,
    "agent_next_question": AgentNextQuestion,
    "agent_intro_question": AgentIntroQuestion,
    "backend_ready": BackendReady,
    "user_turn_started": UserTurnStarted,
    "live_transcript": LiveTranscript,
    "timer_update": TimerUpdate,
    "force_stop_speaking": ForceStopSpeaking,
    "user_answer_complete": UserAnswerComplete,
    "interview_error": InterviewError,
    "interview_complete": InterviewComplete,
}

_NAMES = {contract: name for name, contract in EVENTS.items()}


def event_name(event: InterviewContract) -> str:
    """The name under which an event travels.

    Raises:
        KeyError: not an event that the server sends.
    """
    return _NAMES[type(event)]


# ------------------------------------------------------------------------ acknowledgements


class Accepted(InterviewContract, frozen=True, kw_only=True):
    """It is so."""

    ok: Literal[True] = True


class Refused(InterviewContract, frozen=True, kw_only=True):
    """It was not done; `InterviewError` says the same."""

    ok: Literal[False] = False
    code: str
    error: str
    """Safe to show."""
