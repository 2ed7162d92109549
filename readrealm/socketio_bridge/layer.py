"""The channel layer: one Redis message per group and event, one subscription per group and worker.

Everything that stock Channels does with a channel layer works; what is different is that the
connections of the bridge are members of a group without a queue of their own.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import _wrap_close, decode_hosts

from .bus import Bus
from .fanout import Backfill, Fanout
from .room import Event, Member

log = logging.getLogger(__name__)

MEMBER_PREFIX = "bridge."
"""Channel names of connections: ``bridge.<worker>!<sid>.<consumer>``."""

ALL_WORKERS = "*"

MAX_CHANNEL_QUEUE, MAX_CHANNEL_BYTES = 1_000, 8 << 20
"""What may wait for a stock channel; the oldest is dropped then, as Channels allows."""


class ChannelQueue(asyncio.Queue[bytes]):
    """What waits for the receiver of a stock channel."""

    def __init__(self) -> None:
        super().__init__()
        self.size_bytes = 0

    def add(self, payload: bytes) -> int:
        """Queue a message; returns how many of the oldest had to go for it."""
        dropped = 0
        while self.qsize() >= MAX_CHANNEL_QUEUE or (
            self.qsize() and self.size_bytes + len(payload) > MAX_CHANNEL_BYTES
        ):
            self.get_nowait()
            dropped += 1
        self.put_nowait(payload)
        return dropped

    def _put(self, item: bytes) -> None:
        super()._put(item)
        self.size_bytes += len(item)

    def _get(self) -> bytes:
        item: bytes = super()._get()
        self.size_bytes -= len(item)
        return item


class RoomChannelLayer(RedisPubSubChannelLayer):
    """The ``BACKEND`` for ``CHANNEL_LAYERS``, with the options of channels_redis' pub/sub layer."""

    def _get_layer(self) -> "RoomLoopLayer":
        loop = asyncio.get_running_loop()
        layer = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = RoomLoopLayer(
                *self._args, **self._kwargs, channel_layer=self
            )
            _wrap_close(self, loop)
        return layer

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """As `RoomLoopLayer.group_send`; here as well, for it is what is called most."""
        await self._get_layer().group_send(group, message)

    def here(self) -> "RoomLoopLayer":
        """The layer of the running event loop."""
        return self._get_layer()


