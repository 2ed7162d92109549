"""Results that were kept before answers told how they had been heard."""

from typing import Any

import pytest

from readrealm.kernel.wire import parse, plain
from speech.interviews import history
from speech.interviews.events import InterviewComplete
from speech.interviews.result_page import result_page
from tests.unit.speech.interviews.sample_results import spoken_result


@pytest.fixture
def kept() -> dict[str, Any]:
    """As it lies in the store."""
    report: dict[str, Any] = plain(spoken_result())
    for pair in report["qa_pairs"]:
        del pair["heard_how"]
    return report


def test_they_are_read_and_shown(kept: dict[str, Any]) -> None:
    found = parse(InterviewComplete, kept)

    assert [pair.heard_how for pair in found.qa_pairs] == [None] * len(kept["qa_pairs"])
    assert result_page(found, titles={})


def test_they_can_be_saved_as_a_table(kept: dict[str, Any]) -> None:
    report = plain(parse(InterviewComplete, kept))

    header, *rows = history.as_csv(report).splitlines()
    assert header.endswith(",heard_how")
    assert rows
    assert all(row.endswith(",") for row in rows)
