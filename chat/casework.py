"""Who works on which case of the review queue, so that no two moderators do unknowingly. Knows
no admin and no MongoDB."""

from dataclasses import dataclass
from typing import Protocol

from readrealm.kernel.clock import Clock, utc
from readrealm.kernel.errors import InvalidState
from readrealm.kernel.identity import Identity

CLAIM_MS = 10 * 60_000
"""For which a case stays with a moderator who does nothing more about it."""

DONE = {
    "hide": "hid the message",
    "purge": "purged the message",
    "restore": "restored the message",
    "keep": "kept the message",
    "dismiss": "dismissed the reports",
}
"""What an act about a message did, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A moderator has a case."""

    moderator_id: str
    moderator: str
    """Name."""
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody did about a message."""

    moderator: str
    act: str
    at_ms: int


class Cases(Protocol):
    """Where claims and open cases are known."""

    async def claim(
        self, message_id: str, *, by: Identity, at_ms: int, until_ms: int, take_over: bool
    ) -> Claim:
        """Give a case to a moderator unless another has it; who has it now."""
        ...

    async def release(self, message_id: str, *, by: Identity) -> None: ...

    async def is_open(self, message_id: str) -> bool: ...

    async def last_decision(self, message_id: str) -> Decision | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Casework:
    """Taking cases and giving them back. Every method may raise `StoreUnavailable`."""

    cases: Cases
    clock: Clock

    async def take(self, message_id: str, *, moderator: Identity, take_over: bool = False) -> Claim:
        """Have a case for the next `CLAIM_MS`; taking it again prolongs that.

        Raises:
            InvalidState: somebody else has it, or has decided it; says who and when.
        """
        if not await self.cases.is_open(message_id):
            raise InvalidState(await self._closed(message_id))
        now = self.clock()
        claim = await self.cases.claim(
            message_id, by=moderator, at_ms=now, until_ms=now + CLAIM_MS, take_over=take_over
        )
        if claim.moderator_id != moderator.user_id:
            raise InvalidState(
                f"{claim.moderator} is working on this case until {_clock(claim.until_ms)}"
            )
        # Asked again: whoever had it before may have decided it and given it back in between.
        if not await self.cases.is_open(message_id):
            await self.release(message_id, moderator=moderator)
            raise InvalidState(await self._closed(message_id))
        return claim

    async def release(self, message_id: str, *, moderator: Identity) -> None:
        """Give a case back; one that somebody else has stays with them."""
        await self.cases.release(message_id, by=moderator)

    async def _closed(self, message_id: str) -> str:
        last = await self.cases.last_decision(message_id)
        if last is None:
            return "nothing about this message waits to be judged"
        done = DONE.get(last.act, "decided this case")
        return f"{last.moderator} {done} at {_clock(last.at_ms)}"


def _clock(at_ms: int) -> str:
    return f"{utc(at_ms):%H:%M} UTC"
