"""The short form of `make chaos`: every promise holds after everything was killed once."""

import random
import time
from typing import Any

import pytest
from bson import ObjectId

from tests.chaos.nemesis import Fault
from tests.chaos.report import as_page, as_text
from tests.chaos.trial import Outcome, Plan, run, tracebacks
from tests.chaos.verdict import Verdict, judge

pytestmark = pytest.mark.timeout(150)

FAULTS = frozenset(
    {
        "worker killed",
        "Valkey killed, back empty",
        "every socket cut",
        "mongod restarted",
        "mongod killed",
    }
)


def test_what_was_acknowledged_is_with_everybody_once_and_in_order_whatever_dies() -> None:
    said: list[str] = []
    seed = random.SystemRandom().randrange(1_000_000)
    # Faults follow each other faster than in the long form, and so overlap more.
    plan = Plan(
        seconds=0,
        rounds=1,
        seed=seed,
        readers=8,
        every_ms=60,
        calm_s=1.0,
        pause_s=(0.2, 1.2),
        only=FAULTS,
    )

    outcome = run(plan, say=said.append)

    told = "\n".join([f"seed {seed}", *said, as_text(outcome)])
    assert outcome.healed_in_s is not None, told
    assert outcome.verdict.failures == {}, told
    assert outcome.tracebacks == [], told
    assert {fault.name for fault in outcome.faults} == FAULTS, told
    assert outcome.verdict.acknowledged >= 100, told


# The judge itself: what it must not overlook.


def log_of(count: int) -> list[dict[str, Any]]:
    return [
        {
            "_id": ObjectId(f"{seq:024x}"),
            "kind": "message",
            "seq": seq,
            "userId": "a",
            "content": f"a {seq}",
            "clientMsgId": f"c{seq}",
        }
        for seq in range(1, count + 1)
    ]


def story_of(log: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A reader who wrote all of it, and to whom everything went well."""
    about = [{"id": str(entry["_id"]), "seq": entry["seq"]} for entry in log]
    ids = [entry["clientMsgId"] for entry in log]
    story = {
        "userId": "a",
        "bookId": 1,
        "writes": True,
        "retried": 0,
        "connections": 1,
        "tried": [
            {"clientMsgId": each, "content": entry["content"], "at": 1000 + entry["seq"]}
            for each, entry in zip(ids, log, strict=True)
        ],
        "acked": [
            {"clientMsgId": each, **one, "at": 2000} for each, one in zip(ids, about, strict=True)
        ],
        "arrived": [{**one, "at": 2000 + one["seq"]} for one in about],
        "edited": [],
        "reacted": [],
        "shown": [
            {**one, "content": entry["content"], "clientMsgId": each, "reactions": []}
            for one, entry, each in zip(about, log, ids, strict=True)
        ],
    }
    return story | changes


def verdict_on(log: list[dict[str, Any]], *stories: dict[str, Any]) -> Verdict:
    return judge(stories, {1: log}, [Fault("worker killed", 1000, "")])


def test_a_story_without_a_fault_is_found_without_one() -> None:
    verdict = verdict_on(log_of(3), story_of(log_of(3)))

    assert verdict.is_kept
    assert (verdict.tried, verdict.acknowledged, verdict.kept, verdict.deliveries) == (3, 3, 3, 3)
    assert verdict.healed_in("worker killed") == [1.001]


def reversed_shown() -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = story_of(log_of(3))["shown"]
    return shown[::-1]


def otherwise_shown() -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = story_of(log_of(3))["shown"]
    return [*shown[:2], {**shown[2], "content": "else"}]


@pytest.mark.parametrize(
    ("log", "story", "broken"),
    [
        (log_of(2), story_of(log_of(3)), {"lost", "invented", "unsent"}),
        (log_of(3), story_of(log_of(3), shown=story_of(log_of(2))["shown"]), {"lost"}),
        (log_of(3), story_of(log_of(3), shown=story_of(log_of(3))["shown"] * 2), {"doubled"}),
        (log_of(3), story_of(log_of(3), shown=reversed_shown()), {"reordered"}),
        (log_of(3), story_of(log_of(3), shown=otherwise_shown()), {"differing"}),
        (log_of(4)[:2] + log_of(4)[3:], story_of(log_of(2)), {"lost", "reordered"}),
        (
            log_of(3),
            story_of(log_of(3), edited=[{"id": f"{1:024x}", "content": "never"}]),
            {"lost"},
        ),
        (log_of(3), story_of(log_of(3), reacted=[{"id": f"{1:024x}"}]), {"lost"}),
        (
            [*log_of(2), {**log_of(3)[2], "clientMsgId": "c1"}],
            story_of(log_of(2)),
            {"doubled", "lost"},
        ),
    ],
)
def test_every_broken_promise_is_named(
    log: list[dict[str, Any]], story: dict[str, Any], broken: set[str]
) -> None:
    found = verdict_on(log, story).failures

    assert broken <= set(found)
    assert set(found) <= broken | {"reordered"} if "doubled" in broken else set(found) == broken


def test_exceptions_of_the_server_are_counted() -> None:
    lines = [
        "worker started",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in f',
        "KeyError: 'x'",
        "fine",
    ]

    assert tracebacks(lines * 2) == ["KeyError: 'x' (2 times)"]


def test_a_page_says_how_to_repeat_it() -> None:
    began = time.monotonic()
    outcome = Outcome(
        plan=Plan(),
        verdict=verdict_on(log_of(3), story_of(log_of(3))),
        faults=[Fault("worker killed", 1000, "process 1")],
        seconds=time.monotonic() - began,
        healed_in_s=1.5,
    )

    page = as_page(outcome, command="make chaos ARGS='--seed 1'")

    assert "    make chaos ARGS='--seed 1'" in page
    assert "| worker killed | 1 | 1.0 s | 1.0 s |" in page
