"""Publish and subscribe on one Redis or Valkey server, on two connections of this event loop.

A lost connection is made again, and every subscription with it; whoever listens is told, for
what was published in between is gone. redis-py makes the connections (URLs, TLS, Sentinel,
credentials); this module owns what is written to them and when.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from channels_redis.utils import create_pool
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 5.0
"""For a subscription to be confirmed and for a publication to be taken."""

PING_EVERY_S = 5.0
DEAF_AFTER_S = 12.0
"""A subscriber connection that brings nothing, not even a pong, for this long is made again."""

LINGER_S = 1.0
"""A channel stays subscribed this long after its last listener, for readers who come back."""

RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Waits between attempts to connect; the last one repeats."""

MAX_PENDING_BYTES = 8 << 20
"""What may wait to be published; more is refused."""

CONNECTION_ERRORS = (RedisError, OSError, TimeoutError, EOFError)


class BusUnavailable(ConnectionError):
    """The server did not take a publication or a subscription in time."""


@dataclass(slots=True)
class _Subscription:
    confirmed: asyncio.Future[None]
    was_confirmed: bool = False
    holders: int = 0
    linger: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Publication:
    channel: str
    payload: bytes
    taken: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Bus:
    """One server as this event loop uses it.

    Args:
        host: connection options as `channels_redis` takes them.
        receive: called with channel and payload, in the order of arrival; must not block.
        resubscribed: called with the channels whose subscription was lost and is there again.
    """

    def __init__(
        self,
        host: dict[str, Any],
        *,
        receive: Callable[[str, bytes], None],
        resubscribed: Callable[[list[str]], None],
    ) -> None:
        pool = create_pool({**host, "protocol": 2, "socket_connect_timeout": CONNECT_TIMEOUT_S})
        self._new_connection: Callable[[], Any] = pool.make_connection
        self._receive, self._resubscribed = receive, resubscribed
        self._subscriptions: dict[str, _Subscription] = {}
        self._pending: list[_Publication] = []
        self._pending_bytes = 0
        self._work = asyncio.Event()
        self._subscriber: Any = None
        self._duties: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.publish_failures = 0
        """Publications that were given up, since the start."""
        self.reconnects = 0
        """Times the subscriber connection was lost, since the start."""

    async def publish(self, channel: str, payload: bytes) -> int:
        """Publish; returns how many connections listened.

        Raises:
            BusUnavailable: not taken within `REPLY_TIMEOUT_S`; it may still be delivered.
        """
        self._keep(self._keep_publishing, "bus publisher")
        if self._pending_bytes + len(payload) > MAX_PENDING_BYTES:
            self.publish_failures += 1
            raise BusUnavailable("too much waits to be published")
        publication = _Publication(channel, payload)
        self._pending.append(publication)
        self._pending_bytes += len(payload)
        self._work.set()
        return await publication.taken

    async def subscribe(self, channel: str) -> None:
        """Listen to a channel; returns when what is published from now on will be heard.

        Every call is to be paired with one of `release`, also one that raises.

        Raises:
            BusUnavailable: not confirmed within `REPLY_TIMEOUT_S`. It stays wanted until
                `release`, and begins when the server is back.
        """
        self._keep(self._keep_listening, "bus subscriber")
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = _Subscription(asyncio.get_running_loop().create_future())
            self._subscriptions[channel] = subscription
            subscription.holders = 1
            await self._tell_subscriber("SUBSCRIBE", channel)
        else:
            subscription.holders += 1
            if subscription.linger is not None:
                subscription.linger.cancel()
                subscription.linger = None
        if not subscription.confirmed.done():
            try:
                await asyncio.wait_for(asyncio.shield(subscription.confirmed), REPLY_TIMEOUT_S)
            except TimeoutError:
                raise BusUnavailable(f"{channel} could not be subscribed") from None

    def release(self, channel: str) -> None:
        """End one `subscribe`; after the last, the channel is left when `LINGER_S` has passed."""
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            return
        subscription.holders -= 1
        if subscription.holders == 0:
            loop = asyncio.get_running_loop()
            subscription.linger = loop.call_later(LINGER_S, self._unsubscribe, channel)

    async def close(self) -> None:
        """Close both connections; a later call opens them again."""
        tasks, self._tasks = [*self._tasks, *self._duties.values()], []
        self._duties = {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for subscription in self._subscriptions.values():
            if subscription.linger is not None:
                subscription.linger.cancel()
            subscription.confirmed.cancel()
        self._subscriptions.clear()

    def _keep(self, duty: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Have a duty done from now on; one that nobody asked for costs no connection."""
        if name not in self._duties:
            self._duties[name] = asyncio.create_task(duty(), name=name)

    # Publishing: whatever came together leaves in one write.

    async def _keep_publishing(self) -> None:
        connection = self._new_connection()
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                batch, self._pending, self._pending_bytes = self._pending, [], 0
                await self._publish_batch(connection, batch)
                _heed_cancellation()
        finally:
            _give_up(self._pending)
            await _disconnect(connection)

    async def _publish_batch(self, connection: Any, batch: list[_Publication]) -> None:
        """Send a batch, once more if the connection turns out to be dead.

        A repetition may deliver an event twice; listeners know events of a room by number.
        """
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                try:
                    await self._send_batch(connection, batch)
                except (RedisError, ConnectionError, EOFError):
                    await _disconnect(connection)
                    await self._send_batch(connection, batch)
        except CONNECTION_ERRORS as error:
            log.warning("publications were not taken (%d together): %r", len(batch), error)
            await _disconnect(connection)
        finally:
            self.publish_failures += _give_up(batch)

    async def _send_batch(self, connection: Any, batch: list[_Publication]) -> None:
        waiting = [item for item in batch if not item.taken.done()]
        commands = [("PUBLISH", item.channel, item.payload) for item in waiting]
        await connection.send_packed_command(connection.pack_commands(commands))
        _heed_cancellation()
        for item in waiting:
            listeners = await connection.read_response()
            _heed_cancellation()
            if not item.taken.done():
                item.taken.set_result(listeners)

    # Listening.

    async def _keep_listening(self) -> None:
        attempt = 0
        while True:
            connection = self._new_connection()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await connection.connect()
                _heed_cancellation()
                await self._resubscribe(connection)
                attempt = 0
                await self._listen(connection)
            except CONNECTION_ERRORS as error:
                self._forget_confirmations()
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                attempt += 1
                self.reconnects += 1
                log.warning(
                    "the subscriber connection is down, next try in %.2f s: %r", wait_s, error
                )
                await asyncio.sleep(wait_s)
            finally:
                self._subscriber = None
                await _disconnect(connection)

    async def _resubscribe(self, connection: Any) -> None:
        self._subscriber = connection
        if self._subscriptions:
            await connection.send_command("SUBSCRIBE", *self._subscriptions, check_health=False)

    async def _listen(self, connection: Any) -> None:
        pinger = asyncio.create_task(_ping(connection), name="bus ping")
        try:
            while True:
                async with asyncio.timeout(DEAF_AFTER_S):
                    first = await connection.read_response(timeout=math.inf)
                self._hear(first)
        finally:
            pinger.cancel()

    def _hear(self, reply: Any) -> None:
        kind = reply[0] if isinstance(reply, list) else None
        if kind == b"message":
            self._receive(reply[1].decode(), reply[2])
        elif kind == b"subscribe":
            self._confirm(reply[1].decode())

    def _confirm(self, channel: str) -> None:
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription.confirmed.done():
            return
        subscription.confirmed.set_result(None)
        if subscription.was_confirmed:
            self._resubscribed([channel])
        subscription.was_confirmed = True

    def _forget_confirmations(self) -> None:
        loop = asyncio.get_running_loop()
        for subscription in self._subscriptions.values():
            if subscription.confirmed.done():
                subscription.confirmed = loop.create_future()

    def _unsubscribe(self, channel: str) -> None:
        if (subscription := self._subscriptions.pop(channel, None)) is not None:
            subscription.confirmed.cancel()
            task = asyncio.ensure_future(self._tell_subscriber("UNSUBSCRIBE", channel))
            self._tasks.append(task)
            task.add_done_callback(self._forget_task)

    def _forget_task(self, task: asyncio.Task[None]) -> None:
        if task in self._tasks:
            self._tasks.remove(task)

    async def _tell_subscriber(self, command: str, channel: str) -> None:
        """Write to the subscriber connection; while it is down, reconnecting will do instead."""
        connection = self._subscriber
        if connection is not None:
            try:
                await connection.send_command(command, channel, check_health=False)
            except CONNECTION_ERRORS as error:
                log.debug("%s of %s waits for the next connection: %r", command, channel, error)


def _heed_cancellation() -> None:
    """Be cancelled now if a library swallowed it, as `asyncio.wait_for` of Python 3.11 may."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _ping(connection: Any) -> None:
    while True:
        await asyncio.sleep(PING_EVERY_S)
        await connection.send_command("PING", check_health=False)


async def _disconnect(connection: Any) -> None:
    try:
        await connection.disconnect(nowait=True)
    except CONNECTION_ERRORS:
        log.debug("a connection was gone before it was closed")


def _give_up(publications: Iterable[_Publication]) -> int:
    """Tell those who still wait that their publication failed; returns how many did."""
    failed = 0
    for item in publications:
        if not item.taken.done():
            item.taken.set_exception(BusUnavailable("the publication was not taken"))
            failed += 1
    return failed
