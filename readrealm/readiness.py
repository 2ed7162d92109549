"""Whether this process could serve a reader now: each thing it needs is asked, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from channels.layers import get_channel_layer

from readrealm.stores import mongo, redis


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that is needed, and how to find out whether it is there."""

    name: str
    deadline_s: float
    ask: Callable[[], Awaitable[object]]
    """Raises, or does not come back in time, when it is not."""


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    is_ready: bool
    took_ms: int
    reason: str | None
    """A word for the operator; without addresses, for anybody may see it."""


async def examine(probes: Sequence[Probe]) -> list[Finding]:
    """Ask all at once; takes no longer than the longest deadline."""
    return list(await asyncio.gather(*(_examine(probe) for probe in probes)))


async def ask_mongodb() -> None:
    await mongo.async_database().command("ping")


async def ask_valkey() -> None:
    # Not from a listing of keys, not from a cache: a write is what a full or read-only server
    # refuses.
    await redis.client().set("readrealm:readyz", b"1", px=10_000)


async def ask_pubsub() -> None:
    """Send something to ourselves through the channel layer, and hear it."""
    layer = get_channel_layer()
    channel = await layer.new_channel("readyz")
    heard = asyncio.Event()

    async def listen() -> None:
        while True:
            await layer.receive(channel)
            heard.set()

    listening = asyncio.create_task(listen())
    try:
        await layer.send(channel, {"type": "readyz.echo"})
        await heard.wait()
    finally:
        # Cancelled while it waits for the next one, which is how a layer learns that a channel
        # is not needed any more.
        listening.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await listening


PROBES = (
    Probe("mongodb", 1.0, ask_mongodb),
    Probe("valkey", 1.0, ask_valkey),
    Probe("pubsub", 2.0, ask_pubsub),
)


async def _examine(probe: Probe) -> Finding:
    started = time.monotonic()
    reason = None
    try:
        async with asyncio.timeout(probe.deadline_s):
            await probe.ask()
    except TimeoutError:
        reason = f"no answer within {probe.deadline_s:g} s"
    except Exception as error:
        reason = type(error).__name__
    took_ms = round((time.monotonic() - started) * 1000)
    return Finding(probe.name, reason is None, took_ms, reason)
