"""One Engine.IO session: its heartbeat, its end, and the transport it is on.

Knows no request and no Socket.IO: `polling` and `websocket` carry what it holds.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from .outlet import Outlet
from .packets import BadPacket, EnginePacket

if TYPE_CHECKING:
    from .engine import Engine

PING, MESSAGE, NOOP, CLOSE = "2", "4", "6", "1"
"""Engine.IO packet types that the server sends on its own."""

PONG = "3"
"""What clients answer to `PING`."""

LONGEST_CHARACTER_BYTES = 4
"""Of a character in UTF-8."""

ON_TIME_S = 0.02
"""A timer that fires this late was on time: what follows is counted from when it was due."""

STALLED_LOOP_S = 0.5
"""A heartbeat deadline that fires later than this tells of a blocked loop, not of a dead client."""


class Session(Outlet):
    """A client between its handshake and its end, over one transport after the other."""

    __slots__ = (
        "__weakref__",
        "attributes",
        "binding",
        "connections",
        "deadline",
        "engine",
        "max_frame_bytes",
        "poll",
        "pong_due",
        "reason",
        "scope",
        "sid",
        "timer",
        "transport",
        "upgrade",
    )

    def __init__(self, engine: "Engine", sid: str, transport: str, scope: dict[str, Any]) -> None:
        super().__init__(engine.congestion)
        self.engine, self.sid, self.transport, self.scope = engine, sid, transport, scope
        self.max_frame_bytes: int = engine.max_http_buffer_size
        self.reason: str | None = None
        self.connections: dict[str, Any] = {}
        """What stands for this session in each Socket.IO namespace it is connected to."""
        self.attributes: dict[str, Any] | None = None
        """The session dictionary of python-socketio's public interface."""
        self.binding: object = None
        """What ties later requests of this session to the one that opened it."""
        self.poll: asyncio.Event | None = None
        """Wakes the GET that waits for packets."""
        self.upgrade: asyncio.Future[bool] | None = None
        """Pending while a WebSocket probes; its result is whether it took over."""
        self.timer: asyncio.TimerHandle | None = None
        self.pong_due: float | None = None
        self.deadline: asyncio.TimerHandle | None = None
        """Of the first CONNECT."""

    def start(self) -> None:
        """Begin the heartbeat and the wait for the first Socket.IO CONNECT."""
        loop = self.engine.loop
        opened_at = loop.time()
        due = opened_at + self.engine.ping_interval
        self.timer = loop.call_at(due, self._ping, due)
        if self.engine.expects_connect:
            due = opened_at + self.engine.connect_timeout_s
            self.deadline = loop.call_at(due, self._expect_connected)

    def _expect_connected(self) -> None:
        self.deadline = None
        if not self.closed and not self.connections:
            self.close("connect timeout")

    def _ping(self, due: float) -> None:
        self.put(PING)
        if not self.closed:
            now = self.engine.loop.time()
            self._await_pong(since=due if now - due < ON_TIME_S else now)

    def _await_pong(self, *, since: float) -> None:
        self.pong_due = since + self.engine.ping_timeout
        self.timer = self.engine.loop.call_at(self.pong_due, self.check_pong)

    def check_pong(self) -> None:
        """Close the session if a pong is overdue; its timer may not have been served yet."""
        now = self.engine.loop.time()
        if self.pong_due is None or now < self.pong_due:
            return
        if now - self.pong_due > STALLED_LOOP_S:
            self._await_pong(since=now)
        else:
            self.close("ping timeout")

    def _beat(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.pong_due = None
        due = self.engine.loop.time() + self.engine.ping_interval
        self.timer = self.engine.loop.call_at(due, self._ping, due)

    def _enqueue(self, item: EnginePacket) -> None:
        super()._enqueue(item)
        if self.poll is not None:
            self.poll.set()

    def take(self, max_bytes: int) -> list[EnginePacket]:
        """Remove packets for one poll: all that fit into ``max_bytes``, but at least one."""
        taken: list[EnginePacket] = []
        size = 0
        while self.queue and (not taken or size + len(self.queue[0]) <= max_bytes):
            item = self.queue.popleft()
            size += len(item)
            taken.append(item)
        self.queued_bytes -= size
        return taken

    def receive_now(self, text: str) -> bool:
        """Act on a packet that nothing has to be awaited for.

        False, and nothing has happened, when it is none of those: it is for `receive`.
        """
        if self.closed or len(text) > self.max_frame_bytes // LONGEST_CHARACTER_BYTES:
            return False
        if text == PONG:
            self._beat()
            return True
        return text[:1] == MESSAGE and self.engine.deliver_now(self, text[1:])

    async def receive(self, item: EnginePacket) -> None:
        """Act on one Engine.IO packet from the client.

        Raises:
            BadPacket: not a packet that a client may send here.
        """
        if self.closed:
            return
        kind = MESSAGE if isinstance(item, bytes) else item[:1]
        if kind == MESSAGE:
            await self.engine.deliver(self, item if isinstance(item, bytes) else item[1:])
        elif kind == PONG:
            self._beat()
        elif kind == CLOSE:
            self.close("client disconnect", farewell=NOOP)
        elif kind != "5" or self.transport != "websocket":
            raise BadPacket("unexpected packet type")

    def accept_frames_up_to(self, max_bytes: int) -> None:
        """Change how large a frame of this client may be; the announced ``maxPayload`` stays."""
        self.max_frame_bytes = max_bytes
        if self.writer is not None:
            self.writer.limit_incoming(max_bytes)

    def close(self, reason: str, *, code: int = 1000, farewell: str = CLOSE) -> None:
        """End the session; its Socket.IO connections are told ``reason``.

        Args:
            code: WebSocket close code, where the session is on a WebSocket.
            farewell: the last packet of a polling session; it answers the GET that waits.
        """
        if self.closed:
            return
        self.closed = True
        self.reason, self.close_code = reason, code
        for timer in (self.timer, self.deadline):
            if timer is not None:
                timer.cancel()
        self.timer = self.deadline = None
        if self.transport == "polling":
            self.queue.append(farewell)
        for event in (self.poll, self.wake):
            if event is not None:
                event.set()
        if self.writer is not None:
            self.flush()
            self.writer.close(code)
        self.engine.ended(self)
