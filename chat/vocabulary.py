"""Every event of book rooms by its wire name: the published document and the TypeScript types
are generated from here."""

from chat.events import (
    ChatMessage,
    DeleteMessage,
    Done,
    EditMessage,
    ExceptionNotice,
    GetMessages,
    GetPresence,
    GetWordings,
    Joined,
    JoinRoom,
    LeaveRoom,
    Message,
    MessageDeleted,
    MessageRestored,
    MessagesPage,
    MessageUpdated,
    ModerationNotice,
    PresentMembers,
    ReactionChanged,
    ReactMessage,
    Refused,
    ReportMessage,
    RoomHead,
    Said,
    ServerRestart,
    Typing,
    UserJoined,
    UserLeft,
    UserTyping,
    Wordings,
)
from readrealm.kernel.vocabulary import Command, Event, Receivers, Vocabulary
from readrealm.kernel.wire import Contract

_ROOM = {"bookId": 2701}
_PERSON = {**_ROOM, "userId": "guest-1851", "username": "Ishmael"}
_MESSAGE = {**_ROOM, "messageId": "65a1f0c2b8d94e3f7a6b5c4d"}

COMMANDS: dict[str, Command] = {
    "joinRoom": Command(
        payload=JoinRoom, ack=Joined, causes=("previousMessages", "userJoined"), example=_PERSON
    ),
    "leaveRoom": Command(payload=LeaveRoom, ack=Done, causes=("userLeft",), example=_ROOM),
    "chatMessage": Command(
        payload=ChatMessage,
        ack=Said,
        causes=("newMessage",),
        example={**_PERSON, "content": "Call me Ishmael.", "clientMsgId": "c-1"},
    ),
    "getMessages": Command(
        payload=GetMessages, ack=MessagesPage, example={**_ROOM, "afterSeq": 0, "limit": 50}
    ),
    "editMessage": Command(
        payload=EditMessage,
        ack=Said,
        causes=("messageUpdated",),
        example={**_MESSAGE, "content": "Call me Ishmael, please."},
    ),
    "deleteMessage": Command(
        payload=DeleteMessage, ack=Done, causes=("messageDeleted",), example=_MESSAGE
    ),
    "reactMessage": Command(
        payload=ReactMessage,
        ack=Done,
        causes=("reactionChanged",),
        example={**_MESSAGE, "emoji": "🐋", "on": True},
    ),
    "typing": Command(
        payload=Typing, ack=Done, causes=("userTyping",), example={**_ROOM, "on": True}
    ),
    "reportMessage": Command(
        payload=ReportMessage, ack=Done, example={**_MESSAGE, "reason": "spoiler"}
    ),
    "getPresence": Command(payload=GetPresence, ack=PresentMembers, example=_ROOM),
    "getWordings": Command(payload=GetWordings, ack=Wordings, example=_MESSAGE),
}

EVENTS: dict[str, Event] = {
    "previousMessages": Event(payload=list[Message], receivers=Receivers.CALLER),
    "exception": Event(payload=ExceptionNotice, receivers=Receivers.CALLER),
    "userJoined": Event(payload=UserJoined, receivers=Receivers.ROOM),
    "userLeft": Event(payload=UserLeft, receivers=Receivers.OTHERS),
    "newMessage": Event(payload=Message, receivers=Receivers.ROOM),
    "messageUpdated": Event(payload=MessageUpdated, receivers=Receivers.ROOM),
    "messageDeleted": Event(payload=MessageDeleted, receivers=Receivers.ROOM),
    "messageRestored": Event(payload=MessageRestored, receivers=Receivers.ROOM),
    "reactionChanged": Event(payload=ReactionChanged, receivers=Receivers.ROOM),
    "userTyping": Event(payload=UserTyping, receivers=Receivers.ROOM),
    "roomHead": Event(payload=RoomHead, receivers=Receivers.ROOM),
    "moderationNotice": Event(payload=ModerationNotice, receivers=Receivers.READER),
    "serverRestart": Event(payload=ServerRestart, receivers=Receivers.SOCKET),
}

EVENT_NAMES: dict[type[Contract], str] = {
    event.payload: name for name, event in EVENTS.items() if isinstance(event.payload, type)
}
"""The wire name of everything a whole room may hear, by its type."""

CODES: dict[str, str] = {
    "VALIDATION_ERROR": "a field is missing, mistyped or outside its limits",
    "NOT_IN_ROOM": "the socket has not joined the room",
    "FORBIDDEN": "somebody else's message or identity, or a reader under a sanction",
    "NOT_FOUND": "there is no such message in this room, or it was removed",
    "INVALID_STATE": "what is asked does not fit the present state, such as too many rooms",
    "RATE_LIMITED": "too much in too short a time; `retryAfterMs` says how long to wait",
    "PROVIDER_UNAVAILABLE": "a store is away; nothing was kept, so asking again is safe",
    "INTERNAL_ERROR": "a fault of the server",
}

VOCABULARY = Vocabulary(
    key="rooms",
    title="Book rooms",
    summary="A discussion room for each book.",
    commands=COMMANDS,
    events=EVENTS,
    refusal=Refused,
    codes=CODES,
)
