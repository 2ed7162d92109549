"""This worker's rooms: who listens, and one frame built once for all of them.

Events of one group leave in the order in which they were received, and those with a number in
the order of their numbers: one that came too early waits a moment for its predecessors, and
what is still missing is asked for.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from .outlet import broadcast
from .packets import event_text, websocket_frame
from .room import PLAIN, Event, Member, Room

log = logging.getLogger(__name__)

Backfill = Callable[[str, int, int | None], Awaitable[Sequence[Event]]]
"""``(group, after, up_to)``: the events with ``after < number <= up_to``, oldest first. An OSError
says that the log cannot be asked now; whatever is raised, it is asked again."""

OVERTAKEN_WAIT_S = 0.05
"""How long an event waits for predecessors that another worker may be about to publish."""

MERGE_S = 0.001
"""How long what has come may wait for what this worker is about to hear, to leave with it."""

BACKFILL_TIMEOUT_S = 5.0
BACKFILL_RETRY_S = 0.5


class GapReason(StrEnum):
    """How a hole in numbered events was noticed."""

    OVERTAKEN = "overtaken"
    """A later event came first."""
    RESUBSCRIBED = "resubscribed"
    """The bus was away, and is there again."""
    BEHIND = "behind"
    """A head told of more than had come."""


class Fanout:
    """The rooms of one worker.

    Args:
        max_batch_bytes: frames that leave together in one write.
    """

    def __init__(self, *, max_batch_bytes: int = 64 << 10) -> None:
        self.rooms: dict[str, Room] = {}
        self.backfill: Backfill | None = None
        self.max_batch_bytes = max_batch_bytes
        self.deliveries_out = 0
        """Events times the clients they were written to, since the start."""
        self.gap_fills: Counter[str] = Counter()
        """Holes in numbered events that were filled from the backfill, since the start."""
        self.gaps_given_up = 0
        """Holes that the backfill could not fill."""
        self.observe: Callable[[float, int], None] | None = None
        """Told the seconds and the deliveries of every batch; must not block."""
        self.expects_more: Callable[[], bool] = _expect_nothing
        """Whether more events are sure to come, and soon; see `MERGE_S`."""
        self._dirty: dict[str, Room] = {}
        self._is_scheduled = False
        self._patience: asyncio.TimerHandle | None = None

    def add(self, group: str, member: Member) -> bool:
        """Add a member; True when it is the first of its group."""
        room = self.rooms.get(group)
        is_first = room is None
        if room is None:
            room = self.rooms[group] = Room()
        elif room.pending:
            self._send(room)
        room.add(member)
        return is_first

    def discard(self, group: str, member: Member) -> bool:
        """Remove a member; True when nobody is left."""
        room = self.rooms.get(group)
        members = room.audiences.get(member.audience) if room else None
        if room is None or members is None or member not in members:
            return False
        if room.pending:
            self._send(room)
        room.discard(member)
        if room.audiences:
            return False
        if room.repair is not None:
            room.repair.cancel()
        del self.rooms[group]
        self._dirty.pop(group, None)
        return True

    def receive(self, group: str, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        """Act on one message of a group: emit its events, or hand it to the consumers.

        Args:
            size_bytes: of the message as it was published.
        """
        room = self.rooms.get(group)
        if room is None:
            return
        if message["type"] != "socketio.emit":
            for member in room.members():
                member.dispatch(message, size_bytes=size_bytes)
            return
        left_out = tuple(message.get("except", ()))
        for name, argument, number in message["events"]:
            self._accept(group, room, (name, argument, number), left_out)

    def tell_first(self, group: str, message: dict[str, Any]) -> bool:
        """Emit events at the next `flush_told`, before they were heard, if it is their turn.

        Only numbered events have a turn: what is still on its way from elsewhere comes before
        them or after them by its number.

        Args:
            message: a ``socketio.emit``.

        Returns:
            whether all were emitted; else none.
        """
        room = self.rooms.get(group)
        events = message["events"]
        if room is None or room.held:
            return False
        room.begin()
        if room.last_number is None:
            return False
        if any(event[2] != room.last_number + turn for turn, event in enumerate(events, start=1)):
            return False
        left_out = tuple(message.get("except", ()))
        for name, argument, number in events:
            room.last_number = number
            room.pending.append((name, argument, left_out))
        self._dirty[group] = room
        return True

    def flush_told(self) -> None:
        """Write what `tell_first` emitted."""
        if self._dirty and not self._is_scheduled:
            self._flush_now()

    def caught_up(self, group: str, number: int) -> None:
        """A member that has joined has the numbered events up to ``number`` from elsewhere."""
        room = self.rooms.get(group)
        if room is not None and room.last_number is None:
            known = room.caught_up
            room.caught_up = number if known is None else min(known, number)

    def resume(self, group: str, reason: GapReason = GapReason.RESUBSCRIBED) -> None:
        """What was published to a group may have been missed: fill the hole, if there is one."""
        room = self.rooms.get(group)
        if room is None:
            return
        room.begin()
        if room.last_number is not None:
            room.must_ask = True
            self._repair(group, room, reason)

    def tell(self, group: str, event: Event, *, head: int) -> None:
        """Emit an event that says how far a group's numbers go, and mend what is missing."""
        room = self.rooms.get(group)
        if room is None:
            return
        room.begin()
        if room.last_number is not None and room.last_number < head:
            self.resume(group, GapReason.BEHIND)
        self._accept(group, room, event, ())

    def _accept(self, group: str, room: Room, event: Event, left_out: tuple[str, ...]) -> None:
        number = event[2]
        if number is not None:
            room.begin(number)
        if number is None or room.last_number is None or number == room.last_number + 1:
            if number is not None:
                room.last_number = number
            self._emit(group, room, event, left_out)
            if room.held:
                self._release_held(group, room)
        elif number > room.last_number:
            room.newest = max(room.newest, number)
            if room.has_place():
                room.held[number] = (event, left_out)
            self._repair(group, room, GapReason.OVERTAKEN)

    def _release_held(self, group: str, room: Room) -> None:
        while room.last_number is not None and room.held:
            early = room.held.pop(room.last_number + 1, None)
            if early is None:
                break
            room.last_number += 1
            self._emit(group, room, *early)

    def _emit(self, group: str, room: Room, event: Event, left_out: tuple[str, ...]) -> None:
        room.pending.append((event[0], event[1], left_out))
        self._dirty[group] = room
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Write what has come, unless more is about to come that can leave in the same write."""
        self._is_scheduled = False
        if not self.expects_more():
            self._flush_now()
        elif self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(MERGE_S, self._flush_now)

    def _flush_now(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        dirty, self._dirty = self._dirty, {}
        for room in dirty.values():
            self._send(room)

    def _send(self, room: Room) -> None:
        observe, before = self.observe, self.deliveries_out
        started = time.perf_counter() if observe else 0.0
        self._write(room)
        if observe:
            observe(time.perf_counter() - started, self.deliveries_out - before)

    def _write(self, room: Room) -> None:
        events, room.pending = room.pending, []
        for batch in _batches(events, self.max_batch_bytes):
            left_out = batch[0][2]
            for audience in list(room.audiences):
                texts = [_encode(audience, name, argument) for name, argument, _ in batch]
                frames = b"".join([websocket_frame(text) for text in texts])
                outlets = room.outlets_of(audience, left_out)
                broadcast(outlets, texts, frames)
                self.deliveries_out += len(outlets) * len(texts)

    # Holes.

    def _repair(self, group: str, room: Room, reason: GapReason) -> None:
        if room.repair is None or room.repair.done():
            room.repair = asyncio.create_task(self._fill(group, room, reason), name=f"fill {group}")

    async def _fill(self, group: str, room: Room, reason: GapReason) -> None:
        """Wait for late predecessors; ask for those that do not come, until there is no hole."""
        if reason is GapReason.OVERTAKEN:
            await asyncio.sleep(OVERTAKEN_WAIT_S)
        while self.rooms.get(group) is room and room.last_number is not None:
            has_hole = room.newest > room.last_number
            if not has_hole and not room.must_ask:
                return
            missing = await self._asked(group, room, room.last_number)
            if missing is None:
                await asyncio.sleep(BACKFILL_RETRY_S)
                continue
            if self._fill_in(group, room, missing):
                self.gap_fills[reason] += 1
            else:
                self.gaps_given_up += has_hole
                self._give_up_hole(group, room)

    async def _asked(self, group: str, room: Room, after: int) -> Sequence[Event] | None:
        """What the log has; None if it could not be asked."""
        up_to = room.newest if room.newest > after else None
        room.must_ask = room.must_ask and up_to is not None
        try:
            async with asyncio.timeout(BACKFILL_TIMEOUT_S):
                return await self.backfill(group, after, up_to) if self.backfill else ()
        except OSError as error:
            log.warning("a hole in %s could not be filled yet: %r", group, error)
        except Exception:
            log.exception("a hole in %s could not be filled yet", group)
        return None

    def _fill_in(self, group: str, room: Room, missing: Sequence[Event]) -> bool:
        """Emit what was missing, and what waited for it; whether there was anything."""
        filled = False
        for event in sorted(missing, key=lambda event: event[2] or 0):
            number = event[2]
            if number is not None and room.last_number is not None and number > room.last_number:
                room.last_number = number
                _, left_out = room.held.pop(number, (event, ()))
                self._emit(group, room, event, left_out)
                filled = True
        last = room.last_number or 0
        room.held = {number: early for number, early in room.held.items() if number > last}
        self._release_held(group, room)
        return filled

    def _give_up_hole(self, group: str, room: Room) -> None:
        """The log does not have what was announced: go on with what there is."""
        if room.held:
            room.last_number = min(room.held) - 1
            self._release_held(group, room)
        elif room.last_number is not None:
            room.newest = room.last_number


def _expect_nothing() -> bool:
    return False


def _encode(audience: str, name: str, argument: bytes | None) -> str:
    if audience == PLAIN:
        return plain_text(name, argument)
    return event_text(audience, name, argument)


def plain_text(name: str, argument: bytes | None) -> str:
    """An event on a plain JSON WebSocket: ``{"event":name,"data":argument}``."""
    data = "" if argument is None else ',"data":' + argument.decode()
    return '{"event":' + msgspec.json.encode(name).decode() + data + "}"


def _batches(
    events: list[tuple[str, bytes | None, tuple[str, ...]]], max_bytes: int
) -> list[list[tuple[str, bytes | None, tuple[str, ...]]]]:
    """Neighbours that go to the same members, up to ``max_bytes`` together."""
    batches: list[list[tuple[str, bytes | None, tuple[str, ...]]]] = []
    size = 0
    for event in events:
        weight = len(event[1] or b"") + 32
        if not batches or batches[-1][0][2] != event[2] or size + weight > max_bytes:
            batches.append([])
            size = 0
        batches[-1].append(event)
        size += weight
    return batches
