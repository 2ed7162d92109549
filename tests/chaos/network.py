"""The network between readers and a server, for a nemesis to cut and to stall."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from threading import Thread

CHUNK = 64 << 10
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes the end of a connection a reset: no farewell, as when a cable is cut."""


class Network:
    """Carries every connection to a server on this machine; has a thread and a loop of its own.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._links: set[_Link] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="network", daemon=True)
        self.port = 0
        """Where clients connect."""

    def __enter__(self) -> "Network":
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self, share: float, chance: random.Random) -> int:
        """Reset a share of all connections, at least one; how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut(share, chance), self._loop).result(10)

    def stall(self) -> None:
        """Hold every byte back, in both directions, until `flow`."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def flow(self) -> None:
        """Let go on what was held back."""
        self._loop.call_soon_threadsafe(self._flows.set)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=CHUNK)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        self._server.close()
        self._flows.set()
        for link in list(self._links):
            link.cut()
        await asyncio.gather(*(link.task for link in self._links), return_exceptions=True)

    async def _cut(self, share: float, chance: random.Random) -> int:
        # In the order of connecting, so that one seed cuts the same connections again.
        links = sorted(self._links, key=lambda link: link.number)
        if not links:
            return 0
        chosen = chance.sample(links, max(1, round(len(links) * share)))
        for link in chosen:
            link.cut()
        return len(chosen)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._target, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(task, [writer, upstream[1]])
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(reader, upstream[1]))
                ways.create_task(self._pump(upstream[0], writer))
        except* (OSError, EOFError):
            pass  # one side is gone, and the other one hears of it below
        finally:
            self._links.discard(link)
            link.cut()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            await self._flows.wait()
            writer.write(chunk)
            await writer.drain()
        # Either end closes both ways: WebSockets and polls have no use for half a connection.
        writer.close()
        raise EOFError


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    _last = 0

    def __init__(self, task: "asyncio.Task[None]", writers: list[asyncio.StreamWriter]) -> None:
        _Link._last += 1
        self.number, self.task, self._writers = _Link._last, task, writers

    def cut(self) -> None:
        for writer in self._writers:
            connection: socket.socket | None = writer.get_extra_info("socket")
            if connection is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
