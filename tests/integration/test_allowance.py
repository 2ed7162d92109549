"""The rate limit that workers share, kept in a real Valkey."""

import asyncio

import pytest
from django.conf import settings

from readrealm.kernel.errors import RateLimited, StoreUnavailable
from readrealm.kernel.ratelimit import Rate
from readrealm.stores import redis
from readrealm.stores.allowance import Allowance

THREE_A_MINUTE = Rate(count=3, period_ms=60_000)


async def test_as_many_as_the_rate_says_pass_at_once_and_the_next_is_told_when(stores):
    allowance = Allowance(THREE_A_MINUTE, name="chat")

    for _ in range(3):
        await allowance.spend("ishmael")
    with pytest.raises(RateLimited) as refusal:
        await allowance.spend("ishmael")

    assert 15_000 < refusal.value.details["retry_after_ms"] <= 20_000


async def test_a_refused_attempt_costs_nothing(stores):
    allowance = Allowance(Rate(count=1, period_ms=60_000), name="chat")
    await allowance.spend("ishmael")

    waits = []
    for _ in range(5):
        with pytest.raises(RateLimited) as refusal:
            await allowance.spend("ishmael")
        waits.append(refusal.value.details["retry_after_ms"])

    assert waits == sorted(waits, reverse=True)


async def test_the_next_one_passes_after_the_wait_that_was_told(stores):
    allowance = Allowance(Rate(count=1, period_ms=100), name="chat")
    await allowance.spend("ishmael")
    with pytest.raises(RateLimited) as refusal:
        await allowance.spend("ishmael")

    # The wait is what was promised; nothing less would test it.
    await asyncio.sleep(refusal.value.details["retry_after_ms"] / 1000)

    await allowance.spend("ishmael")


async def test_many_at_once_do_not_get_more(stores):
    allowances = [Allowance(THREE_A_MINUTE, name="chat") for _ in range(2)]

    answers = await asyncio.gather(
        *(allowances[turn % 2].spend("ishmael") for turn in range(60)), return_exceptions=True
    )

    assert [type(answer) for answer in answers].count(type(None)) == 3
    assert [type(answer) for answer in answers].count(RateLimited) == 57


async def test_readers_and_limits_do_not_share(stores):
    allowance = Allowance(Rate(count=1, period_ms=60_000), name="chat")
    await allowance.spend("ishmael")

    await allowance.spend("ahab")
    await Allowance(Rate(count=1, period_ms=60_000), name="report").spend("ishmael")


async def test_what_is_not_needed_any_more_is_forgotten(stores):
    await Allowance(THREE_A_MINUTE, name="chat").spend("ishmael")

    (key,) = stores.redis.keys()
    assert 0 < stores.redis.pttl(key) <= 20_000


async def test_without_a_rate_nothing_is_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "REDIS_URL", f"unix://{tmp_path}/nobody.sock")

    await Allowance(None, name="chat").spend("ishmael")


async def test_a_script_that_the_server_has_forgotten_is_sent_again(stores):
    allowance = Allowance(THREE_A_MINUTE, name="chat")
    await allowance.spend("ishmael")
    stores.redis.script_flush()

    await allowance.spend("ishmael")


async def test_nothing_is_allowed_while_the_store_is_away(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "REDIS_URL", f"unix://{tmp_path}/nobody.sock")

    try:
        with pytest.raises(StoreUnavailable):
            await Allowance(THREE_A_MINUTE, name="chat").spend("ishmael")
    finally:
        await redis.aclose()
