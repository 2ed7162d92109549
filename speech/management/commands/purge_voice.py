"""``manage.py purge_voice``: forgets voice sessions whose time has come."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from readrealm.settings.values import whole_number
from speech.routes.archive import archive
from speech.routes.conf import routes_settings


class Command(BaseCommand):
    help = (
        "Forgets voice sessions that ended long ago, with their transcripts and recordings. "
        "Processing workers do the same once an hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=whole_number(1, 3_650),
            default=routes_settings().recording_days,
            help="instead of VOICE_RETENTION_DAYS (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = archive().purge(older_than_days=options["days"])
        sessions = "session" if count == 1 else "sessions"
        self.stdout.write(f"{count} voice {sessions} forgotten")
