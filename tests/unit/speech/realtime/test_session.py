import pytest

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import parse
from speech.realtime.refusals import ProtocolRefusal, error_detail
from speech.realtime.session import SessionConfig
from speech.realtime.shapes import SessionPatch

VOICES = frozenset({"alloy", "coral"})


def merged(patch: dict, config: SessionConfig | None = None) -> SessionConfig:
    full = parse(SessionPatch, {"type": "realtime", **patch})
    return (config or SessionConfig()).merged(full, voices=VOICES)


def audio(**parts):
    return {"audio": parts}


def test_a_session_begins_with_the_defaults_of_the_protocol():
    wire = SessionConfig().to_wire(identifier="sess_1", model="local")
    vad = wire["audio"]["input"]["turn_detection"]
    assert (vad["threshold"], vad["prefix_padding_ms"], vad["silence_duration_ms"]) == (
        0.5,
        300,
        500,
    )
    assert vad["create_response"] is vad["interrupt_response"] is True
    assert wire["audio"]["input"]["transcription"] is None
    assert wire["output_modalities"] == ["audio"]


def test_what_an_update_does_not_name_stays():
    first = merged({"instructions": "Be kind.", **audio(output={"voice": "coral"})})
    second = merged(audio(input={"turn_detection": {"silence_duration_ms": 800}}), first)
    third = merged(audio(input={"turn_detection": {"threshold": 0.7}}), second)
    assert (third.instructions, third.voice) == ("Be kind.", "coral")
    assert third.turn_rule.silence_duration_ms == 800
    assert third.turn_rule.threshold == 0.7


def test_null_turns_detection_and_transcription_off():
    on = merged(audio(input={"transcription": {"model": "local"}}))
    off = merged(audio(input={"transcription": None, "turn_detection": None}), on)
    assert on.transcription is not None
    assert off.transcription is off.turn_detection is off.turn_rule is None
    again = merged(audio(input={"turn_detection": {"type": "server_vad"}}), off)
    assert again.turn_rule.silence_duration_ms == 500


@pytest.mark.parametrize(
    ("book_id", "expected"),
    [("11", 11), (11, 11), (11.0, 11), ("x", None), (-3, None), (True, None), (None, None)],
)
def test_the_book_comes_with_the_variables_of_the_prompt(book_id, expected):
    prompt = {"prompt": {"id": "book", "variables": {"book_id": book_id}}}
    assert merged(prompt).book_id == expected
    assert SessionConfig().book_id is None


@pytest.mark.parametrize(
    ("patch", "param"),
    [
        (audio(output={"voice": "nobody"}), "session.audio.output.voice"),
        (
            audio(input={"turn_detection": {"type": "semantic_vad"}}),
            "session.audio.input.turn_detection.type",
        ),
        (
            audio(input={"turn_detection": {"threshold": 2}}),
            "session.audio.input.turn_detection",
        ),
        (
            audio(input={"turn_detection": {"silence_duration_ms": "long"}}),
            "session.audio.input.turn_detection",
        ),
    ],
)
def test_what_the_engine_does_not_have_is_refused_by_name(patch, param):
    with pytest.raises(ProtocolRefusal) as refused:
        merged(patch)
    detail = error_detail(refused.value, event_id="e1")
    assert (detail.type, detail.code, detail.param, detail.event_id) == (
        "invalid_request_error",
        "invalid_value",
        param,
        "e1",
    )


@pytest.mark.parametrize(
    "patch",
    [
        audio(input={"format": {"type": "audio/pcm", "rate": 16_000}}),
        audio(output={"speed": 9}),
        {"output_modalities": ["smell"]},
        {"instructions": 7},
        {"type": "karaoke"},
        {"audio": []},
    ],
)
def test_what_the_protocol_does_not_have_never_reaches_the_session(patch):
    with pytest.raises(InvalidInput):
        merged(patch)
