"""What a reader chooses before an interview, and the result that a guest brings along."""

from typing import Any

import msgspec
from django import forms

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.wire import parse
from speech.interviews.events import InterviewComplete
from speech.interviews.history import StartOptions

EVERY_TOPIC = "All topics, one after the other"
USUAL_COUNT = 5


class StartForm(forms.Form):
    """Topic, number of questions, way of answering, and how hard the interviewer is.

    ``cleaned_data`` has ``topic`` (empty for all), ``questions``, ``answer`` and ``stress``.
    """

    topic = forms.ChoiceField(label="Topic", required=False)
    questions = forms.TypedChoiceField(label="Questions", coerce=int, required=False)
    answer = forms.ChoiceField(
        label="How you answer",
        choices=[("voice", "By voice"), ("writing", "In writing")],
        required=False,
    )
    stress = forms.BooleanField(label="Stress test", required=False)

    def __init__(self, options: StartOptions, *args: Any, **kwargs: Any) -> None:
        counts = options.question_counts
        self.usual = USUAL_COUNT if USUAL_COUNT in counts else counts[0]
        usual = {"topic": "", "questions": self.usual, "answer": "voice"}
        super().__init__(*args, initial=usual, **kwargs)
        topics = [(topic.name, topic.title) for topic in options.topics]
        self.fields["topic"].choices = [("", EVERY_TOPIC), *topics]
        self.fields["questions"].choices = [(count, str(count)) for count in counts]

    def clean_questions(self) -> int:
        return int(self.cleaned_data["questions"] or self.usual)

    def clean_answer(self) -> str:
        return self.cleaned_data["answer"] or "voice"


class ResultForm(forms.Form):
    """A result as JSON, which nobody keeps for a reader without an account.

    ``cleaned_data["result"]`` is an `InterviewComplete`.
    """

    result = forms.CharField(max_length=1_000_000, strip=False)

    def clean_result(self) -> InterviewComplete:
        try:
            return parse(InterviewComplete, msgspec.json.decode(self.cleaned_data["result"]))
        except (msgspec.DecodeError, InvalidInput) as error:
            raise forms.ValidationError("This is no result of an interview.") from error