class RoomLoopLayer(RedisPubSubLoopLayer):
    """The layer as one event loop uses it: a connection for each configured server."""

    def __init__(self, hosts: Any = None, prefix: str = "asgi", **options: Any) -> None:
        super().__init__(hosts=hosts, prefix=prefix, **options)
        self.channels: dict[str, ChannelQueue] = {}
        self.groups: dict[str, set[str]] = {}
        self.fanout = Fanout()
        self.fanout.expects_more = self._has_waiting_publications
        self._shards = [
            Bus(
                host,
                receive=self._receive,
                resubscribed=self._resubscribed,
                left=self.fanout.flush_told,
            )
            for host in decode_hosts(hosts)
        ]
        self.worker_id = secrets.token_hex(4)
        self.members: dict[str, Member] = {}
        self._group_of: dict[str, str] = {}
        self._perform: Callable[[dict[str, Any]], None] | None = None

    @property
    def publish_failures(self) -> int:
        """Publications that were given up, since the start."""
        return sum(bus.publish_failures for bus in self._shards)

    @property
    def reconnects(self) -> int:
        """Times a connection was lost or could not be made, since the start."""
        return sum(bus.reconnects for bus in self._shards)

    def fill_holes_from(self, backfill: Backfill) -> None:
        """Where numbered events that this worker missed are read from."""
        self.fanout.backfill = backfill

    async def listen_as(self, worker_id: str) -> None:
        """Hear what is sent to this worker, to its members, and to all workers."""
        self.worker_id = worker_id
        for inbox in (self._worker_channel(worker_id), self._worker_channel(ALL_WORKERS)):
            await self._get_shard(inbox).subscribe(inbox)

    def on_operation(self, perform: Callable[[dict[str, Any]], None]) -> None:
        """Who performs what other workers ask for."""
        self._perform = perform

    async def send_to_worker(self, worker_id: str, operation: dict[str, Any]) -> None:
        """Ask one worker for an operation."""
        await self._send_operation(self._worker_channel(worker_id), operation)

    async def send_to_workers(self, operation: dict[str, Any]) -> None:
        """Ask all workers for an operation, this one included."""
        await self._send_operation(self._worker_channel(ALL_WORKERS), operation)

    async def _send_operation(self, channel: str, operation: dict[str, Any]) -> None:
        message = {"type": "bridge.operation", "operation": operation}
        await self._get_shard(channel).publish(channel, self.channel_layer.serialize(message))

    def tell_here(self, group: str, event: Event, *, head: int) -> None:
        """Emit to this worker's members of a group, past Redis, and mend what is missing.

        Args:
            event: without a number; it says how far the group's numbers go.
            head: the newest number that exists.
        """
        self.fanout.tell(group, event, head=head)

    def caught_up_here(self, group: str, number: int) -> None:
        """A member that has joined has the group's numbered events up to ``number``."""
        self.fanout.caught_up(group, number)

    def register(self, member: Member) -> None:
        """Make a connection's channel name known, so that it can join groups and be sent to."""
        self.members[member.channel_name] = member

    def unregister(self, member: Member) -> None:
        self.members.pop(member.channel_name, None)

    # The API of channel layers.

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send to one channel, on whichever worker it is."""
        target = channel
        if channel.startswith(MEMBER_PREFIX):
            target = self._worker_channel(channel[len(MEMBER_PREFIX) :].partition("!")[0])
            message = {"type": "bridge.to", "channel": channel, "message": message}
        await self._get_shard(target).publish(target, self.channel_layer.serialize(message))

    async def group_add(self, group: str, channel: str) -> None:
        """Add a channel to a group; returns when its events will be heard.

        Raises:
            BusUnavailable: the subscription was not confirmed; the channel is not a member.
        """
        member = self.members.get(channel)
        if member is None and channel not in self.channels:
            raise RuntimeError(f"{channel} is not a channel of this process")
        name = self._get_group_channel_name(group)
        bus = self._get_shard(name)
        # Subscribed before it is a member: nothing can be announced that it will not hear.
        try:
            await bus.subscribe(name)
        except BaseException:
            bus.release(name)
            raise
        is_gone = member is not None and self.members.get(channel) is not member
        if is_gone or not self._is_empty(name, group):
            bus.release(name)
        if is_gone:
            return
        self._group_of[name] = group
        if member is None:
            self.groups.setdefault(name, set()).add(channel)
        else:
            self.fanout.add(group, member)

    async def group_discard(self, group: str, channel: str) -> None:
        name = self._get_group_channel_name(group)
        was_empty = self._is_empty(name, group)
        member = self.members.get(channel)
        if member is not None:
            self.fanout.discard(group, member)
        channels = self.groups.get(name)
        if channels is not None:
            channels.discard(channel)
            if not channels:
                del self.groups[name]
        if not was_empty and self._is_empty(name, group):
            self._group_of.pop(name, None)
            self._get_shard(name).release(name)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Send to every member of a group on every worker.

        ``{"type": "socketio.emit", "events": [[name, json_bytes_or_None, number_or_None], ...]}``
        reaches clients without waking a consumer; any other type reaches the consumers' handlers.
        Numbered events whose turn it is reach this worker's members as they leave for the server;
        all others when they come back from it.

        Raises:
            BusUnavailable: the message was not taken; it may still be delivered.
        """
        name = self._get_group_channel_name(group)
        payload = self.channel_layer.serialize(message)
        tell = None
        if message["type"] == "socketio.emit" and group in self.fanout.rooms:
            tell = partial(self.fanout.tell_first, group, message)
        await self._get_shard(name).publish(name, payload, tell=tell)

    async def flush(self) -> None:
        self.channels, self.groups = {}, {}
        self.fanout.rooms.clear()
        self._group_of.clear()
        for bus in self._shards:
            await bus.close()

    async def _subscribe_to_channel(self, channel: str) -> None:
        self.channels[channel] = ChannelQueue()
        await self._get_shard(channel).subscribe(channel)

    async def receive(self, channel: str) -> Any:
        """The next message of a stock channel; a channel whose receiver is cancelled is closed."""
        if channel not in self.channels:
            await self._subscribe_to_channel(channel)
        try:
            payload = await self.channels[channel].get()
        except asyncio.CancelledError:
            if self.channels.pop(channel, None) is not None:
                self._get_shard(channel).release(channel)
            raise
        return self.channel_layer.deserialize(payload)

    # What arrives.

    def _has_waiting_publications(self) -> bool:
        return any(bus.has_waiting_publications for bus in self._shards)

    def _worker_channel(self, worker_id: str) -> str:
        return f"{self.prefix}__worker__{worker_id}"

    def _is_empty(self, name: str, group: str) -> bool:
        return name not in self.groups and group not in self.fanout.rooms

    def _receive(self, channel: str, payload: bytes, *, is_told: bool) -> None:
        try:
            group = self._group_of.get(channel)
            if group is not None:
                if not is_told and group in self.fanout.rooms:
                    message = self.channel_layer.deserialize(payload)
                    self.fanout.receive(group, message, size_bytes=len(payload))
                for name in self.groups.get(channel, ()):
                    self._queue(name, payload)
            elif channel in self.channels:
                self._queue(channel, payload)
            else:
                message = self.channel_layer.deserialize(payload)
                self._receive_addressed(message, len(payload))
        except Exception:
            log.exception("a message on the channel layer could not be handled")

    def _receive_addressed(self, message: dict[str, Any], size_bytes: int) -> None:
        if message.get("type") == "bridge.operation" and self._perform is not None:
            self._perform(message["operation"])
        elif message.get("type") == "bridge.to":
            member = self.members.get(message["channel"])
            if member is not None:
                member.dispatch(message["message"], size_bytes=size_bytes)

    def _queue(self, channel: str, payload: bytes) -> None:
        queue = self.channels.get(channel)
        if queue is not None and (dropped := queue.add(payload)):
            log.warning("channel %s is not read; %d old messages were dropped", channel, dropped)

    def _resubscribed(self, channels: list[str]) -> None:
        for channel in channels:
            if (group := self._group_of.get(channel)) is not None:
                self.fanout.resume(group)


def bridge_layer() -> RoomLoopLayer:
    """The bridge's channel layer on the running event loop.

    Raises:
        TypeError: ``CHANNEL_LAYERS`` names another backend.
    """
    layer = get_channel_layer()
    if not isinstance(layer, RoomChannelLayer):
        raise TypeError("CHANNEL_LAYERS must use the BACKEND of the bridge, RoomChannelLayer")
    return layer.here()
