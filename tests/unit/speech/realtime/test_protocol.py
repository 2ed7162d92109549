import pytest

from readrealm.kernel.wire import parse
from speech.audio.turns import TurnRule
from speech.realtime.events import UpdateSession
from speech.realtime.protocol import (
    MAX_LINES,
    Dialect,
    Memory,
    ReconnectPlan,
    SessionSpec,
    in_ga_names,
    session_update,
)

SPEC = SessionSpec(
    instructions="Be kind.",
    temperature=0.2,
    voice="coral",
    transcription_model="whisper-1",
    turns=TurnRule(silence_duration_ms=700),
    book_id=11,
)


def keys(value) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set()


def test_temperature_is_sent_only_where_the_protocol_has_it():
    assert "temperature" not in keys(session_update(SPEC, Dialect.GA))
    assert session_update(SPEC, Dialect.PREVIEW)["session"]["temperature"] == 0.6


@pytest.mark.parametrize(("given", "sent"), [(0, 0.6), (0.8, 0.8), (1.2, 1.2), (2, 1.2)])
def test_temperature_is_moved_into_what_preview_models_take(given, sent):
    spec = SessionSpec(instructions="x", temperature=given)
    assert session_update(spec, Dialect.PREVIEW)["session"]["temperature"] == sent


@pytest.mark.parametrize("temperature", [-0.1, 2.1, float("nan"), float("inf")])
def test_a_temperature_outside_the_contract_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature"):
        SessionSpec(instructions="x", temperature=temperature)


def test_the_session_is_said_in_the_words_of_each_dialect():
    ga = session_update(SPEC, Dialect.GA)["session"]
    assert ga["type"] == "realtime"
    assert ga["output_modalities"] == ["audio"]
    assert ga["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 700
    assert ga["audio"]["input"]["transcription"] == {"model": "whisper-1"}
    assert ga["audio"]["output"]["voice"] == "coral"

    preview = session_update(SPEC, Dialect.PREVIEW)["session"]
    assert preview["modalities"] == ["text", "audio"]
    assert preview["input_audio_format"] == preview["output_audio_format"] == "pcm16"
    assert preview["turn_detection"]["type"] == "server_vad"
    assert "type" not in preview


def test_our_own_engine_understands_what_we_say():
    update = session_update(SPEC, Dialect.GA, is_local=True)
    session = parse(UpdateSession, update).session
    assert session.instructions == "Be kind."
    assert session.prompt.variables == {"book_id": "11"}


def test_only_our_own_engine_is_told_the_book():
    assert "prompt" not in session_update(SPEC, Dialect.GA)["session"]


def test_the_client_may_end_turns_itself():
    spec = SessionSpec(instructions="x", turns=None)
    assert session_update(spec, Dialect.GA)["session"]["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("preview", "ga"),
    [
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("response.text.delta", "response.output_text.delta"),
        ("conversation.item.created", "conversation.item.added"),
        ("response.output_audio.delta", "response.output_audio.delta"),
        ("session.created", "session.created"),
    ],
)
def test_events_of_the_preview_get_their_present_names(preview, ga):
    assert in_ga_names({"type": preview, "delta": "x"}) == {"type": ga, "delta": "x"}


def test_an_event_without_a_name_is_left_as_it_is():
    assert in_ga_names({"type": 7}) == {"type": 7}
    assert in_ga_names({}) == {}


def test_delays_grow_to_a_limit_and_then_end():
    plan = ReconnectPlan(attempts=6)
    delays = [plan.delay_s(attempt, close_code=1006) for attempt in range(1, 8)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, None]


@pytest.mark.parametrize("code", [1000, 1008, 4000, 4001])
def test_a_close_that_is_meant_is_not_answered_with_an_attempt(code):
    assert ReconnectPlan().delay_s(1, close_code=code) is None


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012, None])
def test_a_connection_that_broke_is_tried_again(code):
    assert ReconnectPlan().delay_s(1, close_code=code) == 0.5


def test_a_new_connection_is_told_what_was_said():
    memory = Memory()
    memory.add("Who is Ahab?", by_reader=True)
    memory.add("  ", by_reader=False)
    memory.add("A captain.", by_reader=False)
    first, second = (event["item"] for event in memory.replay(Dialect.GA))
    assert (first["role"], first["content"]) == (
        "user",
        [{"type": "input_text", "text": "Who is Ahab?"}],
    )
    assert second["content"] == [{"type": "output_text", "text": "A captain."}]
    assert memory.replay(Dialect.PREVIEW)[1]["item"]["content"][0]["type"] == "text"


def test_only_so_much_is_remembered():
    memory = Memory()
    for number in range(MAX_LINES + 5):
        memory.add(f"line {number} " + "x" * 5_000, by_reader=True)
    replayed = memory.replay(Dialect.GA)
    assert len(replayed) == MAX_LINES
    assert replayed[0]["item"]["content"][0]["text"].startswith("line 5 ")
    assert len(replayed[0]["item"]["content"][0]["text"]) == 2_000
