from typing import Any

import pytest

from readrealm.kernel.errors import AppError, RateLimited
from readrealm.metrics.answers import observed
from readrealm.metrics.figures import MessageTally
from readrealm.observability import REGISTRY
from readrealm.socketio_bridge import EventConsumer


class Parrot(EventConsumer):
    events = frozenset({"chatMessage", "squawk"})
    refusals = (AppError,)

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal

    async def answer(self, event: str, data: Any) -> Any:
        if self.refusal is not None:
            raise self.refusal
        return data


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"readrealm_{name}", labels) or 0


async def test_an_answer_is_counted_timed_and_left_as_it_is() -> None:
    before = value("events_total", event="squawk", outcome="ok")
    timed = value("ack_seconds_count", event="squawk")

    assert await observed(Parrot)().answer("squawk", "hello") == "hello"

    assert value("events_total", event="squawk", outcome="ok") == before + 1
    assert value("ack_seconds_count", event="squawk") == timed + 1


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(RateLimited(retry_after_ms=5), "RATE_LIMITED"), (KeyError("Ishmael"), "INTERNAL_ERROR")],
)
async def test_a_refusal_is_counted_by_its_code_and_goes_on(refusal: Exception, code: str) -> None:
    before = value("messages_total", outcome=code)

    with pytest.raises(type(refusal)):
        await observed(Parrot)(refusal=refusal).answer("chatMessage", {"content": "Ishmael"})

    assert value("messages_total", outcome=code) == before + 1


def test_an_observed_consumer_answers_the_same_events_under_the_same_name() -> None:
    assert observed(Parrot).events == Parrot.events
    assert observed(Parrot).refusals == Parrot.refusals
    assert observed(Parrot).__name__ == "Parrot"
    assert observed(Parrot) is observed(Parrot)


def test_a_message_is_kept_once_however_often_it_is_sent() -> None:
    kept, retried = (value("messages_total", outcome=each) for each in ("kept", "retried"))

    tally = MessageTally()
    for again in (False, True, True):
        tally.said(again=again)

    assert value("messages_total", outcome="kept") == kept + 1
    assert value("messages_total", outcome="retried") == retried + 2
