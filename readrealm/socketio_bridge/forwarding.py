"""Requests that reached the wrong worker: passed on to the one whose id begins the session id.

On one host a worker listens on a unix socket of its own; to another host a request goes by TCP
and carries the cluster's secret. A relayed request is answered where it arrives or handed to a
sibling there, and never travels further.
"""

import asyncio
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from .engine import UNKNOWN_SID, Refusal
from .polling import TooLarge, read_body
from .polling import refuse as refuse_http
from .websocket import refuse as refuse_websocket

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

RELAY_HEADER = b"x-bridge-relay"
"""``<secret>;<hops>;<client address>``, on relayed requests only."""

MAX_HOPS = 2
"""To the owner's host, and there to the owner."""

CONNECT_TIMEOUT_S = 3.0
POLL_TIMEOUT_S = 120.0
"""For the answer of a relayed request; longer than any poll waits."""

WORKER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

NOT_PASSED_ON = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"transfer-encoding",
        b"content-length",
        b"upgrade",
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        RELAY_HEADER,
    }
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a worker is reached: a unix socket of this host, or another host and port."""

    unix: Path | None = None
    host: str = ""
    port: int = 0


Locate = Callable[[str], Awaitable[Address | None]]
"""Where the worker with this id is; None when nobody knows it."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What a relayed request says about itself."""

    hops: int
    client: str


class Forwarder:
    """Passes requests on; a worker that is unknown or gone gets the answer "unknown sid".

    Args:
        locate: finds workers.
        secret: what the workers of one cluster share; a relay header without it is ignored.
        client_address: gives the address of a request's client.
        max_body_bytes: of a relayed POST.
    """

    def __init__(
        self,
        locate: Locate,
        *,
        secret: str,
        client_address: Callable[[Scope], str],
        max_body_bytes: int,
    ) -> None:
        self._locate, self._secret = locate, secret.encode()
        self._client_address = client_address
        self._max_body_bytes = max_body_bytes
        self.relayed = {"http": 0, "websocket": 0}
        """Requests passed on since the start, by kind of scope."""

    def relay_of(self, scope: Scope) -> Relay | None:
        """The relay header of a request, if it is there and proves the cluster's secret."""
        value: bytes = next((v for k, v in scope["headers"] if k == RELAY_HEADER), b"")
        secret, _, rest = value.partition(b";")
        if not value or not hmac.compare_digest(secret, self._secret):
            return None
        hops, _, client = rest.decode("latin-1").partition(";")
        return Relay(int(hops) if hops.isdigit() else MAX_HOPS, client)

    async def __call__(self, sid: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered by the worker that owns ``sid``."""
        relay = self.relay_of(scope)
        hops = relay.hops if relay else 0
        owner = sid.partition(".")[0]
        address = None
        if hops < MAX_HOPS and WORKER_ID.fullmatch(owner):
            address = await self._locate(owner)
        if address is None or (hops and address.unix is None):
            await self._refuse(scope, receive, send)
            return
        client = relay.client if relay else self._client_address(scope)
        mark = b"%s;%d;%s" % (self._secret, hops + 1, client.encode("latin-1", "replace"))
        headers = [(k, v) for k, v in scope["headers"] if k not in NOT_PASSED_ON]
        headers.append((RELAY_HEADER, mark))
        self.relayed[scope["type"]] += 1
        pass_on = _pass_on_http if scope["type"] == "http" else _pass_on_websocket
        try:
            await pass_on(address, headers, scope, receive, send, self._max_body_bytes)
        except NotPassedOn as error:
            log.debug("a request could not be passed on: %s", error)
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refuse = refuse_http if scope["type"] == "http" else refuse_websocket
        await refuse(Refusal(UNKNOWN_SID), scope, receive, send)


class NotPassedOn(Exception):
    """The owner did not answer; nothing was said to the client yet."""


def _target(scope: Scope) -> str:
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


async def _pass_on_http(
    address: Address,
    headers: list[tuple[bytes, bytes]],
    scope: Scope,
    receive: Receive,
    send: Send,
    max_body_bytes: int,
) -> None:
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
    kept = [(k, v) for k, v in response.headers if k not in NOT_PASSED_ON]
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


async def _pass_on_websocket(
    address: Address,
    headers: list[tuple[bytes, bytes]],
    scope: Scope,
    receive: Receive,
    send: Send,
    max_body_bytes: int,
) -> None:
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


async def _carry_down(owner: ClientConnection, send: Send) -> None:
    """From the owner to the client, until the owner closes."""
    async for message in owner:
        key = "text" if isinstance(message, str) else "bytes"
        await send({"type": "websocket.send", key: message})
    await send({"type": "websocket.close", "code": owner.close_code or 1000})


async def _carry_up(owner: ClientConnection, receive: Receive, down: "asyncio.Task[None]") -> None:
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


class Directory:
    """Which workers there are, and where; kept in Redis or Valkey with a lease for each.

    Args:
        redis: an asynchronous client.
        run_dir: where workers of this host have their sockets, ``<worker id>.sock``.
        public: host and port under which the workers of this host are reached from others.
    """

    KEY = "bridge:worker:{}"
    LEASE_S = 15
    RENEW_S = 5

    def __init__(self, redis: Any, *, run_dir: Path, public: tuple[str, int]) -> None:
        self._redis, self._run_dir, self._public = redis, run_dir, public

    async def locate(self, worker_id: str) -> Address | None:
        """Where a worker is; None when it is not known or its lease has ended."""
        unix = self._run_dir / f"{worker_id}.sock"
        if unix.exists():
            return Address(unix=unix)
        found = await self._redis.get(self.KEY.format(worker_id))
        if found is None:
            return None
        about = json.loads(found)
        if (about["host"], about["port"]) == self._public:
            return None
        return Address(host=about["host"], port=about["port"])

    async def enter(self, worker_id: str) -> None:
        """Make a worker known, for as long as a lease lasts."""
        about = json.dumps({"host": self._public[0], "port": self._public[1]})
        await self._redis.set(self.KEY.format(worker_id), about, ex=self.LEASE_S)

    async def keep(self, worker_id: str) -> None:
        """Renew a worker's lease until cancelled; then give it back."""
        try:
            while True:
                await asyncio.sleep(self.RENEW_S)
                try:
                    await self.enter(worker_id)
                except Exception as error:
                    log.warning("the lease of this worker was not renewed: %r", error)
        finally:
            async with asyncio.timeout(1):
                await self._redis.delete(self.KEY.format(worker_id))
