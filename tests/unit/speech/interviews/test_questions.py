import collections
import itertools
import random

import pytest

from readrealm.kernel.errors import InvalidInput
from speech.interviews.fluency import words
from speech.interviews.questions import (
    QUESTION_CHARACTERS,
    Difficulty,
    QuestionBank,
    load_bank,
    read_topic,
)
from speech.interviews.terms import cover

BANK = load_bank()
QUESTIONS = list(BANK.questions)
SUBTOPICS = [(topic, part) for topic in BANK.topics for part in BANK.topic(topic).subtopics]

every_subtopic = pytest.mark.parametrize(
    ("topic", "part"), SUBTOPICS, ids=lambda value: getattr(value, "name", value)
)


def entry(**changes):
    question = {
        "id": "q1",
        "difficulty": "easy",
        "concepts": ["lock"],
        "question": "What is a lock, and what would happen without it?",
        "expected_answer": "A lock keeps others out. Without it, updates are lost.",
        "key_terms": [["lock"], ["others"], ["updates", "writes"]],
    }
    return {
        "name": "T",
        "title": "Topic",
        "subtopics": [
            {
                "name": "s",
                "title": "Subtopic",
                "concepts": [["lock", "mutex"], ["update"]],
                "questions": [question | changes],
            }
        ],
    }


def test_the_bank_covers_computing_and_reading():
    counts = collections.Counter(question.topic for question in QUESTIONS)

    assert set(counts) == {"DBMS", "OS", "OOPS", "READING"}
    assert min(counts.values()) >= 15
    assert {part.name for topic, part in SUBTOPICS if topic == "READING"} == {
        "plot", "character", "theme", "craft",
    }  # fmt: skip
    assert [sum(name == topic for name, _ in SUBTOPICS) for topic in ("DBMS", "OOPS", "OS")] == [
        9, 5, 6,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "part"), SUBTOPICS, ids=lambda value: getattr(value, "name", value)
)
def test_every_subtopic_has_every_difficulty_and_uses_all_its_concepts(topic, part):
    levels = [question.difficulty for question in part.questions]

    assert set(levels) == set(Difficulty)
    assert levels.count(Difficulty.MEDIUM) >= 2
    assert {term.name for question in part.questions for term in question.concepts} == {
        term.name for term in part.concepts
    }


def failing(holds):
    """Ids of the questions for which something does not hold."""
    return [question.id for question in QUESTIONS if not holds(question)]


def test_every_question_can_be_spoken():
    shortest, longest = QUESTION_CHARACTERS
    unspeakable = set("()[]{}<>=/\\_`*#;")

    assert failing(lambda question: shortest <= len(question.text) <= longest) == []
    assert failing(lambda question: question.text[-1] in ".?") == []
    assert failing(lambda question: not unspeakable & set(question.text)) == []


def test_expected_answers_have_two_to_four_sentences_of_a_length_one_can_say():
    def sentences(question):
        return [part for part in question.expected_answer.replace("?", ".").split(".") if part]

    assert failing(lambda question: 2 <= len(sentences(question)) <= 4) == []
    assert failing(lambda question: 30 <= len(words(question.expected_answer)) <= 90) == []


def test_expected_answers_name_all_their_key_terms_and_concepts():
    def names(question, terms):
        return not cover(question.expected_answer, terms).missing

    assert failing(lambda question: names(question, question.key_terms)) == []
    assert failing(lambda question: names(question, question.concepts)) == []


def test_repeating_a_question_does_not_answer_it():
    assert failing(lambda question: cover(question.text, question.key_terms).share <= 0.5) == []


def test_no_question_is_asked_twice_in_other_letters():
    texts = ["".join(filter(str.isalnum, question.text.lower())) for question in QUESTIONS]

    assert len(set(texts)) == len(texts)
    assert len({question.expected_answer for question in QUESTIONS}) == len(QUESTIONS)


