"""Everything that the page of a result shows, in the order in which it shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from speech.interviews.cards import Card, cards, figures
from speech.interviews.charts import TurnRow, drawing, turn_rows
from speech.interviews.events import InterviewComplete
from speech.interviews.outcome import QaPair
from speech.interviews.phrases import REASONS, listed
from speech.interviews.verdict import cautions, details, headline, way_on


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One question with what was said and what was expected."""

    pair: QaPair
    topic: str
    """As it is called on a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """
    Attributes:
        way_on: in the place of figures and charts, for somebody who said nothing; else empty.
        drawing: the figures of the charts, for JSON.
    """

    session_id: str
    topics: str
    started_at: datetime
    ended: str
    stress_test: bool
    headline: str
    details: str
    cautions: Sequence[str]
    way_on: Sequence[str]
    cards: Sequence[Card]
    turns: Sequence[TurnRow]
    answers: Sequence[AnswerView]
    figures: Sequence[tuple[str, str]]
    drawing: Mapping[str, object]


def result_page(result: InterviewComplete, *, titles: Mapping[str, str]) -> ResultPage:
    """The page of a result.

    Args:
        titles: how topics are called, by name; one that is missing is called by its name.
    """
    names = dict.fromkeys(pair.topic for pair in result.qa_pairs)
    return ResultPage(
        session_id=result.session_id,
        topics=listed([titles.get(name, name) for name in names]) or "No answers",
        started_at=datetime.fromtimestamp(result.started_at, UTC),
        ended=REASONS[result.reason],
        stress_test=result.stress_test,
        headline=headline(result),
        details=details(result),
        cautions=cautions(result),
        way_on=way_on(result),
        cards=cards(result),
        turns=turn_rows(result.timeline),
        answers=[
            AnswerView(pair=pair, topic=titles.get(pair.topic, pair.topic))
            for pair in result.qa_pairs
        ],
        figures=figures(result),
        drawing=drawing(result),
    )
