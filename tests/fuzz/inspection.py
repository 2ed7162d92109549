"""What the attacks left behind in the stores: only what the contract lets a client bring there."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.database import Database

Document = Mapping[str, Any]
Check = Callable[[Any], bool]

ENTRY = {"_id", "bookId", "seq", "kind", "userId", "authenticated", "createdAt"}
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "message": (
        ENTRY | {"username", "content", "updatedAt", "rev", "isAi", "state"},
        {"clientMsgId", "replyTo", "replyToSeq", "editedAt", "reactions"},
    ),
    "edit": (ENTRY | {"messageId", "previous"}, set()),
    "deletion": (ENTRY | {"messageId", "by"}, set()),
    "reaction": (ENTRY | {"messageId", "emoji", "on"}, set()),
}
"""Of each kind of entry: fields it has, and fields it may have. Readers make no other kinds."""

REPORT = {"_id", "messageId", "bookId", "userId", "authenticated", "username", "reason", "note"}
REPORT |= {"createdAt", "isOpen"}

LONGEST = {"content": 4_000, "previous": 4_000, "username": 64, "userId": 128, "clientMsgId": 64}
LONGEST |= {"reason": 64, "note": 1_000, "emoji": 16}

HOSTILE = {"__proto__", "constructor", "prototype", "isStaff", "is_staff", "a.b", "", "\x00"}
"""Names that no document of any collection has a field of, beside those with a ``$``."""

UNTOUCHED = ("sanctions", "moderation_log")
"""Collections that no event of a reader reaches."""


def findings(database: Database[dict[str, Any]], *, began: datetime) -> list[str]:
    """Everything in a database that hostile guests should not have been able to put there.

    Args:
        began: of the attacks, with a time zone; no document is older.
    """
    found = list(_of_entries(database, began))
    for report in database.reports.find():
        if keys := set(report) ^ REPORT:
            found.append(f"report {report['_id']}: fields {sorted(keys)}")
        found += [f"report {report['_id']}: {what}" for what in _of_values(report, began)]
    for name in UNTOUCHED:
        if count := database[name].count_documents({}):
            found.append(f"{count} documents in {name}")
    return found + [
        f"{name} has a document with the field {field!r}"
        for name in database.list_collection_names()
        for field in _fields(database, name)
        if field in HOSTILE or field.startswith("$")
    ]


def _fields(database: Database[dict[str, Any]], name: str) -> set[str]:
    """Every field that any document of a collection has at its top."""
    return {field for document in database[name].find() for field in document}


def _of_entries(database: Database[dict[str, Any]], began: datetime) -> Iterator[str]:
    last: dict[int, int] = {}
    for entry in database.messages.find().sort([("bookId", 1), ("seq", 1)]):
        name = f"entry {entry['bookId']}/{entry['seq']}"
        if entry["kind"] not in FIELDS:
            yield f"{name}: kind {entry['kind']!r}"
            continue
        needed, allowed = FIELDS[entry["kind"]]
        if not needed <= set(entry) <= needed | allowed:
            yield f"{name}: fields {sorted(set(entry) ^ needed)}"
        if entry["seq"] != last.get(entry["bookId"], 0) + 1:
            yield f"{name}: a hole before it"
        last[entry["bookId"]] = entry["seq"]
        yield from (f"{name}: {what}" for what in _of_values(entry, began))


def _of_values(document: Document, began: datetime) -> Iterator[str]:
    for field, value in document.items():
        check = CHECKS.get(field)
        if check is None or not check(value):
            yield f"{field} is {str(value)[:80]!r}"
        if isinstance(value, str) and field in LONGEST:
            yield from _of_text(field, value)
        if isinstance(value, datetime) and value < began:
            yield f"{field} is {value}, before the first attack"


def _of_text(field: str, text: str) -> Iterator[str]:
    if len(text) > LONGEST[field]:
        yield f"{field} has {len(text)} characters"
    if any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\t" for one in text):
        yield f"{field} has control characters: {text[:80]!r}"


def _one_of(*allowed: Any) -> Check:
    return lambda value: any(value is one or value == one for one in allowed)


def _is(*kinds: type) -> Check:
    return lambda value: type(value) in kinds


def _is_fuzzer(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("fuzz")


def _are_reactions(value: Any) -> bool:
    keys = {"emoji", "userId", "authenticated"}
    return isinstance(value, list) and all(
        set(one) == keys and _is_fuzzer(one["userId"]) and one["authenticated"] is False
        for one in value
    )


CHECKS: dict[str, Check] = {
    "_id": _is(ObjectId),
    "messageId": _is(ObjectId),
    "replyTo": _is(ObjectId),
    "bookId": lambda value: type(value) is int and 1 <= value < 2**53,
    "seq": lambda value: type(value) is int and value >= 1,
    "rev": lambda value: type(value) is int and value >= 1,
    "replyToSeq": lambda value: type(value) is int and value >= 1,
    "kind": _is(str),
    "userId": _is_fuzzer,
    "username": _is_fuzzer,
    "authenticated": _one_of(False),
    "isAi": _one_of(False),
    "isOpen": _one_of(True),
    "on": _is(bool),
    "by": _one_of("author"),
    "state": _one_of("visible", "deleted"),
    "content": _is(str),
    "previous": _is(str),
    "clientMsgId": _is(str),
    "emoji": _is(str),
    "reason": _is(str),
    "note": _is(str, type(None)),
    "createdAt": _is(datetime),
    "updatedAt": _is(datetime),
    "editedAt": _is(datetime),
    "reactions": _are_reactions,
}
