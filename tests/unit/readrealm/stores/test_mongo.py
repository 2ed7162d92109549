import asyncio
import contextvars
import threading

import pytest
from django.conf import settings

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