def choose(part, *, difficulty=Difficulty.EASY, concepts=(), asked=(), seed=0, **known):
    return BANK.choose(
        part.questions[0].topic,
        part.name,
        concepts=concepts,
        difficulty=difficulty,
        asked=asked,
        dice=random.Random(seed),
        **known,
    )


@pytest.mark.parametrize(
    ("topic", "part"), SUBTOPICS, ids=lambda value: getattr(value, "name", value)
)
@pytest.mark.parametrize("difficulty", Difficulty)
def test_each_difficulty_of_each_subtopic_can_be_reached(topic, part, difficulty):
    question = choose(part, difficulty=difficulty)

    assert (question.topic, question.subtopic, question.difficulty) == (
        topic, part.name, difficulty,
    )  # fmt: skip


def test_among_equals_the_question_about_the_wanted_concepts_is_chosen():
    part = BANK.topic("OS").subtopics[2]
    medium = [question for question in part.questions if question.difficulty is Difficulty.MEDIUM]

    for question, seed in itertools.product(medium, range(5)):
        concepts = [term.name for term in question.concepts]
        assert choose(part, difficulty=Difficulty.MEDIUM, concepts=concepts, seed=seed) == question


def test_a_question_of_an_earlier_interview_waits_for_its_equals():
    part = BANK.topic("OS").subtopics[2]
    first = choose(part, difficulty=Difficulty.MEDIUM)

    again = choose(part, difficulty=Difficulty.MEDIUM, known={first.id: 1})

    assert again != first
    assert again.difficulty is Difficulty.MEDIUM


def test_a_subtopic_that_is_used_up_falls_back_to_its_topic_and_then_to_the_bank():
    part = BANK.topic("OOPS").subtopics[0]
    of_part = [question.id for question in part.questions]
    of_topic = [question.id for question in BANK.topic("OOPS").questions]

    assert choose(part, asked=of_part).topic == "OOPS"
    assert choose(part, asked=of_topic).topic != "OOPS"
    assert choose(part, asked=[question.id for question in QUESTIONS]).topic == "OOPS"


def test_difficulties_are_ordered():
    assert [level.harder for level in Difficulty] == [
        Difficulty.MEDIUM, Difficulty.HARD, Difficulty.HARD,
    ]  # fmt: skip


def test_a_topic_is_read_from_plain_mappings():
    [question] = read_topic(entry()).questions

    assert question.difficulty is Difficulty.EASY
    assert question.concepts[0].wordings == ("lock", "mutex")
    assert question.key_terms[2].also == ("writes",)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"difficulty": "brutal"}, "difficulty"),
        ({"concepts": ["semaphore"]}, "semaphore"),
        ({"concepts": []}, "concepts"),
        ({"question": "Lock?"}, "question"),
        ({"question": "x" * 301}, "question"),
        ({"expected_answer": ""}, "expected_answer"),
        ({"key_terms": [["a"], ["b"]]}, "key_terms"),
        ({"key_terms": [["a"], ["b"], []]}, "key_terms"),
        ({"key_terms": "abc"}, "key_terms"),
        ({"id": "a.b"}, "id"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_by_name(changes, named):
    with pytest.raises(InvalidInput, match=named):
        read_topic(entry(**changes))


@pytest.mark.parametrize("value", [None, 5, [], {}, {"name": "T"}])
def test_what_is_not_a_topic_is_refused(value):
    with pytest.raises(InvalidInput):
        read_topic(value)


def test_a_bank_needs_topics_and_questions_only_once():
    topic = read_topic(entry())
    other = read_topic(entry(id="q2") | {"name": "U"})

    for topics in ([], [topic, topic], [topic, other]):
        with pytest.raises(InvalidInput):
            QuestionBank(topics)


def test_an_unknown_topic_is_refused_with_those_that_exist():
    with pytest.raises(InvalidInput, match="DBMS"):
        BANK.topic("ALCHEMY")
