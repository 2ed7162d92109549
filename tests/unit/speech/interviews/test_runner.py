"""An interview as a worker runs it: its timers, its work, its ear, its life. Time is a test's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from readrealm.kernel.errors import PayloadTooLarge, ProviderUnavailable, SessionNotFound
from speech.interviews import sound_keeping
from speech.interviews.contract import InterviewContract
from speech.interviews.effects import Effects
from speech.interviews.keeping import RENEW_MS
from speech.interviews.live_store import Snapshot
from speech.interviews.recognition import LONGEST_WAIT_S
from speech.interviews.runner import InterviewRunner
from speech.interviews.state import Rules
from speech.interviews.transcription import (
    Final,
    Hearing,
    Partial,
    ScriptedTranscriber,
    ScriptedTurn,
)
from tests.unit.speech.interviews.stage import (
    FakeSeat,
    FakeTime,
    Store,
    Worker,
    loud,
    settle,
    silence,
    stream,
)

SENTENCE = "a shared lock is taken to read a row of the table"


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    worker = Worker(Store(FakeTime()))
    yield worker
    await worker.die()


async def a_turn(worker: Worker, seat: FakeSeat, **options: Any) -> InterviewRunner:
    runner = await worker.start(seat, **options)
    await runner.interviewer_done(seat)
    return runner


async def test_it_opens_in_the_order_of_the_contract(worker: Worker) -> None:
    seat = FakeSeat()

    await worker.start(seat)

    assert seat.names() == ["agent_next_question", "backend_ready", "interview_started"]
    assert worker.store.saves == 1


async def test_time_is_told_every_second_on_its_dot(worker: Worker) -> None:
    seat = FakeSeat()
    await worker.start(seat)

    await worker.time.pass_s(60)

    left = [timer["time_remaining"] for timer in seat.all("timer_update")]
    assert left == list(range(1799, 1739, -1))


async def test_a_second_does_not_wait_until_a_step_is_kept(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat)
    gate = asyncio.Event()

    async def slow(snapshot: Snapshot) -> None:
        await gate.wait()

    worker.live.save = slow  # type: ignore[method-assign]
    stepping = asyncio.create_task(runner.interviewer_done(seat))
    await worker.time.pass_s(3)

    assert "user_turn_started" not in seat.names()
    assert len(seat.all("timer_update")) == 3
    gate.set()
    await stepping
    assert "user_turn_started" in seat.names()


async def test_fifteen_seconds_of_silence_end_a_turn(worker: Worker) -> None:
    seat = FakeSeat()
    await a_turn(worker, seat)

    await worker.time.pass_s(14.999)
    assert "user_answer_complete" not in seat.names()
    await worker.time.pass_s(0.001)
    await settle()

    assert seat.last("user_answer_complete")["answer"] == "[User remained silent]"
    assert worker.judge.judged == []


async def test_an_answer_is_judged_and_followed_by_the_next_question(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)

    await runner.user_done(seat)
    await settle()

    assert seat.names()[-3:] == [
        "force_stop_speaking",
        "user_answer_complete",
        "agent_next_question",
    ]
    assert worker.judge.judged == [SENTENCE]
    assert (
        seat.last("user_answer_complete")["next_question"]
        == (seat.last("agent_next_question")["question"])
    )


async def test_a_whole_interview_is_kept_before_it_is_told(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await settle()

    result = seat.last("interview_complete")
    assert seat.names()[-1] == "interview_complete"
    assert list(worker.store.results) == [result["session_id"]]
    assert runner.is_over
    assert worker.store.records[result["session_id"]]["snapshot"].is_done


async def test_while_the_store_is_away_nothing_is_told_and_nothing_is_lost(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat)
    worker.store.is_away = True

    await runner.stop(seat)
    await worker.time.pass_s(20)
    assert "interview_complete" not in seat.names()
    assert seat.last("interview_error")["event"] == "interview_complete"

    worker.store.is_away = False
    await worker.time.pass_s(60)
    await settle()
    assert seat.names()[-1] == "interview_complete"
    assert len(worker.store.results) == 1


async def test_a_judge_who_fails_costs_the_answer_and_not_the_interview(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    worker.judge.error = ProviderUnavailable("the model is away")
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await settle()

    assert seat.last("interview_error")["code"] == "PROVIDER_UNAVAILABLE"
    assert seat.last("user_answer_complete")["similarity"] == 0
    assert seat.names()[-1] == "agent_next_question"


async def test_a_judge_with_a_bug_does_not_hang_the_interview(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    worker.judge.error = ZeroDivisionError()
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await settle()

    assert seat.names()[-1] == "agent_next_question"
    assert "ZeroDivision" not in str(seat.told)


async def test_a_judge_who_never_answers_is_done_without(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    worker.judge.is_slow = True
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await worker.time.pass_s(Rules().evaluate_ms / 1000)
    await settle()

    assert seat.names()[-1] == "agent_next_question"


async def test_the_interview_ends_by_itself_when_the_time_is_over(worker: Worker) -> None:
    seat = FakeSeat()
    await worker.start(seat)

    await worker.time.pass_s(1_800)
    await settle()

    assert seat.last("timer_update")["time_remaining"] <= 1
    assert seat.last("interview_complete")["reason"] == "time_limit"
    assert seat.last("interview_complete")["total_duration"] == 1_800


async def test_nothing_is_done_twice_when_commands_meet(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)

    await asyncio.gather(*(runner.user_done(seat) for _ in range(5)), return_exceptions=True)
    await settle()

    assert seat.names().count("user_answer_complete") == 1
    assert seat.names().count("force_stop_speaking") == 1


async def test_who_asks_may_go_and_what_was_begun_is_finished(worker: Worker) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()

    class Slow(FakeSeat):
        async def tell(self, event: InterviewContract) -> None:
            await super().tell(event)
            if self.names()[-1] == "force_stop_speaking":
                reached.set()
                await gate.wait()

    seat = Slow()
    runner = await a_turn(worker, seat, question_count=1)
    await runner.caption(SENTENCE, is_final=True)
    asking = asyncio.create_task(runner.user_done(seat))
    await reached.wait()

    asking.cancel()
    await settle()
    gate.set()
    await settle()

    assert asking.cancelled()
    assert seat.names()[-1] == "interview_complete"


async def test_a_refusal_leaves_what_was_due_done(worker: Worker) -> None:
    """What a timer wanted is not lost because the command of that moment is refused."""
    seat = FakeSeat()
    runner = await worker.start(seat)
    worker.time.ms += 5_000  # as if the loop had been blocked

    with pytest.raises(PayloadTooLarge):
        await runner.act(_refuse)

    assert seat.names(timers=True)[-1] == "timer_update"


def _refuse(now_ms: int) -> Effects:
    raise PayloadTooLarge("too much")


# ------------------------------------------------------------------------ sound


async def test_voice_is_heard_to_the_millisecond_of_its_samples(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    # 1.5 s and 2 s of voice in whole windows of 32 ms, 1.6 s between.
    await stream(worker, runner, [silence(0.512), loud(1.504), silence(1.6), loud(2.016)])
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await settle()

    (turn,) = seat.last("interview_complete")["timeline"]
    metrics = seat.last("interview_complete")["metrics"]
    assert turn["speech"] == [pytest.approx([0.512, 2.016]), pytest.approx([3.616, 5.632])]
    assert (metrics["pause_count"], metrics["avg_pause_duration"]) == (1, 1.6)


async def test_voice_puts_off_the_end_of_a_turn(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await worker.time.pass_s(10)
    await stream(worker, runner, [loud(10)])

    assert "user_answer_complete" not in seat.names()
    await worker.time.pass_s(15)
    await settle()
    assert "user_answer_complete" in seat.names()


async def test_sound_between_turns_is_ignored(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat, question_count=1)
    await stream(worker, runner, [loud(3)])
    await runner.interviewer_done(seat)
    await stream(worker, runner, [silence(1)])
    await runner.user_done(seat)
    await settle()

    assert seat.last("interview_complete")["metrics"]["speaking_time"] == 0
    assert "interview_error" not in seat.names()


async def test_a_recogniser_hears_the_turn_and_then_hears_it_again_with_care() -> None:
    turn = ScriptedTurn(
        cues=[(200, Partial("a shared")), (1_000, Partial("a shared look"))], final=SENTENCE
    )
    worker = Worker(Store(FakeTime()), transcriber=lambda: ScriptedTranscriber([turn]))
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    await stream(worker, runner, [silence(1), loud(2)])
    await runner.user_done(seat)
    await settle()

    shown = [event["text"] for event in seat.all("live_transcript")]
    assert shown == ["a shared", "a shared look"]
    (pair,) = seat.last("interview_complete")["qa_pairs"]
    assert (pair["answer"], pair["heard_by"]) == (SENTENCE, "script")
    await worker.die()


async def test_a_recogniser_that_takes_its_time_holds_up_nothing() -> None:
    """The interview does without it, and the next turn is heard while it still listens."""

    class Slow(ScriptedTranscriber):
        async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
            await asyncio.Event().wait()
            return ()

    script = [ScriptedTurn(cues=[(200, Partial(text))]) for text in ("first words", "second words")]
    worker = Worker(Store(FakeTime()), transcriber=lambda: Slow(script))
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await stream(worker, runner, [loud(2)])
    await runner.user_done(seat)
    await worker.time.pass_s(Rules().transcribe_ms / 1000 + 4)
    await settle()
    assert seat.last("user_answer_complete")["answer"] == "first words"
    assert seat.last("interview_error")["code"] == "PROVIDER_UNAVAILABLE"

    await runner.interviewer_done(seat)
    await stream(worker, runner, [loud(2)])

    assert seat.last("live_transcript")["text"] == "second words"
    await worker.die()


async def test_an_answer_that_waits_for_a_recogniser_is_not_given_up() -> None:
    """Where more answers end at once than can be heard, each is heard when it is its turn."""
    heard = asyncio.Event()

    class Queued(ScriptedTranscriber):
        async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
            await heard.wait()
            return await super().end_turn(pcm)

    turns = [ScriptedTurn(final=SENTENCE)]
    worker = Worker(Store(FakeTime()), transcriber=lambda: Queued(turns))
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    await stream(worker, runner, [loud(2)])
    await runner.user_done(seat)
    await worker.time.pass_s(LONGEST_WAIT_S)
    await settle()
    assert "user_answer_complete" not in seat.names()

    heard.set()
    await settle()

    assert seat.last("user_answer_complete")["answer"] == SENTENCE
    assert "interview_error" not in seat.names()
    await worker.die()


async def test_where_the_browser_hears_no_recogniser_has_to() -> None:
    turn = ScriptedTurn(cues=[(200, Partial("nonsense"))], final="more nonsense than that")
    worker = Worker(Store(FakeTime()), transcriber=lambda: ScriptedTranscriber([turn]))
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    await runner.caption(SENTENCE, is_final=True)
    await stream(worker, runner, [loud(2)])
    await runner.user_done(seat)
    await settle()

    assert seat.last("interview_complete")["heard_by"] == ["captions"]
    assert "nonsense" not in str(seat.told)
    await worker.die()


async def test_words_of_another_worker_stay_before_those_that_are_heard_here() -> None:
    first = Worker(
        Store(FakeTime()),
        "w1",
        transcriber=lambda: ScriptedTranscriber([ScriptedTurn(cues=[(200, Partial("one two"))])]),
    )
    rest = ScriptedTurn(cues=[(200, Partial("three"))], final="three four five")
    first.store.sounds.is_away = True
    second = Worker(first.store, "w2", transcriber=lambda: ScriptedTranscriber([rest]))
    seat, other = FakeSeat(), FakeSeat("another socket")
    runner = await a_turn(first, seat, question_count=1)
    await stream(first, runner, [loud(2)])
    await runner.detach(seat)

    resumed = await second.start(other, resume=True)
    await stream(second, resumed, [silence(1), loud(2)])
    await resumed.user_done(other)
    await settle()

    assert [event["text"] for event in other.all("live_transcript")][-1] == "one two three"
    (pair,) = other.last("interview_complete")["qa_pairs"]
    assert pair["answer"] == "one two three four five"
    for worker in (first, second):
        await worker.die()


class Attentive(ScriptedTranscriber):
    """Says how much it was given of each whole turn."""

    async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
        return (Final(f"{len(pcm) / 32_000:.1f} seconds were heard"),)


Two = tuple[Worker, Worker]


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound is kept as it comes; a test has no second to wait for."""
    monkeypatch.setattr(sound_keeping, "KEEP_EVERY_S", 0)


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Two workers with ears, and a store between them."""
    store = Store(FakeTime())
    both = tuple(Worker(store, name, transcriber=lambda: Attentive([])) for name in ("w1", "w2"))
    yield both[0], both[1]
    for worker in both:
        await worker.die()


async def test_a_turn_that_goes_on_elsewhere_is_heard_as_a_whole(two: Two) -> None:
    first, second = two
    seat, other = FakeSeat(), FakeSeat("another socket")
    runner = await a_turn(first, seat, question_count=1)
    await stream(first, runner, [silence(1.024), loud(2.048), silence(0.512)])
    await runner.detach(seat)
    await first.time.pass_s(7)

    resumed = await second.start(other, resume=True)
    await stream(second, resumed, [silence(1.024), loud(3.072)])
    await resumed.user_done(other)
    await settle()

    result = other.last("interview_complete")
    # From half a second before the first voice to the end.
    assert result["qa_pairs"][0]["answer"] == "7.2 seconds were heard"
    assert result["metrics"]["speaking_time"] == pytest.approx(2.048 + 3.072, abs=0.1)
    assert first.store.sounds.kept == {}


async def test_what_was_said_before_a_crash_is_heard_as_far_as_it_was_kept(two: Two) -> None:
    first, second = two
    seat, other = FakeSeat(), FakeSeat("another socket")
    runner = await a_turn(first, seat, question_count=1)
    await stream(first, runner, [loud(2.048)], chunk_s=2.048)
    await first.die()
    await second.time.pass_s(7)

    resumed = await second.start(other, resume=True)
    await stream(second, resumed, [loud(1.024)])
    await resumed.user_done(other)
    await settle()

    (pair,) = other.last("interview_complete")["qa_pairs"]
    assert pair["answer"] == "3.1 seconds were heard"


@pytest.mark.parametrize("end", ["the worker ends", "the connection is lost"])
async def test_the_last_sound_before_an_end_is_kept(
    two: Two, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what has come and is not heard yet, and what the next second would have kept."""
    monkeypatch.setattr(sound_keeping, "KEEP_EVERY_S", 3_600)
    first, second = two
    seat, other = FakeSeat(), FakeSeat("another socket")
    runner = await a_turn(first, seat, question_count=1)
    await stream(first, runner, [loud(2.048)])
    runner.listen(loud(0.512), 16_000)
    if end == "the worker ends":
        await first.hall.close()
    else:
        await runner.detach(seat)

    resumed = await second.start(other, resume=True)
    await resumed.user_done(other)
    await settle()

    (pair,) = other.last("interview_complete")["qa_pairs"]
    assert pair["answer"] == "2.6 seconds were heard"


