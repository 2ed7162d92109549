"""Entries of a room's log as MongoDB keeps them, and as the wire tells them. Asks no store.

A message is an entry of kind ``message``; every change of it is an entry of its own, which
also changes the message's present state. Only field names of this module reach a document.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from typing import Any, assert_never

from bson import ObjectId
from msgspec import UNSET

from chat.events import (
    Message,
    MessageDeleted,
    MessageRestored,
    MessageUpdated,
    Reaction,
    ReactionChanged,
    RemovedBy,
    RoomLogEvent,
    Wording,
)
from chat.rules import (
    EMOJI_PER_MESSAGE,
    MOST_WORDINGS,
    REACTIONS_PER_MESSAGE,
    Change,
    Draft,
    Edit,
    Erasure,
    Place,
    ReactionSwitch,
    Removal,
    Restoration,
)
from readrealm.kernel.clock import iso_ms, utc
from readrealm.kernel.errors import InvalidState, NotFound
from readrealm.kernel.identity import Identity

Document = dict[str, Any]

COLLECTION = "messages"


class Kind(StrEnum):
    """What an entry of the log is."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"
    RESTORATION = "restoration"
    REACTION = "reaction"
    ERASURE = "erasure"


class State(StrEnum):
    """Whether a message is seen."""

    VISIBLE = "visible"
    DELETED = "deleted"
    """Its author took it back, for good."""
    HIDDEN = "hidden"
    """A moderator removed it; it can be restored."""


REMOVED_BY: dict[str, RemovedBy] = {State.DELETED: "author", State.HIDDEN: "moderator"}


@dataclass(frozen=True, slots=True)
class Step:
    """What a change does: the fields of its log entry, and the update of its message."""

    entry: Document
    update: Document = field(default_factory=dict)


# ------------------------------------------------------------------ to MongoDB


def message_document(draft: Draft, place: Place) -> Document:
    """A new message at its place in the log."""
    document = _entry(Kind.MESSAGE, draft.book_id, draft.author, place)
    document |= {
        "username": draft.author.username,
        "content": draft.content,
        "updatedAt": document["createdAt"],
        "rev": place.seq,
        "isAi": False,
        "state": str(State.VISIBLE),
    }
    if draft.client_msg_id is not None:
        document["clientMsgId"] = draft.client_msg_id
    if draft.reply_to is not None:
        document["replyTo"] = ObjectId(draft.reply_to)
        document["replyToSeq"] = draft.reply_to_seq
    return document


def change_document(change: Change, step: Step, place: Place) -> Document:
    """The log entry of a change."""
    kind = step.entry["kind"]
    entry = _entry(kind, change.book_id, change.actor, place)
    return entry | step.entry | {"messageId": ObjectId(change.message_id)}


def plan(change: Change, stored: Document, place: Place) -> Step | None:
    """What ``change`` does to a message as it is stored; None when it is so already.

    Args:
        place: of the log entry.

    Raises:
        NotFound: the message is not visible.
        InvalidState: the message has all the reactions it can have.
    """
    match change:
        case Edit(content=content):
            _require_visible(stored)
            if stored["content"] == content:
                return None
            now = utc(place.at_ms)
            entry = {"kind": str(Kind.EDIT), "previous": stored["content"]}
            return _step(entry, place, content=content, updatedAt=now, editedAt=now)
        case Removal(by=by):
            if stored["state"] != State.VISIBLE:
                return None
            state = State.DELETED if by == "author" else State.HIDDEN
            return _step({"kind": str(Kind.DELETION), "by": by}, place, state=str(state))
        case Restoration():
            if stored["state"] != State.HIDDEN:
                return None
            return _step({"kind": str(Kind.RESTORATION)}, place, state=str(State.VISIBLE))
        case ReactionSwitch():
            _require_visible(stored)
            return _reaction_step(change, stored.get("reactions", []), place)
        case Erasure():
            return _erasure_step(change, stored, place)
        case _:
            assert_never(change)


def _reaction_step(change: ReactionSwitch, given: list[Document], place: Place) -> Step | None:
    own = {
        "emoji": change.emoji,
        "userId": change.actor.user_id,
        "authenticated": change.actor.authenticated,
    }
    if (own in given) == change.on:
        return None
    different = {reaction["emoji"] for reaction in given} | {change.emoji}
    is_full = len(given) >= REACTIONS_PER_MESSAGE or len(different) > EMOJI_PER_MESSAGE
    if change.on and is_full:
        raise InvalidState("this message has all the reactions it can have")
    return Step(
        entry={"kind": str(Kind.REACTION), "emoji": change.emoji, "on": change.on},
        update={
            "$push" if change.on else "$pull": {"reactions": own},
            "$set": {"rev": place.seq},
        },
    )


