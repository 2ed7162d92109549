import csv
import io

from msgspec.structs import fields

from speech.interviews.exports import UNITS, file_name, metrics_as_csv
from speech.interviews.outcome import Metrics
from tests.unit.speech.interviews.sample_results import silent_result, spoken_result


def rows(result):
    return list(csv.DictReader(io.StringIO(metrics_as_csv(result))))


def test_every_metric_has_a_row_with_the_value_of_the_result():
    result = spoken_result()

    found = rows(result)

    assert [row["metric"] for row in found] == [field.name for field in fields(Metrics)]
    for row in found:
        assert float(row["value"]) == getattr(result.metrics, row["metric"])


def test_bounds_of_good_ranges_stand_beside_their_metric_and_open_ones_are_empty():
    bounds = {row["metric"]: (row["good_from"], row["good_to"]) for row in rows(spoken_result())}

    assert bounds["wpm"] == ("120.0", "160.0")
    assert bounds["fluency_score"] == ("0.75", "")
    assert bounds["long_pause_count"] == ("", "5.0")
    assert bounds["total_words"] == ("", "")


def test_units_are_those_of_metrics():
    assert UNITS.keys() <= {field.name for field in fields(Metrics)}
    assert {row["metric"]: row["unit"] for row in rows(spoken_result())}["wpm"] == "words/min"


def test_an_interview_without_speech_is_a_table_of_zeros():
    assert all(float(row["value"]) >= 0 for row in rows(silent_result()))


def test_files_are_named_after_the_start():
    assert file_name(spoken_result(), "metrics", "csv") == "interview-20231114-2213-metrics.csv"
    assert file_name(spoken_result(), "", "json") == "interview-20231114-2213.json"
