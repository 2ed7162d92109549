"""WebSocket transport: a session of its own, or the upgrade of one that polls."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from .outlet import FrameWriter, Outlet
from .packets import BadPacket, EnginePacket
from .session import NOOP, Session

if TYPE_CHECKING:
    from .engine import Engine, Receive, Refusal, Scope, Send

log = logging.getLogger(__name__)

UPGRADE_TIMEOUT_S = 10.0
"""For a client to probe and to complete an upgrade."""

LONGEST_CHARACTER_BYTES = 4
"""Of a character in UTF-8."""

POLICY_VIOLATION, TOO_LARGE = 1008, 1009
"""WebSocket close codes (RFC 6455, section 7.4.1)."""

WRITER_EXTENSION = "readrealm.frame_writer"
"""Scope extension through which a server adapter offers a `session.FrameWriter`."""


class Gone(Exception):
    """The peer closed the WebSocket."""


async def refuse(refusal: "Refusal", scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Turn a WebSocket away before it is accepted."""
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": str(refusal)})


async def serve(
    engine: "Engine", session: Session | None, scope: "Scope", receive: "Receive", send: "Send"
) -> None:
    """Carry one WebSocket from its acceptance to its end."""
    if (await receive())["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    if session is None:
        session = engine.open(scope, "websocket")
        await engine.announce(session)
    elif not await _take_over(session, receive, send):
        return
    await _Carrier(session, scope, receive, send).run()


async def _take_over(session: Session, receive: "Receive", send: "Send") -> bool:
    """Move a polling session here: probe, answer, wait for the client's upgrade packet."""
    if session.upgrade is not None or session.transport != "polling":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return False
    session.upgrade = session.engine.loop.create_future()
    moved, code = False, POLICY_VIOLATION
    try:
        async with asyncio.timeout(UPGRADE_TIMEOUT_S):
            moved = await _probe(session, receive, send)
    except OversizedFrame:
        code = TOO_LARGE
    except (Gone, TimeoutError):
        pass
    finally:
        upgrade, session.upgrade = session.upgrade, None
        if moved:
            session.transport = "websocket"
        if not upgrade.done():
            upgrade.set_result(moved)
    if not moved:
        with contextlib.suppress(Exception):
            await send({"type": "websocket.close", "code": code})
        return False
    if session.poll is not None:
        session.poll.set()
    return True


async def _probe(session: Session, receive: "Receive", send: "Send") -> bool:
    if await next_packet(receive, lambda: session.max_frame_bytes) != "2probe":
        return False
    await send({"type": "websocket.send", "text": "3probe"})
    if session.poll is not None and not session.queue:
        session.put(NOOP)
    completed = await next_packet(receive, lambda: session.max_frame_bytes) == "5"
    return completed and not session.closed


async def next_packet(receive: "Receive", limit: Callable[[], int]) -> EnginePacket:
    """The content of the next frame.

    Args:
        limit: the most bytes it may have, asked when it is there.

    Raises:
        Gone: the WebSocket ended.
        OversizedFrame: it is larger than the limit.
    """
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise Gone
    data = message.get("bytes")
    content: EnginePacket = message["text"] if data is None else data
    max_bytes = limit()
    if len(content) > max_bytes or _is_longer_in_bytes(content, max_bytes):
        raise OversizedFrame
    return content


def _is_longer_in_bytes(content: EnginePacket, max_bytes: int) -> bool:
    """Whether text that is short enough in characters is too long in UTF-8."""
    return (
        isinstance(content, str)
        and len(content) * LONGEST_CHARACTER_BYTES > max_bytes
        and len(content.encode()) > max_bytes
    )


def frame_writer(scope: "Scope") -> FrameWriter | None:
    """What the server's adapter offers for this WebSocket, if it is served by one."""
    writer: FrameWriter | None = (scope.get("extensions") or {}).get(WRITER_EXTENSION)
    return writer


class OversizedFrame(BadPacket):
    """One frame larger than the announced ``maxPayload``."""


class _Carrier:
    """One WebSocket and the session it carries.

    Packets leave through the server's frame writer where there is one; elsewhere a task of
    this carrier sends what is queued.
    """

    def __init__(self, session: Session, scope: "Scope", receive: "Receive", send: "Send") -> None:
        self.session, self.receive, self.send = session, receive, send
        session.writer = frame_writer(scope)
        if session.writer is not None:
            session.writer.limit_incoming(session.max_frame_bytes)

    async def run(self) -> None:
        """Serve until either side ends it."""
        session = self.session
        async with sending(session, self.send, timeout_s=session.engine.stall_timeout_s):
            if session.writer is not None:
                session.writer.receive_with(session.receive_now)
            await self._read()

    async def _read(self) -> None:
        session = self.session
        try:
            while True:
                item = await next_packet(self.receive, lambda: session.max_frame_bytes)
                await session.receive(item)
        except Gone:
            session.close("transport close")
        except OversizedFrame:
            session.close("transport error", code=TOO_LARGE)
        except BadPacket as error:
            log.info("closing a session that broke the protocol: %s", error)
            session.close("transport error", code=POLICY_VIOLATION)
        finally:
            session.close("transport close")


@contextlib.asynccontextmanager
async def sending(outlet: Outlet, send: "Send", *, timeout_s: float) -> AsyncIterator[None]:
    """Let packets leave while the body reads; the outlet is closed when the body ends.

    Without a frame writer a task of this block sends what is queued, one packet at a time.

    Args:
        timeout_s: for one packet to be taken, and for the last ones after the end.
    """
    if outlet.writer is not None:
        if not outlet.flush():
            outlet.congestion.watch(outlet)
        yield
        return
    outlet.wake = asyncio.Event()
    outlet.wake.set()
    sender = asyncio.create_task(_send_until_closed(outlet, outlet.wake, send, timeout_s))
    try:
        yield
    finally:
        await asyncio.wait({sender}, timeout=timeout_s)
        sender.cancel()


async def _send_until_closed(
    outlet: Outlet, wake: asyncio.Event, send: "Send", timeout_s: float
) -> None:
    try:
        while not outlet.closed:
            await wake.wait()
            wake.clear()
            while outlet.queue:
                item = outlet.queue.popleft()
                outlet.queued_bytes -= len(item)
                async with asyncio.timeout(timeout_s):
                    await send(_outgoing(item))
        await send({"type": "websocket.close", "code": outlet.close_code})
    except (OSError, RuntimeError, TimeoutError) as error:
        log.debug("a WebSocket could not be written: %r", error)
        outlet.close("transport error")


def _outgoing(item: EnginePacket) -> dict[str, Any]:
    if isinstance(item, bytes):
        return {"type": "websocket.send", "bytes": item}
    return {"type": "websocket.send", "text": item}
