import numpy as np
import pytest

from speech.interviews.questions import Term
from speech.interviews.wording import accepts_wording, is_repetition

CONCEPTS = (Term("deadlock"), Term("circular wait", ("cycle",)))
GOOD = "Tell me, in your own words, how a dead lock comes about."


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (GOOD, True),
        ("How can a cycle of waiting threads be avoided in a program?", True),
        ("How can threads wait for each other in a program for ever?", False),
        ("What is a deadlock?", False),
        (GOOD + " Explain it." * 30, False),
        ("", False),
    ],
)
def test_a_wording_must_be_speakable_and_about_a_concept(text, accepted):
    assert accepts_wording(text, CONCEPTS, earlier=[]) is accepted


def test_a_question_is_not_worded_like_an_earlier_one():
    assert not accepts_wording(f"  {GOOD.upper()} ", CONCEPTS, earlier=["x", GOOD])


def test_a_curveball_need_not_name_a_concept():
    assert accepts_wording("I do not believe a word of that. Can you defend it?", (), earlier=[])


def at(*cosines):
    return np.array([[c, (1 - c * c) ** 0.5] for c in cosines], np.float32).reshape(-1, 2)


@pytest.mark.parametrize(
    ("in_subtopic", "in_session", "repeated"),
    [((), (), False), ((0.84,), (0.89,), False), ((0.86,), (), True), ((), (0.2, 0.91), True)],
)
def test_questions_repeat_each_other_above_a_cosine(in_subtopic, in_session, repeated):
    question = at(1.0)[0]

    found = is_repetition(question, in_subtopic=at(*in_subtopic), in_session=at(*in_session))

    assert found is repeated
