"""The short form of ``tests.benchmarks.bench_routes``: few sessions, and a death in the middle."""

import pytest

from tests.benchmarks.bench_routes import LIMIT_MS, measure
from tests.unit.speech.audio.recordings import needs_recordings


@pytest.mark.paced
@needs_recordings
@pytest.mark.timeout(180)
async def test_no_chunk_is_lost_whether_or_not_a_worker_is_killed() -> None:
    for outcome in await measure(sessions=4, seconds=8):
        assert outcome.accepted == 32
        assert outcome.lost == outcome.late == 0
        assert outcome.wrong_order == outcome.wrong_speech == outcome.short_streams == 0
        assert outcome.quantile_ms(99) < 4 * LIMIT_MS, "the machine may be busy with other tests"
        assert bool(outcome.took_over) == outcome.is_killed
