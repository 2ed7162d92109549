"""How the next question is decided on: action, difficulty, subtopic, concepts. Pure.

Nothing here asks a language model: it may word a question, never choose one.
"""

import enum
import random

from speech.interviews.knowledge import DAY_MS, ENOUGH_ATTEMPTS, ConceptRecord, Knowledge, path
from speech.interviews.questions import Difficulty, Subtopic

QUESTIONS_A_VISIT = 3
"""Questions about one subtopic before the topic changes."""

CONCEPTS_A_QUESTION = 2

UNMASTERED_SHARE = 0.8
"""How often a subtopic that is not mastered yet is preferred."""

NEVER_SEEN = 1.5
WEAK = 2.0
STRONG_FACTOR = 0.3
NEW_FACTOR = 1.2
"""Of the priority of a concept, by what is known of it."""


class Action(enum.Enum):
    FINALIZE = "finalize"
    MOVE_TOPIC = "move_topic"
    SIMPLIFY = "simplify"
    FOLLOW_UP = "follow_up"
    DEEPEN = "deepen"


def decide(
    score: float,
    *,
    velocity: float,
    asked_in_visit: int,
    is_over: bool = False,
) -> Action:
    """The action after an answer, given the score that steers (0 to 1).

    Args:
        velocity: change of the mastery of the topic by this answer.
        is_over: no time or no question is left.
    """
    if is_over:
        return Action.FINALIZE
    if asked_in_visit >= QUESTIONS_A_VISIT:
        return Action.MOVE_TOPIC
    if score < 0.2:
        return Action.SIMPLIFY
    if score < 0.6:
        return Action.FOLLOW_UP
    if score < 0.7:
        return Action.DEEPEN if velocity > 0.05 else Action.FOLLOW_UP
    return Action.DEEPEN


def difficulty_after(score: float) -> Difficulty:
    if score < 0.4:
        return Difficulty.EASY
    return Difficulty.MEDIUM if score < 0.7 else Difficulty.HARD


def difficulty_of(action: Action, score: float) -> Difficulty:
    match action:
        case Action.MOVE_TOPIC:
            return Difficulty.MEDIUM
        case Action.SIMPLIFY:
            return Difficulty.EASY
        case Action.DEEPEN:
            return Difficulty.HARD
        case Action.FOLLOW_UP | Action.FINALIZE:
            return difficulty_after(score)


def concept_priority(record: ConceptRecord, *, velocity: float, now_ms: int) -> float:
    """How urgent a concept is; the highest are asked about first."""
    if not record.attempts:
        return NEVER_SEEN
    if record.is_weak:
        return WEAK
    days = max(0, now_ms - record.seen_ms) / DAY_MS
    priority = (1 - record.mastery) + 0.5 * record.miss_ratio + min(0.3, 0.05 * days) - velocity
    if record.is_strong:
        priority *= STRONG_FACTOR
    if record.attempts < ENOUGH_ATTEMPTS:
        priority *= NEW_FACTOR
    return priority


def choose_concepts(
    topic: str, subtopic: Subtopic, knowledge: Knowledge, *, now_ms: int
) -> tuple[str, ...]:
    """The two most urgent concepts; between equals the order of the bank decides, not chance."""
    velocity = knowledge.topic(topic).velocity

    def urgency(name: str) -> float:
        record = knowledge.concept(topic, subtopic.name, name)
        return concept_priority(record, velocity=velocity, now_ms=now_ms)

    names = [concept.name for concept in subtopic.concepts]
    return tuple(sorted(names, key=urgency, reverse=True)[:CONCEPTS_A_QUESTION])


def choose_subtopic(
    topic: str,
    subtopics: tuple[Subtopic, ...],
    knowledge: Knowledge,
    *,
    covered: tuple[str, ...],
    dice: random.Random,
) -> Subtopic:
    """One that was not covered in this cycle: with a weak concept if there is one, else mostly
    one that is not mastered."""
    open_ones = [part for part in subtopics if path(topic, part.name) not in covered] or [
        *subtopics
    ]
    weak = [
        part
        for part in open_ones
        if knowledge.has_weak_concept(topic, part.name, [term.name for term in part.concepts])
    ]
    if weak:
        return dice.choice(weak)
    mastered = [part for part in open_ones if knowledge.subtopic(topic, part.name).is_mastered]
    unmastered = [part for part in open_ones if part not in mastered]
    wants_unmastered = dice.random() < UNMASTERED_SHARE
    return dice.choice((unmastered if wants_unmastered else mastered) or open_ones)