async def test_a_turn_whose_worker_dies_while_it_is_heard_again_is_heard_by_another() -> None:
    class Busy(ScriptedTranscriber):
        async def end_turn(self, pcm: bytes) -> Sequence[Hearing]:
            await asyncio.Event().wait()
            return ()

    store = Store(FakeTime())
    first = Worker(store, "w1", transcriber=lambda: Busy([]))
    second = Worker(store, "w2", transcriber=lambda: Attentive([]))
    seat, other = FakeSeat(), FakeSeat("another socket")
    runner = await a_turn(first, seat, question_count=1)
    await stream(first, runner, [loud(2.048)])
    await runner.user_done(seat)
    await settle()
    await first.die()
    await second.time.pass_s(7)

    await second.start(other, resume=True)
    await settle()

    (pair,) = other.last("interview_complete")["qa_pairs"]
    assert pair["answer"] == "2.0 seconds were heard"
    await second.die()


async def test_sound_is_forgotten_when_its_turn_is_heard(two: Two) -> None:
    worker, _ = two
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await stream(worker, runner, [loud(1.024)])
    assert [turn for _, turn in worker.store.sounds.kept] == [1]
    await runner.user_done(seat)
    await settle()
    await runner.interviewer_done(seat)
    await settle()
    assert worker.store.sounds.kept == {}

    await stream(worker, runner, [loud(1.024)])
    assert [turn for _, turn in worker.store.sounds.kept] == [2]
    await runner.leave()
    await settle()

    assert worker.store.sounds.kept == {}


