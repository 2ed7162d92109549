"""One session of the engine, with engines that do what a test wants."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.audio.pcm import encode_base64, from_samples
from speech.engines.recogniser import Recognised
from speech.realtime.connection import Engines, Session
from speech.realtime.outbox import Outbox
from tests.unit.speech.audio.test_turns import LoudnessDetector

VOICE = from_samples(np.full(24_000, 0.5, np.float32))
PAUSE = bytes(48_000)


@dataclass
class FakeRecogniser:
    """Hears a word every 200 ms."""

    fails: int = 0
    """Utterances that break at their end."""
    transcribes: bool = True
    voices: list[str | None] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """Holds back every result until it is set."""
    open: int = 0
    most_open: int = 0

    @contextlib.asynccontextmanager
    async def utterance(self, voice=None):
        self.voices.append(voice)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield FakeUtterance(self)
        finally:
            self.open -= 1

    async def transcribe(self, pcm):
        if not self.transcribes:
            raise ProviderUnavailable("every recogniser is busy; try again")
        return Recognised(f"second try of {len(pcm) // 32} ms")


class FakeUtterance:
    def __init__(self, recogniser):
        self._recogniser, self._bytes = recogniser, 0

    async def hear(self, pcm):
        self._bytes += len(pcm)
        return self._words()

    async def finish(self):
        if self._recogniser.gate is not None:
            await self._recogniser.gate.wait()
        if self._recogniser.fails:
            self._recogniser.fails -= 1
            raise ProviderUnavailable("the recogniser has died; try again")
        return Recognised(self._words(), voice="learnt")

    def _words(self):
        return " ".join(f"w{n}" for n in range(self._bytes // 6_400))


class FakeSpeaker:
    voices = frozenset({"alloy"})

    def check(self):
        pass

    async def speak(self, text, *, voice, speed=1.0):
        for _ in range(5):
            yield bytes(4_800)
            await asyncio.sleep(0)


class FakeReplies:
    def __init__(self):
        self.questions: list[Any] = []
        self.gate: asyncio.Event | None = None
        self.prepared: list[int | None] = []

    async def prepare(self, book_id):
        self.prepared.append(book_id)

    async def reply(self, question):
        self.questions.append(question)
        yield "First sentence."
        if self.gate is not None:
            await self.gate.wait()
        yield "Second sentence."


class Talk:
    """A session and what it has said."""

    def __init__(self, recogniser):
        self.recogniser, self.replies = recogniser, FakeReplies()
        self.outbox = Outbox()
        self.events: list[dict] = []

    async def say(self, kind: str, **fields) -> None:
        await self.session.take(json.dumps({"type": kind, **fields}))

    async def hear(self, *sound: bytes) -> None:
        for piece in sound:
            for at in range(0, len(piece), 4_800):
                await self.say(
                    "input_audio_buffer.append", audio=encode_base64(piece[at : at + 4_800])
                )

    async def until(self, kind: str) -> dict:
        """The next event of a kind; what came before it is kept in ``events``."""
        async with asyncio.timeout(10):
            while True:
                event = json.loads(await self.outbox.get())
                self.events.append(event)
                if event["type"] == kind:
                    return event

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def recogniser():
    return FakeRecogniser()


@pytest.fixture
async def talk(recogniser) -> AsyncIterator[Talk]:
    made = Talk(recogniser)
    engines = Engines(
        detector=LoudnessDetector,
        recogniser=recogniser,
        speaker=FakeSpeaker(),
        replies=made.replies,
    )
    tasks = asyncio.TaskGroup()
    async with tasks:
        made.session = Session(
            engines, outbox=made.outbox, tasks=tasks, model="local", expires_at=1_900_000_000
        )
        await made.session.open()
        await made.until("session.created")
        await made.say(
            "session.update",
            session={"type": "realtime", "audio": {"input": {"transcription": {}}}},
        )
        await made.until("session.updated")
        made.events.clear()
        yield made
        for task in set(tasks._tasks):
            task.cancel()


COMPLETED = "conversation.item.input_audio_transcription.completed"


async def test_what_was_learnt_of_the_speaker_goes_into_the_next_turn(talk, recogniser):
    for _ in range(2):
        await talk.hear(VOICE, PAUSE)
        await talk.until("response.done")
    assert recogniser.voices == [None, "learnt"]


async def test_a_turn_whose_process_died_is_recognised_by_another(talk, recogniser):
    recogniser.fails = 1
    await talk.hear(VOICE, PAUSE)
    transcript = (await talk.until(COMPLETED))["transcript"]
    assert transcript.startswith("second try of 1")
    await talk.until("response.done")
    assert talk.replies.questions[0].text == transcript


async def test_a_turn_that_nobody_can_recognise_is_told_and_not_answered(talk, recogniser):
    recogniser.fails, recogniser.transcribes = 1, False
    await talk.hear(VOICE, PAUSE)
    failed = await talk.until("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["code"] == "provider_unavailable"
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.done")
    assert len(talk.replies.questions) == 1


async def test_words_are_told_only_after_the_turn_is_known_to_be_complete(talk):
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.created")
    kinds = talk.kinds()
    assert kinds.index("input_audio_buffer.committed") < kinds.index(COMPLETED)


async def test_commands_are_answered_while_recognition_takes_its_time(talk, recogniser):
    recogniser.gate = asyncio.Event()
    await talk.hear(VOICE, PAUSE)
    await talk.until("input_audio_buffer.committed")
    await talk.say("input_audio_buffer.clear")
    await talk.until("input_audio_buffer.cleared")
    recogniser.gate.set()
    await talk.until("response.done")


async def test_who_goes_on_speaking_is_answered_once_and_about_everything(talk, recogniser):
    recogniser.gate = asyncio.Event()
    await talk.hear(VOICE, PAUSE)
    await talk.hear(VOICE)
    recogniser.gate.set()
    await talk.until(COMPLETED)
    await talk.hear(PAUSE)
    await talk.until("response.done")
    (question,) = talk.replies.questions
    assert len(question.history) == 1
    assert "response.cancelled" not in talk.kinds()


async def test_only_so_many_turns_are_recognised_at_once(talk, recogniser):
    recogniser.gate = asyncio.Event()
    speaking = asyncio.ensure_future(talk.hear(*[VOICE, PAUSE] * 8))
    for _ in range(4):
        await talk.until("input_audio_buffer.committed")
    await asyncio.sleep(0.05)  # time for a fifth
    assert recogniser.most_open == 4
    assert not speaking.done()
    recogniser.gate.set()
    for _ in range(4):
        await talk.until("input_audio_buffer.committed")
    await asyncio.wait_for(speaking, 10)
    assert recogniser.most_open == 4


async def test_without_transcription_the_words_are_used_but_not_told(talk):
    await talk.say(
        "session.update", session={"type": "realtime", "audio": {"input": {"transcription": None}}}
    )
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.done")
    assert not any("transcription" in kind for kind in talk.kinds())
    assert talk.replies.questions[0].text.startswith("w0")


@pytest.mark.parametrize(
    "session",
    [
        {"type": "realtime", "audio": {"input": {"turn_detection": {"create_response": False}}}},
        {"type": "transcription"},
    ],
)
async def test_a_turn_is_not_answered_where_nobody_wants_that(talk, session):
    await talk.say("session.update", session=session)
    await talk.hear(VOICE, PAUSE)
    await talk.until(COMPLETED)
    await talk.say("input_audio_buffer.clear")
    await talk.until("input_audio_buffer.cleared")
    assert talk.replies.questions == []


async def test_an_answer_may_be_protected_from_interruption(talk):
    talk.replies.gate = asyncio.Event()
    await talk.say(
        "session.update",
        session={
            "type": "realtime",
            "audio": {"input": {"turn_detection": {"interrupt_response": False}}},
        },
    )
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.output_audio.delta")
    await talk.hear(VOICE)
    await talk.until("input_audio_buffer.speech_started")
    talk.replies.gate.set()
    assert (await talk.until("response.done"))["response"]["status"] == "completed"


async def test_an_interrupted_answer_keeps_only_what_was_said_of_it(talk):
    talk.replies.gate = asyncio.Event()
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.output_audio_transcript.delta")
    await talk.hear(VOICE)
    done = (await talk.until("response.done"))["response"]
    assert done["status"] == "cancelled"
    assert done["output"][0]["status"] == "incomplete"
    assert done["output"][0]["content"][0]["transcript"] == "First sentence."


async def test_the_sound_of_an_answer_is_complete_and_in_order(talk):
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.done")
    deltas = [e["delta"] for e in talk.events if e["type"] == "response.output_audio.delta"]
    assert sum(len(base64.b64decode(delta)) for delta in deltas) == 10 * 4_800
    words = [
        e["delta"] for e in talk.events if e["type"] == "response.output_audio_transcript.delta"
    ]
    assert words == ["First sentence.", " Second sentence."]


async def test_a_response_that_is_cancelled_before_it_began_leaves_nothing(talk):
    await talk.say("response.create")
    await talk.say("response.cancel")
    await talk.say("input_audio_buffer.clear")
    await talk.until("input_audio_buffer.cleared")
    assert "response.created" not in talk.kinds()
    await talk.say("response.create")
    assert (await talk.until("response.done"))["response"]["status"] == "completed"


async def test_the_book_and_the_rules_reach_whoever_answers(talk):
    await talk.say(
        "session.update",
        session={
            "type": "realtime",
            "instructions": "Be kind.",
            "prompt": {"id": "book", "variables": {"book_id": "11"}},
        },
    )
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.done")
    (question,) = talk.replies.questions
    assert (question.book_id, question.instructions) == (11, "Be kind.")
    assert talk.replies.prepared == [11]


async def test_a_dropped_turn_is_never_spoken_of_again(talk, recogniser):
    recogniser.gate = asyncio.Event()
    await talk.hear(VOICE)
    await talk.say("input_audio_buffer.clear")
    recogniser.gate.set()
    await talk.hear(VOICE, PAUSE)
    await talk.until("response.done")
    completed = [event for event in talk.events if event["type"] == COMPLETED]
    assert len(completed) == 1
    assert recogniser.open == 0


async def test_with_push_to_talk_an_answer_waits_for_the_words(talk, recogniser):
    recogniser.gate = asyncio.Event()
    await talk.say(
        "session.update",
        session={
            "type": "realtime",
            "audio": {"input": {"turn_detection": None, "transcription": {}}},
        },
    )
    await talk.hear(VOICE)
    await talk.say("input_audio_buffer.commit")
    await talk.say("response.create")
    await talk.until("response.created")
    assert talk.replies.questions == []
    recogniser.gate.set()
    await talk.until("response.done")
    (question,) = talk.replies.questions
    assert question.text.startswith("w0 w1")
