"""Publish and subscribe on one Redis or Valkey server, on one connection of this event loop.

Both ways share a connection (RESP3, Redis 6 or newer): the server answers a publication and
sends its echo to who published it in one piece, and in a known order. A lost connection is made
again, and every subscription with it; whoever listens is told, for what was published in between
is gone. redis-py makes the connection; `wire` carries what is written to it and read from it.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from channels_redis.utils import create_pool
from redis.exceptions import RedisError

from .wire import Wire

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 5.0
"""For a subscription to be confirmed and for a publication to be taken, with all attempts."""

DEADLINE_CHECK_S = 0.1
"""How often publications are looked at that wait for their reply."""

ATTEMPTS = 2
"""Connections on which a publication is written before it is given up."""

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

MAX_PENDING_BYTES = 8 << 20
"""What may wait to be published or for its reply; more is refused."""

CONNECTION_ERRORS = (RedisError, OSError, TimeoutError, EOFError)


class BusUnavailable(ConnectionError):
    """The server did not take a publication or a subscription in time."""


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


@dataclass(slots=True)
class _Publication:
    channel: str
    payload: bytes
    taken: asyncio.Future[int]
    deadline: float
    tell: Callable[[], bool] | None
    attempts: int = 0
    is_told: bool = False


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
        self._receive, self._resubscribed, self._left = receive, resubscribed, left
        self._loop = asyncio.get_running_loop()
        self._subscriptions: dict[str, _Subscription] = {}
        self._pending: deque[_Publication] = deque()
        """Not written yet."""
        self._unanswered: deque[_Publication] = deque()
        """Written, in the order in which the server answers."""
        self._echoes: deque[_Publication] = deque()
        """Written, and to come back: the server sends them here in the same order."""
        self._untold: Counter[str] = Counter()
        """Of the echoes to come, those whose members here have not heard yet, by channel."""
        self._waiting_bytes = 0
        self._is_scheduled = False
        self._deadlines: asyncio.TimerHandle | None = None
        self._wire: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        """Set when a publication waits for a connection."""
        self.publish_failures = 0
        """Publications that were given up, since the start."""
        self.reconnects = 0
        """Times the connection was lost or could not be made, since the start."""

    @property
    def has_waiting_publications(self) -> bool:
        """Whether publications wait for the reply to those before them, to leave together."""
        return bool(self._pending)

    # Publishing: whatever came together leaves in one write.

    async def publish(
        self, channel: str, payload: bytes, *, tell: Callable[[], bool] | None = None
    ) -> int:
        """Publish; returns how many connections listened.

        A publication whose connection is lost is written once more, and may be delivered twice;
        listeners know events of a room by number.

        Args:
            tell: tells listeners of this process at once, or returns False. It is called when the
                publication leaves, and only if nothing earlier is still to be heard here.

        Raises:
            BusUnavailable: not taken within `REPLY_TIMEOUT_S`, or there is no server; it may
                still be delivered.
        """
        self._keep()
        if self._waiting_bytes + len(payload) > MAX_PENDING_BYTES:
            self.publish_failures += 1
            raise BusUnavailable("too much waits to be published")
        loop = self._loop
        deadline = loop.time() + REPLY_TIMEOUT_S
        publication = _Publication(channel, payload, loop.create_future(), deadline, tell)
        self._pending.append(publication)
        self._waiting_bytes += len(payload)
        self._schedule()
        if self._deadlines is None:
            self._deadlines = loop.call_later(DEADLINE_CHECK_S, self._check_deadlines)
        return await publication.taken

    def _schedule(self) -> None:
        """Have what waits written at the end of this turn, unless it has to wait longer."""
        if self._wire is None:
            self._wanted.set()
        elif self._pending and not self._unanswered and not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._write_pending)

    def _write_pending(self) -> None:
        self._is_scheduled = False
        wire = self._wire
        if wire is None or self._unanswered:
            return
        batch, gone = deque[_Publication](), 0
        for item in self._pending:
            if item.taken.done():
                gone += len(item.payload)
            else:
                batch.append(item)
        self._pending.clear()
        self._waiting_bytes -= gone
        if not batch:
            return
        self._unanswered = batch
        try:
            wire.send([("PUBLISH", item.channel, item.payload) for item in batch])
        except ConnectionError:
            return  # and the keeper, which is told as well, writes them again
        for item in batch:
            item.attempts += 1
            if item.channel in self._subscriptions:
                self._tell(item)
        if self._left is not None:
            self._left()

    def _tell(self, item: _Publication) -> None:
        """Tell what is about to come back, so that listeners here need not wait for it."""
        self._echoes.append(item)
        if item.tell is not None and not item.is_told and item.channel not in self._untold:
            item.is_told = item.tell()
        if not item.is_told:
            self._untold[item.channel] += 1

    def _hear_taken(self, listeners: int) -> None:
        """The server has taken a publication."""
        if not self._unanswered:
            return
        item = self._unanswered.popleft()
        self._waiting_bytes -= len(item.payload)
        if not item.taken.done():
            item.taken.set_result(listeners)
        if self._pending and not self._unanswered:
            self._schedule()

    def _check_deadlines(self) -> None:
        now = self._loop.time()
        self._deadlines = None
        if self._unanswered and self._unanswered[0].deadline <= now:
            self._give_up(self._unanswered)
            if self._wire is not None:
                self._wire.fail(TimeoutError("a publication was not answered"))
        self._pending = self._give_up_late(now)
        if self._pending or self._unanswered:
            self._deadlines = self._loop.call_later(DEADLINE_CHECK_S, self._check_deadlines)

    def _give_up_late(self, now: float) -> deque[_Publication]:
        late = deque(item for item in self._pending if item.deadline <= now)
        if not late:
            return self._pending
        left = deque(item for item in self._pending if item.deadline > now)
        self._give_up(late)
        return left

    def _give_up(self, publications: deque[_Publication]) -> None:
        """Tell those who wait for these that it was in vain."""
        failed = 0
        while publications:
            item = publications.popleft()
            self._waiting_bytes -= len(item.payload)
            if not item.taken.done():
                item.taken.set_exception(BusUnavailable("the publication was not taken"))
                failed += 1
        if failed:
            self.publish_failures += failed
            log.warning("publications were not taken (%d together)", failed)

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
            self._hear_taken(reply)
        elif isinstance(reply, list):
            kind = reply[0]
            if kind == b"message":
                self._hear_message(reply[1].decode(), reply[2])
            elif kind == b"subscribe":
                self._confirm(reply[1].decode())
        elif isinstance(reply, Exception) and self._wire is not None:
            # Of which command, can not be told from here: all of them are written again.
            self._wire.fail(ConnectionError(f"the server answered {reply!r}"))

    def _hear_message(self, channel: str, payload: bytes) -> None:
        is_told = False
        if self._echoes:
            first = self._echoes[0]
            if first.payload == payload and first.channel == channel:
                del self._echoes[0]
                is_told = first.is_told
                if not is_told:
                    self._forget_untold(channel)
        self._receive(channel, payload, is_told=is_told)

    def _forget_untold(self, channel: str) -> None:
        self._untold[channel] -= 1
        if not self._untold[channel]:
            del self._untold[channel]

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
            self._give_up(self._pending)

    async def _serve_once(self) -> None:
        """Make a connection and serve it until it is lost, which raises."""
        try:
            connection, wire = await self._open()
        except CONNECTION_ERRORS:
            self._give_up(self._pending)
            raise
        try:
            if self._subscriptions:
                wire.send([("SUBSCRIBE", *self._subscriptions)])
            self._wire = wire
            self._schedule()
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
        """Nothing more comes on it: what was not answered is written on the next, or given up."""
        self._wire = None
        self._echoes.clear()
        self._untold.clear()
        now, again, lost = self._loop.time(), deque[_Publication](), deque[_Publication]()
        for item in self._unanswered:
            may_again = item.attempts < ATTEMPTS and item.deadline > now
            (again if may_again else lost).append(item)
        self._unanswered = deque()
        self._give_up(lost)
        self._pending.extendleft(reversed(again))
        for subscription in self._subscriptions.values():
            if subscription.confirmed.done():
                subscription.confirmed = self._loop.create_future()

    async def _wait_to_retry(self, wait_s: float) -> None:
        self._wanted.clear()
        await asyncio.sleep(RETRY_S[0])
        if not self._pending and wait_s > RETRY_S[0]:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s - RETRY_S[0]):
                    await self._wanted.wait()

    async def close(self) -> None:
        """Close the connection; a later call opens another."""
        keeper, self._keeper = self._keeper, None
        while keeper is not None and not keeper.done():
            keeper.cancel()
            # One that is just connecting may lose a cancellation in what redis-py awaits.
            await asyncio.wait({keeper}, timeout=CANCEL_AGAIN_S)
        if self._deadlines is not None:
            self._deadlines.cancel()
            self._deadlines = None
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
