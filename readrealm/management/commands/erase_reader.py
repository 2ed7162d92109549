"""`manage.py erase_reader`: what is kept about one reader, counted first and erased on demand."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management import BaseCommand, CommandError

from readrealm import reader_data
from readrealm.kernel.errors import AppError
from readrealm.kernel.identity import Identity
from readrealm.management.reader_argument import add_reader, reader_of

OPERATOR = Identity(user_id="manage.py", username="erase_reader", is_staff=True, authenticated=True)
"""Who is on record for what this command did."""


class Command(BaseCommand):
    help = (
        "Erase what is kept about one reader. Without --yes it only counts. Messages become "
        "tombstones without text and name, for everybody and at once in the rooms; former texts "
        "are deleted; reactions, reports, sanctions that are over and the moderation log lose "
        "the reader. A sanction that still holds stays with an account that stays. The "
        "moderation log says that something was erased, and not whose. It may be interrupted and "
        "run again: it goes on where it stopped, and with nothing left it does nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_reader(parser)
        parser.add_argument("--yes", action="store_true", help="erase; it cannot be undone")
        parser.add_argument(
            "--close-account",
            action="store_true",
            help="also end every session and delete the account; not for staff",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["guest"] is not None and options["close_account"]:
            raise CommandError("a guest has no account to close")
        try:
            if options["yes"]:
                self._erase(options)
            else:
                self._count(options)
        except AppError as refusal:
            raise CommandError(f"stopped: {refusal}; run it again to go on") from None

    def _count(self, options: dict[str, Any]) -> None:
        for kind, count in _holdings(options).items():
            self.stdout.write(f"{count:>9,}  {kind}")
        self.stdout.write("nothing was erased; add --yes to erase")

    def _erase(self, options: dict[str, Any]) -> None:
        erased: Counter[str] = Counter()

        def progress(kind: str, count: int) -> None:
            erased[kind] += count
            self.stderr.write(f"{erased[kind]:>9,}  {kind}")

        _erase(options, progress)
        self.stdout.write(
            f"{erased.total()} records erased" if erased.total() else "there was nothing to erase"
        )


@async_to_sync
async def _holdings(options: dict[str, Any]) -> dict[str, int]:
    return await reader_data.holdings(await reader_of(options))


@async_to_sync
async def _erase(options: dict[str, Any], progress: reader_data.Progress) -> None:
    await reader_data.erase(
        await reader_of(options),
        by=OPERATOR,
        closes_account=options["close_account"],
        progress=progress,
    )
