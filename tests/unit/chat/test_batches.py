"""Group commit: what goes together, in which order, and what becomes of what fails."""

import asyncio
from collections.abc import Sequence

import pytest

from chat.batches import Batches, Overfull


class Gate:
    """Sends batches when it is told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[str]]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, key: int, items: Sequence[str]) -> Sequence[str | Exception]:
        self.batches.append((key, list(items)))
        await self.open.wait()
        if "all" in items:
            raise OSError("none of them")
        return [ValueError(item) if item == "bad" else item.upper() for item in items]


def batches(gate: Gate, **changes: float) -> Batches[str, str]:
    options = {"largest": 4, "waiting": 100, "deadline_s": 5.0} | changes
    return Batches(gate.send, **options)  # type: ignore[arg-type]


async def settled() -> None:
    """Let everything that can go on without waiting go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_arrives_while_a_batch_is_away_leaves_together_and_in_order() -> None:
    gate = Gate()
    together = batches(gate)
    gate.open.clear()

    first = asyncio.create_task(together.put(1, "a"))
    await settled()
    others = [asyncio.create_task(together.put(1, item)) for item in "bcdef"]
    await settled()
    gate.open.set()

    assert await asyncio.gather(first, *others) == list("ABCDEF")
    assert gate.batches == [(1, ["a"]), (1, ["b", "c", "d", "e"]), (1, ["f"])]


async def test_callers_go_on_in_the_order_of_their_items() -> None:
    together, went_on = batches(Gate()), []

    async def call(item: str) -> None:
        went_on.append(await together.put(1, item))

    await asyncio.gather(*(call(item) for item in "abcdefgh"))

    assert went_on == list("ABCDEFGH")


async def test_keys_do_not_wait_for_one_another() -> None:
    gate = Gate()
    together = batches(gate)
    gate.open.clear()
    slow = asyncio.create_task(together.put(1, "a"))
    await settled()

    other = asyncio.create_task(together.put(2, "b"))
    await settled()

    assert gate.batches == [(1, ["a"]), (2, ["b"])]
    gate.open.set()
    assert await asyncio.gather(slow, other) == ["A", "B"]


async def test_an_item_that_fails_fails_alone() -> None:
    together = batches(Gate())

    outcomes = await asyncio.gather(
        *(together.put(1, item) for item in ("a", "bad", "b")), return_exceptions=True
    )

    assert outcomes[::2] == ["A", "B"]
    assert isinstance(outcomes[1], ValueError)


async def test_a_batch_that_fails_fails_for_all_of_it_and_the_next_one_goes_on() -> None:
    together = batches(Gate(), largest=2)

    outcomes = await asyncio.gather(
        *(together.put(1, item) for item in ("a", "all", "b")), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [OSError, OSError, str]


async def test_one_too_many_is_refused_at_once() -> None:
    gate = Gate()
    together = batches(gate, waiting=2, largest=1)
    gate.open.clear()
    sent = asyncio.create_task(together.put(1, "a"))
    await settled()
    waiting = [asyncio.create_task(together.put(key, "b")) for key in (1, 1)]
    await settled()

    with pytest.raises(Overfull):
        await together.put(2, "c")

    gate.open.set()
    await asyncio.gather(sent, *waiting)
    assert await together.put(2, "d") == "D"


async def test_who_waits_too_long_is_told_and_not_sent_any_more() -> None:
    gate = Gate()
    together = batches(gate, deadline_s=0.05)
    gate.open.clear()
    sent = asyncio.create_task(together.put(1, "a"))
    await settled()

    with pytest.raises(TimeoutError):
        await together.put(1, "late")
    with pytest.raises(TimeoutError):
        await sent

    gate.open.set()
    assert await together.put(1, "b") == "B"
    assert [item for _, batch in gate.batches for item in batch] == ["a", "b"]


async def test_a_caller_that_is_cancelled_takes_nobody_with_it() -> None:
    gate = Gate()
    together = batches(gate)
    gate.open.clear()
    calls = [asyncio.create_task(together.put(1, item)) for item in "abc"]
    await settled()

    calls[1].cancel()
    await settled()
    gate.open.set()

    assert await asyncio.gather(*calls[::2]) == ["A", "C"]
    assert calls[1].cancelled()


async def test_an_idle_key_has_no_task() -> None:
    before = asyncio.all_tasks()
    together = batches(Gate())

    await asyncio.gather(*(together.put(key, "a") for key in range(20)))
    await settled()

    assert asyncio.all_tasks() == before


async def test_closing_sends_what_waits_and_takes_nothing_more() -> None:
    gate = Gate()
    together = batches(gate, largest=1)
    gate.open.clear()
    calls = [asyncio.create_task(together.put(1, item)) for item in "abc"]
    await settled()

    closing = asyncio.create_task(together.close())
    await settled()
    with pytest.raises(Overfull):
        await together.put(1, "d")
    gate.open.set()
    await closing

    assert await asyncio.gather(*calls) == ["A", "B", "C"]


async def test_closing_ends_what_does_not_come_to_an_end() -> None:
    gate = Gate()
    together = batches(gate, deadline_s=0.2)
    gate.open.clear()
    call = asyncio.create_task(together.put(1, "a"))
    await asyncio.sleep(0.1)
    late = asyncio.create_task(together.put(1, "b"))
    await settled()

    await together.close()

    for given_up in (call, late):
        with pytest.raises(TimeoutError):
            await given_up
