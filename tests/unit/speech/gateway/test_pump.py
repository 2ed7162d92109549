"""Nothing waits for ever, nothing is left behind, and who talks is never kept from interrupting."""

import asyncio
from typing import Any

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.gateway import lanes
from speech.gateway.events import SessionStatus
from speech.gateway.pump import Patience, Pump
from speech.gateway.quota import MinutesSpent
from speech.gateway.session import BLOCK_BYTES
from speech.realtime import events as realtime
from speech.realtime.shapes import Response
from tests.unit.speech.gateway.fakes import FakeClient, FakeDesk, FakeTalk

BLOCK = bytes(BLOCK_BYTES)
SOUND = "A" * 6_400
ACTIVE, INACTIVE = SessionStatus(active=True), SessionStatus(active=False)
LAST = [("state", 1), ("sessionStatus", INACTIVE)]
DEADLINE_S = 20


class Scene:
    def __init__(self, **patience: float) -> None:
        self.client, self.talk, self.desk = FakeClient(), FakeTalk(), FakeDesk()
        self.now_ms = 0
        self.patience = Patience(**{"drain": 0.2, **patience})

    async def opened(self) -> Pump:
        pump = Pump(
            self.client,
            self.talk,
            self.desk.lease("ada"),
            patience=self.patience,
            clock=lambda: self.now_ms,
        )
        await pump.open()
        await self.client.until("transcript")
        return pump

    def answer(self, sounds: int) -> None:
        self.talk.events.put_nowait(realtime.ResponseCreated(response=Response(id="r")))
        for _ in range(sounds):
            sound = realtime.AudioDelta(response_id="r", item_id="i", delta=SOUND)
            self.talk.events.put_nowait(sound)


async def test_it_opens_says_what_it_hears_and_stops() -> None:
    scene = Scene()
    pump = await scene.opened()
    assert scene.client.is_large
    assert scene.desk.open == ["ada"]

    await pump.hear(BLOCK * 2)
    await scene.talk.until("append")
    await pump.stop()

    assert [what for what, _ in scene.talk.said] == ["append", "append", "commit"]
    assert scene.client.told[-4:] == [("state", 0), *LAST, ("done", None)]
    assert (scene.talk.is_open, scene.client.is_large, scene.desk.open) == (False, False, [])
    assert pump.is_over


async def test_a_provider_that_refuses_leaves_nothing_open() -> None:
    scene = Scene()
    scene.talk.refuses = True

    with pytest.raises(ProviderUnavailable):
        await scene.opened()

    assert scene.client.told == [
        ("state", 0),
        ("error", "Connection error: Unable to send config."),
        ("state", 1),
    ]
    assert scene.desk.open == []
    assert not scene.client.is_large


async def test_the_last_answer_is_waited_for_and_told() -> None:
    scene = Scene(drain=5.0)
    pump = await scene.opened()
    await pump.hear(BLOCK)
    scene.talk.events.put_nowait(realtime.SpeechStarted(item_id="t"))
    await scene.client.until("audio", "clear")

    stopping = asyncio.create_task(pump.stop())
    await scene.talk.until("respond")
    scene.talk.events.put_nowait(realtime.AudioCommitted(item_id="t"))
    scene.talk.events.put_nowait(realtime.TranscriptCompleted(item_id="t", transcript="hi"))
    scene.answer(sounds=3)
    scene.talk.events.put_nowait(
        realtime.ResponseDone(response=Response(id="r", status="completed"))
    )
    await asyncio.wait_for(stopping, DEADLINE_S)

    assert scene.client.told.count(("audio", SOUND)) == 3
    assert scene.client.told[-4:] == [("transcript", "---\n"), *LAST, ("done", None)]


async def test_an_answer_that_does_not_come_is_waited_for_a_little() -> None:
    scene = Scene()
    pump = await scene.opened()
    await pump.hear(BLOCK)

    await asyncio.wait_for(pump.stop(), 2)

    assert scene.client.told[-3:] == [*LAST, ("done", None)]


async def test_nobody_waits_for_an_answer_when_the_client_has_left() -> None:
    scene = Scene(drain=30.0)
    pump = await scene.opened()
    await pump.hear(BLOCK)
    scene.client.is_gone = True

    await asyncio.wait_for(pump.stop(), 2)


