"""The pages of the interviews: who sees what, and which file they get."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client

from readrealm.kernel.wire import plain
from speech.interviews import history
from speech.interviews.events import InterviewComplete
from speech.models import InterviewQuestion, InterviewResult, InterviewSubtopic, InterviewTopic
from tests.unit.speech.interviews.sample_results import silent_result, spoken_result

pytestmark = pytest.mark.django_db

RESULT_OF_GUESTS = "/interviews/result/"


@pytest.fixture(autouse=True)
def guests_are_welcome(settings: Any) -> None:
    settings.SOCKET_AUTH = "optional"


@pytest.fixture(autouse=True)
def topic() -> InterviewTopic:
    made: InterviewTopic = InterviewTopic.objects.create(name="OS", title="Operating systems")
    part = InterviewSubtopic.objects.create(topic=made, name="threads", title="Threads")
    InterviewQuestion.objects.create(
        identifier="os-threads-1",
        subtopic=part,
        text="What do the threads of one process share, and what do they not?",
        expected_answer="They share memory and files; each has a stack of its own.",
    )
    return made


@pytest.fixture
def ada(client: Client) -> User:
    """A reader who is logged in."""
    user: User = User.objects.create_user("ada", password="call me")  # type: ignore[no-untyped-call]
    client.force_login(user)
    return user


Keep = Callable[..., InterviewComplete]


@pytest.fixture
def keep(ada: User) -> Keep:
    """Have an account, `ada` unless told otherwise, an interview."""

    def kept(result: InterviewComplete, *, user: User = ada) -> InterviewComplete:
        metrics = result.metrics
        InterviewResult.objects.create(
            session_id=result.session_id,
            user=user,
            started_at=datetime.fromtimestamp(result.started_at, UTC),
            completed_at=datetime.fromtimestamp(result.completed_at, UTC),
            duration_s=metrics.session_duration,
            reason=result.reason,
            stress_test=result.stress_test,
            analysis_valid=result.analysis_valid,
            questions_asked=metrics.questions_asked,
            questions_answered=metrics.questions_answered,
            similarity=metrics.avg_semantic_similarity,
            keyword_coverage=metrics.avg_keyword_coverage,
            relevance=metrics.overall_relevance,
            fluency=metrics.fluency_score,
            wpm=metrics.wpm,
            topics=["OS"],
            report=plain(result),
        )
        return result

    return kept


def script(page: str, name: str) -> Any:
    """The JSON that a page gives to its script."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])


def rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode())))


# ------------------------------------------------------------------ choosing


def test_topics_and_numbers_are_on_offer(client: Client) -> None:
    page = client.get("/interviews/").content.decode()

    assert 'value="OS"' in page
    assert "Operating systems" in page
    assert re.findall(r'name="questions" value="(\d+)"', page) == ["3", "5", "10", "15"]


def test_without_questions_the_page_says_so(client: Client, topic: InterviewTopic) -> None:
    topic.delete()

    page = client.get("/interviews/").content.decode()

    assert "There are no questions yet" in page
    assert "<form class" not in page


def test_a_guest_may_play_where_the_site_allows_it(client: Client, settings: Any) -> None:
    assert client.get("/interviews/live/").status_code == 200

    settings.SOCKET_AUTH = "required"

    assert client.get("/interviews/live/")["Location"].startswith("/accounts/login/")
    assert "Go to the interview" not in client.get("/interviews/").content.decode()


def test_the_live_page_is_told_what_was_chosen(client: Client, ada: User) -> None:
    chosen = {"topic": "OS", "questions": "10", "stress": "on", "answer": "writing"}

    page = client.get("/interviews/live/", chosen).content.decode()

    config = script(page, "interview-config")
    assert (config["userId"], config["topic"], config["questions"]) == (ada.pk, "OS", 10)
    assert (config["stress"], config["inWriting"]) == (True, True)


def test_without_a_choice_there_are_five_questions_about_everything(client: Client) -> None:
    config = script(client.get("/interviews/live/").content.decode(), "interview-config")

    assert (config["userId"], config["topic"], config["questions"]) == (None, None, 5)
    assert (config["stress"], config["inWriting"]) == (False, False)


@pytest.mark.parametrize(
    "choice", [{"topic": "<b>"}, {"questions": "16"}, {"questions": "x"}, {"answer": "singing"}]
)
def test_what_is_not_on_offer_leads_back_to_the_choice(
    client: Client, choice: dict[str, str]
) -> None:
    answer = client.get("/interviews/live/", choice)

    assert answer.status_code == 400
    assert "Choose again" in answer.content.decode()


def test_past_interviews_are_listed_newest_first_and_charted_from_the_second_on(
    client: Client, keep: Keep
) -> None:
    keep(spoken_result(session_id="one"))
    assert "data-chart" not in client.get("/interviews/").content.decode()

    keep(spoken_result(session_id="two", similarity=0.9))
    page = client.get("/interviews/").content.decode()

    assert re.findall(r'class="past-link" href="([^"]+)"', page) == [
        "/interviews/two/",
        "/interviews/one/",
    ]
    points = script(page, "interview-drawing")["progress"]
    assert [point["number"] for point in points] == [1, 2]
    assert points[0]["similarity"] < points[1]["similarity"]


