"""Chunks are taken by number; what is missing is waited for, but not for ever."""

import pytest

from speech.routes.ordering import OVERTAKEN_WAIT_MS, Take, Wait, decide

CAME = 10_000


@pytest.mark.parametrize(
    ("seq", "last", "waited_ms", "is_closed", "expected"),
    [
        (0, None, 0, False, Take(0)),
        (1, None, 0, False, Take(0)),
        (5, None, 0, False, Wait(OVERTAKEN_WAIT_MS)),  # 4 may be on its way
        (5, None, OVERTAKEN_WAIT_MS, False, Take(0)),  # a stream may begin anywhere
        (7, 6, 0, False, Take(0)),
        (9, 6, 0, False, Wait(OVERTAKEN_WAIT_MS)),
        (9, 6, 400, False, Wait(OVERTAKEN_WAIT_MS - 400)),
        (9, 6, OVERTAKEN_WAIT_MS, False, Take(2)),
        (9, 6, 0, True, Take(2)),
        (9, 6, -5_000, False, Wait(OVERTAKEN_WAIT_MS)),  # clocks of two hosts
    ],
)
def test_a_chunk_waits_for_its_predecessors(
    seq: int, last: int | None, waited_ms: int, is_closed: bool, expected: Take | Wait
) -> None:
    decision = decide(seq, last=last, came_at_ms=CAME, now_ms=CAME + waited_ms, is_closed=is_closed)

    assert decision == expected
