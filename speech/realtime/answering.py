"""The voice of a session: at most one answer at a time, spoken as it comes into being."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from readrealm.kernel.errors import AppError
from speech.audio.pcm import SAMPLE_BYTES, encode_base64
from speech.companion.dialogue import Question
from speech.companion.replies import Replies
from speech.engines.speaker import RATE_HZ, Speaker
from speech.realtime.conversation import Conversation, Message, new_id
from speech.realtime.events import (
    AnswerDelta,
    AnswerDone,
    AudioDelta,
    AudioDone,
    ContentPartAdded,
    ContentPartDone,
    Event,
    ItemAdded,
    ItemDone,
    OutputItemAdded,
    OutputItemDone,
    ResponseCreated,
    ResponseDone,
    TextDelta,
    TextDone,
)
from speech.realtime.outbox import Outbox
from speech.realtime.refusals import ProtocolRefusal, error_detail
from speech.realtime.session import SessionConfig
from speech.realtime.shapes import JsonObject, Response, ResponsePatch, StatusDetails

HUSH_S = 5.0
"""How long an answer may take to stop."""

DELTA_BYTES = RATE_HZ // 10 * SAMPLE_BYTES
"""100 ms of sound in one event."""


@dataclass(slots=True, eq=False)
class Answer:
    """One response while it is being given."""

    config: SessionConfig
    patch: ResponsePatch
    message: Message
    id: str = field(default_factory=lambda: new_id("resp"))
    sound: bytearray = field(default_factory=bytearray)
    """Made, not yet enough for an event."""
    sound_bytes: int = 0
    """Given to the client."""
    opened: bool = False
    """The client knows of it."""

    @property
    def is_spoken(self) -> bool:
        return self.message.kind == "output_audio"

    def response(self, status: str, details: StatusDetails | None = None) -> Response:
        output: tuple[JsonObject, ...] = ()
        if status != "in_progress":
            output = (self.message.to_wire(),)
        return Response(
            id=self.id,
            status=status,
            status_details=details,
            output=output,
            output_modalities=("audio" if self.is_spoken else "text",),
            metadata=self.patch.metadata,
        )


class Voice:
    """Answers the user of one session.

    Args:
        settled: waits until it is known what the user said.
        tasks: owns the task of an answer.
    """

    def __init__(
        self,
        *,
        settled: Callable[[], Awaitable[None]],
        replies: Replies,
        speaker: Speaker,
        conversation: Conversation,
        outbox: Outbox,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._settled = settled
        self._replies = replies
        self._speaker = speaker
        self._conversation = conversation
        self._outbox = outbox
        self._tasks = tasks
        self._answer: Answer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def answering(self) -> bool:
        return self._answer is not None

    def begin(self, config: SessionConfig, patch: ResponsePatch | None = None) -> None:
        """Answer what the user said last.

        Raises:
            ProtocolRefusal: an answer is being given.
        """
        if self._answer is not None:
            raise ProtocolRefusal(
                "the conversation already has an active response",
                reason="conversation_already_has_active_response",
            )
        patch = patch or ResponsePatch()
        modality = patch.output_modalities[0] if patch.output_modalities else config.modality
        message = Message(new_id("item"), "assistant", f"output_{modality}", status="in_progress")
        self._answer = Answer(config, patch, message)
        self._task = self._tasks.create_task(self._give(self._answer))

    async def interrupt(self, *, reason: str, response_id: str | None = None) -> None:
        """Stop answering at once; sound that has not been sent is never sent.

        Args:
            reason: ``turn_detected`` or ``client_cancelled``.

        Raises:
            ProtocolRefusal: no answer, or not this one, is being given.
        """
        answer = self._answer
        if answer is None or response_id not in (None, answer.id):
            raise ProtocolRefusal(
                "cancellation failed: no active response found", reason="response_cancel_not_active"
            )
        await self.hush()
        await self.conclude(answer, reason=reason)

    async def hush(self) -> Answer | None:
        """Fall silent without a word about it, which makes room for what has to be said first.

        Returns: the answer that was stopped, to be given to `conclude`.
        """
        answer, task = self._answer, self._task
        if answer is None or task is None:
            return None
        task.cancel()
        await asyncio.wait([task], timeout=HUSH_S)
        if self._answer is not answer:
            return None  # It was just finished.
        self._answer = self._task = None
        await self._outbox.silence(answer.id)
        return answer

    async def conclude(self, answer: Answer, *, reason: str) -> None:
        """Tell that an answer was stopped."""
        if answer.opened and answer.message.status == "in_progress":
            details = StatusDetails(type="cancelled", reason=reason)
            await self._finish(answer, "cancelled", details)

    async def _give(self, answer: Answer) -> None:
        await self._open(answer)
        await self._settled()
        question = self._question(answer)
        try:
            async with contextlib.aclosing(self._replies.reply(question)) as sentences:
                async for sentence in sentences:
                    await self._say(answer, sentence)
            await self._send_sound(answer, least=1)
        except AppError as error:
            details = StatusDetails(type="failed", error=error_detail(error, event_id=None))
            await self._finish(answer, "failed", details)
            return
        await self._finish(answer, "completed", None)

    def _question(self, answer: Answer) -> Question:
        text, history = self._conversation.question()
        own = answer.patch.instructions
        return Question(
            text=text,
            book_id=answer.config.book_id,
            instructions=answer.config.instructions if own is None else own,
            history=history,
        )

    async def _open(self, answer: Answer) -> None:
        previous = self._conversation.last_id
        item = answer.message.to_wire()
        kind = "audio" if answer.is_spoken else "text"
        await self._outbox.put(
            ResponseCreated(response=answer.response("in_progress")),
            OutputItemAdded(response_id=answer.id, item=item),
            ItemAdded(item=item, previous_item_id=previous),
            ContentPartAdded(
                response_id=answer.id,
                item_id=answer.message.id,
                part={"type": kind, "transcript" if answer.is_spoken else "text": ""},
            ),
        )
        self._conversation.add(answer.message)
        answer.opened = True

    async def _say(self, answer: Answer, sentence: str) -> None:
        message = answer.message
        lead = " " if message.text else ""
        part: JsonObject = {"response_id": answer.id, "item_id": message.id}
        message.text += lead + sentence
        if not answer.is_spoken:
            await self._outbox.put(TextDelta(**part, delta=lead + sentence))
            return
        message.sentences.append((message.audio_ms, sentence))
        await self._outbox.put(AnswerDelta(**part, delta=lead + sentence))
        async with contextlib.aclosing(self._spoken(answer, sentence)) as pieces:
            async for piece in pieces:
                answer.sound += piece
                await self._send_sound(answer, least=DELTA_BYTES)

    def _spoken(self, answer: Answer, sentence: str) -> AsyncGenerator[bytes, None]:
        config = answer.config
        return self._speaker.speak(sentence, voice=config.voice, speed=config.speed)

    async def _send_sound(self, answer: Answer, *, least: int) -> None:
        while len(answer.sound) >= least:
            piece = bytes(answer.sound[:DELTA_BYTES])
            del answer.sound[:DELTA_BYTES]
            answer.sound_bytes += len(piece)
            answer.message.audio_ms = answer.sound_bytes * 1000 // (SAMPLE_BYTES * RATE_HZ)
            await self._outbox.put(
                AudioDelta(
                    response_id=answer.id, item_id=answer.message.id, delta=encode_base64(piece)
                )
            )

    async def _finish(self, answer: Answer, status: str, details: StatusDetails | None) -> None:
        message = answer.message
        message.status = "completed" if status == "completed" else "incomplete"
        item = message.to_wire()
        if self._answer is answer:
            self._answer = self._task = None
        await self._outbox.put(
            *_closing(answer),
            OutputItemDone(response_id=answer.id, item=item),
            ItemDone(item=item),
            ResponseDone(response=answer.response(status, details)),
        )


def _closing(answer: Answer) -> list[Event]:
    message = answer.message
    part: JsonObject = {"response_id": answer.id, "item_id": message.id}
    kind = "audio" if answer.is_spoken else "text"
    content = {"type": kind, "transcript" if answer.is_spoken else "text": message.text}
    ended: list[Event] = (
        [AudioDone(**part), AnswerDone(**part, transcript=message.text)]
        if answer.is_spoken
        else [TextDone(**part, text=message.text)]
    )
    return [*ended, ContentPartDone(**part, part=content)]
