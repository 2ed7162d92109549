"""What stands around a unit of the bridge: a socket, a clock, an engine, a member of a group."""

import asyncio
import heapq
import itertools
import selectors
from collections.abc import Callable
from typing import Any

from readrealm.socketio_bridge.outlet import Congestion, Outlet
from readrealm.socketio_bridge.packets import EnginePacket


class FakeWriter:
    """A socket that takes frames until it is told to be full."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.is_full = False
        self.room: int | None = None
        """Writes that are taken before it is full; None for any number."""
        self.closed_with: int | None = None
        self.frame_limit: int | None = None
        self.direct: Callable[[bytes], int] | None = None
        self.rests: list[bytes] = []
        self.take: Callable[[str], bool] | None = None

    def receive_with(self, take: Callable[[str], bool] | None) -> None:
        self.take = take

    def write_rest(self, rest: bytes) -> None:
        self.rests.append(rest)

    @property
    def bytes_out(self) -> bytes:
        return b"".join(self.frames)

    def write(self, frames: bytes) -> bool:
        if self.is_full or self.room == 0:
            return False
        if self.room is not None:
            self.room -= 1
        self.frames.append(frames)
        return True

    def limit_incoming(self, max_bytes: int) -> None:
        self.frame_limit = max_bytes

    def close(self, code: int) -> None:
        self.closed_with = code


class FakeOutlet(Outlet):
    """A way out that remembers what went out, and how it was closed."""

    def __init__(self, congestion: Congestion | None = None) -> None:
        super().__init__(congestion or Congestion(max_queue_bytes=1 << 20, stall_timeout_s=10))
        self.items: list[EnginePacket] = []
        self.writes: list[bytes] = []
        self.ends: list[tuple[str, int]] = []

    def shout(self, items: Any, frames: bytes) -> None:
        self.items.extend(items)
        self.writes.append(frames)

    def put(self, item: EnginePacket) -> None:
        self.items.append(item)

    def close(self, reason: str, *, code: int = 1000) -> None:
        self.closed = True
        self.ends.append((reason, code))


class QueueOutlet(Outlet):
    """The real queue of an outlet, with an end that is remembered."""

    def __init__(self, congestion: Congestion) -> None:
        super().__init__(congestion)
        self.ends: list[tuple[str, int]] = []

    def close(self, reason: str, *, code: int = 1000) -> None:
        if not self.closed:
            self.closed = True
            self.ends.append((reason, code))


class FakeMember:
    """A member of a group."""

    def __init__(self, name: str, audience: str = "/") -> None:
        self.channel_name, self.audience = name, audience
        self.outlet: FakeOutlet | None = FakeOutlet()
        self.dispatched: list[dict[str, Any]] = []

    @property
    def heard(self) -> list[EnginePacket]:
        assert self.outlet is not None
        return self.outlet.items

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        self.dispatched.append(message)


class Timer:
    """A call that is due at a time, unless it is cancelled."""

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self.when, self.call = when, call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class ClockLoop:
    """The timers of an event loop under a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._number = itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(when, lambda: call(*args))
        heapq.heappush(self._timers, (when, next(self._number), timer))
        return timer

    def call_later(self, delay: float, call: Callable[..., object], *args: Any) -> Timer:
        return self.call_at(self.now + delay, call, *args)

    def advance(self, seconds: float) -> None:
        """Let time pass; every timer fires when it is due."""
        end = self.now + seconds
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self.now = max(self.now, when)
            if not timer.is_cancelled:
                timer.call()
        self.now = end

    def stall(self, seconds: float) -> None:
        """Let time pass while the loop is blocked: what is due fires afterwards, late."""
        self.now += seconds
        self.advance(0)

    @property
    def pending(self) -> int:
        """Timers that will still fire."""
        return sum(not timer.is_cancelled for _, _, timer in self._timers)


class FakeEngine:
    """What a session needs of its engine."""

    ping_interval, ping_timeout, connect_timeout_s = 25.0, 20.0, 45.0
    max_http_buffer_size = 1_000_000

    def __init__(self, *, expects_connect: bool = False, max_queue_bytes: int = 1 << 20) -> None:
        self.loop = ClockLoop()
        self.congestion = Congestion(max_queue_bytes=max_queue_bytes, stall_timeout_s=10)
        self.expects_connect = expects_connect
        self.delivered: list[EnginePacket] = []
        self.gone: list[str | None] = []

    def deliver_now(self, session: Any, text: str) -> bool:
        """Takes at once what begins with "now"."""
        if text.startswith("now"):
            self.delivered.append(text)
            return True
        return False

    async def deliver(self, session: Any, data: EnginePacket) -> None:
        self.delivered.append(data)

    def ended(self, session: Any) -> None:
        self.gone.append(session.reason)


class WarpLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time: its clock jumps to the next timer."""

    def __init__(self) -> None:
        self.jumped_s = 0.0
        super().__init__(_WarpSelector(self))

    def time(self) -> float:
        return super().time() + self.jumped_s


class _WarpSelector(selectors.SelectSelector):
    def __init__(self, loop: WarpLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self.loop.jumped_s += timeout
            timeout = 0
        return super().select(timeout)


def run_warped(main: Callable[[], Any]) -> Any:
    """Run a coroutine function to its end on a `WarpLoop`."""
    with asyncio.Runner(loop_factory=WarpLoop) as runner:
        return runner.run(main())
