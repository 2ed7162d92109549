"""Who may begin, go on with, stop and leave an interview, over all workers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from readrealm.kernel.errors import (
    InterviewInProgress,
    InvalidInput,
    SessionNotFound,
    StoreUnavailable,
)
from speech.interviews.hall import ADOPTED_AT_ONCE
from speech.interviews.live_store import LEASE_MS
from speech.interviews.owners import Owner
from tests.unit.speech.interviews.stage import (
    GUEST,
    READER,
    FakeSeat,
    FakeTime,
    Store,
    Worker,
    settle,
)

SENTENCE = "a shared lock is taken to read a row of the table"
REPEATS_S = LEASE_MS / 1000 + 1


@pytest.fixture
async def workers() -> AsyncIterator[tuple[Worker, Worker]]:
    store = Store(FakeTime())
    pair = Worker(store, "w1"), Worker(store, "w2")
    yield pair
    for worker in pair:
        await worker.die()


Pair = tuple[Worker, Worker]


async def test_a_reader_has_one_live_interview_on_a_worker(workers: Pair) -> None:
    here, _ = workers
    await here.start(FakeSeat())

    with pytest.raises(InterviewInProgress):
        await here.start(FakeSeat("another socket"))


async def test_a_reader_has_one_live_interview_over_all_workers(workers: Pair) -> None:
    here, there = workers
    await here.start(FakeSeat())

    with pytest.raises(InterviewInProgress):
        await there.start(FakeSeat("another socket"))
    assert len(here.store.records) == 1


async def test_of_two_who_begin_at_once_one_does(workers: Pair) -> None:
    here, there = workers

    outcomes = await asyncio.gather(
        here.start(FakeSeat("one")), there.start(FakeSeat("other")), return_exceptions=True
    )

    assert [isinstance(outcome, InterviewInProgress) for outcome in outcomes].count(True) == 1
    assert len(here.store.records) == 1


async def test_a_guest_who_claims_the_number_of_an_account_is_somebody_else(workers: Pair) -> None:
    here, there = workers
    seat, guest = FakeSeat(), FakeSeat("a guest")
    await here.start(seat, READER)
    await there.start(guest, GUEST)

    await there.service.stop(GUEST, guest)
    await settle()

    assert guest.names()[-1] == "interview_complete"
    assert "interview_complete" not in seat.names()


async def test_the_same_socket_begins_anew_and_abandons_the_first(workers: Pair) -> None:
    here, _ = workers
    seat = FakeSeat()
    first = await here.start(seat)
    second = await here.start(seat)

    assert first.is_over
    assert list(here.store.records) == [second.session_id]
    assert not here.store.results


async def test_beginning_anew_finishes_an_interview_that_nobody_attends(workers: Pair) -> None:
    here, there = workers
    first = await here.start(FakeSeat())
    await first.interviewer_done(FakeSeat())
    await first.caption(SENTENCE, is_final=True)
    await first.detach(first.seat)  # type: ignore[arg-type]

    await there.start(FakeSeat("another socket"))
    await settle()

    (kept,) = here.store.results.values()
    assert (kept[1].reason, kept[1].session_id) == ("disconnected", first.session_id)
    assert [pair.answer for pair in kept[1].qa_pairs] == [SENTENCE]


async def test_a_lost_connection_goes_on_on_the_same_worker(workers: Pair) -> None:
    here, _ = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    runner = await here.start(seat)
    await runner.detach(seat)

    assert await here.start(again, resume=True) is runner
    assert again.names() == ["agent_next_question", "backend_ready", "interview_started"]
    assert again.last("interview_started")["resumed"] is True


async def test_and_on_another_one(workers: Pair) -> None:
    here, there = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    runner = await here.start(seat)
    await runner.detach(seat)
    await here.time.pass_s(30)

    resumed = await there.start(again, resume=True)
    await here.time.pass_s(3)

    assert resumed.session_id == runner.session_id
    assert (runner.is_over, resumed.is_over) == (True, False)
    assert again.last("agent_next_question") == seat.last("agent_next_question")
    assert again.last("timer_update")["time_remaining"] == 1767


async def test_any_command_attaches_a_socket_again(workers: Pair) -> None:
    here, there = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    runner = await here.start(seat)
    await runner.detach(seat)

    resumed = await there.service.attend(READER, again)

    assert resumed.seat is again


async def test_after_the_grace_time_there_is_nothing_to_go_on_with(workers: Pair) -> None:
    here, there = workers
    seat = FakeSeat()
    runner = await here.start(seat)
    await runner.detach(seat)
    await here.time.pass_s(61)

    with pytest.raises(SessionNotFound):
        await there.start(FakeSeat("another socket"), resume=True)
    assert len(here.store.results) == 1


async def test_a_dead_worker_is_followed_when_its_lease_has_ended(workers: Pair) -> None:
    here, there = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    runner = await here.start(seat)
    await runner.interviewer_done(seat)
    await runner.caption(SENTENCE, is_final=True)
    await here.time.pass_s(2)
    await here.die()

    resumed = await there.start(again, resume=True)

    assert again.last("live_transcript")["text"] == SENTENCE
    await resumed.stop(again)
    await settle()
    assert again.last("interview_complete")["reason"] == "stopped"


async def test_work_that_died_with_a_worker_is_done_again(workers: Pair) -> None:
    here, there = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    here.judge.is_slow = True
    runner = await here.start(seat, question_count=1)
    await runner.interviewer_done(seat)
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await here.time.pass_s(2.5)
    await here.die()

    await there.start(again, resume=True)
    await settle()

    assert there.judge.judged == [SENTENCE]
    assert again.last("interview_complete")["qa_pairs"][0]["answer"] == SENTENCE


async def test_an_orphan_comes_to_its_result_without_its_reader(workers: Pair) -> None:
    here, there = workers
    await here.start(FakeSeat())
    await here.die()

    await there.upkeep.adopt_orphans()
    assert there.hall.runner_of(READER) is None
    await there.time.pass_s(REPEATS_S)
    await there.upkeep.adopt_orphans()
    assert there.hall.runner_of(READER) is not None
    await there.time.pass_s(61)
    await settle()

    ((_, result),) = here.store.results.values()
    assert result.reason == "disconnected"


async def test_orphans_are_adopted_a_few_at_a_time(workers: Pair) -> None:
    here, there = workers
    for number in range(ADOPTED_AT_ONCE + 5):
        await here.start(FakeSeat(), Owner(number + 1, is_account=True))
    await here.die()
    await there.time.pass_s(REPEATS_S)

    await there.upkeep.adopt_orphans()

    assert len(there.hall._tasks) == ADOPTED_AT_ONCE


async def test_a_worker_that_ends_leaves_its_interviews_to_others_at_once(workers: Pair) -> None:
    here, there = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    runner = await here.start(seat)
    await here.hall.close()
    assert runner.is_over

    before = here.time.ms
    await there.start(again, resume=True)

    assert here.time.ms == before


async def test_an_account_takes_its_interview_from_a_socket_that_seems_alive(workers: Pair) -> None:
    here, _ = workers
    seat, again = FakeSeat(), FakeSeat("another socket")
    await here.start(seat)

    runner = await here.start(again, resume=True)

    assert runner.seat is again
    assert seat.last("interview_error")["code"] == "INTERVIEW_IN_PROGRESS"
    told = len(seat.told)
    await runner.interviewer_done(again)
    assert len(seat.told) == told


async def test_and_from_another_worker() -> None:
    store = Store(FakeTime())

    async def summon(channel: str) -> None:
        runner = here.hall.runner_of(READER)
        assert runner is not None
        assert channel == "a socket"
        await runner.hand_over()

    here, there = Worker(store, "w1"), Worker(store, "w2", summon=summon)
    seat, again = FakeSeat(), FakeSeat("another socket")
    await here.start(seat)
    await here.time.pass_s(0.1)

    runner = await there.start(again, resume=True)

    assert runner.seat is again
    for worker in (here, there):
        await worker.die()


async def test_a_guest_takes_nothing_from_a_socket_that_seems_alive(workers: Pair) -> None:
    here, there = workers
    await here.start(FakeSeat(), GUEST)

    for worker in (here, there):
        with pytest.raises(InterviewInProgress):
            await worker.start(FakeSeat("another socket"), GUEST, resume=True)
    assert there.summoned == []


async def test_stopping_again_tells_the_same_result_wherever_one_is(workers: Pair) -> None:
    here, there = workers
    seat, other = FakeSeat(), FakeSeat("another socket")
    await here.start(seat)
    await here.service.stop(READER, seat)
    await settle()

    await there.service.stop(READER, other)

    assert other.last("interview_complete") == seat.last("interview_complete")
    assert len(here.store.results) == 1


async def test_an_interview_that_was_left_has_no_result(workers: Pair) -> None:
    here, there = workers
    seat = FakeSeat()
    await here.start(seat)
    await here.service.leave(READER, seat)

    with pytest.raises(SessionNotFound):
        await there.service.stop(READER, seat)
    await here.service.leave(READER, seat)
    assert not here.store.results


async def test_leaving_from_another_socket_changes_nothing(workers: Pair) -> None:
    here, _ = workers
    runner = await here.start(FakeSeat())

    await here.service.leave(READER, FakeSeat("another socket"))

    assert not runner.is_over


async def test_an_unknown_topic_abandons_nothing(workers: Pair) -> None:
    here, _ = workers
    seat = FakeSeat()
    runner = await here.start(seat)

    with pytest.raises(InvalidInput):
        await here.start(seat, topic="knitting")
    assert not runner.is_over


async def test_without_the_store_nothing_begins(workers: Pair) -> None:
    here, _ = workers
    here.store.is_away = True

    with pytest.raises(StoreUnavailable):
        await here.start(FakeSeat())
    assert here.hall.runner_of(READER) is None


async def test_what_was_shown_steers_the_next_interview(workers: Pair) -> None:
    here, _ = workers
    asked: list[Any] = []
    for _ in range(2):
        seat = FakeSeat()
        runner = await here.start(seat, topic="OS", question_count=1)
        asked.append(seat.last("agent_next_question")["question"])
        await runner.interviewer_done(seat)
        await runner.caption(SENTENCE, is_final=True)
        await runner.user_done(seat)
        await settle()

    assert sum(here.store.known[READER].questions.values()) == 2
    assert asked[0] != asked[1]
