"""`manage.py load_catalogue`: the catalogue of the fixture, brought into the relational store."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from chat.models import Book

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "books.json"


class Command(BaseCommand):
    """Adds what is missing and corrects what differs; books that somebody added stay.

    Run again it reads once and writes nothing.
    """

    help = "Load the Project Gutenberg titles that ReadRealm ships with."

    def handle(self, *_args: Any, **_options: Any) -> None:
        wanted = [Book(id=row["pk"], **row["fields"]) for row in json.loads(FIXTURE.read_bytes())]
        facts = [field.attname for field in Book._meta.concrete_fields if not field.primary_key]
        kept = {
            book.pk: tuple(getattr(book, fact) for fact in facts)
            for book in Book.objects.filter(pk__in=[book.pk for book in wanted])
        }
        changed = [
            book
            for book in wanted
            if kept.get(book.pk) != tuple(getattr(book, fact) for fact in facts)
        ]
        Book.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["id"], update_fields=facts
        )
        self.stdout.write(f"catalogue: {len(wanted)} books, {len(changed)} changed")
