"""What leaves for one client: in order, written at once where possible, bounded where not.

Knows no protocol above the WebSocket frame.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .packets import EnginePacket, websocket_frame

TRY_AGAIN_LATER = 1013
"""WebSocket close code (IANA registry) for a client that was cut."""

CONGESTION_CHECK_S = 0.02
"""How often the queues of clients whose socket is full are tried again."""


class FrameWriter(Protocol):
    """The server's own way to a WebSocket's byte stream, where an adapter offers one."""

    direct: Callable[[bytes], int] | None
    """``send`` of the bare socket, as long as nothing is buffered that has to leave before;
    None at all other times. What it did not take is owed to `write_rest` at once."""

    def write(self, frames: bytes) -> bool:
        """Hand over whole frames; False, and nothing is written, while it is congested."""
        ...

    def write_rest(self, rest: bytes) -> None:
        """Let the end of what `direct` took the beginning of follow, before anything else."""
        ...

    def receive_with(self, take: Callable[[str], bool] | None) -> None:
        """Offer a text message to ``take`` first, when the application waits for it and has
        nothing before it to read. False from there: the application gets it as ever."""
        ...

    def limit_incoming(self, max_bytes: int) -> None:
        """Refuse frames and messages from the client that are larger."""
        ...

    def close(self, code: int) -> None:
        """Send a close frame after what was written; a peer that does not answer it in time is
        dropped, with what is buffered."""
        ...


class Outlet:
    """The way out to one client; `closed` ends it.

    A client that does not read costs at most ``max_queue_bytes`` here and what the kernel and
    the server buffer; then `cut` is called. The others do not notice.
    """

    __slots__ = ("close_code", "closed", "congestion", "queue", "queued_bytes", "wake", "writer")

    def __init__(self, congestion: "Congestion") -> None:
        self.congestion = congestion
        self.queue: deque[EnginePacket] = deque()
        self.queued_bytes = 0
        self.closed = False
        self.close_code = 1000
        self.writer: FrameWriter | None = None
        self.wake: asyncio.Event | None = None
        """Set when there is something to send and no frame writer to take it."""

    def put(self, item: EnginePacket) -> None:
        """Send one packet after everything that was put before it."""
        self.congestion.packets_out += 1
        if self.writer is not None and not self.queue:
            self.shout((item,), websocket_frame(item))
        else:
            self._enqueue(item)

    def shout(self, items: Sequence[EnginePacket], frames: bytes) -> None:
        """Send packets whose WebSocket frames are built already, in one write if that can be."""
        if self.closed:
            return
        if self.writer is None or self.queue or not self.writer.write(frames):
            for item in items:
                self._enqueue(item)

    def _enqueue(self, item: EnginePacket) -> None:
        if self.closed:
            return
        if self._is_full():
            self.cut()
            return
        self.queue.append(item)
        self.queued_bytes += len(item)
        if self.writer is not None:
            self.congestion.watch(self)
        elif self.wake is not None:
            self.wake.set()

    def _is_full(self) -> bool:
        """Whether too much waits already; one packet of any size may always wait.

        Without a frame writer the client comes to fetch what waits, so the largest packet does
        not count: only what piles up around it.
        """
        limit = self.congestion.max_queue_bytes
        if self.queued_bytes < limit or self.writer is not None:
            return self.queued_bytes >= limit
        return self.queued_bytes - max(map(len, self.queue)) >= limit

    def flush(self) -> bool:
        """Hand queued packets to the frame writer; whether all of them went."""
        while self.queue and self.writer is not None:
            if not self.writer.write(websocket_frame(self.queue[0])):
                return False
            self.queued_bytes -= len(self.queue.popleft())
        return not self.queue

    def close(self, reason: str, *, code: int = 1000) -> None:
        """End it: what is queued leaves if it can, then the WebSocket closes with ``code``."""
        raise NotImplementedError

    def cut(self) -> None:
        """End it for a client that does not read: what waits here is dropped, and the close
        frame follows what its server has taken already. Who does not read that is dropped too.
        """
        self.queue.clear()
        self.queued_bytes = 0
        self.close("transport error", code=TRY_AGAIN_LATER)


def broadcast(outlets: Iterable[Outlet], items: Sequence[EnginePacket], frames: bytes) -> None:
    """Send the same packets to many clients; whatever one does, the others do not notice.

    The usual client has an empty socket buffer and costs one system call and no more.

    Args:
        frames: the WebSocket frames of ``items``, joined.
    """
    size = len(frames)
    for outlet in outlets:
        writer = outlet.writer
        if writer is None or (send := writer.direct) is None:
            outlet.shout(items, frames)
            continue
        try:
            sent = send(frames)
        except OSError:
            # Nothing was sent. The long way meets the same error, or room, and knows what to do.
            outlet.shout(items, frames)
            continue
        if sent != size:
            writer.write_rest(frames[sent:])


class Congestion:
    """What the outlets of one event loop share: how much may wait, and who is to be tried again.

    Clients whose sockets are full are written to until they read or stall.

    Args:
        max_queue_bytes: what may wait for one client.
        stall_timeout_s: how long a client may take no byte at all.
    """

    def __init__(self, *, max_queue_bytes: int, stall_timeout_s: float) -> None:
        self.max_queue_bytes, self.stall_timeout_s = max_queue_bytes, stall_timeout_s
        self.packets_out = 0
        """Packets for single clients, since the start."""
        self._since: dict[Outlet, float] = {}

    def watch(self, outlet: Outlet) -> None:
        """Write on as soon as the socket takes bytes again."""
        loop = asyncio.get_running_loop()
        if not self._since:
            loop.call_later(CONGESTION_CHECK_S, self._relieve, loop)
        self._since.setdefault(outlet, loop.time())

    def _relieve(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for outlet, since in list(self._since.items()):
            waiting = len(outlet.queue)
            if outlet.closed or outlet.flush():
                del self._since[outlet]
            elif len(outlet.queue) < waiting:
                self._since[outlet] = now
            elif now - since > self.stall_timeout_s:
                del self._since[outlet]
                outlet.cut()
        if self._since:
            loop.call_later(CONGESTION_CHECK_S, self._relieve, loop)
