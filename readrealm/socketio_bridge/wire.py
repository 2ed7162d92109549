"""One Redis connection at the level of its replies.

redis-py makes the connection (address, TLS, Sentinel, credentials); what is written to it and
read from it afterwards does not pass through redis-py, whose bookkeeping for each reply costs
more than the reply.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import hiredis

_pack: Callable[[Any], bytes] = hiredis.pack_command
"""Its stub takes tuples of one item only."""

Command = tuple[str | bytes, ...]


class Wire(asyncio.Protocol):
    """A connection that is there, until `lost` is done.

    Args:
        connection: an ``AbstractConnection`` of redis-py that is connected and awaits no reply.
        hear: called with every reply and push message (a list), in order, as it arrives; must not
            block.

    Raises:
        ConnectionError: it is not connected.
    """

    def __init__(self, connection: Any, hear: Callable[[Any], None]) -> None:
        if getattr(connection, "_writer", None) is None:
            raise ConnectionError("the connection was lost before it was used")
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Exception | None] = loop.create_future()
        """Done when the connection is; its result is why, if that is known."""
        self.heard_at = loop.time()
        """When the last byte came, on the clock of the event loop."""
        self._time, self._hear = loop.time, hear
        self._replies = hiredis.Reader()
        self._transport: asyncio.Transport = connection._writer.transport
        self._transport.set_protocol(self)

    def send(self, commands: Iterable[Command]) -> None:
        """Write commands, all of them in one go.

        Raises:
            ConnectionError: the connection is lost.
        """
        if self.lost.done() or self._transport.is_closing():
            raise ConnectionError("the connection is lost")
        self._transport.write(b"".join([_pack(item) for item in commands]))

    def abort(self) -> None:
        """Drop the connection at once, with what was not written yet; nothing is heard after."""
        self.connection_lost(None)
        self._transport.abort()

    def fail(self, error: Exception) -> None:
        """Drop the connection as `abort` does, and say why."""
        self.connection_lost(error)
        self._transport.abort()

    # From the event loop.

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._time()
        try:
            self._replies.feed(data)
            while not self.lost.done() and (reply := self._replies.gets()) is not False:
                self._hear(reply)
        except hiredis.ProtocolError as error:
            self.fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(error)
