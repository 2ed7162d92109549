"""`manage.py settings_table`: every variable of the environment, as the README shows them."""

from typing import Any

from django.core.management import BaseCommand

from readrealm.settings.table import as_markdown


class Command(BaseCommand):
    help = "Print the table of settings in Markdown, as it stands in the README."
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own form; nothing is used

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(as_markdown(), ending="")