@pytest.mark.parametrize(
    ("patience", "ends_with", "text"),
    [
        ({"idle": 0.05}, None, "Session ended: no audio for 0 minutes"),
        (
            {"renew": 0.05},
            MinutesSpent(120, retry_after_ms=5),
            "Voice limit reached: 120 minutes a day. It starts again at midnight UTC.",
        ),
    ],
)
async def test_a_session_that_may_not_go_on_ends_and_says_why(
    patience: dict[str, float], ends_with: Exception | None, text: str
) -> None:
    scene = Scene(**patience)
    scene.desk.ends_with = ends_with
    pump = await scene.opened()

    await scene.client.until("sessionStatus", INACTIVE)

    assert scene.client.told[-3:] == [("error", text), *LAST]
    assert pump.is_over
    await pump.abandon()
    assert (scene.talk.is_open, scene.desk.open) == (False, [])


async def test_sound_keeps_a_session_alive() -> None:
    scene = Scene(idle=1.0)
    pump = await scene.opened()

    # Time itself is the matter: sound comes for longer than a session may be without any.
    for _ in range(15):
        await pump.hear(BLOCK)
        await asyncio.sleep(0.1)

    assert not pump.is_over
    await pump.abandon()


async def test_a_provider_that_is_gone_for_good_ends_the_session() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.talk.events.put_nowait(ProviderUnavailable("it has ended"))

    await scene.client.until("sessionStatus", INACTIVE)

    assert scene.client.told[-3:] == [("error", "it has ended"), *LAST]
    await pump.hear(BLOCK)
    await pump.abandon()


async def test_a_bug_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.talk.events.put_nowait(KeyError("secret"))

    await scene.client.until("sessionStatus", INACTIVE)

    assert scene.client.told[-3] == ("error", "something went wrong on our side")
    assert "secret" in caplog.text
    await pump.abandon()


async def test_what_is_abandoned_says_nothing_more() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.answer(sounds=2)
    await scene.client.until("audio", SOUND)
    told = list(scene.client.told)

    await pump.abandon()
    scene.answer(sounds=2)
    await asyncio.sleep(0.05)  # time to say more

    assert scene.client.told[: len(told)] == told
    assert ("sessionStatus", INACTIVE) not in scene.client.told
    assert (scene.talk.is_open, scene.desk.open) == (False, [])


async def test_sound_waits_for_a_slow_client_and_is_dropped_when_interrupted() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.client.backlog_bytes = lanes.CONGESTED_BYTES + 1
    scene.answer(sounds=50)
    scene.talk.events.put_nowait(realtime.SpeechStarted(item_id="t"))

    await scene.client.until("audio", "clear")

    assert ("audio", SOUND) not in scene.client.told
    await scene.talk.until("truncate")
    scene.client.backlog_bytes = 0
    await pump.stop()
    assert ("audio", SOUND) not in scene.client.told


async def test_an_interruption_overtakes_sound_that_waits() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.answer(sounds=1)
    await scene.client.until("audio", SOUND)
    scene.talk.takes.clear()
    await pump.hear(BLOCK * 50)
    scene.talk.events.put_nowait(realtime.SpeechStarted(item_id="t"))
    await scene.client.until("audio", "clear")
    await asyncio.sleep(0)
    scene.talk.takes.set()
    await scene.talk.until("truncate")

    said = [what for what, _ in scene.talk.said]
    assert said.index("truncate") <= 3
    await pump.abandon()


async def test_a_client_waits_while_the_provider_takes_nothing() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.talk.takes.clear()
    await pump.hear(BLOCK * lanes.MOST_COMMANDS)

    waiting = asyncio.create_task(pump.hear(BLOCK * 2))
    await asyncio.sleep(0.05)  # time to go on
    assert not waiting.done()
    scene.talk.takes.set()
    await asyncio.wait_for(waiting, DEADLINE_S)
    assert [what for what, _ in scene.talk.said] == ["append"] * len(scene.talk.said)
    await pump.abandon()


async def test_a_client_that_waits_goes_on_when_the_session_ends() -> None:
    scene = Scene()
    pump = await scene.opened()
    scene.talk.takes.clear()
    await pump.hear(BLOCK * lanes.MOST_COMMANDS)
    waiting: asyncio.Task[Any] = asyncio.create_task(pump.hear(BLOCK * 5))
    await asyncio.sleep(0)

    scene.talk.events.put_nowait(ProviderUnavailable("gone"))

    await asyncio.wait_for(waiting, DEADLINE_S)
    await pump.abandon()