def _erasure_step(change: Erasure, stored: Document, place: Place) -> Step | None:
    user_id, authenticated = change.reader
    nobody = {"userId": change.actor.user_id, "authenticated": change.actor.authenticated}
    entry = {"kind": str(Kind.ERASURE)}
    if (stored["userId"], stored["authenticated"]) == change.reader:
        is_hidden = stored["state"] == State.HIDDEN
        tombstone = nobody | {
            "username": change.actor.username,
            "content": "",
            "state": str(State.HIDDEN if is_hidden else State.DELETED),
            "purgedAt": utc(place.at_ms),
            "rev": place.seq,
        }
        # Reactions are other readers' opinions of what is gone.
        gone = {"clientMsgId": "", "reactions": "", "editedAt": ""}
        return Step(entry, {"$set": tombstone, "$unset": gone})
    given = stored.get("reactions", [])
    own = {"userId": user_id, "authenticated": authenticated}
    left = [{**each, **nobody} if own.items() <= each.items() else each for each in given]
    return None if left == given else _step(entry, place, reactions=left)


def _step(entry: Document, place: Place, **fields: Any) -> Step:
    return Step(entry, {"$set": {**fields, "rev": place.seq}})


def _require_visible(stored: Document) -> None:
    if stored["state"] != State.VISIBLE:
        raise NotFound("there is no such message in this room")


def _entry(kind: str, book_id: int, actor: Identity, place: Place) -> Document:
    return {
        "_id": ObjectId(place.entry_id(os.urandom(4))),
        "bookId": book_id,
        "seq": place.seq,
        "kind": str(kind),
        "userId": actor.user_id,
        "authenticated": actor.authenticated,
        "createdAt": utc(place.at_ms),
    }


# ------------------------------------------------------------------ to the wire


def message_of(document: Document) -> Message:
    """A message as readers may see it: of a removed one, that it was there."""
    removed_by = REMOVED_BY.get(document["state"])
    reply_to, edited_at = document.get("replyTo"), document.get("editedAt")
    reactions = None if removed_by else document.get("reactions")
    return Message(
        id=str(document["_id"]),
        book_id=document["bookId"],
        user_id=document["userId"],
        username=document["username"],
        content="" if removed_by else document["content"],
        created_at=iso_ms(document["createdAt"]),
        updated_at=iso_ms(document["updatedAt"]),
        is_ai=document["isAi"],
        is_guest=not document["authenticated"],
        seq=document["seq"],
        rev=document["rev"],
        client_msg_id=document.get("clientMsgId", UNSET),
        reply_to=UNSET if reply_to is None else str(reply_to),
        reply_to_seq=document.get("replyToSeq", UNSET),
        edited_at=UNSET if edited_at is None else iso_ms(edited_at),
        deleted_by=removed_by or UNSET,
        reactions=[_reaction(given) for given in reactions] if reactions else UNSET,
    )


def wordings_of(document: Document, edits: Sequence[Document]) -> list[Wording]:
    """What a message said, oldest first, at most `MOST_WORDINGS` former texts.

    Args:
        edits: its newest ones, oldest first, each with the text before it; one more than is
            shown, where there are so many.

    Raises:
        NotFound: it is removed.
    """
    _require_visible(document)
    # Each text was written when the one before it was replaced.
    moments = [document["createdAt"], *(edit["createdAt"] for edit in edits)]
    texts = [*(edit["previous"] for edit in edits), document["content"]]
    every = [
        Wording(content=text, written_at=iso_ms(moment))
        for text, moment in zip(texts, moments, strict=True)
    ]
    return every[-1 - MOST_WORDINGS :]


def event_of(entry: Document, message: Document) -> RoomLogEvent:
    """What a room hears of a log entry.

    Args:
        message: the entry itself if it is one, else the message it is about, in its present
            state: an old entry never shows what has been removed since.
    """
    book_id, seq = entry["bookId"], entry["seq"]
    match Kind(entry["kind"]):
        case Kind.MESSAGE:
            return message_of(entry)
        case Kind.EDIT | Kind.ERASURE:
            return MessageUpdated(book_id=book_id, seq=seq, message=message_of(message))
        case Kind.RESTORATION:
            return MessageRestored(book_id=book_id, seq=seq, message=message_of(message))
        case Kind.DELETION:
            return MessageDeleted(
                book_id=book_id, seq=seq, message_id=str(entry["messageId"]), by=entry["by"]
            )
        case Kind.REACTION:
            return ReactionChanged(
                book_id=book_id,
                seq=seq,
                message_id=str(entry["messageId"]),
                emoji=entry["emoji"],
                on=entry["on"],
                user_id=entry["userId"],
                is_guest=not entry["authenticated"],
            )
        case kind:
            assert_never(kind)


def place_of(document: Document | None) -> Place:
    """Where an entry stands; without one, the place before the first."""
    if document is None:
        return Place(seq=0, at_ms=0)
    moment = document["createdAt"]
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Place(seq=document["seq"], at_ms=round(aware.timestamp() * 1000))


def _reaction(given: Document) -> Reaction:
    return Reaction(
        emoji=given["emoji"], user_id=given["userId"], is_guest=not given["authenticated"]
    )
