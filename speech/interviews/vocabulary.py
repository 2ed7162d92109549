"""The voice interviews as they are published."""

from typing import Any

from readrealm.kernel.vocabulary import Command, Event, Receivers, Vocabulary
from speech.interviews.events import COMMANDS, EVENTS, Accepted, Refused

_READER = {"user_id": 123}

EXAMPLES: dict[str, dict[str, Any]] = {
    "start_interview": {**_READER, "question_count": 3},
    "audio_chunk": {**_READER, "audio_data": "AAAAAA==", "sample_rate": 16_000},
    "client_transcript": {**_READER, "text": "a page table maps", "is_final": False},
}

CAUSES: dict[str, tuple[str, ...]] = {
    "start_interview": ("agent_next_question", "backend_ready", "interview_started"),
    "interviewer_done": ("user_turn_started", "timer_update"),
    "audio_chunk": ("live_transcript",),
    "client_transcript": ("live_transcript",),
    "user_done_speaking": ("force_stop_speaking", "user_answer_complete", "agent_next_question"),
    "stop_interview": ("interview_complete",),
}

CODES: dict[str, str] = {
    "VALIDATION_ERROR": "a field is missing, mistyped or outside its limits",
    "FORBIDDEN": "`user_id` is not who the socket speaks for",
    "INTERVIEW_IN_PROGRESS": "the reader has an interview going on",
    "SESSION_NOT_FOUND": "there is no interview to go on with",
    "INVALID_STATE": "what is asked does not fit the state of the interview",
    "INVALID_BASE64": "sound that is no strict Base64, or empty",
    "UNSUPPORTED_MEDIA": "sound that cannot be decoded",
    "PAYLOAD_TOO_LARGE": "more sound than one event may carry",
    "RATE_LIMITED": "too much in too short a time",
    "PROVIDER_UNAVAILABLE": "a recogniser or a store is away; the interview goes on",
    "INTERNAL_ERROR": "a fault of the server",
}

VOCABULARY = Vocabulary(
    key="interviews",
    title="Voice interviews",
    summary="Questions that adapt to the answers, and measures of what was said and how.",
    commands={
        name: Command(
            payload=payload,
            ack=Accepted,
            causes=CAUSES.get(name, ()),
            example=EXAMPLES.get(name, _READER),
        )
        for name, payload in COMMANDS.items()
    },
    events={
        name: Event(payload=payload, receivers=Receivers.READER) for name, payload in EVENTS.items()
    },
    refusal=Refused,
    codes=CODES,
)
