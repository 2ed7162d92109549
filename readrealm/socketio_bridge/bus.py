"""Publish and subscribe on one Redis or Valkey server, on two connections of this event loop.

A lost connection is made again, and every subscription with it; whoever listens is told, for
what was published in between is gone. redis-py makes the connections; `wire` carries what
is written to them and read from them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from channels_redis.utils import create_pool
from redis.exceptions import RedisError

from .wire import Wire

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 5.0
"""For a subscription to be confirmed and for a publication to be taken, with all attempts."""

PING_EVERY_S = 5.0
DEAF_AFTER_S = 12.0
"""A subscriber connection that brings nothing, not even a pong, for this long is made again."""

LINGER_S = 1.0
"""A channel stays subscribed this long after its last listener, for readers who come back."""

RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Waits between attempts to connect; the last one repeats."""

CANCEL_AGAIN_S = 0.2

MAX_PENDING_BYTES = 8 << 20
"""What may wait to be published or for its reply; more is refused."""

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
    taken: asyncio.Future[int]


class Bus:
    """One server as the running event loop uses it.

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
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[str, _Subscription] = {}
        self._pending: list[_Publication] = []
        self._pending_bytes = 0
        self._work = asyncio.Event()
        self._publisher: Wire | None = None
        self._subscriber: Wire | None = None
        self._connections: dict[Wire, Any] = {}
        """What redis-py holds of the connections; to be closed with them."""
        self._unanswered: deque[_Publication] = deque()
        self._answered: asyncio.Future[None] | None = None
        """Done when no publication of the batch is unanswered; fails with the connection."""
        self._duties: dict[str, asyncio.Task[None]] = {}
        self.publish_failures = 0
        """Publications that were given up, since the start."""
        self.reconnects = 0
        """Times the subscriber connection was lost, since the start."""

    @property
    def has_waiting_publications(self) -> bool:
        """Whether publications wait for the reply to those before them, to leave together."""
        return bool(self._pending)

    async def publish(self, channel: str, payload: bytes) -> int:
        """Publish; returns how many connections listened.

        Raises:
            BusUnavailable: not taken within `REPLY_TIMEOUT_S`; it may still be delivered.
        """
        self._keep(self._keep_publishing, "bus publisher")
        if self._pending_bytes + len(payload) > MAX_PENDING_BYTES:
            self.publish_failures += 1
            raise BusUnavailable("too much waits to be published")
        publication = _Publication(channel, payload, self._loop.create_future())
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
            subscription = _Subscription(self._loop.create_future())
            self._subscriptions[channel] = subscription
            subscription.holders = 1
            self._tell_subscriber("SUBSCRIBE", channel)
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
            subscription.linger = self._loop.call_later(LINGER_S, self._unsubscribe, channel)

    async def close(self) -> None:
        """Close both connections; a later call opens them again."""
        tasks, self._duties = list(self._duties.values()), {}
        while tasks:
            for task in tasks:
                task.cancel()
            # One that is just connecting may lose a cancellation in what redis-py awaits.
            _, left = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)
            tasks = list(left)
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
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                batch, self._pending = self._pending, []
                await self._publish_batch(batch)
        finally:
            _give_up(self._pending)
            self._pending, self._pending_bytes = [], 0
            await self._hang_up()

    async def _publish_batch(self, batch: list[_Publication]) -> None:
        """Send a batch, once more if the connection turns out to be dead.

        A repetition may deliver an event twice; listeners know events of a room by number.
        """
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                try:
                    await self._send_batch(batch)
                except CONNECTION_ERRORS:
                    await self._hang_up()
                    await self._send_batch(batch)
        except CONNECTION_ERRORS as error:
            log.warning("publications were not taken (%d together): %r", len(batch), error)
            await self._hang_up()
        finally:
            self.publish_failures += _give_up(batch)
            self._pending_bytes -= sum(len(item.payload) for item in batch)

    async def _send_batch(self, batch: list[_Publication]) -> None:
        waiting = [item for item in batch if not item.taken.done()]
        if not waiting:
            return
        if self._publisher is None:
            self._publisher = await self._open(self._hear_listeners)
            self._publisher.lost.add_done_callback(self._fail_batch)
        self._unanswered = deque(waiting)
        self._answered = self._loop.create_future()
        self._publisher.send([("PUBLISH", item.channel, item.payload) for item in waiting])
        await self._answered

    def _hear_listeners(self, reply: Any) -> None:
        """The server has taken a publication, or says why not."""
        if self._answered is None or self._answered.done():
            return
        if not self._unanswered or isinstance(reply, Exception):
            self._end_batch(ConnectionError(f"the server answered {reply!r}"))
            return
        item = self._unanswered.popleft()
        if not item.taken.done():
            item.taken.set_result(reply)
        if not self._unanswered:
            self._end_batch(None)

    def _fail_batch(self, lost: "asyncio.Future[Exception | None]") -> None:
        self._end_batch(lost.result() or ConnectionError("the connection was closed"))

    def _end_batch(self, error: Exception | None) -> None:
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)

    async def _hang_up(self) -> None:
        """Leave the publisher's connection; the next batch makes another."""
        wire, self._publisher = self._publisher, None
        if wire is not None:
            wire.lost.remove_done_callback(self._fail_batch)
            await self._close(wire)

    async def _open(self, hear: Callable[[Any], None]) -> Wire:
        connection = self._new_connection()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()
            _end_if_cancelled()  # which what redis-py awaits may have lost
            wire = Wire(connection, hear)
        except BaseException:
            await _disconnect(connection)
            raise
        self._connections[wire] = connection
        return wire

    async def _close(self, wire: Wire) -> None:
        wire.abort()
        await _disconnect(self._connections.pop(wire))

    # Listening.

    async def _keep_listening(self) -> None:
        attempt = 0
        while True:
            try:
                wire = self._subscriber = await self._open(self._hear)
                attempt = 0
                try:
                    await self._listen(wire)
                finally:
                    self._subscriber = None
                    await self._close(wire)
            except CONNECTION_ERRORS as error:
                self._forget_confirmations()
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                attempt += 1
                self.reconnects += 1
                log.warning(
                    "the subscriber connection is down, next try in %.2f s: %r", wait_s, error
                )
                await asyncio.sleep(wait_s)

    async def _listen(self, wire: Wire) -> None:
        """Subscribe, and watch the connection, which `_hear` serves, until it is lost or deaf."""
        if self._subscriptions:
            wire.send([("SUBSCRIBE", *self._subscriptions)])
        while True:
            done, _ = await asyncio.wait({wire.lost}, timeout=PING_EVERY_S)
            if done:
                raise wire.lost.result() or ConnectionError("the connection was closed")
            if self._loop.time() - wire.heard_at > DEAF_AFTER_S:
                raise TimeoutError("the server says nothing")
            wire.send([("PING",)])

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
        for subscription in self._subscriptions.values():
            if subscription.confirmed.done():
                subscription.confirmed = self._loop.create_future()

    def _unsubscribe(self, channel: str) -> None:
        if (subscription := self._subscriptions.pop(channel, None)) is not None:
            subscription.confirmed.cancel()
            self._tell_subscriber("UNSUBSCRIBE", channel)

    def _tell_subscriber(self, command: str, channel: str) -> None:
        """Write to the subscriber connection; while it is down, reconnecting will do instead."""
        if self._subscriber is not None:
            try:
                self._subscriber.send([(command, channel)])
            except ConnectionError as error:
                log.debug("%s of %s waits for the next connection: %r", command, channel, error)


def _end_if_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


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
