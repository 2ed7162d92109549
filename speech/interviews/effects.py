"""What an interview wants done: things to tell, and work that takes a while. Data only."""

import enum
from dataclasses import dataclass

from speech.interviews.contract import InterviewContract
from speech.interviews.events import InterviewComplete, event_name
from speech.interviews.knowledge import Knowledge
from speech.interviews.state import AskedQuestion


class Receiver(enum.Enum):
    ROOM = "room"
    """Every socket of the reader that is attached to this interview."""
    CALLER = "caller"
    """The socket whose command is being answered."""


@dataclass(frozen=True, slots=True)
class Tell:
    event: InterviewContract
    to: Receiver = Receiver.ROOM

    @property
    def name(self) -> str:
        """The name under which the event travels."""
        return event_name(self.event)


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Flush the audio of a turn and hear it again with care; answer `Procedure.transcribed`."""

    job: int
    turn: int


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Judge an answer; answer with `Procedure.evaluated`."""

    job: int
    question: AskedQuestion
    answer: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Word the next question with a language model; answer with `Procedure.phrased`."""

    job: int
    question: AskedQuestion
    previous_answer: str


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the result and what is now known of the reader; answer with `Procedure.stored`."""

    job: int
    result: InterviewComplete
    knowledge: Knowledge


Effect = Tell | Transcribe | Evaluate | Phrase | Store
"""Work that cannot be done is answered with `Procedure.failed`; work that is not answered at all
runs into a deadline of the interview."""

Effects = list[Effect]
"""In the order in which they are to be carried out."""
