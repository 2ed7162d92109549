"""The Socket.IO client of a processing worker: one WebSocket, one namespace, reconnecting.

It speaks what a worker needs of Engine.IO 4 and Socket.IO 5: text packets, acknowledgements,
the server's pings. Knows nothing about voice.
"""

import asyncio
import itertools
import json
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

log = logging.getLogger(__name__)

PATH = "/socket.io/?EIO=4&transport=websocket"
MAX_FRAME_BYTES = 32 << 20
CONNECT_S = 10.0
ANSWER_S = 10.0
MOST_SENDING = 256
"""Events that may be on their way into the socket."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""Between two attempts to connect: doubled each time, and varied so that workers do not come all
at once."""


class NotConnected(Exception):
    """There is no connection, or it ended before the answer came."""


class TurnedAway(Exception):
    """The server refuses this client; coming back does not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the server is.

    Attributes:
        url: ``ws://host:port``; its host is the name that the server is asked by.
        host, port: where to connect to, if that is somewhere else.
    """

    url: str
    host: str | None = None
    port: int | None = None


class SocketClient:
    """A client that stays connected while `run` runs.

    Args:
        auth: the payload of the CONNECT packet.
        hear: called with every event and its first argument, in order; must not block.
        connected: called whenever the server has let this client in.
    """

    def __init__(
        self,
        destination: Destination,
        auth: dict[str, Any],
        *,
        hear: Callable[[str, Any], None],
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._destination, self._auth = destination, auth
        self._hear, self._connected = hear, connected
        self._socket: ClientConnection | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        """Set while the server listens."""

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost.

        Raises:
            TurnedAway: the server refuses us.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._stay()
                pause_s = FIRST_PAUSE_S
            except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
                log.info("no connection: %s", type(error).__name__)
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    async def ask(self, event: str, data: Any) -> Any:
        """Send an event; the one argument of its acknowledgement.

        Raises:
            NotConnected: it may or may not have arrived.
        """
        socket, number = self._socket, next(self._numbers)
        if socket is None or not self.ready.is_set():
            raise NotConnected
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                await socket.send(f"42{number}" + json.dumps([event, data]))
                return await answer
        except (ConnectionClosed, TimeoutError):
            raise NotConnected from None
        finally:
            del self._answers[number]

    def send(self, event: str, data: Any) -> bool:
        """Send an event without waiting; False if there is no connection, or one that is stuck."""
        if self._socket is None or not self.ready.is_set() or len(self._sending) >= MOST_SENDING:
            return False
        task = asyncio.create_task(self._send(self._socket, "42" + json.dumps([event, data])))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return True

    async def _send(self, socket: ClientConnection, text: str) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await socket.send(text)

    async def _stay(self) -> None:
        where = self._destination
        elsewhere: dict[str, Any] = {"host": where.host, "port": where.port} if where.host else {}
        async with connect(
            where.url + PATH,
            max_size=MAX_FRAME_BYTES,
            compression=None,
            open_timeout=CONNECT_S,
            ping_interval=None,
            proxy=None,
            **elsewhere,
        ) as socket:
            try:
                await self._converse(socket)
            except ConnectionClosed:
                log.info("the connection has ended")
            finally:
                self._socket = None
                self.ready.clear()
                for answer in self._answers.values():
                    if not answer.done():
                        answer.set_exception(NotConnected())

    async def _converse(self, socket: ClientConnection) -> None:
        opening = json.loads((await self._next(socket, CONNECT_S))[1:])
        silence_s = (opening["pingInterval"] + opening["pingTimeout"]) / 1000
        await socket.send("40" + json.dumps(self._auth))
        while True:
            text = await self._next(socket, silence_s)
            if text == "2":
                await socket.send("3")
            elif text.startswith("42"):
                event, *args = json.loads(text[2:])
                self._hear(event, args[0] if args else None)
            elif text.startswith("43"):
                self._take_answer(text[2:])
            elif text.startswith("40"):
                self._socket = socket
                self.ready.set()
                self._connected()
            elif text.startswith("44"):
                raise TurnedAway(str(json.loads(text[2:]).get("message")))
            elif text.startswith("41") or text == "1":
                return

    async def _next(self, socket: ClientConnection, deadline_s: float) -> str:
        async with asyncio.timeout(deadline_s):
            received = await socket.recv()
        if not isinstance(received, str):
            raise ValueError("an attachment that nobody announced")
        return received

    def _take_answer(self, text: str) -> None:
        number, bracket, rest = text.partition("[")
        waiting = self._answers.get(int(number))
        if waiting is not None and not waiting.done():
            args = json.loads(bracket + rest)
            waiting.set_result(args[0] if args else None)
