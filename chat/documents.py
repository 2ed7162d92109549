"""The log of book rooms as MongoEngine documents, and its indexes.

Both documents live in one collection, so that one unique index numbers the whole log of a room.
They are for reading in threads (admin, commands): whatever changes a room goes through
`chat.services`, which also tells the room.
"""

from typing import Any, ClassVar

from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    LongField,
    ObjectIdField,
    StringField,
    queryset_manager,
)

from chat.entries import COLLECTION, Kind, State

_MESSAGES = {"kind": str(Kind.MESSAGE)}
_REMOVED = {"state": {"$in": [str(State.HIDDEN), str(State.DELETED)]}}

INDEXES: list[dict[str, Any]] = [
    # What makes numbers gapless: exactly one entry can have the number after the newest.
    {"name": "place", "fields": ["book_id", "seq"], "unique": True},
    # What makes sending again safe.
    {
        "name": "resend",
        "fields": ["book_id", "user_id", "authenticated", "client_msg_id"],
        "unique": True,
        "partialFilterExpression": {"clientMsgId": {"$exists": True}},
    },
    # The state is last, so that hidden messages are skipped without being read.
    {
        "name": "history",
        "fields": ["book_id", "-created_at", "-id", "state"],
        "partialFilterExpression": _MESSAGES,
    },
    {
        "name": "newest",
        "fields": ["-created_at", "-id"],
        "partialFilterExpression": _MESSAGES,
    },
    {
        "name": "state",
        "fields": ["state", "-created_at", "-id"],
        "partialFilterExpression": _MESSAGES,
    },
    # Removed messages are few, far apart and counted: the index alone answers, and a message
    # that is visible costs it nothing.
    {
        "name": "removed",
        "fields": ["state", "-created_at", "-id"],
        "partialFilterExpression": _REMOVED,
    },
    {
        "name": "removed_in_room",
        "fields": ["book_id", "state", "-created_at", "-id"],
        "partialFilterExpression": _REMOVED,
    },
    {
        "name": "author",
        "fields": ["user_id", "-created_at", "-id"],
        "partialFilterExpression": _MESSAGES,
    },
    # Everything that happened to one message, its former texts included.
    {
        "name": "changes",
        "fields": ["message_id", "seq"],
        "partialFilterExpression": {"messageId": {"$exists": True}},
    },
    # What one reader did to messages.
    {
        "name": "actor",
        "fields": ["user_id", "authenticated", "message_id"],
        "partialFilterExpression": {"messageId": {"$exists": True}},
    },
]


class GivenReaction(EmbeddedDocument):
    """One reader's emoji under a message."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}

    emoji = StringField(required=True)
    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)


class Message(Document):
    """An entry of kind ``message`` in its present state."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": COLLECTION,
        "auto_create_index": False,
        "strict": False,
        "indexes": INDEXES,
        "index_cls": False,
    }

    book_id = LongField(db_field="bookId", required=True)
    seq = LongField(required=True)
    rev = LongField(required=True)
    """Number of the last entry that changed the message."""
    kind = StringField(default=str(Kind.MESSAGE))
    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)
    """Whether ``user_id`` names an account, or is what a guest claimed."""
    username = StringField(required=True)
    content = StringField(required=True)
    """Kept when the message is removed, for moderators to see."""
    created_at = DateTimeField(db_field="createdAt", required=True)
    updated_at = DateTimeField(db_field="updatedAt", required=True)
    edited_at = DateTimeField(db_field="editedAt")
    is_ai = BooleanField(db_field="isAi", default=False)
    state = StringField(choices=[str(state) for state in State], required=True)
    client_msg_id = StringField(db_field="clientMsgId")
    reply_to = ObjectIdField(db_field="replyTo")
    reply_to_seq = LongField(db_field="replyToSeq")
    reactions = EmbeddedDocumentListField(GivenReaction)
    # Of changes only; named here because the indexes are declared on this document.
    message_id = ObjectIdField(db_field="messageId")

    @queryset_manager
    def objects(doc_cls: Any, queryset: Any) -> Any:  # noqa: N805  MongoEngine's signature
        return queryset.filter(kind=str(Kind.MESSAGE))

    @queryset_manager
    def stated(doc_cls: Any, queryset: Any) -> Any:  # noqa: N805
        """Messages for questions that name a state: no other entry has one, and an index of
        states has to look at no message for that."""
        return queryset


class RoomEvent(Document):
    """An entry of any other kind: what happened to a message, and who did it."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": COLLECTION,
        "auto_create_index": False,
        "strict": False,
    }

    book_id = LongField(db_field="bookId", required=True)
    seq = LongField(required=True)
    kind = StringField(choices=[str(kind) for kind in Kind], required=True)
    message_id = ObjectIdField(db_field="messageId", required=True)
    user_id = StringField(db_field="userId", required=True)
    authenticated = BooleanField(required=True)
    created_at = DateTimeField(db_field="createdAt", required=True)
    previous = StringField()
    """Of an edit: the text before it."""
    by = StringField(choices=["author", "moderator"])
    """Of a deletion."""
    emoji = StringField()
    on = BooleanField()

    @queryset_manager
    def objects(doc_cls: Any, queryset: Any) -> Any:  # noqa: N805
        return queryset.filter(kind__ne=str(Kind.MESSAGE))


def ensure_indexes() -> None:
    """Build what is missing of the indexes; does nothing when all are there. Blocks."""
    Message.ensure_indexes()
