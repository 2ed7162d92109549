"""The fifteen routes as they are published: each answer with its envelope."""

from typing import Any, Literal

import msgspec

from readrealm.kernel.vocabulary import Command, Event, Receivers, Senders, Vocabulary
from readrealm.kernel.wire import Contract
from speech.routes.envelope import Failure
from speech.routes.events import REQUESTS, Request
from speech.routes.work_events import EVENTS, REPORTS


class Welcome(Contract, frozen=True, kw_only=True):
    """The greeting of every socket."""

    message: Literal["Welcome to the socket.io server!"]
    socket_id: str
    timestamp: int


_SESSION = {"sessionId": "my_session_123"}
_RESULT = {"stream": 1, "term": 1}

EXAMPLES: dict[str, dict[str, Any]] = {
    "session:start": {**_SESSION, "metadata": {"clientId": "client_456"}},
    "session:end": _SESSION,
    "session:pause": _SESSION,
    "session:resume": _SESSION,
    "audio:start": _SESSION,
    "audio:stop": _SESSION,
    "audio:chunk": {**_SESSION, "seq": 1, "base64": "AAAAAA==", "mimeType": "audio/pcm"},
    "config:update": {"category": "vad", "key": "threshold", "value": 0.5},
    "config:get": {"category": "vad"},
    "config:reset": {"category": "vad"},
    "system:status": {},
    "system:health": {},
    "system:stats": {},
    "worker:transcription": {
        **_RESULT,
        "result": {
            **_SESSION,
            "seq": 3,
            "text": "call me ishmael",
            "isFinal": True,
            "startMs": 120,
            "endMs": 1480,
        },
    },
    "worker:vad": {**_RESULT, "result": {**_SESSION, "speaking": True, "atMs": 120}},
    "worker:failed": {
        **_RESULT,
        "result": {**_SESSION, "seq": 3, "code": "UNSUPPORTED_MEDIA", "error": "No sound in it"},
    },
}

CODES: dict[str, str] = {
    "VALIDATION_ERROR": "a field is missing, mistyped or outside its limits",
    "SESSION_NOT_FOUND": "there is no session with this id, or it was removed",
    "SESSION_EXISTS": "the id belongs to somebody else, or to a session that has ended",
    "FORBIDDEN": "somebody else's session; configuration wants staff where accounts are required",
    "INVALID_STATE": "what is asked does not fit the state of the session",
    "STREAM_NOT_ACTIVE": "a chunk without `audio:start`",
    "INVALID_BASE64": "sound that is no strict Base64, or empty",
    "UNSUPPORTED_MEDIA": "a media type that is no sound",
    "PAYLOAD_TOO_LARGE": "more than one event may carry",
    "UNKNOWN_CATEGORY": "no such category of the configuration",
    "INVALID_VALUE": "a value that its key does not take",
    "RATE_LIMITED": "too much in too short a time",
    "PROVIDER_UNAVAILABLE": "a store or a model is away",
    "INTERNAL_ERROR": "a fault of the server",
}


def _answer(data: type[Contract]) -> type[Contract]:
    """The envelope of a success, with its data named."""
    words = (data.__doc__ or "").strip() if "__doc__" in vars(data) else ""
    made = msgspec.defstruct(
        f"{data.__name__}Answer",
        [("data", data), ("timestamp", int), ("success", Literal[True], True)],
        bases=(Contract,),
        module=__name__,
        namespace={"__doc__": words or "What was asked for is done."},
        frozen=True,
        kw_only=True,
    )
    assert issubclass(made, Contract)
    return made


_ANSWERS = {data: _answer(data) for data in dict.fromkeys(each.data for each in REQUESTS.values())}


def _command(name: str, request: Request) -> Command:
    return Command(
        payload=request.payload,
        ack=_ANSWERS[request.data],
        causes=(request.response,),
        example=EXAMPLES[name],
    )


_COMMANDS = {name: _command(name, request) for name, request in REQUESTS.items()} | {
    name: Command(payload=report, ack=None, senders=Senders.PROCESSORS, example=EXAMPLES[name])
    for name, report in REPORTS.items()
}

_HEARD = (
    {"connection:welcome": Event(payload=_answer(Welcome), receivers=Receivers.CALLER)}
    | {
        request.response: Event(
            payload=_ANSWERS[request.data] | Failure,
            receivers=Receivers.CALLER,
            summary=f"Answers `{name}`, whether it was done or not.",
        )
        for name, request in REQUESTS.items()
    }
    | {
        name: Event(
            payload=payload,
            receivers=Receivers.PROCESSORS if name == "command:process" else Receivers.OWNER,
        )
        for name, payload in EVENTS.items()
    }
)

VOCABULARY = Vocabulary(
    key="routes",
    title="Voice sessions",
    summary="Requests named category:action: sound in, words out, kept and shared by all workers.",
    commands=_COMMANDS,
    events=_HEARD,
    refusal=Failure,
    codes=CODES,
)
