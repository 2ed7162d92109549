"""Who works on which case."""

import pytest

from chat.casework import CLAIM_MS, Casework, Claim, Decision
from readrealm.kernel.errors import InvalidState
from readrealm.kernel.identity import Identity
from tests.unit.chat.fakes import NOW_MS

MO = Identity(user_id="9", username="Mo", is_staff=True, authenticated=True)
BEA = Identity(user_id="10", username="Bea", is_staff=True, authenticated=True)
CASE = "a" * 24


class MemoryCases:
    """Claims in a dictionary, by the rules that the real ones keep to."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.open = {CASE}
        self.decision: Decision | None = None

    async def claim(
        self, message_id: str, *, by: Identity, at_ms: int, until_ms: int, take_over: bool
    ) -> Claim:
        held = self.claims.get(message_id)
        if held and held.moderator_id != by.user_id and held.until_ms > at_ms and not take_over:
            return held
        claim = Claim(moderator_id=by.user_id, moderator=by.username, until_ms=until_ms)
        self.claims[message_id] = claim
        return claim

    async def release(self, message_id: str, *, by: Identity) -> None:
        held = self.claims.get(message_id)
        if held and held.moderator_id == by.user_id:
            del self.claims[message_id]

    async def is_open(self, message_id: str) -> bool:
        return message_id in self.open

    async def last_decision(self, message_id: str) -> Decision | None:
        return self.decision


def desk(cases: MemoryCases, *, now_ms: int = NOW_MS) -> Casework:
    return Casework(cases=cases, clock=lambda: now_ms)


async def test_a_case_that_somebody_has_is_refused_with_name_and_time() -> None:
    cases = MemoryCases()
    await desk(cases).take(CASE, moderator=MO)

    with pytest.raises(InvalidState, match=r"^Mo is working on this case until 09:40 UTC$"):
        await desk(cases).take(CASE, moderator=BEA)


async def test_taking_it_again_prolongs_it_and_it_ends_by_itself() -> None:
    cases = MemoryCases()
    await desk(cases).take(CASE, moderator=MO)
    again = await desk(cases, now_ms=NOW_MS + 1_000).take(CASE, moderator=MO)
    assert again.until_ms == NOW_MS + 1_000 + CLAIM_MS

    later = desk(cases, now_ms=NOW_MS + 1_000 + CLAIM_MS)

    assert (await later.take(CASE, moderator=BEA)).moderator == "Bea"


async def test_a_case_can_be_taken_over_on_purpose() -> None:
    cases = MemoryCases()
    await desk(cases).take(CASE, moderator=MO)

    await desk(cases).take(CASE, moderator=BEA, take_over=True)

    with pytest.raises(InvalidState, match=r"^Bea is working"):
        await desk(cases).take(CASE, moderator=MO)


async def test_only_who_has_a_case_gives_it_back() -> None:
    cases = MemoryCases()
    await desk(cases).take(CASE, moderator=MO)

    await desk(cases).release(CASE, moderator=BEA)
    assert cases.claims
    await desk(cases).release(CASE, moderator=MO)
    assert not cases.claims


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (
            Decision(moderator="Bea", act="keep", at_ms=NOW_MS),
            "^Bea kept the message at 09:30 UTC$",
        ),
        (None, "^nothing about this message waits"),
    ],
)
async def test_a_case_that_was_decided_is_refused_with_the_decision(
    decision: Decision | None, words: str
) -> None:
    cases = MemoryCases()
    cases.open.clear()
    cases.decision = decision

    with pytest.raises(InvalidState, match=words):
        await desk(cases).take(CASE, moderator=MO)
    assert cases.claims == {}


async def test_a_case_that_is_decided_while_it_is_taken_is_given_back() -> None:
    class JustDecided(MemoryCases):
        async def is_open(self, message_id: str) -> bool:
            return message_id in self.open and not self.claims

    cases = JustDecided()

    with pytest.raises(InvalidState):
        await desk(cases).take(CASE, moderator=MO)
    assert cases.claims == {}
