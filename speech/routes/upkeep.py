"""What a worker does for voice sessions without being asked: signs of life, expiry, figures."""

import asyncio
import logging
from collections import Counter

from readrealm.duties import repeat
from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import AppError
from speech.routes.broadcast import LayerAudience
from speech.routes.census import PUBLISH_EVERY_S, SocketCensus
from speech.routes.envelope import success
from speech.routes.events import SessionEnded
from speech.routes.session_store import SessionStore
from speech.routes.sessions import HEARTBEAT_S

log = logging.getLogger(__name__)

STEP_S = 10.0
"""For one round of one duty."""

MOST_ENDED = 100
"""Sessions that end in one round."""


class SessionUpkeep:
    """The standing duties of one worker; `run` is a task of whoever starts it."""

    def __init__(
        self,
        *,
        store: SessionStore,
        audience: LayerAudience,
        census: SocketCensus,
        clock: Clock,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._store, self._audience, self._census = store, audience, census
        self._clock, self._heartbeat_s = clock, heartbeat_s
        self._attended: Counter[str] = Counter()

    def attend(self, session_id: str) -> None:
        """A socket of this worker has addressed a session."""
        self._attended[session_id] += 1

    def leave(self, session_id: str) -> None:
        """That socket is gone."""
        self._attended[session_id] -= 1
        if self._attended[session_id] <= 0:
            del self._attended[session_id]

    async def run(self) -> None:
        """Do all duties until cancelled. A round that fails is logged and comes again."""
        try:
            async with asyncio.TaskGroup() as duties:
                duties.create_task(
                    repeat(self.keep_sessions, every_s=self._heartbeat_s, within_s=STEP_S)
                )
                duties.create_task(
                    repeat(self._census.publish, every_s=PUBLISH_EVERY_S, within_s=STEP_S)
                )
        finally:
            try:
                await self._census.retire()
            except AppError as refusal:
                log.warning("the count of sockets ends by itself: %s", refusal)

    async def keep_sessions(self) -> None:
        """Say that attended sessions are attended; end those that nobody wants any more."""
        now = self._clock()
        await self._store.seen(list(self._attended), at_ms=now)
        for _ in range(MOST_ENDED):
            expired = await self._store.end_expired(now_ms=now)
            if expired is None:
                return
            session, reason = expired
            ended = SessionEnded(
                session_id=session.id,
                end_time=now,
                statistics=await self._store.statistics(session.id),
                reason="idle" if reason == "idle" else "left",
            )
            await self._audience.tell_envelope(
                session.id, "session:ended", success(ended, at_ms=now)
            )
