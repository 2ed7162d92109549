"""`manage.py prepare`: what `serve` does before it serves, for deployments that do it apart."""

from typing import Any

from django.core.management import BaseCommand

from readrealm.management.preparation import prepare


class Command(BaseCommand):
    help = (
        "Bring database, MongoDB indexes, catalogue and static files up to date. Safe to repeat; "
        "the stores must be running (`serve` and `runstores` start private ones)."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        for line in prepare():
            self.stdout.write(f"  {line}")
