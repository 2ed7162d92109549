"""One session of the local engine: commands in, events out.

Three kinds of tasks: the caller's, which takes commands one after another and waits for no
engine; one for each turn that is being recognised; one for the answer. The task group that
the session is given owns the last two.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from readrealm.kernel.errors import AppError
from readrealm.kernel.wire import parse
from speech.audio.pcm import decode_base64
from speech.audio.voice import Detector
from speech.companion.replies import Replies
from speech.engines.recogniser import Recogniser
from speech.engines.speaker import Speaker
from speech.realtime.answering import Voice
from speech.realtime.conversation import Conversation, Message, new_id
from speech.realtime.events import (
    COMMANDS,
    AppendAudio,
    AudioCleared,
    AudioCommitted,
    CancelResponse,
    ClearAudio,
    Command,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    Failure,
    ItemAdded,
    ItemDeleted,
    ItemDone,
    ItemRetrieved,
    ItemTruncated,
    RetrieveItem,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TruncateItem,
    UpdateSession,
)
from speech.realtime.hearing import Hearing
from speech.realtime.listening import Began, Ear, Ended, Turn
from speech.realtime.outbox import Outbox
from speech.realtime.refusals import ProtocolRefusal, error_detail
from speech.realtime.session import SessionConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What the sessions of one process share."""

    detector: Callable[[], Detector]
    """Makes the detector of a session."""
    recogniser: Recogniser
    speaker: Speaker
    replies: Replies