# ------------------------------------------------------------------ results


def test_a_result_says_it_in_a_sentence_and_gives_its_charts_their_figures(
    client: Client, keep: Keep
) -> None:
    result = keep(spoken_result())

    page = client.get("/interviews/s1/").content.decode()

    assert "You spoke for" in page
    assert result.qa_pairs[0].expected_answer.strip().split(".")[0] in page
    drawing = script(page, "interview-drawing")
    assert [turn["number"] for turn in drawing["turns"]] == [1, 2, 3, 4]
    assert len(drawing["answers"]) == 4


def test_the_tables_have_what_the_charts_draw(client: Client, keep: Keep) -> None:
    result = keep(spoken_result())

    page = client.get("/interviews/s1/").content.decode()

    tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
    assert len(tables) == 2
    for table in tables:
        assert len(re.findall(r'<th scope="row">', table)) == len(result.qa_pairs)


def test_a_result_without_any_speech_is_shown_all_the_same(client: Client, keep: Keep) -> None:
    keep(silent_result())

    answer = client.get("/interviews/s1/")

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "There is nothing to measure yet." in page
    assert "Try again" in page
    assert 'class="card"' not in page


def test_words_of_an_answer_are_never_markup(client: Client, keep: Keep) -> None:
    result = spoken_result()
    report = plain(result)
    report["qa_pairs"][0]["answer"] = "<script>alert(1)</script>"
    keep(result)
    InterviewResult.objects.update(report=report)

    page = client.get("/interviews/s1/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


FILES = ["json", "answers", "metrics"]


@pytest.mark.parametrize("path", ["", *(f"{name}/" for name in FILES)])
def test_nobody_sees_the_result_of_somebody_else(client: Client, keep: Keep, path: str) -> None:
    ben: User = User.objects.create_user("ben")  # type: ignore[no-untyped-call]
    keep(spoken_result(), user=ben)

    assert client.get(f"/interviews/s1/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", *(f"{name}/" for name in FILES)])
def test_results_need_an_account(client: Client, path: str) -> None:
    answer = client.get(f"/interviews/s1/{path}")

    assert answer["Location"] == f"/accounts/login/?next=/interviews/s1/{path}"


def test_a_result_as_json_is_the_result(client: Client, keep: Keep) -> None:
    result = keep(spoken_result())

    answer = client.get("/interviews/s1/json/")

    assert json.loads(answer.content) == json.loads(json.dumps(plain(result)))
    assert answer["Content-Disposition"] == ('attachment; filename="interview-20231114-2213.json"')


def test_answers_and_figures_come_as_csv(client: Client, keep: Keep) -> None:
    result = keep(spoken_result())

    answers = rows(client.get("/interviews/s1/answers/"))
    metrics = rows(client.get("/interviews/s1/metrics/"))

    assert len(answers) == 1 + len(result.qa_pairs)
    assert metrics[0] == ["metric", "value", "unit", "good_from", "good_to"]
    assert ["wpm", str(result.metrics.wpm), "words/min", "120.0", "160.0"] in metrics


def test_an_interview_is_deleted_by_its_reader_alone(client: Client, keep: Keep, ada: User) -> None:
    ben: User = User.objects.create_user("ben")  # type: ignore[no-untyped-call]
    keep(spoken_result(session_id="mine"))
    keep(spoken_result(session_id="his"), user=ben)

    assert client.get("/interviews/mine/delete/").status_code == 405
    assert client.post("/interviews/his/delete/").status_code == 404
    assert client.post("/interviews/mine/delete/")["Location"] == "/interviews/"

    assert [one.session_id for one in history.past_interviews(ada)] == []
    assert [one.session_id for one in history.past_interviews(ben)] == ["his"]


# ------------------------------------------------------------------ guests


def test_a_guest_sees_the_result_that_its_page_was_told(client: Client) -> None:
    told = json.dumps(plain(spoken_result()))

    page = client.post(RESULT_OF_GUESTS, {"result": told}).content.decode()

    assert "kept nowhere" in page
    assert "Delete this interview" not in page
    assert InterviewResult.objects.count() == 0


@pytest.mark.parametrize("kind", FILES)
def test_a_guest_can_save_what_was_told(client: Client, kind: str) -> None:
    told = json.dumps(plain(spoken_result()))

    answer = client.post(RESULT_OF_GUESTS, {"result": told, "as": kind})

    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("told", ["", "{", "[]", "{}", '{"success": 1}', "x" * 1_000_001])
def test_what_is_no_result_is_refused(client: Client, told: str) -> None:
    assert client.post(RESULT_OF_GUESTS, {"result": told}).status_code == 400


@pytest.mark.parametrize("path", [RESULT_OF_GUESTS, "/interviews/s1/delete/"])
def test_other_sites_cannot_post_here(path: str) -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post(path, {"result": "{}"}).status_code == 403


def test_a_store_that_is_away_is_said_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(history, "start_options", away)

    assert client.get("/interviews/").status_code == 503
