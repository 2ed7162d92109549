"""The two bounded queues of a session: commands to the provider, events to the client."""

import asyncio
from collections import deque
from typing import Protocol

from readrealm.kernel.errors import ProviderUnavailable
from speech.gateway.steps import Append, Cancel, Command, Tell, Truncate

MOST_COMMANDS = 100
"""Ten seconds of sound."""

TAKEN_S = 30.0
"""How long the provider may take nothing while the client sends."""

MOST_HELD_CHARACTERS = 20_000_000
"""Sound for one client that it has not read: five minutes in Base64."""

CONGESTED_BYTES = 262_144
"""Sound waits here while more than this waits for the client to read: four seconds of it."""

CONGESTION_CHECK_S = 0.02


class Client(Protocol):
    """The socket, as a session sees it."""

    @property
    def is_gone(self) -> bool: ...

    @property
    def backlog_bytes(self) -> int:
        """What the client has not read yet."""
        ...

    def allow_large_frames(self, allowed: bool) -> None:
        """Whether the client may send more at once than others."""
        ...

    async def tell(self, event: Tell) -> None: ...


class Commands:
    """What the provider is going to be told; what is urgent overtakes sound."""

    def __init__(self) -> None:
        self._urgent: deque[Command] = deque()
        self._waiting: deque[Command] = deque()
        self._changed = asyncio.Condition()
        self._is_closed = False

    @property
    def is_empty(self) -> bool:
        return not (self._urgent or self._waiting)

    async def close(self) -> None:
        """Nobody takes commands any more; whoever waits with one goes on without it."""
        async with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    async def put(self, command: Command) -> None:
        """Queue a command; sound waits while too much waits.

        Raises:
            ProviderUnavailable: it has waited for too long.
        """
        async with self._changed:
            match command:
                case Cancel() | Truncate():
                    self._urgent.append(command)
                case Append():
                    await self._place()
                    self._waiting.append(command)
                case _:
                    self._waiting.append(command)
            self._changed.notify_all()

    async def get(self) -> Command:
        """The next command."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.is_empty)
            self._changed.notify_all()
            return (self._urgent or self._waiting).popleft()

    async def _place(self) -> None:
        try:
            async with asyncio.timeout(TAKEN_S):
                await self._changed.wait_for(self._has_place)
        except TimeoutError:
            raise ProviderUnavailable("the provider takes no sound any more") from None

    def _has_place(self) -> bool:
        return self._is_closed or len(self._waiting) < MOST_COMMANDS


class Outbox:
    """What the client is going to be told, in order. Sound comes in faster than it is read; it
    waits here, where it can be dropped, rather than in the socket, which would be cut for it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: deque[Tell] = deque()
        self._held = 0
        self._changed = asyncio.Condition()

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    async def put(self, event: Tell) -> None:
        """Queue an event; sound waits while five minutes of it wait."""
        async with self._changed:
            if event.is_sound:
                await self._changed.wait_for(lambda: self._held < MOST_HELD_CHARACTERS)
                self._held += len(event.payload)
            self._waiting.append(event)
            self._changed.notify_all()

    async def drop_sound(self) -> None:
        """Forget the sound that has not left."""
        async with self._changed:
            self._waiting = deque(event for event in self._waiting if not event.is_sound)
            self._held = 0
            self._changed.notify_all()

    async def deliver(self) -> None:
        """Tell the client, for ever."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._waiting))
                if not (self._waiting[0].is_sound and self._is_congested):
                    await self._tell(self._waiting.popleft())
                    self._changed.notify_all()
                    continue
            await asyncio.sleep(CONGESTION_CHECK_S)

    async def flush(self) -> None:
        """Tell the client what waits now, without its sound."""
        await self.drop_sound()
        async with self._changed:
            while self._waiting:
                await self._tell(self._waiting.popleft())

    @property
    def _is_congested(self) -> bool:
        return not self._client.is_gone and self._client.backlog_bytes > CONGESTED_BYTES

    async def _tell(self, event: Tell) -> None:
        if event.is_sound:
            self._held -= len(event.payload)
        await self._client.tell(event)
