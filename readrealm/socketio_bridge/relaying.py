"""One request, carried to another worker and its answer back. Knows nothing of sessions."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame
from websockets.frames import Opcode as FrameKind
from websockets.protocol import Event

from .directory import Address
from .frames import may_be_sent, told_limit
from .websocket import frame_writer

if TYPE_CHECKING:
    from .engine import Receive, Scope, Send

CONNECT_TIMEOUT_S = 3.0
POLL_TIMEOUT_S = 120.0
"""For the answer of a relayed request; longer than any poll waits."""

GOING_AWAY = 1001
"""WebSocket close code for an owner that closed without one, or has vanished."""

Headers = list[tuple[bytes, bytes]]

OF_ONE_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"transfer-encoding",
        b"content-length",
        b"upgrade",
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
    }
)
"""Headers that speak of one connection: each leg of the way has its own."""


class NotPassedOn(Exception):
    """The owner did not answer; nothing was said to the client yet."""


def _target(scope: "Scope") -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}"


@asynccontextmanager
async def _stream(
    address: Address,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if address.unix is not None:
                reader, writer = await asyncio.open_unix_connection(str(address.unix))
            else:
                reader, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        raise NotPassedOn(repr(error)) from None
    try:
        yield reader, writer
    finally:
        writer.close()


async def pass_on_http(
    address: Address, headers: Headers, scope: "Scope", receive: "Receive", send: "Send"
) -> None:
    """Have a request answered by the worker at ``address``, which alone knows how large it may be:
    its body is handed on as it comes.

    Args:
        headers: what the other worker is to see.

    Raises:
        NotPassedOn: it did not answer.
    """
    request = h11.Request(
        method=scope["method"],
        target=_target(scope),
        headers=[*headers, (b"connection", b"close"), _framing(scope)],
    )
    peer = h11.Connection(our_role=h11.CLIENT)
    async with _stream(address) as (reader, writer):
        if not await _hand_over(request, peer, receive, writer):
            return
        asking = asyncio.ensure_future(_answer(peer, reader))
        gone = asyncio.ensure_future(receive())
        await asyncio.wait(
            {asking, gone}, timeout=POLL_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        gone.cancel()
        if not asking.done():
            # The client left: closing the connection tells the owner so.
            asking.cancel()
            return
        response, content = asking.result()
    kept = [(k, v) for k, v in response.headers if k not in OF_ONE_HOP]
    kept.append((b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": response.status_code, "headers": kept})
    await send({"type": "http.response.body", "body": content})


def _framing(scope: "Scope") -> tuple[bytes, bytes]:
    """The header that says where the body ends, as the client said it."""
    said = dict(scope["headers"])
    if b"transfer-encoding" in said:
        return b"transfer-encoding", b"chunked"
    return b"content-length", said.get(b"content-length", b"0")


async def _hand_over(
    request: h11.Request, peer: h11.Connection, receive: "Receive", writer: asyncio.StreamWriter
) -> bool:
    """Send a request and its body as it comes; False when the client left before its end."""
    try:
        async with asyncio.timeout(POLL_TIMEOUT_S):
            writer.write(peer.send(request) or b"")
            has_more = True
            while has_more:
                message = await receive()
                if message["type"] != "http.request":
                    return False
                writer.write(peer.send(h11.Data(data=message.get("body", b""))) or b"")
                await writer.drain()
                has_more = message.get("more_body", False)
            writer.write(peer.send(h11.EndOfMessage()) or b"")
    except (OSError, TimeoutError, h11.ProtocolError) as error:
        raise NotPassedOn(repr(error)) from None
    return True


async def _answer(peer: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Response, bytes]:
    content = bytearray()
    response: h11.Response | None = None
    try:
        while True:
            event: Any = peer.next_event()
            if event is h11.NEED_DATA:
                peer.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                content += event.data
            else:
                break
    except (OSError, h11.ProtocolError) as error:
        raise NotPassedOn(repr(error)) from None
    if response is None:
        raise NotPassedOn("no response")
    return response, bytes(content)


class _Owner(ClientConnection):
    """Our end of the WebSocket to the owner, which alone knows how much a client may send.

    Args:
        take_limit: told how large a message of the client may be, at every change.
    """

    def __init__(
        self, *args: Any, take_limit: Callable[[int], None] | None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._take_limit = take_limit

    def process_event(self, event: Event) -> None:
        if (
            isinstance(event, Frame)
            and event.opcode is FrameKind.PING
            and self._take_limit is not None
        ):
            limit = told_limit(bytes(event.data))
            if limit is not None:
                self._take_limit(limit)
        super().process_event(event)


async def pass_on_websocket(
    address: Address,
    headers: Headers,
    scope: "Scope",
    receive: "Receive",
    send: "Send",
) -> None:
    """Carry a WebSocket to the worker at ``address``, until one of the three ends it.

    Args:
        headers: what the other worker is to see.

    Raises:
        NotPassedOn: it did not answer.
    """
    writer = frame_writer(scope)
    take_limit = None if writer is None else writer.limit_incoming
    site = next((v.decode("latin-1") for k, v in headers if k == b"host"), "localhost")
    options: dict[str, Any] = {
        "uri": f"ws://{site}{_target(scope)}",
        "additional_headers": [
            (k.decode("latin-1"), v.decode("latin-1")) for k, v in headers if k != b"host"
        ],
        "compression": None,
        "ping_interval": None,
        "max_size": None,
        "open_timeout": CONNECT_TIMEOUT_S,
        "user_agent_header": None,
        "proxy": None,
        "create_connection": partial(_Owner, take_limit=take_limit),
    }
    try:
        if address.unix is not None:
            owner = await unix_connect(str(address.unix), **options)
        else:
            owner = await connect(host=address.host, port=address.port, **options)
    except (OSError, InvalidHandshake, TimeoutError) as error:
        raise NotPassedOn(repr(error)) from None
    await receive()
    await send({"type": "websocket.accept"})
    async with owner, asyncio.TaskGroup() as group:
        down = group.create_task(_carry_down(owner, send))
        group.create_task(_carry_up(owner, receive, down))


async def _carry_down(owner: ClientConnection, send: "Send") -> None:
    """From the owner to the client, until the owner closes, for whatever reason."""
    with suppress(ConnectionClosed):
        async for message in owner:
            key = "text" if isinstance(message, str) else "bytes"
            await send({"type": "websocket.send", key: message})
    code = owner.close_code or GOING_AWAY
    await send({"type": "websocket.close", "code": code if may_be_sent(code) else GOING_AWAY})


async def _carry_up(
    owner: ClientConnection, receive: "Receive", down: "asyncio.Task[None]"
) -> None:
    """From the client to the owner, until the client leaves."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            down.cancel()
            await owner.close(1000)
            return
        data = message.get("bytes")
        try:
            await owner.send(message["text"] if data is None else data)
        except ConnectionClosed:
            return
