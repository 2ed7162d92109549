"""Our types against the models of the openai SDK, which is how providers are read elsewhere."""

import json

import msgspec
import pytest
from openai._models import construct_type
from openai.types.realtime import RealtimeServerEvent

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import encode, parse
from speech.realtime.events import COMMANDS, EVENTS, AppendAudio, TruncateItem, UpdateSession

SDK_COMMANDS = {
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
}


def test_every_command_of_a_voice_client_is_known():
    assert set(COMMANDS) == SDK_COMMANDS


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_one_that_the_sdk_knows(name):
    wire = json.loads(encode(EVENTS[name]()))
    event = construct_type(value=wire, type_=RealtimeServerEvent)
    assert wire["type"] == event.type == name
    known = type(event).model_fields
    assert known["type"].annotation.__args__ == (name,)


@pytest.mark.parametrize("name", EVENTS)
def test_what_we_say_we_also_understand(name):
    event = EVENTS[name]()
    assert msgspec.convert(json.loads(encode(event)), EVENTS[name]) == event


def test_keys_that_nobody_reads_are_dropped():
    command = parse(AppendAudio, {"type": "input_audio_buffer.append", "audio": "AA==", "x": 1})
    assert command.audio == "AA=="


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        (AppendAudio, {}),
        (AppendAudio, {"audio": 7}),
        (AppendAudio, {"type": "input_audio_buffer.commit", "audio": "AA=="}),
        (TruncateItem, {"item_id": "", "content_index": 0, "audio_end_ms": 0}),
        (TruncateItem, {"item_id": "i", "content_index": -1, "audio_end_ms": 0}),
        (UpdateSession, {"session": {}}),
        (UpdateSession, []),
    ],
)
def test_a_malformed_command_is_refused(command, payload):
    with pytest.raises(InvalidInput):
        parse(command, payload)
