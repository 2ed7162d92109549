"""Long-polling between its two requests."""

import asyncio
from typing import Any

from readrealm.socketio_bridge import polling
from readrealm.socketio_bridge.session import Session

from .fakes import FakeEngine

SCOPE: dict[str, Any] = {"method": "GET", "headers": []}
DEADLINE_S = 20


class Client:
    """Polls; with ``again`` it polls once more before the server knows that it was answered.

    Args:
        again: who polls next.
    """

    def __init__(self, session: Session, *, again: "Client | None" = None) -> None:
        self.session, self.again = session, again
        self.body = b""

    async def poll(self) -> None:
        engine: Any = self.session.engine
        await polling.serve(engine, self.session, SCOPE, self._stay, self._take)

    async def _stay(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def _take(self, message: dict[str, Any]) -> None:
        self.body = message.get("body", b"")
        if self.body and self.again is not None:
            self.next = asyncio.create_task(self.again.poll())
            while self.session.poll is None:  # noqa: ASYNC110  it has not been read yet
                await asyncio.sleep(0)


async def test_a_poll_that_comes_while_the_one_before_is_being_answered_is_woken() -> None:
    session = Session(FakeEngine(), "sid", "polling", {})  # type: ignore[arg-type]
    session.put("4first")
    second = Client(session)
    first = Client(session, again=second)

    await asyncio.wait_for(first.poll(), DEADLINE_S)
    session.put("4second")
    await asyncio.wait_for(first.next, DEADLINE_S)

    assert (first.body, second.body) == (b"4first", b"4second")
    assert session.poll is None