async def test_a_store_of_sound_that_is_away_costs_nothing_but_the_sound(two: Two) -> None:
    worker, _ = two
    worker.store.sounds.is_away = True
    seat = FakeSeat()
    runner = await a_turn(worker, seat, question_count=1)
    await stream(worker, runner, [loud(2.048)])
    await runner.user_done(seat)
    await settle()

    (pair,) = seat.last("interview_complete")["qa_pairs"]
    assert pair["answer"] == "2.0 seconds were heard"
    assert "interview_error" not in seat.names()


async def test_where_the_browser_hears_no_sound_is_kept(two: Two) -> None:
    worker, _ = two
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)
    await stream(worker, runner, [loud(2.048)])

    assert worker.store.sounds.kept == {}


async def test_a_chunk_with_too_much_sound_is_refused_and_the_next_is_heard(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    runner.listen(loud(11.5), 16_000)
    await settle()
    await stream(worker, runner, [loud(1)])

    assert seat.last("interview_error")["code"] == "PAYLOAD_TOO_LARGE"
    assert runner.interview.state.turn is not None
    assert runner.interview.state.turn.speech


# ------------------------------------------------------------------------ life


async def test_a_snapshot_is_never_older_than_two_seconds(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)
    await worker.time.pass_s(RENEW_MS / 1000)

    (record,) = worker.store.records.values()
    assert record["snapshot"].state.turn.captions.final == SENTENCE


async def test_a_step_is_kept_before_the_reader_hears_of_it(worker: Worker) -> None:
    kept_when_told: list[int] = []

    class Watching(FakeSeat):
        async def tell(self, event: InterviewContract) -> None:
            (record,) = worker.store.records.values()
            kept_when_told.append(record["snapshot"].state.questions_asked)
            await super().tell(event)

    seat = Watching()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)
    await runner.user_done(seat)
    await settle()

    at_second_question = seat.names(timers=True).index("agent_next_question", 3)
    assert kept_when_told[at_second_question] == 2


