"""What an application fills in: a Channels consumer that answers named events."""

from typing import TYPE_CHECKING, Any, ClassVar

from channels.consumer import AsyncConsumer

if TYPE_CHECKING:
    from .connection import Inbox


class EventConsumer(AsyncConsumer):
    """A Channels consumer that answers named events.

    The same class serves Socket.IO clients, through a `BridgeNamespace`, and plain JSON
    WebSockets, as an ordinary ASGI application. It is made for one client, at the first of its
    events. Subclasses name their ``events`` and the ``refusals`` they raise on purpose.

    Attributes:
        scope: the ASGI scope of the handshake, with what `authenticate` put there;
            ``scope["extensions"]["socketio"]`` has ``sid``, ``namespace`` and ``auth``.
        sid: public id of the connection.
        channel_name: what joins groups, and where `channel_layer.send` reaches this consumer.
    """

    events: ClassVar[frozenset[str]] = frozenset()
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    eager: ClassVar[bool] = False
    """Whether it is made when the client connects, not at its first event."""

    scope: dict[str, Any]
    sid: str
    channel_name: str
    inbox: "Inbox"

    async def connected(self) -> None:
        """The consumer begins; events wait until this has returned."""

    async def answer(self, event: str, data: Any) -> Any:
        """Do what the client asks; the result is the acknowledgement's one argument.

        Args:
            data: the event's first argument, None when there is none; further ones are dropped.
        """
        raise NotImplementedError(event)

    async def refused(self, event: str, error: Exception) -> Any:
        """Put a refusal, or a failure, into the words of this consumer.

        The result is the acknowledgement. Anything that is not one of ``refusals`` has been
        logged already, and its text must not reach the client.
        """
        return {"ok": False, "code": "INTERNAL_ERROR", "error": "something went wrong"}

    async def unreadable(self, event: str, why: str) -> Any:
        """What came with the event cannot be read; the result is the acknowledgement.

        A consumer that has words for bad input raises one of its ``refusals`` here.
        """
        return {"ok": False, "code": "VALIDATION_ERROR", "error": why}

    async def flooded(self, event: str, retry_after_ms: int) -> Any:
        """The client sends faster than it may; the result is the acknowledgement."""
        return {
            "ok": False,
            "code": "RATE_LIMITED",
            "error": "too many events",
            "retryAfterMs": retry_after_ms,
        }

    async def disconnected(self) -> None:
        """The client has left, or is made to leave; release what was taken. Runs once."""

    async def emit(self, event: str, *args: Any) -> None:
        """Send one event to this client only."""
        self.inbox.connection.emit(event, args)

    async def join(self, group: str) -> None:
        """Hear a group's events from now on."""
        await self.channel_layer.group_add(group, self.channel_name)
        self.inbox.groups.add(group)

    def caught_up(self, group: str, number: int) -> None:
        """Say that this client has a group's numbered events up to ``number``, from its history.

        To be asked for after `join`: what follows then reaches the client without a hole, even
        if the bus is lost before the first event of the group is heard.
        """
        self.channel_layer.here().caught_up_here(group, number)

    async def leave(self, group: str) -> None:
        """Hear a group's events no longer."""
        self.inbox.groups.discard(group)
        await self.channel_layer.group_discard(group, self.channel_name)

    async def close(self) -> None:
        """End this connection."""
        self.inbox.connection.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a plain JSON WebSocket."""
        from .plain import serve

        await serve(self, scope, receive, send)
