"""Chapter 5.9 of the contract, point by point: what the original did wrong does not come back.

Points 1, 12 and 14 are shown on real sockets by `tests.integration.test_interview_refusals`, points
10, 11 and 15 once more with workers that die and judges that fail by `test_runner` and
`test_services`.
"""

from typing import Any

import pytest
from django.urls import get_resolver

from speech.interviews import urls
from speech.interviews.effects import Evaluate
from speech.interviews.microphone import Chunk, Microphone
from speech.interviews.outcome import Metrics
from speech.interviews.transcription import Final, Partial
from tests.unit.speech.interviews import rehearsal
from tests.unit.speech.interviews.rehearsal import START_MS, Rehearsal
from tests.unit.speech.interviews.stage import (
    GUEST,
    READER,
    FakeSeat,
    FakeTime,
    LoudDetector,
    Store,
    Worker,
    loud,
    settle,
)

WORDS = "a shared lock is taken to read a row of the table"


async def test_01_a_number_that_somebody_claims_opens_nobody_elses_interview() -> None:
    worker = Worker(Store(FakeTime()))
    own, other = FakeSeat("own"), FakeSeat("other")
    await worker.start(own, READER)

    await worker.start(other, GUEST)
    await worker.service.leave(GUEST, other)
    await settle()

    assert worker.hall.runner_of(READER) is not None
    assert own.names() == ["agent_next_question", "backend_ready", "interview_started"]
    await worker.die()


@pytest.mark.parametrize("spoken_s", [0, 0.4, 1, 3, 5])
def test_02_stopping_after_little_speech_gives_a_result(spoken_s: float) -> None:
    reader = Rehearsal().turn()
    if spoken_s:
        reader.voice(1, 1 + spoken_s).caption(WORDS)

    metrics = reader.at(8).stop().result["metrics"]

    assert metrics["speaking_time"] == spoken_s
    assert (metrics["wpm"] > 0) == (spoken_s >= 1)


def test_03_every_turn_has_a_latency_of_its_own() -> None:
    reader = Rehearsal()
    for start_s, latency_s in ((10, 1), (30, 2), (50, 6)):
        reader.at(start_s).turn().voice(start_s + latency_s, start_s + 10).caption(WORDS).done()

    result = reader.stop().result

    assert [pair["response_latency"] for pair in result["qa_pairs"]] == [1, 2, 6]
    assert result["metrics"]["avg_response_latency"] == 3


def test_04_no_pause_reaches_from_one_turn_into_the_next() -> None:
    reader = Rehearsal()
    for start_s in (10, 40, 90):
        reader.at(start_s).turn().voice(start_s + 8, start_s + 12).caption(WORDS).done()

    metrics = reader.stop().result["metrics"]

    assert (metrics["pause_count"], metrics["long_pause_count"]) == (0, 0)


