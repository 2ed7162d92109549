"""Publish and subscribe on one Redis or Valkey server, on one connection of this event loop.

Both ways share a connection (RESP3, Redis 6 or newer): the server answers a publication and
sends its echo to who published it in one piece, and in a known order. A lost connection is made
again, and every subscription with it; whoever listens is told, for what was published in between
is gone. redis-py makes the connection; `wire` carries what is written to it and read from it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from channels_redis.utils import create_pool
from redis.exceptions import RedisError

from .publications import BusUnavailable, Publications, Tell
from .wire import Wire

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 5.0
"""For a subscription to be confirmed and for a publication to be taken, with all attempts."""

PING_EVERY_S = 5.0
DEAF_AFTER_S = 12.0
"""A connection that brings nothing, not even a pong, for this long is made again."""

LINGER_S = 1.0
"""A channel stays subscribed this long after its last listener, for readers who come back."""

RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Waits between attempts to connect; the last one repeats. Who publishes waits the first only."""

STEADY_S = 1.0
"""A connection that lasted this long was no failed attempt."""

CANCEL_AGAIN_S = 0.2

CONNECTION_ERRORS = (RedisError, OSError, TimeoutError, EOFError)


class Receive(Protocol):
    """What hears a bus; must not block."""

    def __call__(self, channel: str, payload: bytes, *, is_told: bool) -> None:
        """A message has come.

        Args:
            is_told: it was published here, and ``tell`` has told it already.
        """
        ...


@dataclass(slots=True)
class _Subscription:
    confirmed: asyncio.Future[None]
    was_confirmed: bool = False
    holders: int = 0
    linger: asyncio.TimerHandle | None = None


