import pytest

from readrealm.kernel.errors import InvalidInput, ProviderUnavailable
from readrealm.kernel.wire import parse
from speech.realtime.events import TruncateItem
from speech.realtime.refusals import ProtocolRefusal, error_detail


def test_a_refusal_of_the_protocol_keeps_its_code():
    refusal = ProtocolRefusal("empty", reason="input_audio_buffer_commit_empty")
    detail = error_detail(refusal, event_id=None)
    assert (detail.type, detail.code) == (
        "invalid_request_error",
        "input_audio_buffer_commit_empty",
    )


def test_a_wrong_field_is_named():
    with pytest.raises(InvalidInput) as refused:
        parse(TruncateItem, {"item_id": "i", "content_index": 0, "audio_end_ms": -1})
    assert error_detail(refused.value, event_id="e").param == "audio_end_ms"


def test_a_failure_of_ours_is_not_blamed_on_the_client():
    detail = error_detail(ProviderUnavailable("no voice"), event_id=None)
    assert (detail.type, detail.code, detail.message) == (
        "server_error",
        "provider_unavailable",
        "no voice",
    )
