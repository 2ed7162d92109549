"""Operations on any client of any worker: emit to a sid, ask it, disconnect it, move it to a room.

A sid names its worker, so what concerns one client goes to one worker and is answered from
there; what concerns a room of python-socketio goes to all of them in one message. (Rooms that
Channels consumers join are groups of the channel layer and do not come here.)
"""

import asyncio
import itertools
import logging
import re
from collections.abc import Callable
from typing import Any

from .clients import LocalManager
from .layer import bridge_layer

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 5.0
"""For the worker of a remote client to say that an operation has taken effect."""

MAX_CALLBACKS = 10_000
"""Of clients of other workers that have not answered; the oldest is given up for one more."""

SID = re.compile(r"([A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{20}")
"""What `Engine.generate_id` makes; a room may have any other name with a dot."""

Operation = dict[str, Any]


class ClusterManager(LocalManager):
    """The client manager of a worker among others; `start` makes it hear them."""

    def __init__(self) -> None:
        super().__init__()
        self.worker_id = ""
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._callbacks: dict[int, Callable[..., Any]] = {}

    async def start(self, worker_id: str) -> None:
        """Hear operations from other workers, under this worker's id."""
        self.worker_id = worker_id
        layer = bridge_layer()
        layer.on_operation(self._receive)
        await layer.listen_as(worker_id)

    def _owner(self, sid: Any) -> str | None:
        """The other worker that a sid belongs to; None for clients of this one and for rooms."""
        named = SID.fullmatch(sid) if isinstance(sid, str) else None
        if named is None:
            return None
        owner = named[1]
        return owner if owner != self.worker_id else None

    # What python-socketio calls.

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        """Emit to a client, to rooms or to all, wherever they are.

        Raises:
            ValueError: a callback for more than one client.
        """
        target = to or room
        owner = self._owner(target)
        if self.is_here(target, namespace) or options.get("ignore_queue"):
            await super().emit(
                event, data, namespace, room=target, skip_sid=skip_sid, callback=callback
            )
            return
        operation = {
            "do": "emit",
            "event": event,
            "data": list(data) if isinstance(data, tuple) else data,
            "is_tuple": isinstance(data, tuple),
            "namespace": namespace,
            "room": target,
            "skip_sid": skip_sid,
        }
        if callback is not None:
            if owner is None:
                raise ValueError("a callback needs the sid of one client")
            number = next(self._numbers)
            self._callbacks[number] = callback
            if len(self._callbacks) > MAX_CALLBACKS:
                del self._callbacks[next(iter(self._callbacks))]
            operation |= {"callback": number, "from": self.worker_id}
        if owner is not None:
            await bridge_layer().send_to_worker(owner, operation)
        else:
            await bridge_layer().send_to_workers(operation)

    async def can_disconnect(self, sid: str, namespace: str) -> bool:
        if self._owner(sid) is None:
            return self.is_connected(sid, namespace)
        await self._ask(sid, {"do": "disconnect", "sid": sid, "namespace": namespace})
        return False

    async def disconnect(self, sid: str, namespace: str, **options: Any) -> None:
        if self._owner(sid) is None or options.get("ignore_queue"):
            await super().disconnect(sid, namespace, **options)
        else:
            await self._ask(sid, {"do": "disconnect", "sid": sid, "namespace": namespace})

    async def enter_room(
        self, sid: str, namespace: str, room: str, eio_sid: str | None = None
    ) -> None:
        """Add a client to a room; returns when an emit to the room will reach it.

        Raises:
            ValueError: the client is not connected.
        """
        if self._owner(sid) is None:
            await super().enter_room(sid, namespace, room, eio_sid=eio_sid)
            return
        found = await self._ask(
            sid, {"do": "enter_room", "sid": sid, "namespace": namespace, "room": room}
        )
        if not found:
            raise ValueError("sid is not connected to requested namespace")

    async def leave_room(self, sid: str, namespace: str, room: str) -> None:
        if self._owner(sid) is None:
            await super().leave_room(sid, namespace, room)
        else:
            await self._ask(
                sid, {"do": "leave_room", "sid": sid, "namespace": namespace, "room": room}
            )

    async def close_room(self, room: str, namespace: str) -> None:
        await bridge_layer().send_to_workers(
            {"do": "close_room", "room": room, "namespace": namespace}
        )

    # Between workers.

    async def _ask(self, sid: str, operation: Operation) -> Any:
        """Have the owner of a client do something.

        Raises:
            TimeoutError: no answer; its worker is gone, and the client with it.
        """
        owner = self._owner(sid) or self.worker_id
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await bridge_layer().send_to_worker(
                    owner, operation | {"number": number, "from": self.worker_id}
                )
                return await answer
        finally:
            del self._answers[number]

    def _receive(self, operation: Operation) -> None:
        self.server.eio.own(self._perform(operation))

    async def _perform(self, operation: Operation) -> None:
        match operation["do"]:
            case "answer":
                self._take_answer(operation)
            case "emit":
                await self._emit_here(operation)
            case "close_room":
                await super().close_room(operation["room"], operation["namespace"])
            case "disconnect" | "enter_room" | "leave_room":
                done = await self._change_here(operation)
                await self._reply(operation, done)
            case other:
                log.warning("an unknown operation from another worker: %s", other)

    def _take_answer(self, operation: Operation) -> None:
        number, value = operation["number"], operation["value"]
        waiting = self._answers.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(value)
        callback = self._callbacks.pop(number, None)
        if callback is not None:
            result = callback(*value)
            if asyncio.iscoroutine(result):
                self.server.eio.own(result)

    async def _emit_here(self, operation: Operation) -> None:
        data = operation["data"]
        callback = None
        if "callback" in operation:

            async def callback(*args: Any) -> None:
                await self._reply(
                    {"number": operation["callback"], "from": operation["from"]}, list(args)
                )

        await super().emit(
            operation["event"],
            tuple(data) if operation["is_tuple"] else data,
            operation["namespace"],
            room=operation["room"],
            skip_sid=operation["skip_sid"],
            callback=callback,
        )

    async def _change_here(self, operation: Operation) -> bool:
        sid, namespace = operation["sid"], operation["namespace"]
        if not self.is_connected(sid, namespace):
            return False
        if operation["do"] == "disconnect":
            await self.server.disconnect(sid, namespace=namespace)
        elif operation["do"] == "enter_room":
            await super().enter_room(sid, namespace, operation["room"])
        else:
            await super().leave_room(sid, namespace, operation["room"])
        return True

    async def _reply(self, operation: Operation, value: Any) -> None:
        await bridge_layer().send_to_worker(
            operation["from"], {"do": "answer", "number": operation["number"], "value": value}
        )
