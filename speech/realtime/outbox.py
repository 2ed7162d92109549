"""What waits to be sent to one client: bounded, in order, and able to forget an answer."""

import asyncio
from collections import deque
from dataclasses import dataclass

import msgspec

from readrealm.kernel.wire import encode
from speech.realtime.conversation import new_id
from speech.realtime.events import AudioDelta, Event

LIMIT = 64
"""Events that may wait. An audio delta is 6 kB, so this is half a megabyte."""

STALLED_S = 20.0
"""A client that reads nothing for so long is gone."""


class ClientStalled(Exception):
    """The client does not read what it is sent."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    frame: bytes
    sound_of: str | None
    """The answer whose sound it is."""


class Outbox:
    """A queue for one reader and any number of writers."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._changed = asyncio.Condition()

    async def put(self, *events: Event) -> None:
        """Send events, together and in order, each under an id of its own.

        Waits while too many are waiting.

        Raises:
            ClientStalled: the client has read nothing for `STALLED_S`.
        """
        try:
            async with asyncio.timeout(STALLED_S), self._changed:
                await self._changed.wait_for(lambda: len(self._waiting) < LIMIT)
                self._waiting.extend(_prepared(event) for event in events)
                self._changed.notify_all()
        except TimeoutError:
            raise ClientStalled from None

    async def get(self) -> bytes:
        """The next event as JSON."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting))
            self._changed.notify_all()
            return self._waiting.popleft().frame

    async def silence(self, response_id: str) -> None:
        """Forget the sound of an answer that has not been sent yet."""
        async with self._changed:
            kept = [one for one in self._waiting if one.sound_of != response_id]
            self._waiting = deque(kept)
            self._changed.notify_all()


def _prepared(event: Event) -> _Waiting:
    sound_of = event.response_id if isinstance(event, AudioDelta) else None
    return _Waiting(encode(msgspec.structs.replace(event, event_id=new_id("event"))), sound_of)