class Session:
    """A conversation with one client; use within its task group.

    Args:
        outbox: where its events go.
        tasks: owns what it starts.
        model: what the client asked for; told back to it.
        expires_at: when the session will be ended, in seconds since 1970; told as well.
    """

    def __init__(
        self,
        engines: Engines,
        *,
        outbox: Outbox,
        tasks: asyncio.TaskGroup,
        model: str,
        expires_at: int,
    ) -> None:
        self._engines = engines
        self._outbox = outbox
        self._tasks = tasks
        self._model, self._expires_at = model, expires_at
        self._id = new_id("sess")
        self._config = SessionConfig()
        self._conversation = Conversation()
        self._ear = Ear(engines.detector(), self._config.turn_rule)
        self._hearing = Hearing(engines.recogniser, outbox=outbox, tasks=tasks)
        self._voice = Voice(
            settled=self._hearing.settled,
            replies=engines.replies,
            speaker=engines.speaker,
            conversation=self._conversation,
            outbox=outbox,
            tasks=tasks,
        )
        self._latest: Turn | None = None

    async def open(self) -> None:
        await self._outbox.put(SessionCreated(session=self._described()))

    async def take(self, frame: str | bytes) -> None:
        """Do what one frame asks; a refusal is an ``error`` event and nothing else."""
        event_id = None
        try:
            payload = _json(frame)
            event_id = _event_id(payload)
            await self._do(_command(payload))
        except AppError as error:
            await self._outbox.put(Failure(error=error_detail(error, event_id=event_id)))

    def _described(self) -> dict[str, Any]:
        session = self._config.to_wire(identifier=self._id, model=self._model)
        return {**session, "expires_at": self._expires_at}

    async def _do(self, command: Command) -> None:
        match command:
            case AppendAudio(audio=audio):
                await self._append(decode_base64(audio))
            case UpdateSession():
                await self._update(command)
            case CommitAudio():
                await self._commit(self._ear.commit(), answers=False)
            case ClearAudio():
                self._ear.clear()
                self._hearing.notice()
                await self._outbox.put(AudioCleared())
            case CreateResponse(response=patch):
                self._voice.begin(self._config, patch)
            case CancelResponse(response_id=response_id):
                await self._voice.interrupt(reason="client_cancelled", response_id=response_id)
            case CreateItem() | DeleteItem() | RetrieveItem() | TruncateItem():
                await self._edit(command)
            case _:
                raise NotImplementedError(command)

    async def _update(self, command: UpdateSession) -> None:
        voices = self._engines.speaker.voices
        before, self._config = self._config, self._config.merged(command.session, voices=voices)
        if self._config.book_id != before.book_id:
            self._tasks.create_task(self._engines.replies.prepare(self._config.book_id))
        self._ear.retune(self._config.turn_rule)
        self._hearing.notice()
        await self._outbox.put(SessionUpdated(session=self._described()))

    async def _edit(self, command: CreateItem | DeleteItem | RetrieveItem | TruncateItem) -> None:
        conversation = self._conversation
        match command:
            case CreateItem(item=item):
                message, previous = conversation.add_item(item)
                wire = message.to_wire()
                await self._outbox.put(
                    ItemAdded(item=wire, previous_item_id=previous),
                    ItemDone(item=wire, previous_item_id=previous),
                )
            case DeleteItem(item_id=item_id):
                conversation.delete(item_id)
                await self._outbox.put(ItemDeleted(item_id=item_id))
            case RetrieveItem(item_id=item_id):
                message = conversation.find(item_id, reason="item_retrieve_invalid_item_id")
                await self._outbox.put(ItemRetrieved(item=message.to_wire()))
            case TruncateItem(item_id=item_id, content_index=index, audio_end_ms=end_ms):
                conversation.truncate(item_id, content_index=index, audio_end_ms=end_ms)
                await self._outbox.put(
                    ItemTruncated(item_id=item_id, content_index=index, audio_end_ms=end_ms)
                )

    async def _append(self, pcm: bytes) -> None:
        for found in self._ear.hear(pcm):
            match found:
                case Began(turn, start_ms):
                    await self._began(turn, start_ms)
                case Ended(turn, end_ms):
                    await self._ended(turn, end_ms)
        if self._ear.turn is not None:
            await self._listen(self._ear.turn)
        self._hearing.notice()

    async def _began(self, turn: Turn, start_ms: int) -> None:
        self._latest = turn
        vad = self._config.turn_detection
        interrupts = vad is not None and vad.interrupt_response
        # Silence first: the answer's sound may fill everything that waits to be sent.
        stopped = await self._voice.hush() if interrupts else None
        await self._outbox.put(SpeechStarted(item_id=turn.item_id, audio_start_ms=start_ms))
        if stopped is not None:
            await self._voice.conclude(stopped, reason="turn_detected")
        await self._listen(turn)

    async def _ended(self, turn: Turn, end_ms: int) -> None:
        vad = self._config.turn_detection
        if vad is not None:
            await self._outbox.put(SpeechStopped(item_id=turn.item_id, audio_end_ms=end_ms))
        answers = vad is not None and vad.create_response and self._config.type == "realtime"
        await self._commit(turn, answers=answers)

    async def _listen(self, turn: Turn) -> None:
        await self._hearing.begin(turn, shown=self._config.transcription is not None)

    async def _commit(self, turn: Turn, *, answers: bool) -> None:
        """The turn is complete and becomes an item; its words follow when they are known."""
        message = Message(turn.item_id, "user", "input_audio")
        previous = self._conversation.add(message)
        item = message.to_wire()
        await self._outbox.put(
            AudioCommitted(item_id=turn.item_id, previous_item_id=previous),
            ItemAdded(item=item, previous_item_id=previous),
            ItemDone(item=item, previous_item_id=previous),
        )

        async def then(text: str) -> None:
            message.text = text
            # Whoever speaks again before the answer began has gone on with the question.
            if answers and self._latest is turn and not self._voice.answering:
                self._voice.begin(self._config)

        await self._listen(turn)
        self._hearing.commit(turn, then)


def _json(frame: str | bytes) -> dict[str, Any]:
    try:
        payload = json.loads(frame)
    except ValueError:
        raise ProtocolRefusal("this is not JSON", reason="invalid_json") from None
    if not isinstance(payload, dict):
        raise ProtocolRefusal("an event is a JSON object", reason="invalid_json")
    return payload


def _event_id(payload: dict[str, Any]) -> str | None:
    event_id = payload.get("event_id")
    return event_id[:512] if isinstance(event_id, str) else None


def _command(payload: dict[str, Any]) -> Command:
    kind = payload.get("type")
    command = COMMANDS.get(kind) if isinstance(kind, str) else None
    if command is None:
        raise ProtocolRefusal(
            f"the events of this engine are {', '.join(sorted(COMMANDS))}",
            reason="invalid_value",
            param="type",
        )
    return parse(command, payload)
