"""A conversation that took place before a test began, put where the server keeps them."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pymongo import AsyncMongoClient

from chat.log_reader import LogReader
from chat.repository import RoomLogs
from chat.rules import Draft, ReactionSwitch
from readrealm.kernel.clock import now_ms
from readrealm.kernel.identity import Identity
from readrealm.stores.mongo import ASYNC_OPTIONS

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that somebody said."""

    reader: str
    words: str
    minutes_ago: float
    answers: int | None = None
    """Which of the lines before it is answered, from 0."""
    reactions: Sequence[tuple[str, str]] = ()
    """Emoji and who gave it."""


def guest(name: str) -> Identity:
    """A reader without an account, the same for the same name."""
    return Identity(user_id=f"guest-{name.lower().replace(' ', '-')}", username=name)


def small_talk(count: int, *, readers: Sequence[str] = ("Ada", "Ben")) -> list[Line]:
    """So many short lines, a minute apart, the last one a minute ago."""
    return [
        Line(
            reader=readers[number % len(readers)],
            words=f"Line {number + 1} of {count}",
            minutes_ago=count - number,
        )
        for number in range(count)
    ]


def keep(mongodb_url: str, book_id: int, lines: Sequence[Line]) -> None:
    """Have the room's log contain ``lines``, as if each had been said at its time.

    Runs on a loop of its own, in a thread: Playwright's synchronous interface occupies the
    one of the test.
    """
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _keep(mongodb_url, book_id, lines)).result(timeout=30)


async def _keep(mongodb_url: str, book_id: int, lines: Sequence[Line]) -> None:
    now = now_ms()
    time = [now]
    async with AsyncMongoClient(mongodb_url, **ASYNC_OPTIONS) as client:
        database = client.get_default_database()
        logs, log = RoomLogs(database, clock=lambda: time[0]), LogReader(database)
        said: list[str] = []
        for line in lines:
            time[0] = now - round(line.minutes_ago * MINUTE_MS)
            said.append(await _say(logs, log, book_id, line, said))
        await logs.close()


async def _say(
    logs: RoomLogs, log: LogReader, book_id: int, line: Line, said: Sequence[str]
) -> str:
    answered = None if line.answers is None else said[line.answers]
    seq = None if answered is None else (await log.find(book_id, answered)).seq
    kept = await logs.append(
        Draft(
            book_id=book_id,
            author=guest(line.reader),
            content=line.words,
            reply_to=answered,
            reply_to_seq=seq,
        )
    )
    for emoji, reader in line.reactions:
        switch = ReactionSwitch(
            book_id=book_id,
            message_id=kept.message.id,
            actor=guest(reader),
            emoji=emoji,
            on=True,
        )
        await logs.change(switch)
    return kept.message.id
