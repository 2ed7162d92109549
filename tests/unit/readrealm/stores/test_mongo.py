import asyncio
import contextvars
import threading

import pymongo
import pytest
from django.conf import settings
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
)

from readrealm.kernel.errors import StoreUnavailable
from readrealm.stores import mongo


async def test_blocking_calls_run_beside_each_other_in_threads():
    meeting = threading.Barrier(mongo.THREADS)

    async with asyncio.timeout(10):
        places = await asyncio.gather(
            *(mongo.in_store(meeting.wait, 5) for _ in range(mongo.THREADS))
        )

    assert sorted(places) == list(range(mongo.THREADS))


async def test_a_call_sees_the_context_of_its_caller():
    reader = contextvars.ContextVar("reader", default="nobody")
    reader.set("Ishmael")

    assert await mongo.in_store(reader.get) == "Ishmael"


async def test_what_a_call_raises_reaches_its_caller():
    with pytest.raises(KeyError):
        await mongo.in_store({}.__getitem__, "x")


async def test_more_calls_than_may_wait_are_refused():
    gate = threading.Event()
    held = [
        asyncio.ensure_future(mongo.in_store(gate.wait, 20))
        for _ in range(mongo.THREADS + mongo.WAITING)
    ]
    await asyncio.sleep(0)

    try:
        with pytest.raises(StoreUnavailable):
            await mongo.in_store(int)
    finally:
        gate.set()
        await asyncio.gather(*held)
    assert await mongo.in_store(int) == 0


async def test_a_call_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(mongo, "DEADLINE_S", 0.05)
    gate = threading.Event()

    try:
        with pytest.raises(StoreUnavailable):
            await mongo.in_store(gate.wait, 20)
    finally:
        gate.set()


def test_nothing_less_than_durable_can_be_asked_for():
    assert mongo.OPTIONS["w"] == "majority"
    assert mongo.OPTIONS["journal"] is True


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("mongodb://a,b/chat?replicaSet=x", "chat"),
        ("mongodb://%2Fsrv%2Fmongod.sock/rr?directConnection=true", "rr"),
        ("mongodb+srv://a.example/?retryWrites=true", "readrealm"),
        ("mongodb://a", "readrealm"),
    ],
)
def test_the_database_is_the_one_that_the_url_names(monkeypatch, url, name):
    monkeypatch.setattr(settings, "MONGODB_URL", url)

    assert mongo.database_name() == name


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        OperationFailure("too slow", 50, {"codeName": "MaxTimeMSExpired"}),
        OperationFailure("not primary", 10_107, {"errorLabels": ["RetryableWriteError"]}),
        OperationFailure("snapshot", 246, {"errorLabels": ["TransientTransactionError"]}),
    ],
    ids=lambda error: str(error).split(",")[0],
)
def test_a_store_that_is_away_or_too_slow_is_refused(error):
    with pytest.raises(StoreUnavailable), mongo.answered_within(1):
        raise error


@pytest.mark.parametrize("error", [DuplicateKeyError("twice", 11_000), PyMongoError("a bug")])
def test_what_is_no_matter_of_time_is_left_to_who_asked(error):
    with pytest.raises(type(error)), mongo.answered_within(1):
        raise error


def test_the_driver_is_told_how_long_it_may_take():
    with mongo.answered_within(1.5):
        assert 1.4 < pymongo._csot.remaining() <= 1.5
    assert pymongo._csot.remaining() is None
