"""The bus without a server: it ends when it is told to, whatever its library does."""

import asyncio
from typing import Any

import pytest

from readrealm.socketio_bridge.bus import Bus
from readrealm.socketio_bridge.publications import BusUnavailable

DEADLINE_S = 20


class DeafConnection:
    """Swallows a cancellation while it connects, as `asyncio.wait_for` of Python 3.11 may."""

    async def connect(self) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            return

    async def send_command(self, *command: Any, **options: Any) -> None: ...

    async def send_packed_command(self, commands: Any) -> None:
        await self.connect()

    def pack_commands(self, commands: Any) -> Any:
        return commands

    async def read_response(self, **options: Any) -> Any:
        await asyncio.sleep(30)

    async def disconnect(self, **options: Any) -> None: ...


@pytest.fixture
async def bus() -> Bus:
    """A bus that is about to connect for ever."""
    made = Bus(
        {"address": "redis://127.0.0.1:1"},
        receive=lambda channel, payload, *, is_told: None,
        resubscribed=lambda channels: None,
    )
    made._new_connection = DeafConnection
    return made


@pytest.mark.parametrize("use", ["subscribe", "publish"])
async def test_a_bus_that_is_connecting_can_be_closed(bus: Bus, use: str) -> None:
    using = bus.subscribe("news") if use == "subscribe" else bus.publish("news", b"hello")
    task = asyncio.create_task(using)
    await asyncio.sleep(0.01)  # it connects, which never ends; nobody tells that it has begun

    await asyncio.wait_for(bus.close(), DEADLINE_S)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_publishes_as_the_bus_is_closed_is_told_that_it_was_in_vain(bus: Bus) -> None:
    publishing = asyncio.create_task(bus.publish("news", b"hello"))
    await asyncio.sleep(0)  # it has been asked for, and the task that would connect has not begun

    await bus.close()

    with pytest.raises(BusUnavailable):
        await asyncio.wait_for(publishing, DEADLINE_S)


@pytest.mark.parametrize("use", ["subscribe", "publish"])
async def test_a_task_of_the_bus_that_is_cancelled_once_ends(bus: Bus, use: str) -> None:
    using = bus.subscribe("news") if use == "subscribe" else bus.publish("news", b"hello")
    task = asyncio.create_task(using)
    await asyncio.sleep(0.01)  # it connects, which never ends; nobody tells that it has begun
    owned = {task for task in asyncio.all_tasks() if task.get_name().startswith("bus ")}

    for each in owned:
        each.cancel()

    _, running = await asyncio.wait(owned, timeout=DEADLINE_S)
    assert running == set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_is_cancelled_as_a_subscription_is_confirmed_does_not_go_on(bus: Bus) -> None:
    subscribing = asyncio.create_task(bus.subscribe("news"))
    await asyncio.sleep(0.01)

    bus._subscriptions["news"].confirmed.set_result(None)
    await asyncio.sleep(0)  # what waits for the confirmation knows, and its task has not run yet
    subscribing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await subscribing
    await bus.close()
