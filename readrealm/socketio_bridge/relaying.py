"""One request, carried to another worker and its answer back. Knows nothing of sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import h11
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from .directory import Address
from .polling import TooLarge, read_body

if TYPE_CHECKING:
    from .engine import Receive, Scope, Send

CONNECT_TIMEOUT_S = 3.0
POLL_TIMEOUT_S = 120.0
"""For the answer of a relayed request; longer than any poll waits."""

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
    address: Address,
    headers: Headers,
    scope: "Scope",
    receive: "Receive",
    send: "Send",
    *,
    max_body_bytes: int,
) -> None:
    """Have a request answered by the worker at ``address``; a larger body gets 413.

    Args:
        headers: what the other worker is to see.

    Raises:
        NotPassedOn: it did not answer.
    """
    try:
        body = await read_body(receive, max_body_bytes)
    except TooLarge:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    except ConnectionError:
        return
    request = h11.Request(
        method=scope["method"],
        target=_target(scope),
        headers=[*headers, (b"connection", b"close"), (b"content-length", b"%d" % len(body))],
    )
    async with _stream(address) as (reader, writer):
        asking = asyncio.ensure_future(_ask(reader, writer, request, body))
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


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> tuple[h11.Response, bytes]:
    peer = h11.Connection(our_role=h11.CLIENT)
    content = bytearray()
    response: h11.Response | None = None
    try:
        for part in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(peer.send(part) or b"")
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
    """From the owner to the client, until the owner closes."""
    async for message in owner:
        key = "text" if isinstance(message, str) else "bytes"
        await send({"type": "websocket.send", key: message})
    await send({"type": "websocket.close", "code": owner.close_code or 1000})


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
