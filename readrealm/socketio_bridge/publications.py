"""What one event loop publishes on one connection: what waits, what is written, what comes back.

Whatever came together leaves in one write, and the next when all of it is answered. The server
sends publications to channels that are subscribed on the same connection back, in the order in
which it took them; so an echo is known from what others published.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Container
from dataclasses import dataclass

from .wire import Wire

log = logging.getLogger(__name__)

DEADLINE_CHECK_S = 0.1
"""How often publications are looked at that wait for their reply."""

ATTEMPTS = 2
"""Connections on which a publication is written before it is given up."""

MAX_PENDING_BYTES = 8 << 20
"""What may wait to be published or for its reply; more is refused."""


class BusUnavailable(ConnectionError):
    """The server did not take a publication or a subscription in time."""


Tell = Callable[[], bool]
"""Tells listeners of this process at once; False, and nothing is told, when it is too early."""


@dataclass(slots=True)
class _Publication:
    channel: str
    payload: bytes
    taken: asyncio.Future[int]
    deadline: float
    tell: Tell | None
    attempts: int = 0
    is_told: bool = False


class Publications:
    """The publications of one event loop.

    Args:
        subscribed: the channels that `attach` finds subscribed, kept up to date.
        left: called when some were written, and what they ``tell`` was told.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        subscribed: Container[str],
        left: Callable[[], None] | None,
    ) -> None:
        self._loop, self._subscribed, self._left = loop, subscribed, left
        self._wire: Wire | None = None
        self._pending: deque[_Publication] = deque()
        """Not written yet."""
        self._unanswered: deque[_Publication] = deque()
        """Written, in the order in which the server answers."""
        self._echoes: deque[_Publication] = deque()
        """Written, and to come back in this order."""
        self._untold: Counter[str] = Counter()
        """Of the echoes to come, those whose listeners here have not heard yet, by channel."""
        self._is_scheduled = False
        self._deadlines: asyncio.TimerHandle | None = None
        self.wanted = asyncio.Event()
        """Set when one waits for a connection."""
        self.waiting_bytes = 0
        self.failures = 0
        """Publications that were given up, since the start."""

    @property
    def are_waiting(self) -> bool:
        """Whether some wait for the reply to those before them, to leave together."""
        return bool(self._pending)

    def put(
        self, channel: str, payload: bytes, *, timeout_s: float, tell: Tell | None
    ) -> asyncio.Future[int]:
        """Have one published; its future gives how many connections listened.

        Raises:
            BusUnavailable: too much waits already. The future raises the same when it was given
                up.
        """
        if self.waiting_bytes + len(payload) > MAX_PENDING_BYTES:
            self.failures += 1
            raise BusUnavailable("too much waits to be published")
        loop = self._loop
        taken: asyncio.Future[int] = loop.create_future()
        self._pending.append(_Publication(channel, payload, taken, loop.time() + timeout_s, tell))
        self.waiting_bytes += len(payload)
        self._schedule()
        if self._deadlines is None:
            self._deadlines = loop.call_later(DEADLINE_CHECK_S, self._check_deadlines)
        return taken

    # The connection.

    def attach(self, wire: Wire) -> None:
        """There is a connection, with every subscription written to it: use it."""
        self._wire = wire
        self._schedule()

    def detach(self) -> None:
        """Nothing more comes on the connection: what was not answered is written on the next, or
        given up."""
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

    def give_up(self) -> None:
        """There is no server for what waits."""
        self._give_up(self._pending)

    def close(self) -> None:
        """Give up what waits, and stop watching deadlines."""
        self.give_up()
        if self._deadlines is not None:
            self._deadlines.cancel()
            self._deadlines = None

    # Writing.

    def _schedule(self) -> None:
        """Have what waits written at the end of this turn, unless it has to wait longer."""
        if self._wire is None:
            self.wanted.set()
        elif self._pending and not self._unanswered and not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._is_scheduled = False
        wire = self._wire
        if wire is None or self._unanswered:
            return
        batch = deque[_Publication]()
        for item in self._pending:
            if item.taken.done():  # its caller has gone
                self.waiting_bytes -= len(item.payload)
            else:
                batch.append(item)
        self._pending.clear()
        if not batch:
            return
        self._unanswered = batch
        try:
            wire.send([("PUBLISH", item.channel, item.payload) for item in batch])
        except ConnectionError:
            return  # `detach` follows, and keeps them for the next connection
        for item in batch:
            item.attempts += 1
            if item.channel in self._subscribed:
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

    # Hearing.

    def hear_taken(self, listeners: int) -> None:
        """The server has taken the oldest of those that were written."""
        if not self._unanswered:
            return
        item = self._unanswered.popleft()
        self.waiting_bytes -= len(item.payload)
        if not item.taken.done():
            item.taken.set_result(listeners)
        if self._pending and not self._unanswered:
            self._schedule()

    def hear_message(self, channel: str, payload: bytes) -> bool:
        """A message has come; whether it is an echo that was told already."""
        if not self._echoes:
            return False
        first = self._echoes[0]
        if first.payload != payload or first.channel != channel:
            return False
        self._echoes.popleft()
        if not first.is_told:
            self._untold[channel] -= 1
            if not self._untold[channel]:
                del self._untold[channel]
        return first.is_told

    # Deadlines.

    def _check_deadlines(self) -> None:
        now = self._loop.time()
        self._deadlines = None
        if self._unanswered and self._unanswered[0].deadline <= now and self._wire is not None:
            self._wire.fail(TimeoutError("a publication was not answered"))
        if any(item.deadline <= now for item in self._pending):
            late = deque(item for item in self._pending if item.deadline <= now)
            self._pending = deque(item for item in self._pending if item.deadline > now)
            self._give_up(late)
        if self._pending or self._unanswered:
            self._deadlines = self._loop.call_later(DEADLINE_CHECK_S, self._check_deadlines)

    def _give_up(self, publications: deque[_Publication]) -> None:
        """Tell those who wait for these that it was in vain."""
        failed = 0
        while publications:
            item = publications.popleft()
            self.waiting_bytes -= len(item.payload)
            if not item.taken.done():
                item.taken.set_exception(BusUnavailable("the publication was not taken"))
                failed += 1
        if failed:
            self.failures += failed
            log.warning("publications were not taken (%d together)", failed)