async def test_who_lost_the_lease_stops_and_says_so(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat)
    (record,) = worker.store.records.values()
    record["holder"] = "another worker"
    told = len(seat.told)

    await runner.interviewer_done(seat)
    await worker.time.pass_s(120)

    (lost,) = seat.told[told:]
    assert (lost[0], lost[1]["code"]) == ("interview_error", "SESSION_NOT_FOUND")
    assert runner.is_over
    with pytest.raises(SessionNotFound):
        await runner.stop(seat)


async def test_leaving_forgets_the_interview(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await worker.start(seat)
    told = len(seat.told)

    await runner.leave()
    await worker.time.pass_s(120)

    assert (worker.store.records, worker.store.results) == ({}, {})
    assert seat.told[told:] == []


async def test_a_lost_connection_is_waited_for_and_then_finished(worker: Worker) -> None:
    seat = FakeSeat()
    runner = await a_turn(worker, seat)
    await runner.caption(SENTENCE, is_final=True)
    await worker.time.pass_s(5)
    await runner.detach(seat)
    told = len(seat.told)

    await worker.time.pass_s(59.9)
    assert not worker.store.results
    await worker.time.pass_s(0.2)
    await settle()

    ((owner, result),) = worker.store.results.values()
    assert (owner.user_id, result.reason, result.total_duration) == (7, "disconnected", 5)
    assert [pair.answer for pair in result.qa_pairs] == [SENTENCE]
    assert seat.told[told:] == []
