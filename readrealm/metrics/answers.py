"""How long answers take and how they end, for every consumer of the bridge alike."""

import time
from functools import cache
from typing import Any

from readrealm.kernel.errors import public_face
from readrealm.metrics.figures import ACK_SECONDS, EVENTS, MESSAGES, OK
from readrealm.socketio_bridge import EventConsumer

MESSAGE = "chatMessage"


class ObservedConsumer(EventConsumer):
    """A consumer whose answers are timed and counted; to be mixed in before another one."""

    async def answer(self, event: str, data: Any) -> Any:
        began = time.perf_counter()
        try:
            reply = await super().answer(event, data)
        except Exception as error:
            code, _ = public_face(error)
            EVENTS.labels(event, code).inc()
            if event == MESSAGE:
                MESSAGES.labels(code).inc()
            raise
        finally:
            ACK_SECONDS.labels(event).observe(time.perf_counter() - began)
        EVENTS.labels(event, OK).inc()
        return reply


@cache
def observed(consumer: type[EventConsumer]) -> type[EventConsumer]:
    """``consumer`` with its answers observed; under the same name, for logs."""
    return type(consumer.__name__, (ObservedConsumer, consumer), {})
