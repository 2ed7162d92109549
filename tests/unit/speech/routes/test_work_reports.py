"""What a worker reports, and in whose name."""

from typing import Any

import msgspec
import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.routes.pipeline import LongSilence, SpeechBegan, SpeechEnded
from speech.routes.work_events import Report, ReportActivity, ReportFailure, ReportTranscription
from speech.routes.work_reports import MOST_OF_AN_ERROR, StreamReports
from speech.routes.work_store import Tenure

TENURE = Tenure(session_id="s", number=2, term=7, recorded=False, offset_ms=0, text_ms=0)
TIMES = {"start_ms": 100, "end_ms": 900}


class Desk:
    """Keeps what it is given, in order."""

    def __init__(self) -> None:
        self.told: list[Report] = []
        self.delivered: list[Report] = []

    def tell(self, report: Report) -> None:
        self.told.append(report)

    async def deliver(self, report: Report) -> None:
        self.delivered.append(report)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def reports(desk: Desk) -> StreamReports:
    return StreamReports(TENURE, desk)


@pytest.mark.parametrize(
    ("happening", "said"),
    [
        (SpeechBegan(40), {"sessionId": "s", "speaking": True, "atMs": 40}),
        (SpeechEnded(90), {"sessionId": "s", "speaking": False, "atMs": 90}),
        (
            LongSilence(900, 800),
            {"sessionId": "s", "speaking": False, "atMs": 900, "silenceMs": 800},
        ),
    ],
)
def test_activity_is_of_the_moment(
    desk: Desk, reports: StreamReports, happening: Any, said: dict[str, Any]
) -> None:
    reports.activity(happening)

    (report,) = desk.told
    assert isinstance(report, ReportActivity)
    assert wire(report) == {"stream": 2, "term": 7, "result": said}
    assert desk.delivered == []


async def test_an_interim_text_is_of_the_moment_and_a_final_one_lasts(
    desk: Desk, reports: StreamReports
) -> None:
    reports.interim(4, "call me", **TIMES)
    await reports.final(5, "call me ishmael", **TIMES, speaker="A")

    (interim,), (final,) = desk.told, desk.delivered
    assert isinstance(interim, ReportTranscription)
    assert isinstance(final, ReportTranscription)
    assert (interim.result.is_final, interim.result.seq, interim.result.text) == (
        False,
        4,
        "call me",
    )
    assert (final.result.is_final, final.result.speaker) == (True, "A")
    assert "speaker" not in wire(interim)["result"]
    assert wire(final)["result"]["startMs"] == 100


async def test_a_failure_is_delivered_once_for_each_reason_and_never_too_long(
    desk: Desk, reports: StreamReports
) -> None:
    for reason in ("no model", "no model", "x" * 1_000):
        await reports.failure(3, ProviderUnavailable(reason))
    await reports.failure(9, KeyError("secret"))

    assert all(isinstance(report, ReportFailure) for report in desk.delivered)
    told = [wire(report)["result"] for report in desk.delivered]
    assert [each["seq"] for each in told] == [3, 3, 9]
    assert [each["code"] for each in told] == [
        "PROVIDER_UNAVAILABLE",
        "PROVIDER_UNAVAILABLE",
        "INTERNAL_ERROR",
    ]
    assert len(told[1]["error"]) == MOST_OF_AN_ERROR
    assert "secret" not in str(told)


def wire(report: Report) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(report)
    return made
