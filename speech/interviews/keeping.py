"""Keeps an interview in the store while it runs: at every step, and as its lease demands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from readrealm.kernel.errors import Unavailable
from speech.interviews.crew import Snapshots
from speech.interviews.live_store import LostLease, Snapshot
from speech.interviews.pacing import Timekeeper

log = logging.getLogger(__name__)

RENEW_MS = 2_000
"""Between two snapshots; well within `live_store.LEASE_MS`, and all that a crash can lose."""


class Keeper:
    """Saves one interview, never an older state over a newer one.

    Args:
        take: gives the interview as it stands.
        lost: called when another worker runs it; nothing is saved from then on.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        take: Callable[[], Snapshot],
        lost: Callable[[], Awaitable[None]],
    ) -> None:
        self._snapshots, self._take, self._lost = snapshots, take, lost
        self._saving = asyncio.Lock()
        self._kept: object = None
        self._is_over = False

    def created(self) -> None:
        """It was kept as it stands."""
        self._kept = _milestone(self._take())

    async def keep_step(self) -> None:
        """Save it if it has taken a step, which its reader must not know before."""
        if _milestone(self._take()) != self._kept:
            await self._save_if_possible()

    async def keep_lease(self, time: Timekeeper) -> None:
        """Save it again and again, until cancelled."""
        never = asyncio.Event()
        while True:
            await time.wait(never, time.now_ms() + RENEW_MS)
            await self._save_if_possible()

    async def release(self) -> None:
        """Save it, and leave it to whoever comes first."""
        session_id = self._take().state.session_id
        try:
            await self._save()
            # A renewal behind this would hold it again.
            self._is_over = True
            await self._snapshots.release(session_id)
        except Unavailable as error:
            log.warning("interview %s is found when its lease ends: %s", session_id, error)

    async def _save_if_possible(self) -> None:
        try:
            await self._save()
        except Unavailable as error:
            session_id = self._take().state.session_id
            log.warning("interview %s is not kept now: %s", session_id, error)

    async def _save(self) -> None:
        async with self._saving:
            if self._is_over:
                return
            # Taken here: what changed while another save was on its way is in this one.
            snapshot = self._take()
            milestone = _milestone(snapshot)
            try:
                if snapshot.is_done and snapshot.state.left:
                    await self._snapshots.remove(snapshot.state.session_id)
                else:
                    await self._snapshots.save(snapshot)
            except LostLease:
                self._is_over = True
                await self._lost()
            self._kept = milestone


def _milestone(snapshot: Snapshot) -> object:
    """What must not be lost once the reader knows of it."""
    state = snapshot.state
    return (
        state.phase,
        state.questions_asked,
        len(state.turns),
        state.away_since_ms is None,
        state.ending,
        state.left,
        snapshot.is_live,
    )
