import msgspec
import pytest

from speech.interviews.result_page import result_page
from speech.interviews.verdict import cautions, details, headline, way_on
from tests.unit.speech.interviews.sample_results import (
    silent_result,
    spoken_result,
    unanswered_result,
    written_result,
)


def changed(**metrics):
    result = spoken_result()
    return msgspec.structs.replace(
        result, metrics=msgspec.structs.replace(result.metrics, **metrics)
    )


@pytest.mark.parametrize(
    ("wpm", "long_pauses", "end"),
    [
        (119, 0, "at a slow pace, without a long pause."),
        (120, 1, "at an easy pace, and paused long once."),
        (160, 2, "at an easy pace, and paused long twice."),
        (161, 5, "at a fast pace, and paused long 5 times."),
    ],
)
def test_a_result_begins_with_one_sentence(wpm, long_pauses, end):
    result = changed(
        wpm=wpm, long_pause_count=long_pauses, speaking_time=780.0, session_duration=1260.0
    )

    assert headline(result) == f"You spoke for 13 of 21 minutes {end}"


def test_an_interview_in_writing_is_not_called_silent():
    assert "no voice was heard" in headline(written_result())
    assert "38 words" in headline(written_result())


def test_an_interview_without_anything_says_so():
    assert headline(silent_result()) == "Nothing was heard in 5 seconds."
    assert details(silent_result()) == "You answered 0 of 1 question."
    assert cautions(silent_result()) == []
    assert way_on(silent_result())[0].endswith("ended before the first answer.")


@pytest.mark.parametrize("asked", [1, 3])
def test_who_said_nothing_is_told_what_to_do_in_the_place_of_figures(asked):
    page = result_page(unanswered_result(answers=asked), titles={})

    assert page.headline.startswith("Nothing was heard in")
    assert [answer.pair.silent for answer in page.answers] == [True] * asked
    assert all(answer.pair.expected_answer for answer in page.answers)
    what_to_read, what_to_do = page.way_on
    assert what_to_read.endswith("read it once, then try again.")
    assert "microphone" in what_to_do
    assert "in writing" in what_to_do


@pytest.mark.parametrize(
    "result",
    [
        spoken_result(),
        written_result(),
        changed(total_words=1, speaking_time=0.0),
        changed(total_words=0, speaking_time=1.0),
    ],
)
def test_whoever_said_anything_sees_the_figures(result):
    assert way_on(result) == []


def test_figures_of_hardly_anything_come_with_a_caution():
    result = msgspec.structs.replace(changed(total_words=2), analysis_valid=False)

    assert "Too little was said" in cautions(result)[0]


def test_one_answer_has_no_average():
    one = changed(questions_asked=1, questions_answered=1, avg_semantic_similarity=0.5)

    assert details(one).startswith("You answered 1 of 1 question. It matches what was expected by")
    assert "On average they match" in details(changed(questions_answered=2))


def test_a_small_recogniser_is_named_as_a_reason_for_low_figures():
    result = msgspec.structs.replace(spoken_result(), heard_by=["pocketsphinx"])

    assert any("at least what you see" in caution for caution in cautions(result))
    assert not any("at least" in caution for caution in cautions(spoken_result()))


@pytest.mark.parametrize(
    ("heard_how", "words"),
    [
        (["whole", "live", "whole", "live"], "hear all of answers 2 and 4 again"),
        (["whole", "whole", "live", "captions"], "hear all of answer 3 again"),
        (["unheard", "unheard", "unheard", "whole"], "voice in answers 1, 2 and 3, but nobody"),
    ],
)
def test_answers_that_were_not_heard_as_they_should_be_are_named(heard_how, words):
    result = spoken_result()
    pairs = [
        msgspec.structs.replace(pair, heard_how=how)
        for pair, how in zip(result.qa_pairs, heard_how, strict=True)
    ]

    said = cautions(msgspec.structs.replace(result, qa_pairs=pairs))

    assert [words in caution for caution in said].count(True) == 1
    assert not any("answer" in caution and "hear" in caution for caution in cautions(result))