class Bus:
    """One server as the running event loop uses it.

    Args:
        host: connection options as `channels_redis` takes them.
        receive: called with what is heard, in the order of arrival.
        resubscribed: called with the channels whose subscription was lost and is there again.
        left: called when publications were written, and what they ``tell`` was told.
    """

    def __init__(
        self,
        host: dict[str, Any],
        *,
        receive: Receive,
        resubscribed: Callable[[list[str]], None],
        left: Callable[[], None] | None = None,
    ) -> None:
        pool = create_pool({**host, "protocol": 3, "socket_connect_timeout": CONNECT_TIMEOUT_S})
        self._new_connection: Callable[[], Any] = pool.make_connection
        self._receive, self._resubscribed = receive, resubscribed
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[str, _Subscription] = {}
        self._publications = Publications(self._loop, subscribed=self._subscriptions, left=left)
        self._wire: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.reconnects = 0
        """Times the connection was lost or could not be made, since the start."""

    @property
    def publish_failures(self) -> int:
        """Publications that were given up, since the start."""
        return self._publications.failures

    @property
    def has_waiting_publications(self) -> bool:
        """Whether publications wait for the reply to those before them, to leave together."""
        return self._publications.are_waiting

    async def publish(self, channel: str, payload: bytes, *, tell: Tell | None = None) -> int:
        """Publish; returns how many connections listened.

        A publication whose connection is lost is written once more, and may be delivered twice;
        listeners know events of a room by number.

        Args:
            tell: called when the publication leaves, and only if nothing earlier is still to be
                heard here.

        Raises:
            BusUnavailable: not taken within `REPLY_TIMEOUT_S`, or there is no server; it may
                still be delivered.
        """
        self._keep()
        return await self._publications.put(channel, payload, timeout_s=REPLY_TIMEOUT_S, tell=tell)

    # Listening.

    async def subscribe(self, channel: str) -> None:
        """Listen to a channel; returns when what is published from now on will be heard.

        Every call is to be paired with one of `release`, also one that raises.

        Raises:
            BusUnavailable: not confirmed within `REPLY_TIMEOUT_S`. It stays wanted until
                `release`, and begins when the server is back.
        """
        self._keep()
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            subscription = _Subscription(self._loop.create_future())
            self._subscriptions[channel] = subscription
            subscription.holders = 1
            self._write("SUBSCRIBE", channel)
        else:
            subscription.holders += 1
            if subscription.linger is not None:
                subscription.linger.cancel()
                subscription.linger = None
        if not subscription.confirmed.done():
            try:
                # Not `wait_for`, which forgets in Python 3.11 that it was cancelled if that
                # happens as the confirmation comes.
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    await asyncio.shield(subscription.confirmed)
            except TimeoutError:
                raise BusUnavailable(f"{channel} could not be subscribed") from None

    def release(self, channel: str) -> None:
        """End one `subscribe`; after the last, the channel is left when `LINGER_S` has passed."""
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            return
        subscription.holders -= 1
        if subscription.holders == 0:
            subscription.linger = self._loop.call_later(LINGER_S, self._unsubscribe, channel)

    def _unsubscribe(self, channel: str) -> None:
        if (subscription := self._subscriptions.pop(channel, None)) is not None:
            subscription.confirmed.cancel()
            self._write("UNSUBSCRIBE", channel)

    def _write(self, command: str, channel: str) -> None:
        """Write a command; while there is no connection, making one will do instead."""
        if self._wire is not None:
            try:
                self._wire.send([(command, channel)])
            except ConnectionError as error:
                log.debug("%s of %s waits for the next connection: %r", command, channel, error)

    def _hear(self, reply: Any) -> None:
        if isinstance(reply, int):
            self._publications.hear_taken(reply)
        elif isinstance(reply, list):
            kind = reply[0]
            if kind == b"message":
                channel, payload = reply[1].decode(), reply[2]
                is_told = self._publications.hear_message(channel, payload)
                self._receive(channel, payload, is_told=is_told)
            elif kind == b"subscribe":
                self._confirm(reply[1].decode())
        elif isinstance(reply, Exception) and self._wire is not None:
            # Of which command, can not be told from here: all of them are written again.
            self._wire.fail(ConnectionError(f"the server answered {reply!r}"))

    def _confirm(self, channel: str) -> None:
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription.confirmed.done():
            return
        subscription.confirmed.set_result(None)
        if subscription.was_confirmed:
            self._resubscribed([channel])
        subscription.was_confirmed = True

    # The connection.

    def _keep(self) -> None:
        """Have a connection from now on; a bus that nobody uses costs none."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_connected(), name="bus connection")

    async def _keep_connected(self) -> None:
        attempt = 0
        try:
            while True:
                began = self._loop.time()
                try:
                    await self._serve_once()
                except CONNECTION_ERRORS as error:
                    is_steady = self._loop.time() - began > STEADY_S
                    attempt = 0 if is_steady else min(attempt + 1, len(RETRY_S) - 1)
                    self.reconnects += 1
                    wait_s = RETRY_S[attempt]
                    log.warning("no connection, next try within %.2f s: %r", wait_s, error)
                    await self._wait_to_retry(wait_s)
        finally:
            self._publications.give_up()

    async def _serve_once(self) -> None:
        """Make a connection and serve it until it is lost, which raises."""
        try:
            connection, wire = await self._open()
        except CONNECTION_ERRORS:
            self._publications.give_up()
            raise
        try:
            if self._subscriptions:
                wire.send([("SUBSCRIBE", *self._subscriptions)])
            self._wire = wire
            self._publications.attach(wire)
            await self._watch(wire)
        finally:
            self._forget_connection()
            wire.abort()
            await _disconnect(connection)

    async def _open(self) -> tuple[Any, Wire]:
        """A connection, and what redis-py holds of it, to be closed with it."""
        connection = self._new_connection()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()
            _end_if_cancelled()  # which what redis-py awaits may have lost
            return connection, Wire(connection, self._hear)
        except BaseException:
            await _disconnect(connection)
            raise

    async def _watch(self, wire: Wire) -> None:
        """Wait until a connection, which `_hear` serves, is lost or deaf."""
        while True:
            done, _ = await asyncio.wait({wire.lost}, timeout=PING_EVERY_S)
            if done:
                raise wire.lost.result() or ConnectionError("the connection was closed")
            if self._loop.time() - wire.heard_at > DEAF_AFTER_S:
                raise TimeoutError("the server says nothing")
            wire.send([("PING",)])

    def _forget_connection(self) -> None:
        self._wire = None
        self._publications.detach()
        for subscription in self._subscriptions.values():
            if subscription.confirmed.done():
                subscription.confirmed = self._loop.create_future()

    async def _wait_to_retry(self, wait_s: float) -> None:
        self._publications.wanted.clear()
        await asyncio.sleep(RETRY_S[0])
        if not self._publications.are_waiting and wait_s > RETRY_S[0]:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s - RETRY_S[0]):
                    await self._publications.wanted.wait()

    async def close(self) -> None:
        """Close the connection; a later call opens another."""
        keeper, self._keeper = self._keeper, None
        while keeper is not None and not keeper.done():
            keeper.cancel()
            # One that is just connecting may lose a cancellation in what redis-py awaits.
            await asyncio.wait({keeper}, timeout=CANCEL_AGAIN_S)
        self._publications.close()
        for subscription in self._subscriptions.values():
            if subscription.linger is not None:
                subscription.linger.cancel()
            subscription.confirmed.cancel()
        self._subscriptions.clear()


def _end_if_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _disconnect(connection: Any) -> None:
    try:
        await connection.disconnect(nowait=True)
    except CONNECTION_ERRORS:
        log.debug("a connection was gone before it was closed")
