"""`manage.py ensure_indexes`: the MongoDB indexes, made when an operator wants them made."""

from typing import Any

from django.core.management import BaseCommand

from readrealm.management.preparation import ensure_indexes


class Command(BaseCommand):
    help = (
        "Make the MongoDB indexes of every app that are missing; existing ones are left alone. "
        "`serve` does it at every start. On a large collection the first time takes minutes."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        for label in ensure_indexes():
            self.stdout.write(f"  {label}: indexes are there")
