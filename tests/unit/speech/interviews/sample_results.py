"""Results of interviews that never took place, made by the rules that make real ones."""

from typing import Any

from readrealm.kernel.wire import parse
from speech.interviews.events import InterviewComplete
from tests.unit.speech.interviews.rehearsal import Rehearsal

SENTENCE = (
    "threads share the memory of their process and um each of them has a stack of its own while a "
    "process has an address space that no other one can see so a fault stays where it is"
)
WORDS = SENTENCE.split()


def spoken_result(
    *, session_id: str = "s1", answers: int = 4, similarity: float = 0.72, **options: Any
) -> InterviewComplete:
    """An interview with speech, short and long pauses, and a silent answer as the third."""
    reader = Rehearsal(**options)
    second = 2.0
    for number in range(1, answers + 1):
        reader.similarity = min(1.0, max(0.05, similarity + 0.13 * (number % 3 - 1)))
        reader.at(second).turn()
        second += 16 if number == 3 else _speak(reader, second, number)
        reader.at(second)
        second += 4
    reader.stop()
    return parse(InterviewComplete, {**reader.result, "session_id": session_id})


def written_result(*, session_id: str = "s1") -> InterviewComplete:
    """An interview that was answered in writing: words, but no sound."""
    reader = Rehearsal().at(3).turn().at(14).caption(" ".join(WORDS)).at(20).done()
    return parse(InterviewComplete, {**reader.at(23).stop().result, "session_id": session_id})


def silent_result(*, session_id: str = "s1") -> InterviewComplete:
    """An interview that was stopped before anything was said."""
    return parse(InterviewComplete, {**Rehearsal().at(5).stop().result, "session_id": session_id})


def unanswered_result(*, session_id: str = "s1", answers: int = 2) -> InterviewComplete:
    """An interview in which every question met silence."""
    reader = Rehearsal()
    for number in range(answers):
        reader.at(2 + 30 * number).turn().at(20 + 30 * number)
    return parse(InterviewComplete, {**reader.stop().result, "session_id": session_id})


def _speak(reader: Rehearsal, second: float, number: int) -> float:
    """One answer of 26 to 32 seconds."""
    long_pause = 6.2 if number == 2 else 1.8
    reader.voice(second + 1.4, second + 6).voice(second + 6.2, second + 10.5)
    after = second + 10.5 + long_pause
    reader.voice(after, after + 7.5).caption(" ".join((WORDS * 2)[: 44 + 6 * number]))
    reader.at(after + 9).done()
    return after + 9 - second
