"""What an interview comes to, in a few sentences. Pure."""

from speech.interviews.events import InterviewComplete
from speech.interviews.metrics import LEAST_SPEECH_S
from speech.interviews.phrases import (
    counted,
    duration,
    engines,
    listed,
    percent,
    share_of_time,
    times,
)


def headline(result: InterviewComplete) -> str:
    """The one sentence that a result begins with."""
    metrics = result.metrics
    if metrics.speaking_time < LEAST_SPEECH_S:
        return _unheard(result)
    spoken = share_of_time(metrics.speaking_time, metrics.session_duration)
    pauses = metrics.long_pause_count
    paused = f"and paused long {times(pauses)}" if pauses else "without a long pause"
    return f"You spoke for {spoken}{_pace(result)}, {paused}."


def details(result: InterviewComplete) -> str:
    """How the answers did."""
    metrics = result.metrics
    if not metrics.questions_asked:
        return "No question was asked."
    answered = f"You answered {metrics.questions_answered} of "
    answered += counted(metrics.questions_asked, "question") + "."
    if not metrics.questions_answered:
        return answered
    similarity = percent(metrics.avg_semantic_similarity)
    coverage = f"{percent(metrics.avg_keyword_coverage)} of the key terms."
    if metrics.questions_answered == 1:
        return f"{answered} It matches what was expected by {similarity} and names {coverage}"
    return f"{answered} On average they match what was expected by {similarity} and name {coverage}"


def was_silent(result: InterviewComplete) -> bool:
    """Whether nothing was said at all, aloud or in writing, so that no figure means anything."""
    metrics = result.metrics
    return not metrics.total_words and metrics.speaking_time < LEAST_SPEECH_S


def way_on(result: InterviewComplete) -> list[str]:
    """What somebody can do who said nothing; empty where something was said."""
    if not was_silent(result):
        return []
    read = (
        "Below is what was asked, and what a good answer says: read it once, then try again."
        if result.qa_pairs
        else "The interview ended before the first answer."
    )
    return [
        f"There is nothing to measure yet. {read}",
        "If you did speak, your microphone was not heard: look whether it is muted, and whether "
        "your browser lets this page use it. You can also answer in writing.",
    ]


def cautions(result: InterviewComplete) -> list[str]:
    """What has to be known before the figures are believed."""
    found = []
    if not (result.analysis_valid or was_silent(result)):
        found.append(
            "Too little was said to judge this interview. Take the figures as they are: "
            "hardly anything was there to be measured."
        )
    if "pocketsphinx" in result.heard_by:
        found.append(
            f"Your words were heard by {engines(result.heard_by)}. It mishears more than a person "
            "does, so match and key terms are at least what you see here. Times and pauses do not "
            "depend on it."
        )
    elif result.heard_by:
        found.append(f"Your words come from {engines(result.heard_by)}.")
    found += _unsure(result)
    if any(pair.contradictions for pair in result.qa_pairs):
        found.append(
            "Where an answer seems to deny what was expected, its match was lowered. Look at those "
            "places yourself: a program takes a negation where there may be none."
        )
    return found


def _unsure(result: InterviewComplete) -> list[str]:
    """Answers for which no recogniser was there, or none when they had ended."""
    found = []
    if live := _numbers(result, "live"):
        found.append(
            f"Nobody could hear all of {live} again with care. The words are those that were noted "
            "while you spoke; some may be missing or wrong."
        )
    if unheard := _numbers(result, "unheard"):
        found.append(
            f"There was voice in {unheard}, but nobody wrote down what you said, so it counts as "
            "silent."
        )
    return found


def _numbers(result: InterviewComplete, heard_how: str) -> str:
    """Such as ``answer 2`` or ``answers 2 and 5``; empty for none."""
    numbers = [str(pair.number) for pair in result.qa_pairs if pair.heard_how == heard_how]
    if not numbers:
        return ""
    return f"answer{'s' if len(numbers) > 1 else ''} {listed(numbers)}"


def _unheard(result: InterviewComplete) -> str:
    if not result.metrics.total_words:
        return f"Nothing was heard in {duration(result.metrics.session_duration)}."
    said = counted(result.metrics.total_words, "word")
    length = duration(result.metrics.session_duration)
    return f"You answered with {said} in {length}; no voice was heard with them."


def _pace(result: InterviewComplete) -> str:
    good, wpm = result.benchmarks.get("wpm"), result.metrics.wpm
    if good is None or good.min is None or good.max is None or not wpm:
        return ""
    if wpm < good.min:
        return " at a slow pace"
    return " at a fast pace" if wpm > good.max else " at an easy pace"
