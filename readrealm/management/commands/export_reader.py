"""`manage.py export_reader`: everything that is kept about one reader, as JSON."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from asgiref.sync import async_to_sync
from django.core.management import BaseCommand, CommandError

from readrealm import reader_data
from readrealm.kernel.errors import AppError
from readrealm.management.reader_argument import add_reader, reader_of


class Command(BaseCommand):
    help = (
        "Write everything that is kept about one reader as JSON: the account, messages with "
        "their former texts, reactions, reports, sanctions, the moderation log, and what other "
        "apps keep. Nothing is changed. With --output the file appears when it is complete, and "
        "only its owner can read it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_reader(parser)
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            if options["output"] is None:
                records = _export(options, self.stdout)
            else:
                records = self._export_to(options["output"], options)
        except AppError as refusal:
            raise CommandError(f"not exported: {refusal}") from None
        self.stderr.write(f"{records} records exported")

    def _export_to(self, place: Path, options: dict[str, Any]) -> int:
        partial = place.with_name(place.name + ".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                records = _export(options, out)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)
        return records


@async_to_sync
async def _export(options: dict[str, Any], out: TextIO) -> int:
    # Django's own wrapper of standard output would add a line end to each piece.
    write = getattr(out, "_out", out).write
    return await reader_data.export(await reader_of(options), write)
