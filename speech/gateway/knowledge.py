"""What who answers knows of a book, in the words in which a reader is told beforehand. Pure."""

from dataclasses import dataclass

from speech.companion.shelf import Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What can be expected of a talk with one book."""

    offer: str
    """What happens when a reader asks."""
    limit: str = ""
    """What cannot be expected; empty where everything can."""
    mark: str = ""
    """The same in a few words, behind a link to the talk."""


COMPANION = {
    Holding.INDEX: Prospect(
        offer="Ask the book a question aloud. It looks for the passage that answers, and reads it "
        "to you.",
    ),
    Holding.TEXT: Prospect(
        offer="The text of this book is here, but it is not ready for questions yet.",
        limit="Answers are read from the text, so until that is done there are none. Please come "
        "back later.",
        mark="its text is not ready yet",
    ),
    Holding.NOTHING: Prospect(
        offer="The text of this book is not here yet.",
        limit="Answers are read from the text, so for now there are none. A moderator can load it; "
        "the readers in the room may know.",
        mark="its text is not here yet",
    ),
}
"""The reading companion, which says nothing that does not stand in the book."""

_WITHOUT_TEXT = (
    "It does not have the text: it can quote nothing and look nothing up, and what it says of this "
    "book may be wrong."
)

MODEL = {
    Holding.INDEX: Prospect(
        offer="Ask about the book aloud. A language model answers, with the passages at hand that "
        "fit your question best.",
        limit="It can be wrong. Ask where something stands, and look there.",
    ),
    Holding.TEXT: Prospect(
        offer="Ask about the book aloud. A language model answers from what it has learned "
        "elsewhere.",
        limit=f"The text of this book is not ready yet. {_WITHOUT_TEXT}",
        mark="its text is not ready yet",
    ),
    Holding.NOTHING: Prospect(
        offer="Ask about the book aloud. A language model answers from what it has learned "
        "elsewhere.",
        limit=_WITHOUT_TEXT,
        mark="without its text",
    ),
}
"""A language model of this site's engine, which is given passages."""

PROVIDER = Prospect(offer=MODEL[Holding.NOTHING].offer, limit=_WITHOUT_TEXT)
"""A provider's model, which is told title and author of any book and has the text of none."""

ELSEWHERE = Prospect(
    offer="Ask the book a question aloud. If its text is at hand, the answer is looked up there."
)
"""An engine on another machine, whose books cannot be seen from here."""
