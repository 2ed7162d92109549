"""How long the pages of the admin take over a large history.

    .venv-dev/bin/python -m tests.benchmarks.bench_admin --messages 1000000

Fills a private MongoDB in a temporary folder, then asks for each page as a moderator, in this
process and without a network: what is measured is Django, the queries and the templates.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support import environment

FOLDER = environment.temporary_folder()
environment.prepare(FOLDER)
os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER / 'bench.sqlite3'}"
os.environ["LOG_LEVEL"] = "ERROR"

import django  # noqa: E402  reads what was just set

django.setup()

from bson import ObjectId  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from readrealm.management.preparation import ensure_indexes  # noqa: E402
from readrealm.stores.addresses import DATABASE  # noqa: E402
from tests.support.stores import SessionStores  # noqa: E402

ROOMS, READERS, PORTION = 40, 5_000, 10_000
LIMIT_MS = 100.0
LIST = "/admin/chat/chatmessage/"
START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ("the", "whale", "sea", "captain", "and", "white", "harpoon", "deep", "watch", "ship")


def messages(count: int) -> Iterator[dict[str, Any]]:
    """A history of 40 rooms and 5,000 readers; in each room one in 199 is removed."""
    for number in range(count):
        at = START + timedelta(seconds=60 * number)
        reader = number * 7919 % READERS
        yield {
            "_id": ObjectId(),
            "bookId": number % ROOMS + 1,
            "seq": number // ROOMS + 1,
            "rev": number // ROOMS + 1,
            "kind": "message",
            "userId": str(reader),
            "authenticated": reader % 3 > 0,
            "username": f"reader {reader}",
            "content": " ".join(WORDS[(number * step) % 10] for step in range(1, 16)),
            "createdAt": at,
            "updatedAt": at,
            "isAi": False,
            "state": "hidden" if number % 199 == 0 else "visible",
        }


def fill(database: Any, count: int) -> list[ObjectId]:
    """Put the history in; ids of some messages."""
    some: list[ObjectId] = []
    portion: list[dict[str, Any]] = []
    for document in messages(count):
        portion.append(document)
        if len(portion) == PORTION or document["seq"] * ROOMS > count:
            database.messages.insert_many(portion, ordered=False)
            some.append(portion[len(portion) // 2]["_id"])
            portion = []
    if portion:
        database.messages.insert_many(portion, ordered=False)
    return some


def report(database: Any, wanted: list[ObjectId]) -> None:
    """Three reports of each message, sanctions of its author and of others, and acts."""
    for place, message_id in enumerate(wanted):
        message = database.messages.find_one({"_id": message_id})
        about = {
            "messageId": message_id,
            "bookId": message["bookId"],
            "authenticated": True,
            "createdAt": START,
            "isOpen": True,
        }
        database.reports.insert_many(
            about | {"userId": str(who), "username": f"reader {who}", "reason": "spam"}
            for who in range(place, place + 3)
        )
    authors = database.messages.find({"_id": {"$in": wanted}}).distinct("userId")
    database.sanctions.insert_many(
        {
            "userId": user_id,
            "authenticated": int(user_id) % 3 > 0,
            "username": f"reader {user_id}",
            "measure": "timeout",
            "bookId": 1,
            "until": START + timedelta(minutes=number + 60),
            "reason": "rude",
            "createdAt": START + timedelta(minutes=number),
            "moderatorId": str(number % 5),
            "isLifted": number % 7 == 0,
        }
        for number, user_id in enumerate([*authors * 3, *(str(n) for n in range(5_000))])
    )
    database.moderation_log.insert_many(
        {
            "at": START + timedelta(minutes=number),
            "act": ("hide", "keep", "timeout")[number % 3],
            "moderatorId": str(number % 5),
            "moderatorName": f"moderator {number % 5}",
            "reason": "rude",
            "userId": str(number % READERS),
            "authenticated": True,
            "username": f"reader {number % READERS}",
            "bookId": number % ROOMS + 1,
            "messageId": None,
            "until": None,
        }
        for number in range(20_000)
    )


def pages(some: list[ObjectId]) -> dict[str, str]:
    """What is measured, by name."""
    middle = some[len(some) // 2]
    return {
        "newest messages": LIST,
        "page 20": f"{LIST}?p=20",
        "last page that can be reached": f"{LIST}?p=100",
        "oldest first": f"{LIST}?o=1",
        "one room": f"{LIST}?room=7",
        "one room, hidden": f"{LIST}?room=7&state=hidden",
        "hidden": f"{LIST}?state=hidden",
        "visible": f"{LIST}?state=visible",
        "last 30 days": f"{LIST}?since=30d",
        "guests": f"{LIST}?author=guest",
        "waiting to be judged": f"{LIST}?reported=open",
        "one reader": f"{LIST}?q=user:77",
        "data of one reader": f"{LIST}reader/?id=78&guest=1",
        "one message by id": f"{LIST}?q={middle}",
        "words that are common": f"{LIST}?q=harpoon",
        "words that nobody wrote": f"{LIST}?q=kraken",
        "a message and what is around it": f"{LIST}{middle}/change/",
        "review queue": f"{LIST}review/",
        "moderation log": "/admin/chat/moderatoract/",
        "moderation log of one moderator": "/admin/chat/moderatoract/?moderator=3",
        "sanctions": "/admin/chat/imposedsanction/",
    }


def moderator() -> Client:
    from django.contrib.auth.models import Group, User

    user = User.objects.create_user("mo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Moderators"))
    client = Client()
    client.force_login(user)
    return client


def measure(client: Client, address: str, rounds: int) -> list[float]:
    """Milliseconds of each round, sorted, after one that does not count."""
    spans = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        answer = client.get(address)
        spans.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
    return sorted(spans[1:])


def say(line: str) -> None:
    """Tell whoever measures, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip  # noqa: E501
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DEBUG = False
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    stores = SessionStores(FOLDER)
    try:
        call_command("migrate", verbosity=0)
        call_command("load_catalogue", verbosity=0)
        database = stores.mongo[DATABASE]
        begin = time.perf_counter()
        some = fill(database, options.messages)
        ensure_indexes()
        report(database, some[:40])
        say(f"{options.messages:,} messages in {time.perf_counter() - begin:.0f} s\n")
        client, slow = moderator(), []
        say(f"| page | median, ms | slowest of {options.rounds}, ms |\n|---|---:|---:|")
        for name, address in pages(some).items():
            spans = measure(client, address, options.rounds)
            median = statistics.median(spans)
            say(f"| {name} | {median:.0f} | {spans[-1]:.0f} |")
            if median > LIMIT_MS:
                slow.append(name)
        say(f"\nover {LIMIT_MS:.0f} ms: {', '.join(slow) or 'none'}")
        return 1 if slow else 0
    finally:
        stores.stop()


if __name__ == "__main__":
    sys.exit(main())
