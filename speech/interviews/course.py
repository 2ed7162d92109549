"""The course of an interview: which topics are visited and which question comes next.

Plain data and pure functions; the same seed and the same answers give the same questions.
"""

import random
from dataclasses import dataclass, replace

from speech.interviews.knowledge import Knowledge, path
from speech.interviews.questions import Difficulty, Question, QuestionBank
from speech.interviews.steering import (
    Action,
    choose_concepts,
    choose_subtopic,
    decide,
    difficulty_of,
)

CURVEBALL_EVERY = 2
"""In a stress test every second question of a visit challenges the answer before it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a question of the bank."""

    action: Action
    question: Question


@dataclass(frozen=True, slots=True)
class Challenge:
    """Challenge the answer that was just given, in a stress test."""

    action: Action
    difficulty: Difficulty


Move = Ask | Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where the interview stands; plain data, so that another worker can go on from it."""

    seed: int
    topics: tuple[str, ...]
    """In the order in which they are visited, again and again."""
    stress: bool = False
    visits: int = 0
    """Topic visits that have begun."""
    asked_in_visit: int = 0
    subtopic: str = ""
    covered: tuple[str, ...] = ()
    """Paths of the subtopics of this cycle; a topic whose subtopics are all covered starts anew."""
    asked: tuple[str, ...] = ()
    """Ids of the questions of the bank that were asked."""
    draws: int = 0
    """Decisions that were left to chance."""

    @property
    def topic(self) -> str:
        return self.topics[(self.visits - 1) % len(self.topics)]

    @property
    def dice(self) -> random.Random:
        """The chance of the next decision: the same for the same seed, whichever worker asks."""
        return random.Random(f"{self.seed}/{self.draws}")  # noqa: S311 - it guards nothing


def begin(
    bank: QuestionBank,
    knowledge: Knowledge,
    *,
    seed: int,
    stress: bool,
    topic: str | None,
    now_ms: int,
) -> tuple[Course, Ask]:
    """The first question, always of medium difficulty, or of the level above in a stress test.

    Args:
        topic: the only topic, or None for all of them in random order.

    Raises:
        InvalidInput: the bank has no such topic.
    """
    topics = [bank.topic(topic).name] if topic else list(bank.topics)
    course = Course(seed=seed, topics=tuple(topics), stress=stress)
    course.dice.shuffle(topics)
    course = replace(course, topics=tuple(topics), draws=1)
    return _ask(course, bank, knowledge, Action.MOVE_TOPIC, Difficulty.MEDIUM, now_ms=now_ms)


def proceed(
    course: Course,
    bank: QuestionBank,
    knowledge: Knowledge,
    *,
    score: float,
    now_ms: int,
) -> tuple[Course, Move]:
    """The next question after an answer; ``knowledge`` includes that answer already."""
    action = decide(
        score,
        velocity=knowledge.topic(course.topic).velocity,
        asked_in_visit=course.asked_in_visit,
    )
    if course.stress and action is Action.SIMPLIFY:
        action = Action.FOLLOW_UP
    difficulty = difficulty_of(action, score)
    is_curveball = (course.asked_in_visit + 1) % CURVEBALL_EVERY == 0
    if course.stress and is_curveball and action is not Action.MOVE_TOPIC:
        course = replace(course, asked_in_visit=course.asked_in_visit + 1, draws=course.draws + 1)
        return course, Challenge(action, difficulty.harder)
    return _ask(course, bank, knowledge, action, difficulty, now_ms=now_ms)


def _ask(
    course: Course,
    bank: QuestionBank,
    knowledge: Knowledge,
    action: Action,
    difficulty: Difficulty,
    *,
    now_ms: int,
) -> tuple[Course, Ask]:
    """A question of the bank: of a new visit, or of the current one."""
    # The bank may have been edited since the visit began.
    if action is Action.MOVE_TOPIC or course.topic not in bank.topics:
        course = _visit_next(course, bank, knowledge)
    parts = {part.name: part for part in bank.topic(course.topic).subtopics}
    part = parts.get(course.subtopic) or next(iter(parts.values()))
    wanted = difficulty.harder if course.stress else difficulty
    question = bank.choose(
        course.topic,
        part.name,
        concepts=choose_concepts(course.topic, part, knowledge, now_ms=now_ms),
        difficulty=wanted,
        asked=course.asked,
        dice=course.dice,
        known=knowledge.questions,
    )
    course = replace(
        course,
        asked=(*course.asked, question.id),
        asked_in_visit=course.asked_in_visit + 1,
        draws=course.draws + 1,
    )
    return course, Ask(action, question)


def _visit_next(course: Course, bank: QuestionBank, knowledge: Knowledge) -> Course:
    topics = tuple(topic for topic in course.topics if topic in bank.topics) or bank.topics
    course = replace(course, topics=topics, visits=course.visits + 1, asked_in_visit=0)
    topic = course.topic
    subtopics = bank.topic(topic).subtopics
    paths = {path(topic, part.name) for part in subtopics}
    covered = course.covered
    if paths <= set(covered):
        covered = tuple(known for known in covered if known not in paths)
    chosen = choose_subtopic(topic, subtopics, knowledge, covered=covered, dice=course.dice)
    return replace(
        course,
        subtopic=chosen.name,
        covered=(*covered, path(topic, chosen.name)),
        draws=course.draws + 1,
    )
