"""`manage.py load_questions`: the question bank that ships, brought into the relational store."""

from typing import Any

from django.core.management.base import BaseCommand

from speech.interviews.catalogue import load_shipped
from speech.models import InterviewQuestion


class Command(BaseCommand):
    """Adds what is missing and renews what nobody has edited; edits and own questions stay.

    Run again it writes nothing.
    """

    help = "Load the interview questions that ReadRealm ships with."

    def handle(self, *_args: Any, **_options: Any) -> None:
        added, renewed = load_shipped()
        total = InterviewQuestion.objects.count()
        self.stdout.write(f"question bank: {total} questions, {added} added, {renewed} renewed")
