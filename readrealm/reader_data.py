"""Everything that is kept about one reader: handed out, or erased. Each app that keeps something
registers its `ReaderData` in the ``ready`` of its `AppConfig`; the account itself is dealt with
here.

Whatever is told here belongs to one reader: who calls has made sure that it may be told.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from readrealm.kernel.clock import iso_ms, now_ms, utc
from readrealm.kernel.errors import InvalidState, NotFound
from readrealm.kernel.identity import Identity

FORMAT, VERSION = "readrealm-reader-data", 1

Write = Callable[[str], object]
Progress = Callable[[str, int], None]
"""Told after each step: of what, and how many were erased in this step."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose data it is: an account by its primary key, or the id that a guest claimed."""

    user_id: str
    is_guest: bool = False


class ReaderData(Protocol):
    """What one app keeps about readers.

    Every method may raise an `AppError`. They are called one after another on an event loop
    that may end afterwards, so they hold nothing open between two calls.
    """

    name: str
    """Key in an export: the app's label."""
    sections: Sequence[str]
    """What an export is made of, in this order."""

    async def holdings(self, reader: Reader) -> Mapping[str, int]:
        """How many records of each kind an erasure would touch; changes nothing."""
        ...

    def export(self, reader: Reader, section: str) -> AsyncIterator[Mapping[str, Any]]:
        """The records of a section as JSON can say them, oldest first."""
        ...

    async def erase(
        self, reader: Reader, *, by: Identity, closes_account: bool, progress: Progress
    ) -> None:
        """Erase, in steps that can be repeated: after an interruption a second call goes on,
        and a call with nothing left does nothing.

        Args:
            by: for what is put on record, without a word about the reader.
            closes_account: the account goes as well, so what was kept only to keep it in check
                may go too.
        """
        ...


_parts: dict[str, Callable[[], ReaderData]] = {}


def register(name: str, build: Callable[[], ReaderData]) -> None:
    """Have an app's data exported and erased with all other.

    Args:
        name: the `ReaderData.name` of what is built.
        build: called for each export and erasure, so that its modules are loaded by those who
            need them.
    """
    if name in _parts:
        raise ValueError(f"{name} is registered twice")
    _parts[name] = build


def parts() -> Sequence[ReaderData]:
    """What is registered, in the order in which it was."""
    return tuple(build() for build in _parts.values())


async def holdings(reader: Reader) -> dict[str, int]:
    """How many records of each kind there are, by ``part.kind``; changes nothing."""
    found: dict[str, int] = {}
    for part in parts():
        counted = await part.holdings(reader)
        found |= {f"{part.name}.{kind}": count for kind, count in counted.items()}
    return found


async def export(reader: Reader, write: Write) -> int:
    """Write everything that is kept about a reader as one JSON document, piece by piece; how
    many records it has.

    Raises:
        NotFound: there is no such account.
    """
    account = await _account(reader)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "exportedAt": iso_ms(utc(now_ms())),
        "reader": {"userId": reader.user_id, "isGuest": reader.is_guest},
        "account": account,
    }
    write(json.dumps(head, ensure_ascii=False, indent=1)[:-2])
    records = 0
    for part in parts():
        write(f",\n {json.dumps(part.name)}: {{")
        for place, section in enumerate(part.sections):
            write(f"{',' if place else ''}\n  {json.dumps(section)}: [")
            is_first = True
            async for record in part.export(reader, section):
                text = json.dumps(record, ensure_ascii=False)
                write(f"{'' if is_first else ','}\n   {text}")
                is_first = False
                records += 1
            write("]")
        write("\n }")
    write("\n}\n")
    return records


async def erase(reader: Reader, *, by: Identity, closes_account: bool, progress: Progress) -> None:
    """Erase what every app keeps about a reader, and the account last if it is to be closed.

    May be repeated; an interrupted erasure goes on where it stopped.

    Raises:
        NotFound: there is no such account.
        InvalidState: the account of somebody who works here cannot be closed like this.
    """
    if closes_account:
        # Before anything else, so that nothing is written meanwhile: it ends every session.
        await _deactivate(reader)
    for part in parts():
        await part.erase(reader, by=by, closes_account=closes_account, progress=progress)
    if closes_account:
        await _delete(reader)
        progress("account", 1)


@sync_to_async
def find_account(name: str) -> Reader:
    """The reader whose account has a name.

    Raises:
        NotFound: nobody has.
    """
    model = get_user_model()
    try:
        return Reader(str(model.objects.get_by_natural_key(name).pk))
    except model.DoesNotExist:
        raise NotFound(f"no account is called {name}") from None


@sync_to_async
def _account(reader: Reader) -> dict[str, Any] | None:
    if reader.is_guest:
        return None
    user = _user(reader)
    return {
        "id": user.pk,
        "name": user.get_username(),
        "fullName": user.get_full_name(),
        "email": user.email,
        "joinedAt": iso_ms(user.date_joined),
        "lastLoginAt": iso_ms(user.last_login) if user.last_login else None,
        "isActive": user.is_active,
        "isStaff": user.is_staff,
        "groups": [group.name for group in user.groups.order_by("name")],
    }


@sync_to_async
def _deactivate(reader: Reader) -> None:
    user = _user(reader)
    if user.is_staff:
        raise InvalidState("a staff account cannot be closed; take its staff status away first")
    user.is_active = False
    user.save(update_fields=["is_active"])


@sync_to_async
def _delete(reader: Reader) -> None:
    _user(reader).delete()


def _user(reader: Reader) -> Any:
    model = get_user_model()
    is_key = reader.user_id.isascii() and reader.user_id.isdecimal() and not reader.is_guest
    user = model.objects.filter(pk=int(reader.user_id)).first() if is_key else None
    if user is None:
        raise NotFound("there is no such account")
    return user
