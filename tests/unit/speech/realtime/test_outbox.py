import asyncio
import json

import pytest

from speech.realtime import outbox as module
from speech.realtime.events import AnswerDelta, AudioDelta, SpeechStarted
from speech.realtime.outbox import LIMIT, ClientStalled, Outbox


async def drained(outbox: Outbox) -> list[dict]:
    events = []
    while outbox._waiting:
        events.append(json.loads(await outbox.get()))
    return events


async def test_events_go_out_in_order_each_with_an_id_of_its_own():
    outbox = Outbox()
    await outbox.put(SpeechStarted(item_id="a"), SpeechStarted(item_id="b"))
    await outbox.put(SpeechStarted(item_id="c"))
    events = await drained(outbox)
    assert [event["item_id"] for event in events] == ["a", "b", "c"]
    assert len({event["event_id"] for event in events}) == 3
    assert events[0]["type"] == "input_audio_buffer.speech_started"


async def test_only_the_sound_of_a_silenced_answer_is_forgotten():
    outbox = Outbox()
    await outbox.put(
        AudioDelta(response_id="r1", delta="x"),
        AnswerDelta(response_id="r1", delta="words"),
        AudioDelta(response_id="r2", delta="y"),
    )
    await outbox.silence("r1")
    assert [(event["type"], event["response_id"]) for event in await drained(outbox)] == [
        ("response.output_audio_transcript.delta", "r1"),
        ("response.output_audio.delta", "r2"),
    ]


async def test_who_sends_too_much_waits_until_it_is_read():
    outbox = Outbox()
    for _ in range(LIMIT):
        await outbox.put(SpeechStarted())
    waiting = asyncio.ensure_future(outbox.put(SpeechStarted(item_id="late")))
    await asyncio.sleep(0)
    assert not waiting.done()
    await outbox.get()
    await asyncio.wait_for(waiting, 5)
    assert (await drained(outbox))[-1]["item_id"] == "late"


async def test_a_client_that_reads_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "STALLED_S", 0.05)
    outbox = Outbox()
    for _ in range(LIMIT):
        await outbox.put(SpeechStarted())
    with pytest.raises(ClientStalled):
        await outbox.put(SpeechStarted())
