"""``manage.py asyncapi``: the published contract, written from the types that check the wire."""

from argparse import ArgumentParser
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from readrealm.contract.asyncapi import as_yaml
from readrealm.contract.spoken import vocabularies
from readrealm.contract.typings import declarations
from readrealm.contract.version import CONTRACT_VERSION

MOST_CHANGES = 20
"""Lines of a difference that are shown."""


class Command(BaseCommand):
    help = (
        "Writes docs/asyncapi.yaml (AsyncAPI 3) and docs/readrealm.d.ts (typings for "
        "socket.io-client) from the event types that check the wire."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail when a file would change"
        )
        parser.add_argument(
            "--folder",
            type=Path,
            default=settings.BASE_DIR / "docs",
            help="where the files go (default: docs)",
        )

    def handle(self, *_: Any, check: bool, folder: Path, **options: Any) -> None:
        spoken = vocabularies()
        texts = {
            "asyncapi.yaml": as_yaml(spoken, version=CONTRACT_VERSION),
            "readrealm.d.ts": declarations(spoken),
        }
        for name, text in texts.items():
            path = folder / name
            found = path.read_text("utf-8") if path.is_file() else ""
            is_same = found == text
            if check and not is_same:
                changes = _changes(found, text)
                raise CommandError(f"{name} differs, run manage.py asyncapi:\n{changes}")
            if not is_same:
                path.write_text(text, "utf-8")
            self.stdout.write(f"{name} {'is up to date' if is_same else 'written'}")


def _changes(found: str, text: str) -> str:
    lines = unified_diff(
        found.splitlines(), text.splitlines(), "committed", "spoken", n=0, lineterm=""
    )
    return "\n".join(islice(lines, MOST_CHANGES))
