"""Long-polling: one GET that waits for packets, and POSTs that bring them."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from .packets import BadPacket, join_payload, split_payload
from .session import NOOP, Session

if TYPE_CHECKING:
    from .engine import Engine, Receive, Refusal, Scope, Send

UPGRADE_PATIENCE_S = 0.1
"""How long a poll that comes during an upgrade waits to see it through."""

BODY_TIMEOUT_S = 20.0
"""For a request body to arrive whole."""


class TooLarge(Exception):
    """The body of a POST exceeds the announced ``maxPayload``."""


async def serve(
    engine: "Engine", session: Session | None, scope: "Scope", receive: "Receive", send: "Send"
) -> None:
    """Answer one polling request: the handshake, a poll or a delivery."""
    respond = _Response(scope, send)
    if scope["method"] == "OPTIONS":
        await respond(204, b"", preflight=True)
    elif session is None:
        session = engine.open(scope, "polling")
        await engine.announce(session)
        await respond(200, join_payload(session.take(engine.max_http_buffer_size)))
    elif scope["method"] == "POST":
        await _accept_packets(engine, session, receive, respond)
    else:
        await _wait_for_packets(engine, session, receive, respond)


async def refuse(refusal: "Refusal", scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answer a request that has no session with the Engine.IO error object."""
    await _Response(scope, send)(refusal.status, refusal.body, "application/json")


class _Response:
    """Sends one whole HTTP response, with CORS headers where the request named an origin.

    The origin was admitted before a response is made, so it can be repeated here.
    """

    def __init__(self, scope: "Scope", send: "Send") -> None:
        self.send = send
        self.origin = next((v for k, v in scope["headers"] if k == b"origin"), None)

    async def __call__(
        self,
        status: int,
        body: bytes,
        content_type: str = "text/plain; charset=UTF-8",
        *,
        preflight: bool = False,
    ) -> None:
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if self.origin is not None and status != 403:
            headers += [
                (b"access-control-allow-origin", self.origin),
                (b"access-control-allow-credentials", b"true"),
                (b"vary", b"Origin"),
            ]
        if preflight:
            headers += [
                (b"access-control-allow-methods", b"GET,POST"),
                (b"access-control-allow-headers", b"Authorization,Content-Type"),
            ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


BAD_REQUEST_BODY = b'{"code":3,"message":"Bad request"}'


async def _accept_packets(
    engine: "Engine", session: Session, receive: "Receive", respond: _Response
) -> None:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await read_body(receive, session.max_frame_bytes)
    except TooLarge:
        session.close("transport error")
        await respond(413, b"")
        return
    except (TimeoutError, ConnectionError):
        session.close("transport error")
        return
    try:
        for item in split_payload(body):
            await session.receive(item)
    except BadPacket:
        session.close("transport error")
        await respond(400, BAD_REQUEST_BODY, "application/json")
        return
    await respond(200, b"ok")


async def read_body(receive: "Receive", max_bytes: int) -> bytes:
    """The whole body of a request.

    Raises:
        TooLarge: more than ``max_bytes``.
        ConnectionError: the client left before it was complete.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError("the client went away")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)


async def _wait_for_packets(
    engine: "Engine", session: Session, receive: "Receive", respond: _Response
) -> None:
    if session.poll is not None:
        # Two polls would race for the packets: the protocol closes such a session.
        session.close("transport error")
        await respond(400, BAD_REQUEST_BODY, "application/json")
        return
    poll = session.poll = asyncio.Event()
    try:
        if session.upgrade is not None and not session.queue:
            await _sit_out_upgrade(session)
        if not session.queue and not session.closed and session.transport == "polling":
            await _until_woken(session, poll, receive)
        # Before the answer: whoever has it may poll again at once.
        session.poll = None
        if session.transport != "polling":
            await respond(200, NOOP.encode())
        elif session.queue:
            await respond(200, join_payload(session.take(engine.max_http_buffer_size)))
    finally:
        if session.poll is poll:  # and not the next one's, which may have come by now
            session.poll = None


async def _sit_out_upgrade(session: Session) -> None:
    """Let a probe finish; a NOOP frees the client's poll, so that it can complete the upgrade."""
    if session.upgrade is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UPGRADE_PATIENCE_S):
                await asyncio.shield(session.upgrade)
        if session.transport == "polling" and not session.queue and not session.closed:
            session.put(NOOP)


async def _until_woken(session: Session, poll: asyncio.Event, receive: "Receive") -> None:
    """Wait for packets, another transport or the end; a client that hangs up ends the session."""
    gone = asyncio.ensure_future(_client_gone(receive))
    woken = asyncio.ensure_future(poll.wait())
    try:
        await asyncio.wait({gone, woken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        woken.cancel()
    if not poll.is_set() and session.transport == "polling":
        session.queue.clear()
        session.close("transport close")


async def _client_gone(receive: "Receive") -> None:
    message: dict[str, Any] = {}
    while message.get("type") != "http.disconnect":
        message = await receive()
