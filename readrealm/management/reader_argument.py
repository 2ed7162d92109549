"""How commands are told whose data they are about."""

from argparse import ArgumentParser
from typing import Any

from readrealm.reader_data import Reader, find_account


def add_reader(parser: ArgumentParser) -> None:
    """Take a name, ``--id`` or ``--guest``; exactly one of them."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("name", nargs="?", help="name of the account, as it logs in")
    who.add_argument("--id", metavar="NUMBER", help="id of the account, as messages have it")
    who.add_argument(
        "--guest",
        metavar="ID",
        help="the user id that a guest claimed; whoever claimed the same id is meant as well",
    )


async def reader_of(options: dict[str, Any]) -> Reader:
    """The reader whom the arguments name.

    Raises:
        NotFound: no account has that name.
    """
    if options["guest"] is not None:
        return Reader(options["guest"], is_guest=True)
    if options["id"] is not None:
        return Reader(options["id"])
    return await find_account(options["name"])
