"""Telling a room, on every worker, through the Channels layer."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from chat.batches import Batches, Overfull
from chat.events import RoomEvent, RoomHead, RoomLogEvent
from chat.vocabulary import EVENT_NAMES
from readrealm.kernel.wire import encode

log = logging.getLogger(__name__)

ROOM_PREFIX = "book_"

LARGEST_BATCH, MOST_WAITING = 128, 4_000
"""Events of one message on the layer, and events of all rooms that may wait to be published."""

WAIT_S = 3.0
"""For an event to be published, the wait for its batch included."""

Frame = tuple[str, bytes, int | None]
"""An event as the layer carries it: name, JSON, and its number in the room's log if it has one."""


def room_name(book_id: int) -> str:
    """The Channels group that every reader in a book's room belongs to."""
    return f"{ROOM_PREFIX}{book_id}"


def book_of(group: str) -> int | None:
    """The inverse of `room_name`; None for any other group."""
    digits = group.removeprefix(ROOM_PREFIX)
    is_room = group.startswith(ROOM_PREFIX) and digits.isascii() and digits.isdecimal()
    return int(digits) if is_room else None


def frame(event: RoomEvent) -> Frame:
    """An event encoded once, for however many readers there are."""
    number = event.seq if isinstance(event, RoomLogEvent) else None
    return EVENT_NAMES[type(event)], encode(event), number


class ChannelBroadcast:
    """Publishes on one event loop, in order for each room.

    What is said in a room while its last publication is on its way leaves with the next one, as
    one message. A failure is logged and counted, and no more: numbered events are found in the
    log by whoever misses them, and the others lose their meaning with time.

    Args:
        layer: a channel layer of the bridge.
        waited: told how many seconds each publication took to be taken, or to be given up.
    """

    def __init__(self, layer: Any, *, waited: Callable[[float], object] | None = None) -> None:
        self._layer, self._waited = layer, waited
        self.failures = 0
        """Events that were not published, since the start."""
        self._batches: Batches[RoomEvent, None] = Batches(
            self._send, largest=LARGEST_BATCH, waiting=MOST_WAITING, deadline_s=WAIT_S
        )

    async def publish(self, event: RoomEvent) -> None:
        """Tell a room; returns when the layer has taken the event, or it was given up."""
        try:
            await self._batches.put(event.book_id, event)
        except (Overfull, TimeoutError):
            self._count_failure(1, "too slow")

    def tell_here(self, head: RoomHead) -> None:
        """Tell this worker's members of a room how far its log goes, and not over the layer: it
        is how they notice that the layer is silent. What this worker missed is told as well.
        """
        self._layer.here().tell_here(room_name(head.book_id), frame(head), head=head.seq)

    async def close(self) -> None:
        """Publish what waits, and take nothing more."""
        await self._batches.close()

    async def _send(self, book_id: int, events: Sequence[RoomEvent]) -> Sequence[None]:
        message = {"type": "socketio.emit", "events": [frame(event) for event in events]}
        began = time.monotonic()
        try:
            await self._layer.group_send(room_name(book_id), message)
        except (RedisError, OSError, TimeoutError) as error:
            self._count_failure(len(events), type(error).__name__)
        finally:
            if self._waited is not None:
                self._waited(time.monotonic() - began)
        return [None] * len(events)

    def _count_failure(self, events: int, reason: str) -> None:
        self.failures += events
        log.warning("%d events were not published: %s", events, reason)