def test_05_one_clock_measures_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same interview at another time, and with a clock that is turned back, is the same."""

    def metrics() -> Any:
        reader = Rehearsal().at(5).turn().voice(7, 17).voice(19, 29).caption(WORDS)
        return reader.at(60).stop().result["metrics"]

    now = metrics()
    monkeypatch.setattr(rehearsal, "START_MS", START_MS - 1_000_000_000_000)
    assert metrics() == now


def test_06_a_text_that_comes_late_is_no_speech() -> None:
    reader = Rehearsal().turn().voice(1, 4).at(9)
    reader.say(reader.interview.recognise, [Partial("a shared"), Final(WORDS)], by="ears")
    reader.at(14).caption(f"{WORDS} and more")

    result = reader.stop().result

    assert result["timeline"][0]["speech"] == [(1, 4)]
    assert result["metrics"]["speaking_time"] == 3


def test_07_transcript_conversation_and_fluency_say_what_they_are_called() -> None:
    reader = Rehearsal()
    for start_s, words in ((10, "the first answer has words"), (30, "and so has the second")):
        reader.at(start_s).turn().voice(start_s + 1, start_s + 6).caption(words).done()

    result = reader.stop().result

    assert result["transcript"] == "the first answer has words\nand so has the second"
    first, second = result["qa_pairs"]
    assert result["conversation"] == (
        f"Q: {first['question']}\n\nA: {first['answer']}\n\n"
        f"Q: {second['question']}\n\nA: {second['answer']}"
    )
    metrics = result["metrics"]
    assert metrics["fluency_score"] not in (metrics["speaking_ratio"], 0)


def test_07_a_stress_test_has_an_effect() -> None:
    def asked(*, stress: bool) -> list[Any]:
        reader = Rehearsal(stress=stress, topic="DBMS")
        for _ in range(3):
            reader.answer()
        return reader.all("agent_next_question")

    ordinary, stressed = asked(stress=False), asked(stress=True)

    assert not any(question["curveball"] for question in ordinary)
    assert [question["curveball"] for question in stressed][:3] == [False, True, False]
    assert stressed[0]["difficulty"] == "hard" != ordinary[0]["difficulty"]


def test_08_the_answer_that_was_expected_is_the_one_that_was_judged() -> None:
    """Once for an answer, with the concepts of its question; what is shown is what steers."""
    reader = Rehearsal()
    reader.works -= {Evaluate}
    reader.similarity = 0.9
    reader.answer()
    (judged,) = [effect for effect in reader.pending if isinstance(effect, Evaluate)]
    reader.finish(judged)
    told = reader.last("user_answer_complete")
    (pair,) = reader.stop().result["qa_pairs"]

    assert judged.question.concepts
    assert judged.question.expected_answer == pair["expected_answer"] != ""
    assert told["similarity"] == pair["similarity"] == 0.9


def test_09_sound_is_let_go_with_its_turn() -> None:
    microphone = Microphone(LoudDetector)
    microphone.begin_turn()
    microphone.feed(Chunk(loud(2), 16_000, START_MS + 2_000))
    microphone.end_turn()
    assert microphone.take_pieces()

    assert microphone.sound_from(0, most_bytes=1_000) == b""
    assert microphone.feed(Chunk(loud(2), 16_000, START_MS + 4_000)).speech == ()
    assert microphone.sound_from(0, most_bytes=1_000) == b""


@pytest.mark.parametrize("end", ["stop", "leave"])
async def test_10_nothing_of_an_interview_stays_in_a_worker(end: str) -> None:
    worker = Worker(Store(FakeTime()))
    seat = FakeSeat()
    runner = await worker.start(seat)
    await runner.interviewer_done(seat)

    await (runner.stop(seat) if end == "stop" else runner.leave())
    await settle()

    assert worker.hall.runner_of(READER) is None
    assert (worker.hall._runners, worker.hall._tasks) == ({}, {})
    assert worker.store.sounds.kept == {}


def test_11_the_server_ends_an_interview_after_half_an_hour() -> None:
    reader = Rehearsal().at(1_799.9)
    assert "interview_complete" not in reader.names()

    assert reader.at(1_800).result["reason"] == "time_limit"


def test_13_metrics_are_numbers_and_nothing_else() -> None:
    metrics = Rehearsal().turn().voice(1, 4).caption(WORDS).at(9).stop().result["metrics"]

    assert set(metrics) == set(Metrics.__struct_fields__)
    assert {type(value) for value in metrics.values()} <= {int, float}


def test_14_no_address_lists_interviews_of_others() -> None:
    names = {pattern.name for pattern in urls.urlpatterns}

    assert names == {
        "interviews", "interview-live", "interview-question", "interview-guest-result",
        "interview-result", "interview-delete", "interview-export",
    }  # fmt: skip
    assert not [name for name in get_resolver().reverse_dict if "debug" in str(name).lower()]


def test_15_an_answer_that_cannot_be_judged_does_not_end_the_interview() -> None:
    reader = Rehearsal()
    reader.works -= {Evaluate}
    reader.answer()

    reader.fail(reader.pending[-1])

    assert reader.names()[-3:] == ["interview_error", "user_answer_complete", "agent_next_question"]
    assert reader.last("user_answer_complete")["similarity"] == 0
